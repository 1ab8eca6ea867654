/** Reads the variable `TZ` as libc does, and says which values have no zone that a schedule can keep. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { zoneNamed } from "./Zone.ts"

export interface SystemZone {
  /** What a schedule keeps: an IANA name or an offset such as `+03:00`. */
  readonly timezone: string
  /** A value of `TZ` that Node reads as libc reads the one that was given. */
  readonly variable: string
}

/** The real path of a file; null where there is none. */
type RealPath = (path: string) => string | null

const localtime = "/etc/localtime"
const insideZones = /\/zoneinfo(?:\.default|-leaps|-posix)?\/(.+)$/
const abbreviation = "(?:<[A-Za-z0-9+-]+>|[A-Za-z]{3,})"
const fixed = new RegExp(`^${abbreviation}([+-]?)(\\d{1,2})(?::(\\d{2}))?(?::(\\d{2}))?$`)
const seasonal = new RegExp(`^${abbreviation}[+-]?\\d[\\d:]*${abbreviation}`)

/** Node reads no `TZ` with minutes in it. These zones have such an offset all year. Minutes. */
const partHours: Readonly<Record<number, string>> = {
  [-570]: "Pacific/Marquesas",
  210: "Asia/Tehran",
  270: "Asia/Kabul",
  330: "Asia/Kolkata",
  345: "Asia/Kathmandu",
  390: "Asia/Yangon",
  525: "Australia/Eucla",
  570: "Australia/Darwin"
}

const two = (value: number) => String(value).padStart(2, "0")

const offsetZone = (minutes: number): SystemZone | null => {
  if (minutes === 0) return { timezone: "UTC", variable: "UTC" }
  const size = Math.abs(minutes)
  const timezone = `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`
  // POSIX counts from local time to UTC: the other sign.
  const variable = size % 60 === 0 ? `GMT${minutes < 0 ? "+" : "-"}${size / 60}` : partHours[minutes]
  return variable === undefined ? null : { timezone, variable }
}

const named = (name: string): SystemZone | null =>
  /^[A-Za-z]/.test(name) && Option.isSome(zoneNamed(name)) ? { timezone: name, variable: name } : null

const zoneOfPath = (path: string, realPath: RealPath): SystemZone | null => {
  const inside = (one: string) => named((insideZones.exec(one)?.[1] ?? "").replace(/^(?:posix|right)\//, ""))
  const written = inside(path)
  if (written !== null) return written
  const real = realPath(path)
  return real === null ? null : inside(real)
}

/** `own` is the zone that Node found where `TZ` is not set. */
export const systemZoneOf = (
  given: string | undefined,
  own: () => string | undefined,
  realPath: RealPath
): Either.Either<SystemZone, string> => {
  const refuse = (what: string) =>
    Either.left(`TZ is '${given ?? ""}', ${what}: set TZ to the name of a zone, for example Europe/Berlin or UTC`)
  if (given === undefined) {
    const found = named(own() ?? "") ?? zoneOfPath(localtime, realPath)
    return found === null
      ? Either.left(`the zone of this system has no name that is known: set TZ, for example to Europe/Berlin or UTC`)
      : Either.right(found)
  }
  const text = given.replace(/^:/, "")
  // As libc: set and empty is UTC.
  if (text === "") return Either.right({ timezone: "UTC", variable: "UTC" })
  if (text.startsWith("/") || text === "localtime") {
    const found = zoneOfPath(text === "localtime" ? localtime : text, realPath)
    return found === null ? refuse("a file that does not tell the name of its zone") : Either.right(found)
  }
  // Before the names: `GMT+3` is three hours behind here, and three hours ahead elsewhere.
  const match = fixed.exec(text)
  if (match !== null) {
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = match
    const size = Number(hours) * 60 + Number(minutes)
    const usable = size <= 24 * 60 && Number(minutes) < 60 && Number(seconds) === 0
    const found = usable ? offsetZone(sign === "-" ? size : -size) : null
    return found === null ? refuse("an offset that is not supported") : Either.right(found)
  }
  const found = named(text.replace(/^(?:posix|right)\//, ""))
  if (found !== null) return Either.right(found)
  return refuse(
    seasonal.test(text) ? "a rule with daylight saving time and not a zone" : "not the name of a zone that is known"
  )
}
