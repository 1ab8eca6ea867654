/** The time zone of the caller, for times that are written without a zone. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { InvalidInput } from "../domain/Errors.ts"
import { systemZone } from "../domain/schedule/Zone.ts"

interface LocalZoneService {
  /** An IANA name or an offset such as `+03:00`. It fails where `TZ` names no zone that a schedule can keep. */
  readonly timezone: Effect.Effect<string, InvalidInput>
  /** Of a process without `TZ`, where this one has it; null: that of this process. */
  readonly withoutVariable: Effect.Effect<string | null>
}

/** Where none is provided it is the zone that JavaScript itself found. */
export class LocalZone extends Context.Reference<LocalZone>()("backbeat/LocalZone", {
  defaultValue: (): LocalZoneService => ({ timezone: Effect.sync(systemZone), withoutVariable: Effect.succeed(null) })
}) {}
