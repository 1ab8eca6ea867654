/** Starts a detached runtime. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RuntimeUnavailable } from "../domain/Errors.ts"

export class RuntimeLauncher extends Context.Tag("backbeat/RuntimeLauncher")<
  RuntimeLauncher,
  {
    /** Starts `beat worker` on demand, in a session of its own, without the marker of a surrounding task, and returns at once. */
    readonly launch: Effect.Effect<void, RuntimeUnavailable>
  }
>() {}
