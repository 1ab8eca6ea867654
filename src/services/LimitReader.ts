/** Asks an agent's service how full the limits of its account are, where asking costs nothing. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { Seen } from "../domain/limits/Signal.ts"
import type { Environment } from "../domain/task/NewTask.ts"

export interface ReadRequest {
  readonly agent: string
  /** Absolute path of the agent's program. */
  readonly program: string
  readonly environment: Environment
  readonly directory: string
}

export class LimitReader extends Context.Tag("backbeat/LimitReader")<
  LimitReader,
  {
    /** Agents that can be asked. */
    readonly agents: ReadonlyArray<string>
    /** None where the agent cannot be asked, is not logged in, or gives no answer within 10 seconds. No request to a model is made. */
    readonly read: (request: ReadRequest) => Effect.Effect<Option.Option<ReadonlyArray<Seen>>>
  }
>() {}
