/** The time zone of this process, by its variable `TZ` as libc reads it. */
import * as fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { InvalidInput } from "../../../domain/Errors.ts"
import { type SystemZone, systemZoneOf } from "../../../domain/schedule/SystemZone.ts"
import { LocalZone } from "../../../services/LocalZone.ts"

const realPath = (path: string): string | null => {
  try {
    return fs.realpathSync(path)
  } catch {
    return null
  }
}

const found = () =>
  Either.mapLeft(
    systemZoneOf(process.env.TZ, () => Intl.DateTimeFormat().resolvedOptions().timeZone, realPath),
    (problem) => new InvalidInput({ field: "timezone", problem, example: null })
  )

const nameOf = ({ timezone }: SystemZone) => timezone

/** A worker has the `TZ` of the command that started it, and its tasks have their own, or none. */
const withoutVariable = Effect.sync(() =>
  process.env.TZ === undefined
    ? null
    : Either.match(
        systemZoneOf(undefined, () => undefined, realPath),
        { onLeft: () => null, onRight: nameOf }
      )
)

/**
 * Also sets `TZ` to a value that Node reads as libc reads the one given, so that times are shown in that zone: Node takes
 * `<+03>-3` for UTC. The environment that tasks get has to be captured before.
 */
export const layer = Layer.sync(LocalZone, () => {
  // Asking for the name of the zone takes milliseconds that most commands need not pay.
  if (process.env.TZ === undefined) {
    return { timezone: Effect.suspend(() => Either.map(found(), nameOf)), withoutVariable }
  }
  const zone = found()
  if (Either.isRight(zone)) process.env.TZ = zone.right.variable
  return { timezone: Effect.suspend(() => Either.map(zone, nameOf)), withoutVariable }
})
