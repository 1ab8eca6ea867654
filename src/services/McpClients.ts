/** The MCP clients of this machine: where they keep their configuration, and how they start our server. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ConfigInvalid } from "../domain/Errors.ts"

export interface ServerCommand {
  readonly command: string
  readonly args: ReadonlyArray<string>
}

export interface ClientDirectories {
  readonly home: string
  /** Where graphical programs of this system keep their settings. */
  readonly applications: string
  /** `CODEX_HOME` can name another directory. */
  readonly codex: string
}

export class McpClients extends Context.Tag("backbeat/McpClients")<
  McpClients,
  {
    /** `beat mcp start`, by its name where the PATH leads to this very program, else by its full path. */
    readonly server: Effect.Effect<ServerCommand>
    readonly directories: Effect.Effect<ClientDirectories>
    /** The text of a file; null where there is none. */
    readonly read: (path: string) => Effect.Effect<string | null, ConfigInvalid>
    /**
     * Puts a text in place of a file in one step, through links and with its permissions kept. The old text
     * is kept as a copy in the same directory; returns the name of that copy, null where there was no file.
     */
    readonly replace: (path: string, text: string) => Effect.Effect<string | null, ConfigInvalid>
  }
>() {}
