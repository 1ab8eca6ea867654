/** When spare tasks may start, for any windows. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import { opening } from "../../../src/domain/limits/Limit.ts"
import { spareBelow, spareOpening, spareTime } from "../../../src/domain/limits/Spare.ts"
import { lengthOf, type Window, windowWords } from "../../../src/domain/limits/Window.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 10, 28)

const window = (fields: Partial<Window> = {}): Window => {
  const name = fields.name ?? "five_hour"
  return {
    account: AccountKey.make("anthropic/login/a4tz9kq2mv"),
    name,
    family: "",
    used: 0.6,
    closed: false,
    resetsAt: now + 3 * hour,
    lengthMs: lengthOf(name),
    refusals: 0,
    observedAt: now,
    source: null,
    reason: null,
    ...fields
  }
}

const anyWindow = FastCheck.record({
  name: FastCheck.constantFrom("five_hour", "seven_day", "day", "limit", "yours"),
  family: FastCheck.constantFrom("", "opus"),
  used: FastCheck.option(FastCheck.double({ min: 0, max: 1.5, noNaN: true }), { nil: null }),
  closed: FastCheck.boolean(),
  resetsAt: FastCheck.option(FastCheck.integer({ min: now - 10 * day, max: now + 8 * day }), { nil: null })
}).map((fields) => window({ ...fields, resetsAt: fields.closed ? (fields.resetsAt ?? now + hour) : fields.resetsAt }))

/** Whether a moment is in the last part of the window, or of one that follows it. */
const isNearEnd = ({ lengthMs, resetsAt }: Window, at: number): boolean => {
  if (lengthMs === null || resetsAt === null) return true
  const left = (((resetsAt - at) % lengthMs) + lengthMs) % lengthMs
  return left > 0 && left <= spareTime(lengthMs)
}

describe("spare room", () => {
  it("is the last hour of five and the last day of a week", () => {
    assert.deepStrictEqual([spareTime(5 * hour), spareTime(7 * day)], [hour, day])
  })

  it("waits for the end of the window, and is gone with it", () => {
    assert.deepStrictEqual(spareOpening([window()], "other", now), {
      opensAt: now + 2 * hour,
      window: "spare_five_hour",
      shutsAt: now + 3 * hour
    })
    const near = window({ resetsAt: now + hour })
    assert.deepStrictEqual(spareOpening([near], "other", now), { opensAt: 0, window: null, shutsAt: now + hour })
  })

  it("is not there where 80 % are used or the window is closed: the next one counts", () => {
    const next = { opensAt: now + 7 * hour, window: "spare_five_hour", shutsAt: now + 8 * hour }
    assert.deepStrictEqual(spareOpening([window({ used: spareBelow })], "other", now), next)
    assert.deepStrictEqual(spareOpening([window({ closed: true, used: null })], "other", now), next)
    assert.strictEqual(spareOpening([window({ used: spareBelow - 0.01 })], "other", now).opensAt, now + 2 * hour)
  })

  it("is nothing to wait for where no window is known, but a limit still is", () => {
    const hand = window({ name: "yours", closed: true, resetsAt: now + hour })
    assert.deepStrictEqual(spareOpening([], "other", now), { opensAt: 0, window: null, shutsAt: null })
    assert.deepStrictEqual(spareOpening([hand], "other", now), { opensAt: now + hour, window: "yours", shutsAt: null })
  })

  it("has words", () => {
    assert.strictEqual(windowWords({ name: "spare_five_hour", family: "" }), "spare room of the 5-hour limit")
  })

  it("begins at a time that is near the end of every window and behind every limit, and ends with the first of them", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(anyWindow, { maxLength: 4 }), (windows) => {
        const { opensAt, shutsAt } = spareOpening(windows, "opus", now)
        const at = opensAt === 0 ? now : opensAt
        if (shutsAt !== null && shutsAt <= at) return
        assert.isAtLeast(at, opening(windows, "opus", now).opensAt)
        for (const one of windows) {
          assert.isTrue(isNearEnd(one, at), JSON.stringify(one))
          const full = one.lengthMs !== null && (one.closed || (one.used ?? 0) >= spareBelow)
          if (full && one.resetsAt !== null && one.resetsAt > now) assert.isAtLeast(at, one.resetsAt)
          if (shutsAt !== null) assert.isTrue(isNearEnd(one, shutsAt - 1), `until ${shutsAt}: ${JSON.stringify(one)}`)
        }
      }),
      { numRuns: 500 }
    )
  })
})
