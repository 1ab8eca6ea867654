/** The identity of this process, and whether another one still lives. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Alive, ProcessIdentity } from "../domain/worker/Process.ts"
import type { Uid } from "../domain/worker/Worker.ts"

export class Processes extends Context.Tag("backbeat/Processes")<
  Processes,
  {
    readonly self: Effect.Effect<ProcessIdentity>
    /** `alive`: same place, same pid, same start time. `unknown` where the system does not say or cannot see it. */
    readonly alive: (process: ProcessIdentity) => Effect.Effect<Alive>
    /** Whether it lives and is stopped by a signal: it does nothing until it is continued. */
    readonly stopped: (process: ProcessIdentity) => Effect.Effect<boolean>
    /** Continues a process that `stopped` holds for; true when the signal was sent. */
    readonly wake: (process: ProcessIdentity) => Effect.Effect<boolean>
    /** What its niceness and limits of the system keep it and its children from, as far as this process is freer. */
    readonly restraints: (process: ProcessIdentity) => Effect.Effect<ReadonlyArray<string>>
    /** Whether the processes of a task can all be found, so that they can be stopped together. */
    readonly freezes: boolean
    /** The place of this process: host, boot and pid namespace. */
    readonly bootId: Effect.Effect<string>
    /** The user that this process acts as. */
    readonly uid: Uid
  }
>() {}
