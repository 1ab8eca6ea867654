/** The client's side of a connection: where it works, what its environment is, and whether it is still there. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Environment } from "../../domain/task/NewTask.ts"

export class Session extends Context.Tag("backbeat/mcp/Session")<
  Session,
  {
    /** Working directory of the server, absolute: the base of relative paths. */
    readonly directory: string
    /** The environment that submitted tasks capture. */
    readonly environment: Environment
    /** Returns once this process serves the queue, or could not start to. */
    readonly serving: Effect.Effect<void>
    /** Returns when the client has disconnected: waiting tools then answer with what they have. */
    readonly leaving: Effect.Effect<void>
  }
>() {}
