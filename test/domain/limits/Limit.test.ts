/** From signals to the time at which a lane opens: for any signals in any order. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import { allOpen, believed, graceMs, limits, opening, refusal, windowsAfter } from "../../../src/domain/limits/Limit.ts"
import { decidePark, limitMet } from "../../../src/domain/limits/Parking.ts"
import { afterServed, doublingMs, noBound, oneProbe, placesNow } from "../../../src/domain/limits/Places.ts"
import type { StoredSignal } from "../../../src/domain/limits/Signal.ts"
import { lengthOf, type Window } from "../../../src/domain/limits/Window.ts"
import { outcome } from "../../../src/domain/task/Outcome.ts"

const account = AccountKey.make("anthropic/login/a4tz9kq2mv")
const hour = 3_600_000
const start = Date.UTC(2026, 10, 28)

interface Event {
  readonly signal: StoredSignal
  readonly after: number
  readonly claimedBefore: number
  readonly refused: boolean
  /** The family of the models of the attempt that observes. */
  readonly family: string
}

const names = ["five_hour", "seven_day", "seven_day_opus", "limit", "credit", "primary"] as const

const families = FastCheck.constantFrom("opus", "sonnet", "other")

const seen = FastCheck.record({
  _tag: FastCheck.constant("Seen" as const),
  window: FastCheck.constantFrom(...names),
  family: FastCheck.constantFrom("", "opus"),
  used: FastCheck.option(FastCheck.double({ min: 0, max: 2, noNaN: true }), { nil: null }),
  closed: FastCheck.boolean(),
  // Times that cannot be true are told too.
  resetsAt: FastCheck.option(
    FastCheck.oneof(
      FastCheck.integer({ min: start - 48 * hour, max: start + 4000 * hour }),
      FastCheck.constantFrom(0, Number.NaN, Number.POSITIVE_INFINITY, 1e300)
    ),
    { nil: null }
  )
})

const events: FastCheck.Arbitrary<ReadonlyArray<Event>> = FastCheck.array(
  FastCheck.record({
    signal: FastCheck.oneof(seen, FastCheck.constant({ _tag: "Served" as const })),
    after: FastCheck.integer({ min: 0, max: 3 * hour }),
    claimedBefore: FastCheck.integer({ min: 0, max: 6 * hour }),
    refused: FastCheck.boolean(),
    family: families
  }),
  { maxLength: 30 }
)

const observer = (now: number, claimedAt: number, family = "opus") => ({
  account,
  source: null,
  family,
  claimedAt,
  now
})

