/** Who runs the command, and where. A submitted task captures its directory and environment from it. */
import * as Context from "effect/Context"
import type { Environment } from "../../domain/task/NewTask.ts"

export class Caller extends Context.Tag("backbeat/Caller")<
  Caller,
  {
    /** Working directory, absolute. */
    readonly directory: string
    readonly environment: Environment
    /** The version of this program. */
    readonly version: string
  }
>() {}
