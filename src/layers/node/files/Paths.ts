/** Where Backbeat keeps its files, worked out from the environment of this process. */
import { homedir, userInfo } from "node:os"
import { isAbsolute, join, resolve } from "node:path"
import * as Layer from "effect/Layer"
import { Paths } from "../../../services/Paths.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** `directories` is asked only for what the variables leave open: the current directory may be gone. */
export const pathsOf = (
  variables: Variables,
  directories: { readonly home: () => string; readonly current: () => string }
): Paths["Type"] => {
  const own = variables.BACKBEAT_HOME
  const chosen =
    own === undefined || own === "" ? null : isAbsolute(own) ? resolve(own) : resolve(directories.current(), own)
  // The XDG specification has relative paths ignored.
  const xdg = (name: string, fallback: string): string => {
    const value = variables[name]
    const base = value !== undefined && isAbsolute(value) ? value : join(directories.home(), fallback)
    return join(base, "backbeat")
  }
  const home = chosen ?? xdg("XDG_STATE_HOME", join(".local", "state"))
  return {
    home,
    database: join(home, "backbeat.db"),
    spool: join(home, "spool"),
    logs: join(home, "logs"),
    config: join(chosen ?? xdg("XDG_CONFIG_HOME", ".config"), "config.json")
  }
}

const homeDirectory = (): string => {
  const home = homedir()
  // An empty or relative HOME would scatter databases over working directories.
  return isAbsolute(home) ? home : userInfo().homedir
}

export const layer = Layer.sync(Paths, () =>
  pathsOf(process.env, { home: homeDirectory, current: () => process.cwd() })
)
