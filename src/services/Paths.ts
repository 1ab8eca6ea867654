/** Every path Backbeat uses, derived once. */
import * as Context from "effect/Context"

export class Paths extends Context.Tag("backbeat/Paths")<
  Paths,
  {
    /** Database, spool and logs: `$BACKBEAT_HOME`, else `$XDG_STATE_HOME/backbeat`, else `~/.local/state/backbeat`. */
    readonly home: string
    readonly database: string
    /** One directory per claim. */
    readonly spool: string
    /** Workspaces of isolated tasks, and a directory for each that was reclaimed. */
    readonly workspaces: string
    readonly trash: string
    /** Logs of detached workers. */
    readonly logs: string
    /** `$BACKBEAT_HOME/config.json`, else `$XDG_CONFIG_HOME/backbeat/config.json`, else `~/.config/backbeat/config.json`. */
    readonly config: string
  }
>() {}
