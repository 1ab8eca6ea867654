/** The MCP clients of this machine: where they keep their configuration, and how they start our server. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ConfigInvalid } from "../domain/Errors.ts"

export interface ServerCommand {
  readonly command: string
  readonly args: ReadonlyArray<string>
  /** BACKBEAT_HOME, or the XDG variables, where they were set: the server then means the database of this process. */
  readonly env: Readonly<Record<string, string>>
}

export interface ClientDirectories {
  readonly home: string
  /** The XDG configuration directory. */
  readonly config: string
  /** Where graphical programs of this system keep their settings. */
  readonly applications: string
  /** Codex, Copilot and Claude may have been told another place. */
  readonly codex: string
  readonly copilot: string
  /** The settings of Claude Code. */
  readonly claude: string
}

export class McpClients extends Context.Tag("backbeat/McpClients")<
  McpClients,
  {
    /** `beat mcp start`, by its name where every program finds this very `beat` and its Node, else by full paths. */
    readonly server: Effect.Effect<ServerCommand>
    /** Fails for a user without a home directory. */
    readonly directories: Effect.Effect<ClientDirectories, ConfigInvalid>
    /** The text of a file, byte order mark included; null where there is none. Fails for what is not UTF-8. */
    readonly read: (path: string) => Effect.Effect<string | null, ConfigInvalid>
    /**
     * Puts a text in place of a file in one step, through links and with its permissions kept. Fails where the file no
     * longer says `before`. What was there stays next to it; returns the name of that copy, null where nothing was.
     */
    readonly replace: (path: string, before: string | null, text: string) => Effect.Effect<string | null, ConfigInvalid>
    /** Removes a file that still says `before`, and the directory that it was in where nothing else is in it. */
    readonly remove: (path: string, before: string) => Effect.Effect<void, ConfigInvalid>
  }
>() {}
