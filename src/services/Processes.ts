/** Who this process is, and whether another still lives. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ProcessIdentity } from "../domain/worker/Process.ts"

export class Processes extends Context.Tag("backbeat/Processes")<
  Processes,
  {
    readonly self: Effect.Effect<ProcessIdentity>
    /** Same pid, same start time, same boot. When the system will not say, a process counts as alive. */
    readonly alive: (process: ProcessIdentity) => Effect.Effect<boolean>
    readonly bootId: Effect.Effect<string>
  }
>() {}
