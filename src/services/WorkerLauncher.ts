/** Starts a detached worker. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { WorkerUnavailable } from "../domain/Errors.ts"

export class WorkerLauncher extends Context.Tag("backbeat/WorkerLauncher")<
  WorkerLauncher,
  {
    /** Starts `beat worker` on demand in its own session, without the marker of a surrounding task, and returns immediately. */
    readonly launch: Effect.Effect<void, WorkerUnavailable>
  }
>() {}