describe("the opening of a lane", () => {
  it("is never later than the window is long, and an hour", () => {
    FastCheck.assert(
      FastCheck.property(events, families, (all, family) => {
        let now = start
        let windows: ReadonlyArray<Window> = []
        for (const { after, claimedBefore, family: own, refused, signal } of all) {
          now += after
          windows = windowsAfter(windows, signal, observer(now, now - claimedBefore, own), refused)
          const { opensAt, window } = opening(windows, family, now)
          assert.strictEqual(opensAt === 0, window === null)
          const longest = Math.max(...windows.map(({ name }) => lengthOf(name) ?? 31 * 24 * hour), 0)
          assert.isTrue(opensAt === 0 || (opensAt > now && opensAt <= now + longest + hour + graceMs))
        }
      })
    )
  })

  it("does not fall by a signal that is older than what is known", () => {
    FastCheck.assert(
      FastCheck.property(events, seen, FastCheck.integer({ min: 1, max: hour }), (all, old, age) => {
        let now = start
        let windows: ReadonlyArray<Window> = []
        for (const { after, signal } of all) {
          now += after
          windows = windowsAfter(windows, signal, observer(now, now))
        }
        const known = windows.find(({ family, name }) => name === old.window && family === old.family)
        const late = windowsAfter(windows, old, observer((known?.observedAt ?? start) - age, start))
        if (known !== undefined) assert.deepInclude(late, known)
      })
    )
  })

  it("always comes after a refusal, whatever was told with it", () => {
    const told = FastCheck.option(FastCheck.integer(), { nil: null })
    FastCheck.assert(
      FastCheck.property(events, told, families, (all, resetsAt, family) => {
        let now = start
        let windows: ReadonlyArray<Window> = []
        for (const { after, family: own, signal } of all) {
          now += after
          windows = windowsAfter(windows, signal, observer(now, now, own))
        }
        const refused = refusal(windows, observer(now, now, family), { resetsAt, credit: false })
        assert.isAbove(opening(refused, family, now).opensAt, now)
        assert.strictEqual(opening(allOpen(refused, now), family, now).opensAt, 0)
      })
    )
  })

  it("comes with an answer for what limits its models, and stays as it is for what does not", () => {
    FastCheck.assert(
      FastCheck.property(events, families, families, (all, served, waiting) => {
        let now = start
        let windows: ReadonlyArray<Window> = []
        for (const { after, family, refused, signal } of all) {
          now += after
          windows = windowsAfter(windows, signal, observer(now, now, family), refused)
        }
        const answered = windowsAfter(windows, { _tag: "Served" }, observer(now + 2, now + 1, served))
        assert.strictEqual(opening(answered, served, now + 2).opensAt, 0)
        const others = windows.filter((window) => !limits(window, served))
        for (const window of others) assert.deepInclude(answered, window)
        assert.deepStrictEqual(opening(answered, waiting, now + 2), opening(others, waiting, now + 2))
      })
    )
  })

  it("is that of the limit of one family, however often models of others are answered", () => {
    const opus: StoredSignal = {
      _tag: "Seen",
      window: "seven_day_opus",
      family: "opus",
      used: 1,
      closed: true,
      resetsAt: start + 72 * hour
    }
    for (const refusedFamily of ["opus", "other"]) {
      const closed = windowsAfter([], opus, observer(start, start, refusedFamily), true)
      const after = ["sonnet", "haiku", "sonnet"].reduce<ReadonlyArray<Window>>(
        (windows, family, at) =>
          windowsAfter(windows, { _tag: "Served" }, observer(start + at + 2, start + at + 1, family)),
        closed
      )
      const opensAt = start + 72 * hour + graceMs
      for (const family of new Set(["opus", refusedFamily])) {
        assert.strictEqual(opening(after, family, start + hour).opensAt, opensAt)
      }
      assert.strictEqual(opening(after, "sonnet", start + hour).opensAt, 0)
      const own = windowsAfter(after, { _tag: "Served" }, observer(start + hour, start + hour - 1, "opus"))
      assert.strictEqual(opening(own, "opus", start + hour).opensAt, 0)
    }
  })

  it("is 15, 30, 60 and then always 120 minutes after refusals in a row that told no time", () => {
    let now = start
    let windows: ReadonlyArray<Window> = []
    const waits = [15, 30, 60, 120, 120].map(() => {
      windows = refusal(windows, observer(now, now), { resetsAt: null, credit: false })
      const { opensAt } = opening(windows, "opus", now)
      const minutes = (opensAt - graceMs - now) / 60_000
      now = opensAt
      return minutes
    })
    assert.deepStrictEqual(waits, [15, 30, 60, 120, 120])
    windows = windowsAfter(windows, { _tag: "Served" }, observer(now + 2, now + 1))
    windows = refusal(windows, observer(now + 3, now + 3), { resetsAt: null, credit: false })
    assert.strictEqual(opening(windows, "opus", now + 3).opensAt, now + 3 + 15 * 60_000 + graceMs)
  })

  it("comes in a moment where the limit ended before its refusal was read", () => {
    const claimedAt = start
    const reset: StoredSignal = {
      _tag: "Seen",
      window: "five_hour",
      family: "",
      used: 1,
      closed: true,
      resetsAt: start + 3000
    }
    const told = { resetsAt: null, credit: false }
    const opensAfter = (readAt: number, parkedAt: number, signal: StoredSignal = reset) => {
      const windows = windowsAfter([], signal, observer(readAt, claimedAt))
      const refused = refusal(windows, observer(parkedAt, claimedAt), told)
      return opening(refused, "opus", parkedAt).opensAt - start
    }
    // Read in time, and parked in time or too late; read too late.
    assert.strictEqual(opensAfter(start + 1000, start + 2000), 3000 + graceMs)
    assert.strictEqual(opensAfter(start + 1000, start + 20_000), 20_000 + graceMs)
    assert.strictEqual(opensAfter(start + 20_000, start + 20_001), 20_001 + graceMs)
    const late = refusal([], observer(start + hour, claimedAt), { ...told, resetsAt: start + 3000 })
    assert.strictEqual(opening(late, "opus", start + hour).opensAt, start + hour + graceMs)
    // The time in the text may be older than the one that came with a signal.
    const both = refusal(windowsAfter([], reset, observer(start + 1000, start)), observer(start + 20_000, start), {
      ...told,
      resetsAt: start - hour
    })
    assert.strictEqual(opening(both, "opus", start + 20_000).opensAt, start + 20_000 + graceMs)
    // What was over before the attempt began tells of a wrong clock, not of a limit that is over.
    const wrong = opensAfter(start + 1000, start + 2000, { ...reset, resetsAt: start })
    assert.isAtLeast(wrong, 15 * 60_000)
  })

  it("does not fall by a banner that was read after the time that it told", () => {
    const banner = (resetsAt: number): StoredSignal => ({
      _tag: "Seen",
      window: "five_hour",
      family: "",
      used: 1,
      closed: true,
      resetsAt
    })
    const closed = windowsAfter([], banner(start + hour), observer(start, start))
    const late = windowsAfter(closed, banner(start + 1), observer(start + 2, start))
    assert.strictEqual(opening(late, "", start + 2).opensAt, start + hour + graceMs)
  })

  it("is the latest reset of the windows that are full", () => {
    const one: StoredSignal = {
      _tag: "Seen",
      window: "five_hour",
      family: "",
      used: 1,
      closed: true,
      resetsAt: start + hour
    }
    const both = [one, { ...one, window: "seven_day", resetsAt: start + 50 * hour }]
    const closed = both.reduce<ReadonlyArray<Window>>(
      (windows, signal) => windowsAfter(windows, signal, observer(start, start)),
      []
    )
    assert.deepStrictEqual(opening(closed, "", start), { opensAt: start + 50 * hour + graceMs, window: "seven_day" })
  })

  it("is now for a banner whose time is over", () => {
    const banner: StoredSignal = {
      _tag: "Seen",
      window: "five_hour",
      family: "",
      used: 1,
      closed: true,
      resetsAt: start - 1
    }
    assert.strictEqual(opening(windowsAfter([], banner, observer(start, start)), "", start).opensAt, 0)
  })
})

