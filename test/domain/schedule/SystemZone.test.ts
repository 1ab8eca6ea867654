/** Every value of `TZ` that libc takes is a zone that a schedule can keep, or is refused with the reason. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { systemZoneOf } from "../../../src/domain/schedule/SystemZone.ts"
import { offsetAt, zoneOf } from "../../../src/domain/schedule/Zone.ts"

const files: Readonly<Record<string, string>> = {
  "/etc/localtime": "/usr/share/zoneinfo/Europe/Berlin",
  "/srv/mac": "/var/db/timezone/zoneinfo/Asia/Tokyo",
  "/srv/right": "/usr/share/zoneinfo/right/Europe/Paris",
  "/srv/copy": "/srv/copy"
}

const read = (value: string | undefined, own = "UTC") =>
  systemZoneOf(
    value,
    () => own,
    (path) => files[path] ?? null
  )

describe("TZ", () => {
  it.each([
    ["", "UTC", "UTC"],
    [":", "UTC", "UTC"],
    ["UTC", "UTC", "UTC"],
    ["GMT", "GMT", "GMT"],
    ["UTC0", "UTC", "UTC"],
    ["GMT-0", "UTC", "UTC"],
    ["Europe/Berlin", "Europe/Berlin", "Europe/Berlin"],
    [":Europe/Berlin", "Europe/Berlin", "Europe/Berlin"],
    ["posix/Europe/Berlin", "Europe/Berlin", "Europe/Berlin"],
    [":right/Europe/Berlin", "Europe/Berlin", "Europe/Berlin"],
    ["US/Eastern", "US/Eastern", "US/Eastern"],
    ["EST5EDT", "EST5EDT", "EST5EDT"],
    ["Etc/GMT+3", "Etc/GMT+3", "Etc/GMT+3"],
    [":/etc/localtime", "Europe/Berlin", "Europe/Berlin"],
    ["localtime", "Europe/Berlin", "Europe/Berlin"],
    ["/usr/share/zoneinfo/America/Argentina/Salta", "America/Argentina/Salta", "America/Argentina/Salta"],
    [":/usr/share/zoneinfo/posix/Europe/Rome", "Europe/Rome", "Europe/Rome"],
    ["/srv/mac", "Asia/Tokyo", "Asia/Tokyo"],
    ["/srv/right", "Europe/Paris", "Europe/Paris"],
    ["PST8", "-08:00", "GMT+8"],
    ["JST-9", "+09:00", "GMT-9"],
    ["UTC+3", "-03:00", "GMT+3"],
    ["GMT+3", "-03:00", "GMT+3"],
    ["<+03>-3", "+03:00", "GMT-3"],
    ["<-03>3", "-03:00", "GMT+3"],
    ["IST-05:30:00", "+05:30", "Asia/Kolkata"],
    ["<+0545>-5:45", "+05:45", "Asia/Kathmandu"]
  ])("'%s' is %s", (value, timezone, variable) => {
    assert.deepStrictEqual(read(value), Either.right({ timezone, variable }))
  })

  it.each([
    ["CET-1CEST", "a rule with daylight saving time"],
    ["EST5EDT4", "a rule with daylight saving time"],
    ["EST5EDT,M3.2.0,M11.1.0", "a rule with daylight saving time"],
    ["<+01>-1<+02>,M3.5.0,M10.5.0/3", "a rule with daylight saving time"],
    ["Foo/Bar", "not the name of a zone"],
    ["Etc/Unknown", "not the name of a zone"],
    ["XYZ", "not the name of a zone"],
    ["BST", "not the name of a zone"],
    ["+05:30", "not the name of a zone"],
    ["\u0000", "not the name of a zone"],
    [":/srv/copy", "a file that does not tell"],
    ["/nowhere", "a file that does not tell"],
    ["<-0330>3:30", "an offset that is not supported"],
    ["LMT-0:53:28", "an offset that is not supported"],
    ["UTC+99", "an offset that is not supported"]
  ])("'%s' is refused as %s", (value, reason) => {
    const found = read(value)
    if (Either.isRight(found)) return assert.fail(found.right.timezone)
    assert.include(found.left, reason)
    assert.include(found.left, "Europe/Berlin or UTC")
  })

  it("that is not set is the zone that the system has", () => {
    assert.deepStrictEqual(Either.getOrNull(read(undefined, "Asia/Tokyo"))?.timezone, "Asia/Tokyo")
    assert.deepStrictEqual(Either.getOrNull(read(undefined, "Etc/Unknown"))?.timezone, "Europe/Berlin")
  })

  it.each(["<-0930>9:30", "<+0330>-3:30", "<+0430>-4:30", "<+0630>-6:30", "<+0845>-8:45", "<+0930>-9:30"])(
    "'%s' is shown in a zone with the same offset in each month of this year",
    (value) => {
      const { timezone, variable } = Either.getOrThrow(read(value))
      const [kept, shown] = [timezone, variable].map((name) => Option.getOrThrow(zoneOf(name)))
      if (kept === undefined || shown === undefined) return assert.fail("no zone")
      for (let month = 0; month < 12; month += 1) {
        const at = Date.UTC(2026, month, 15)
        assert.strictEqual(offsetAt(shown, at), offsetAt(kept, at))
      }
    }
  )
})

describe("an offset", () => {
  it.each(["+14:00", "-12:00", "+00:00", "+05:45", "-23:59"])("is a zone where a day has it: %s", (name) =>
    assert.isTrue(Option.isSome(zoneOf(name)))
  )

  it.each(["+24:00", "-24:00", "+99:00", "-99:59"])("names nothing where it is a day or more: %s", (name) =>
    assert.isTrue(Option.isNone(zoneOf(name)))
  )
})
