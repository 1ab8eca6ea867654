/** What is done about a time that has come: late, missed, overlapping, at its end; and what the clock of a machine may do. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import {
  type Circumstances,
  decide,
  fireTime,
  fireTimes,
  mostMadeUp,
  strayed,
  upcomingAfter
} from "../../../src/domain/schedule/Firing.ts"
import { MissedPolicy, type Rules } from "../../../src/domain/schedule/Schedule.ts"
import { ScheduleId } from "../../../src/domain/schedule/ScheduleId.ts"

const id = ScheduleId.make("4h8s1zq6w0be")
const hour = 3_600_000
const day = 24 * hour

const plan = (overrides: Partial<Rules> & { readonly runs?: number } = {}) => ({
  id,
  runs: 0,
  timing: { kind: "every" as const, everyMs: hour, anchor: 0, timezone: "UTC" },
  missed: "skip" as const,
  graceMs: 300_000,
  overlap: "skip" as const,
  jitterMs: 0,
  maxRuns: null,
  expiresAt: null,
  follows: null,
  ...overrides
})

const at = (
  given: ReturnType<typeof plan>,
  dueAt: number,
  circumstances: Partial<Circumstances> & { readonly now: number }
) =>
  Either.getOrThrow(
    decide({ ...given, dueAt, fireAt: fireTime(given, dueAt) }, { open: 0, refused: null, ...circumstances })
  )

describe("a machine that was asleep for a day", () => {
  const now = day + hour + 600_000

  it("passes over what it missed", () => {
    const { recorded, run, upcoming } = at(plan(), hour, { now })
    assert.isNull(run)
    assert.deepInclude(recorded[0], { status: "missed", dueAt: hour, untilAt: day + hour, count: 25 })
    assert.strictEqual(upcoming.nextDueAt, day + 2 * hour)
  })

  it("runs the last time once", () => {
    const { recorded, run, upcoming } = at(plan({ missed: "run-once" }), hour, { now })
    assert.strictEqual(run, day + hour)
    assert.deepInclude(recorded[0], { dueAt: hour, untilAt: day, count: 24 })
    assert.strictEqual(upcoming.nextDueAt, day + 2 * hour)
  })

  it("runs each, one after the other", () => {
    const { recorded, run, upcoming } = at(plan({ missed: "run-all" }), hour, { now })
    assert.deepStrictEqual([recorded.length, run, upcoming.nextDueAt], [0, hour, 2 * hour])
  })

  it("makes up for a bounded number of them, the newest", () => {
    const every = { kind: "every", everyMs: 1000, anchor: 0, timezone: "UTC" } as const
    const { recorded, run } = at(plan({ missed: "run-all", timing: every }), 1000, { now: day })
    assert.strictEqual(run, day - (mostMadeUp - 1) * 1000)
    assert.deepInclude(recorded[0], { dueAt: 1000, untilAt: day - mostMadeUp * 1000, count: 200 })
  })

  it("counts in no time what was missed in years", () => {
    const cron = { kind: "cron", expression: "* * * * * *", timezone: "Europe/Berlin" } as const
    const { recorded, run } = at(plan({ timing: cron, graceMs: 0 }), 1000, { now: 10 * 365 * day })
    assert.deepInclude(recorded[0], { count: 200, untilAt: 10 * 365 * day - 1000 })
    // The last one comes just now.
    assert.strictEqual(run, 10 * 365 * day)
  })

  it("also where a time each second lies a while back", () => {
    const timing = { kind: "cron", expression: "* * * * jan *", timezone: "UTC" } as const
    const last = 31 * day - 1000
    const now = 50 * day
    const { recorded, upcoming } = at(plan({ timing }), 1000, { now })
    assert.deepInclude(recorded[0], { count: 200, untilAt: last })
    assert.strictEqual(upcoming.nextDueAt, 365 * day)
    assert.strictEqual(at(plan({ timing, missed: "run-once" }), 1000, { now }).run, last)
    assert.strictEqual(at(plan({ timing, missed: "run-all" }), 1000, { now }).run, last - (mostMadeUp - 1) * 1000)
  })
})

describe("a time", () => {
  it("within its grace is on time", () => {
    assert.strictEqual(at(plan(), hour, { now: hour + 300_000 }).run, hour)
    assert.isNull(at(plan(), hour, { now: hour + 300_001 }).run)
  })

  it("that was missed although it was the only one runs if it is told to", () => {
    const once = { kind: "at", at: hour, timezone: "UTC" } as const
    assert.deepInclude(at(plan({ timing: once, missed: "run-once" }), hour, { now: day }), {
      run: hour,
      upcoming: { status: "completed", nextDueAt: null, nextFireAt: null }
    })
    assert.deepInclude(at(plan({ timing: once }), hour, { now: day }).upcoming, { status: "completed" })
  })

  it("is skipped while a run continues, and behind one that has failed", () => {
    assert.strictEqual(at(plan(), hour, { now: hour, open: 1 }).recorded[0]?.status, "skipped")
    assert.strictEqual(at(plan({ overlap: "allow" }), hour, { now: hour, open: 1 }).run, hour)
    assert.strictEqual(at(plan({ overlap: "queue" }), hour, { now: hour, open: 100 }).recorded[0]?.status, "skipped")
    assert.strictEqual(at(plan(), hour, { now: hour, refused: "it failed" }).recorded[0]?.reason, "it failed")
  })

  it("that fires in one zone was made in another", () => {
    const cron = { kind: "cron", expression: "0 9 * * *", timezone: "Asia/Tokyo" } as const
    const upcoming = Either.getOrThrow(upcomingAfter(plan({ timing: cron }), Date.parse("2026-06-01T12:00:00Z")))
    assert.strictEqual(upcoming.nextDueAt, Date.parse("2026-06-02T00:00:00Z"))
  })

  it("is the last one by number or by date", () => {
    assert.deepStrictEqual(at(plan({ maxRuns: 1 }), hour, { now: hour }).upcoming.status, "completed")
    assert.deepStrictEqual(at(plan({ expiresAt: 2 * hour - 1 }), hour, { now: hour }).upcoming.status, "expired")
    assert.deepStrictEqual(fireTimes(plan({ maxRuns: 2 }), 0, 5), [hour, 2 * hour])
  })

  it("that cannot be read any more is a problem, not a crash", () => {
    const broken = { kind: "cron", expression: "0 25 * * *", timezone: "UTC" } as const
    assert.include(
      Either.getOrThrow(Either.flip(upcomingAfter(plan({ timing: broken }), 0))),
      "'25' is not for the hour"
    )
  })
})

describe("times that had passed when a worker first looked", () => {
  const every = { kind: "every", everyMs: 5000, anchor: 0, timezone: "UTC" } as const

  for (const overlap of ["allow", "skip", "queue", "cancel-previous"] as const) {
    it(`are late within the grace too, but for the last one (overlap ${overlap})`, () => {
      const { recorded, run, upcoming } = at(plan({ timing: every, overlap }), 5000, { now: 62_000 })
      assert.strictEqual(run, 60_000)
      assert.deepStrictEqual(
        recorded.map(({ count, dueAt, status, untilAt }) => [status, dueAt, untilAt, count]),
        [["missed", 5000, 55_000, 11]]
      )
      assert.include(recorded[0]?.reason ?? "", "no worker looked")
      assert.strictEqual(upcoming.nextDueAt, 65_000)
    })
  }

  it("are one row where the first is later than its grace, and the last is run", () => {
    const { recorded, run } = at(plan({ timing: every }), 5000, { now: hour })
    assert.strictEqual(run, hour)
    assert.deepInclude(recorded[0], { dueAt: 5000, untilAt: hour - 5000, count: 200 })
  })

  it("are run each where all are to be made up for", () => {
    assert.strictEqual(at(plan({ timing: every, missed: "run-all" }), 5000, { now: 62_000 }).run, 5000)
  })

  it("do not count as passed while they wait for the schedule that they follow", () => {
    const given = { ...plan({ timing: every }), dueAt: 5000, fireAt: 62_000 }
    assert.strictEqual(Either.getOrThrow(decide(given, { now: 62_000, open: 0, refused: null })).run, 5000)
  })
})

describe("a clock that was set back", () => {
  const timings = [
    { kind: "every", everyMs: 2000, anchor: 0, timezone: "UTC" },
    // Made while the clock was ahead.
    { kind: "every", everyMs: 2000, anchor: 2 * hour, timezone: "UTC" },
    { kind: "cron", expression: "* * * * *", timezone: "Europe/Berlin" },
    { kind: "cron", expression: "0 9 * * *", timezone: "Asia/Tokyo" }
  ] as const

  it.each(timings)("is seen by a next time that the rule does not have (%j)", (timing) => {
    const given = plan({ timing })
    for (const ahead of [2 * hour, 365 * day]) {
      const then = Either.getOrThrow(upcomingAfter(given, day + ahead))
      if (then.nextDueAt === Either.getOrThrow(upcomingAfter(given, day)).nextDueAt) continue
      const right = strayed({ ...given, ...then }, day)
      assert.isAbove(right?.nextDueAt ?? 0, day)
      assert.isAtMost(right?.nextDueAt ?? 0, 2 * day)
      assert.isNull(strayed({ ...given, ...right, nextDueAt: right?.nextDueAt ?? null }, day))
    }
  })

  it("is not seen where nothing was wrong, or where the one time is still to come", () => {
    const once = plan({ timing: { kind: "at", at: 365 * day, timezone: "UTC" } as const })
    assert.isNull(strayed({ ...once, nextDueAt: 365 * day }, day))
    for (const now of [0, 1, hour - 1, hour, 2 * day]) assert.isNull(strayed({ ...plan(), nextDueAt: hour }, now))
  })
})

describe("jitter", () => {
  it("that is longer than the time between two fires makes none of them missed", () => {
    const given = plan({ jitterMs: 5 * hour, graceMs: 60_000 })
    assert.strictEqual(at(given, hour, { now: 6 * hour }).run, hour)
    assert.isNull(at(given, hour, { now: 6 * hour + 60_001 }).run)
  })

  it("is below its bound, the same for the same time, and spread evenly", () => {
    const jittered = plan({ jitterMs: 1000 })
    const offsets = Array.from({ length: 4000 }, (_, index) => fireTime(jittered, index * hour) - index * hour)
    assert.strictEqual(fireTime(jittered, 7 * hour) - 7 * hour, offsets[7])
    for (const quarter of [0, 250, 500, 750]) {
      const inside = offsets.filter((offset) => offset >= quarter && offset < quarter + 250).length
      assert.isAbove(inside, 850)
      assert.isBelow(inside, 1150)
    }
  })
})

describe("whatever happens", () => {
  it("each time is dealt with exactly once, and the next one is later", () => {
    const clocks = FastCheck.array(FastCheck.integer({ min: 0, max: 40 * hour }), { minLength: 1, maxLength: 12 })
    const policies = FastCheck.constantFrom(...MissedPolicy.literals)
    FastCheck.assert(
      FastCheck.property(clocks, policies, FastCheck.integer({ min: 0, max: 2 * hour }), (pauses, missed, graceMs) => {
        const given = plan({ missed, graceMs, overlap: "allow" })
        const seen: Array<number> = []
        let dueAt = hour
        let now = 0
        for (const pause of pauses) {
          now += pause
          for (let round = 0; dueAt <= now; round += 1) {
            assert.isBelow(round, 100)
            const { recorded, run, upcoming } = at(given, dueAt, { now })
            for (const one of recorded) {
              for (let time = one.dueAt; time <= (one.untilAt ?? one.dueAt); time += hour) seen.push(time)
            }
            if (run !== null) seen.push(run)
            assert.isAbove(upcoming.nextDueAt ?? 0, dueAt)
            dueAt = upcoming.nextDueAt ?? Number.POSITIVE_INFINITY
          }
        }
        assert.deepStrictEqual(
          seen,
          Array.from({ length: Math.floor(now / hour) }, (_, index) => (index + 1) * hour)
        )
      }),
      { numRuns: 200 }
    )
  })
})
