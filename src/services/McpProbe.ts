/** Starts the MCP server the way a client does, and talks to it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ProbeFailed } from "../domain/Errors.ts"
import type { ServerCommand } from "./McpClients.ts"

export interface ProbedServer {
  /** Sends a request and returns the result. An error of the protocol, silence and a dead server fail. */
  readonly request: (method: string, params: object, withinMs: number) => Effect.Effect<unknown, ProbeFailed>
  readonly notify: (method: string) => Effect.Effect<void>
  /** Closes its stdin and returns its exit code. */
  readonly close: (withinMs: number) => Effect.Effect<number, ProbeFailed>
}

export class McpProbe extends Context.Tag("backbeat/McpProbe")<
  McpProbe,
  {
    /** The server is ended with the scope. */
    readonly start: (command: ServerCommand) => Effect.Effect<ProbedServer, ProbeFailed, Scope.Scope>
  }
>() {}
