/** The settings that a workspace takes over from its home, so that git and the agent's commits behave as the user's do. */
import { isAbsolute, join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import { gitList } from "./GitProgram.ts"

/** Settings of the home that say where it is, or that mean something only there. */
const isOwn = (key: string): boolean =>
  /^(core\.(worktree|bare|hookspath|fsmonitor)|extensions\.worktreeconfig|branch\.|submodule\.|remote\..*\.mirror|gc\.|maintenance\.)/.test(
    key
  )

/** Effective settings that may come from a file which does not apply at the new path (`includeIf "gitdir:..."`). */
const identity = ["user.name", "user.email", "user.signingkey", "gpg.format", "gpg.program", "gpg.ssh.program"]

const quoted = (value: string): string =>
  `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`

/** `section.sub.section.key` as an entry of a configuration file. */
const entryOf = (key: string, value: string): string => {
  const first = key.indexOf(".")
  const last = key.lastIndexOf(".")
  const section = key.slice(0, first)
  const sub = last > first ? ` ${quoted(key.slice(first + 1, last))}` : ""
  return `[${section}${sub}]\n\t${key.slice(last + 1)} = ${quoted(value)}\n`
}

const readConfig = (directory: string, ...scope: ReadonlyArray<string>) =>
  Effect.map(gitList({ directory, args: ["config", ...scope, "--list", "-z"] }), (entries) =>
    entries.map((entry) => {
      const at = entry.indexOf("\n")
      return at < 0 ? ([entry, "true"] as const) : ([entry.slice(0, at), entry.slice(at + 1)] as const)
    })
  )

const relativeUrl = /^\.{1,2}\//

export const configFor = Effect.fn("cut.config")(function* (home: string, gitDirectory: string) {
  const effective = new Map(yield* readConfig(home))
  const shared = yield* readConfig(home, "--local")
  // Where each work tree has separate settings, `git clone --sparse` for instance puts its there.
  const separate = effective.get("extensions.worktreeconfig") === "true" ? yield* readConfig(home, "--worktree") : []
  const local = [...shared, ...separate]
  const kept = local
    .filter(([key]) => !isOwn(key))
    .map(([key, value]) =>
      /^remote\..*\.(push)?url$/.test(key) && relativeUrl.test(value)
        ? ([key, resolve(home, value)] as const)
        : ([key, value] as const)
    )
  const known = new Set(kept.map(([key]) => key))
  const added = identity.flatMap((key) => {
    const value = effective.get(key)
    return value === undefined || known.has(key) ? [] : [[key, value] as const]
  })
  const lfs = effective.get("lfs.storage") ?? join(gitDirectory, "lfs")
  const storage = isAbsolute(lfs) ? lfs : resolve(gitDirectory, lfs)
  return [...kept, ...added, ["lfs.storage", storage] as const, ["gc.auto", "0"] as const]
    .map(([key, value]) => entryOf(key, value))
    .join("")
})
