/** Named places at which a process can be made to die, so that a crash at each of them can be tried out on purpose. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What happens at a place. Null, the default: nothing ever does. */
export type AtFailpoint = ((name: string) => Effect.Effect<void>) | null

export class Failpoints extends Context.Reference<Failpoints>()("backbeat/Failpoints", {
  defaultValue: (): AtFailpoint => null
}) {}

/** The place called `name`, a verb and how far it got: `finish.commit`, `start.spawned`. */
export const failpoint = (name: string): Effect.Effect<void> =>
  Effect.flatMap(Failpoints, (at) => (at === null ? Effect.void : at(name)))
