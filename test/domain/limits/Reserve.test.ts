/** The hours at which a part of a window is kept for a person. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import type { AccountLimits } from "../../../src/domain/limits/AccountLimits.ts"
import { Reserve } from "../../../src/domain/limits/Reserve.ts"
import { reserveNow } from "../../../src/domain/limits/reserveNow.ts"
import type { Window } from "../../../src/domain/limits/Window.ts"
import { reservedUntil } from "../../../src/programs/limits/keepReserves.ts"

const paris = DateTime.zoneUnsafeMakeNamed("Europe/Paris")
const at = (text: string) => Date.parse(text)
const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString())

describe("a reserve", () => {
  it("holds from its first minute up to its last, in the time zone of the person", () => {
    const now = (text: string) => reserveNow("30%@09:00-18:00", at(text), paris)
    assert.isNull(now("2026-11-23T07:59:59Z"))
    assert.deepInclude(now("2026-11-23T08:00:00Z"), { from: 0.7 })
    assert.strictEqual(iso(now("2026-11-23T12:00:00Z")?.until), "2026-11-23T17:00:00.000Z")
    assert.strictEqual(iso(now("2026-11-23T12:00:00Z")?.since), "2026-11-23T08:00:00.000Z")
    assert.isNull(now("2026-11-23T17:00:00Z"))
  })

  it("may go over midnight", () => {
    const now = (text: string) => reserveNow("50%@22:00-06:30", at(text), paris)
    assert.strictEqual(iso(now("2026-11-23T22:00:00Z")?.until), "2026-11-24T05:30:00.000Z")
    assert.strictEqual(iso(now("2026-11-24T02:00:00Z")?.until), "2026-11-24T05:30:00.000Z")
    assert.strictEqual(iso(now("2026-11-24T02:00:00Z")?.since), "2026-11-23T21:00:00.000Z")
    assert.isNull(now("2026-11-24T12:00:00Z"))
  })

  it("is refused where it is neither a fraction nor hours", () => {
    const is = Schema.is(Reserve)
    assert.deepStrictEqual(
      ["30%@09:00-18:00", "30@9-18", "30%@25:00-26:00", "half"].map((text) => is(text)),
      [true, false, false, false]
    )
  })
})

describe("an account with a reserve", () => {
  const account = AccountKey.make("anthropic/login/a4tz9kq2mv")
  const now = at("2026-11-23T12:00:00Z")
  const hour = 3_600_000
  const hours = { from: 0.7, since: now - hour, until: now + 5 * hour }
  const window = (fields: Partial<Window>): Window => ({
    account,
    name: "five_hour",
    family: "",
    used: 0.8,
    closed: false,
    resetsAt: now + 2 * hour,
    lengthMs: 5 * hour,
    refusals: 0,
    observedAt: now - 60_000,
    source: null,
    reason: null,
    ...fields
  })
  const limits = (windows: ReadonlyArray<Window>): AccountLimits => ({
    account,
    agent: "claude",
    joinedTo: null,
    opensAt: null,
    window: null,
    places: null,
    running: 0,
    waiting: 0,
    next: null,
    spare: null,
    windows
  })

  it("is closed until its window ends or the hours do, whichever comes first", () => {
    assert.strictEqual(reservedUntil(limits([window({})]), hours, now), now + 2 * hour)
    const week = window({ name: "seven_day", resetsAt: now + 90 * hour })
    assert.strictEqual(reservedUntil(limits([week]), hours, now), hours.until)
  })

  it("stays as it is below the part, after the window, and where a person has opened it", () => {
    assert.isNull(reservedUntil(limits([window({ used: 0.69 })]), hours, now))
    assert.isNull(reservedUntil(limits([window({ resetsAt: now })]), hours, now))
    const opened = window({ name: "reserve", used: null, observedAt: now - 1000, resetsAt: null })
    assert.isNull(reservedUntil(limits([window({}), opened]), hours, now))
    const yesterday = { ...opened, observedAt: hours.since - 1 }
    assert.strictEqual(reservedUntil(limits([window({}), yesterday]), hours, now), now + 2 * hour)
  })
})