describe("a time that is told", () => {
  it("is believed up to the length of its window and an hour", () => {
    assert.strictEqual(believed(start + 900 * hour, 5 * hour, start), start + 6 * hour)
    assert.strictEqual(believed(start + hour, 5 * hour, start), start + hour)
    assert.isNull(believed(start, 5 * hour, start))
    assert.isNull(believed(Number.NaN, null, start))
  })
})

describe("places", () => {
  it("are one until an answer, then they double, and end in no bound", () => {
    const probe = oneProbe(start)
    assert.strictEqual(placesNow(probe, start + 100 * hour), 1)
    assert.strictEqual(afterServed(probe, start - 1, false, start + hour), probe)
    const answered = afterServed(probe, start, false, start + hour)
    assert.deepStrictEqual(answered, { count: 2, at: start + hour, since: start })
    const at = (doublings: number) => placesNow(answered, start + hour + doublings * doublingMs)
    assert.deepStrictEqual([at(0), at(1), at(2), at(3)], [2, 4, 8, 16])
    assert.strictEqual(at(6), Number.POSITIVE_INFINITY)
    assert.strictEqual(placesNow(noBound, start), Number.POSITIVE_INFINITY)
  })

  it("are two after the first answer of one family, but not where the whole account waits for another", () => {
    assert.strictEqual(afterServed(noBound, start, false, start), noBound)
    assert.deepStrictEqual(afterServed(noBound, start, true, start + 1), { count: 2, at: start + 1, since: start + 1 })
    const probe = oneProbe(start)
    assert.strictEqual(afterServed(probe, start - 1, true, start + hour), probe)
  })

  it("do not shrink where the clock was set back", () => {
    assert.strictEqual(placesNow({ count: 2, at: start }, start - hour), 2)
  })
})

describe("parking", () => {
  const task = { account, onLimit: "park" as const, parks: 0, giveUpMs: 24 * hour, createdAt: start }
  const question = { task, maxParks: 3, firstParkedAt: null, now: start }

  it("is for limits and for missing credit, not for a bound of the agent's own", () => {
    const ended = (failureClass: "usage-limit" | "budget" | "rate" | "auth" | "model", error: string) =>
      limitMet(outcome({ status: "failed", cause: "agent-error", failureClass, error }))
    assert.strictEqual(ended("usage-limit", "You've hit your limit"), "limit")
    assert.strictEqual(ended("budget", "Credit balance is too low"), "credit")
    assert.isNull(ended("budget", "Reached maximum budget ($0.05)"))
    assert.isNull(ended("rate", "429 too many requests"))
    // No fallback either: what is not parked ends.
    assert.isNull(ended("auth", "Not logged in"))
    assert.isNull(ended("model", "Model not found"))
    assert.isNull(limitMet(outcome({ status: "completed", cause: "exit" })))
  })

  it("is bounded by how often and by how long", () => {
    assert.deepStrictEqual(decidePark(question), { _tag: "Park" })
    assert.strictEqual(decidePark({ ...question, task: { ...task, onLimit: "fail" } })._tag, "End")
    assert.strictEqual(decidePark({ ...question, task: { ...task, account: null } })._tag, "End")
    const often = decidePark({ ...question, task: { ...task, parks: 3 }, firstParkedAt: start - hour })
    assert.match(often._tag === "End" ? (often.reason ?? "") : "", /parked 3 times in 1 h.*maxParks/)
    const long = decidePark({ ...question, task: { ...task, parks: 2 }, firstParkedAt: start - 24 * hour })
    assert.match(long._tag === "End" ? (long.reason ?? "") : "", /--give-up/)
  })
})
