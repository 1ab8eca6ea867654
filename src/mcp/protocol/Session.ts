/** The client's side of a connection: where it works, what its environment is, and whether it is still there. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Environment } from "../../domain/task/NewTask.ts"

export class Session extends Context.Tag("backbeat/mcp/Session")<
  Session,
  {
    /** Working directory of the server, absolute: what relative paths are taken from. */
    readonly directory: string
    /** What submitted tasks are captured from. */
    readonly environment: Environment
    /** Returns once this process serves the queue itself, or could not be made to. */
    readonly serving: Effect.Effect<void>
    /** Returns when the client has left: whoever waits for something answers with what there is. */
    readonly leaving: Effect.Effect<void>
  }
>() {}
