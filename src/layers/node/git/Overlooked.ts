/** What an agent can tell git so that it overlooks changes, or runs a program outside of the task. A seal follows none of it. */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { Workspace } from "../../../domain/workspace/Workspace.ts"
import { type GitCall, type GitFailed, git, gitList, gitText } from "./GitProgram.ts"

/** Changes are noticed as git notices them by default. */
const noticing = { "core.trustctime": "true", "core.checkStat": "default", "core.ignoreStat": "false" }

/** New and changed files outside of a sparse checkout are noticed too. */
export const everywhere = { "core.sparseCheckout": "false" }

/** Filters are programs that git runs on the content of files: `filter.NAME.clean` and others. */
const filtersIn = (directory: string | null, ...scope: ReadonlyArray<string>) =>
  Effect.map(
    gitList({
      directory,
      args: ["config", ...scope, "--includes", "-z", "--get-regexp", "^filter\\."],
      accepts: [0, 1]
    }),
    (entries) =>
      new Map(
        entries.map((entry) => {
          const at = entry.indexOf("\n")
          return at < 0 ? ([entry, "true"] as const) : ([entry.slice(0, at), entry.slice(at + 1)] as const)
        })
      )
  )

/** What stands for a key that the user has not set: git runs nothing, and stores the content as it is. */
const unset = (key: string): string => (key.endsWith(".required") ? "false" : "")

/** Settings for a seal. Filters are those of the user, as they are in the home: an agent can write the settings of its workspace. */
export const settingsOfSeal = Effect.fn("seal.settings")(function* ({ home, path }: Pick<Workspace, "home" | "path">) {
  const users = yield* Effect.orElse(filtersIn(home), () => filtersIn(null, "--global"))
  const own = yield* filtersIn(path)
  const changed = Array.from(new Set([...users.keys(), ...own.keys()])).filter((key) => users.get(key) !== own.get(key))
  const filters = changed.map((key) => [key, users.get(key) ?? unset(key)] as const)
  return { ...noticing, ...Object.fromEntries(filters) }
})

const isThere = (file: string): Effect.Effect<boolean> =>
  Effect.promise(() =>
    fs.lstat(file).then(
      () => true,
      () => false
    )
  )

/**
 * Takes the marks off an index with which git skips files: `assume-unchanged`, and `skip-worktree` unless a sparse checkout leaves
 * the file out. An index that is too long to be listed is made again from the last commit, which has no marks, unless there is
 * a sparse checkout: the files that it leaves out would look removed.
 */
export const showHidden = Effect.fn("seal.showHidden")(function* (
  path: string,
  how: Required<Pick<GitCall, "settings" | "variables">>
) {
  const isSparse = Effect.map(
    gitText({ directory: path, args: ["config", "--type=bool", "--get", "core.sparseCheckout"], accepts: [0, 1] }),
    (value) => value === "true"
  )
  const entries = yield* gitList({ ...how, directory: path, args: ["ls-files", "-v", "-z"] }).pipe(
    Effect.catchIf(
      ({ reason }) => reason === "long",
      (error) =>
        Effect.if(isSparse, {
          onTrue: () => Effect.fail(error),
          onFalse: () => Effect.as(git({ ...how, directory: path, args: ["read-tree", "HEAD"] }), [])
        })
    )
  )
  const named = (mark: RegExp) => entries.filter((entry) => mark.test(entry)).map((entry) => entry.slice(2))
  const unmark = (option: string, names: ReadonlyArray<string>): Effect.Effect<void, GitFailed> =>
    names.length === 0
      ? Effect.void
      : Effect.asVoid(
          git({
            ...how,
            directory: path,
            args: ["update-index", option, "-z", "--stdin"],
            stdin: names.map((name) => `${name}\0`).join("")
          })
        )
  // A small letter is a file that is assumed to be unchanged, an S one that is skipped.
  yield* unmark("--no-assume-unchanged", named(/^[a-z] /))
  const skipped = named(/^S /i)
  if (skipped.length === 0) return
  const wanted = (yield* isSparse) ? yield* Effect.filter(skipped, (name) => isThere(join(path, name))) : skipped
  yield* unmark("--no-skip-worktree", wanted)
})
