/**
 * Where Backbeat keeps its files, worked out once from the environment of this process and written back into it, which `Config` cannot:
 * docs/decisions/0013-own-file-ports.md.
 */
import { basename, dirname, isAbsolute, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../../domain/Errors.ts"
import { Paths } from "../../../services/Paths.ts"
import { realFuture } from "./RealPath.ts"
import { codeOf } from "./SystemCode.ts"
import { expandHome, noHome, userHome } from "./UserHome.ts"

type Variables = Readonly<Record<string, string | undefined>>

const databaseName = "backbeat.db"

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
    database: join(home, databaseName),
    spool: join(home, "spool"),
    workspaces: join(home, "workspaces"),
    trash: join(home, "trash"),
    logs: join(home, "logs"),
    config: join(chosen ?? xdg("XDG_CONFIG_HOME", ".config"), "config.json")
  }
}

/**
 * The same places without links. The spool is always next to the real database: with two homes whose `backbeat.db` is one
 * file, a second spool would hide that an agent was started.
 */
const withoutLinks = (paths: Paths["Type"]): Paths["Type"] => {
  const home = realFuture(paths.home)
  const database = realFuture(join(home, databaseName))
  const name = basename(database)
  return {
    home,
    database,
    spool: join(dirname(database), name === databaseName ? "spool" : `${name}.spool`),
    workspaces: join(home, "workspaces"),
    trash: join(home, "trash"),
    logs: join(home, "logs"),
    // A configuration that is a link is replaced through it.
    config: paths.config
  }
}

const invalid = (variable: string, problem: string) => new ConfigInvalid({ path: variable, problem })

const homeDirectory = (): string => {
  const home = userHome()
  if (home === null) throw invalid("HOME", noHome)
  return home
}

const currentDirectory = (): string => {
  try {
    return process.cwd()
  } catch {
    throw invalid("BACKBEAT_HOME", "is relative, and the current directory is gone. Set it to an absolute path.")
  }
}

/**
 * Decides which home this process works in. Where BACKBEAT_HOME chose it, the variable is replaced by the real, absolute
 * path: workers, shims, agents and clients that inherit it then mean the same database from any directory. Asked again,
 * it answers the same.
 */
export const settleHome = (
  variables: Record<string, string | undefined>
): Either.Either<Paths["Type"], ConfigInvalid> =>
  Either.try({
    try: () => {
      const own = variables.BACKBEAT_HOME
      if (own === "") delete variables.BACKBEAT_HOME
      const given = own ? { ...variables, BACKBEAT_HOME: expandHome(own) } : variables
      const paths = withoutLinks(pathsOf(given, { home: homeDirectory, current: currentDirectory }))
      if (paths.home === "/") {
        throw invalid("BACKBEAT_HOME", "is the root directory. Set it to a directory for Backbeat's files alone.")
      }
      if (!own) return paths
      variables.BACKBEAT_HOME = paths.home
      return { ...paths, config: join(paths.home, "config.json") }
    },
    catch: (error) =>
      error instanceof ConfigInvalid
        ? error
        : invalid("BACKBEAT_HOME", `cannot be followed to a directory (${codeOf(error)})`)
  })

export const layer: Layer.Layer<Paths, ConfigInvalid> = Layer.effect(
  Paths,
  Effect.suspend(() => settleHome(process.env))
)
