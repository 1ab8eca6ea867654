/** A time zone by its name; without one it is that of the caller. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidInput } from "../../domain/Errors.ts"
import { zoneNamed } from "../../domain/schedule/Zone.ts"
import { LocalZone } from "../../services/LocalZone.ts"

export const readZone = Effect.fn("readZone")(function* (name: string | null) {
  const timezone = name ?? (yield* (yield* LocalZone).timezone)
  const zone = zoneNamed(timezone)
  if (Option.isNone(zone)) {
    const problem = `'${timezone}' is not a time zone`
    return yield* new InvalidInput({ field: "timezone", problem, example: "Europe/Berlin or UTC" })
  }
  return { timezone, zone: zone.value }
})
