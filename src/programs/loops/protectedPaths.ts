/** The files that judged work may not change: those that the user names, and those that the evaluation itself runs. */
import * as Effect from "effect/Effect"
import type { WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"

/** Words of a command that may be paths. `test` in "npm test" is none, although there may be a directory of that name. */
const pathsIn = (command: string): ReadonlyArray<string> =>
  command
    .split(/[\s;|&()<>'"`$=]+/)
    .map((word) => word.replace(/^\.\//, ""))
    .filter((word) => /[./]/.test(word) && !/^[-/.]/.test(word) && !word.includes(".."))

const mostPaths = 100

/** Git pathspecs from the top directory. A pattern of the user counts from the top too. */
export const protectedPaths = Effect.fn("protectedPaths")(function* (
  protect: ReadonlyArray<string>,
  commands: ReadonlyArray<string | null>,
  workspace: Extract<WorkspaceRequest, { readonly kind: "new" }>
) {
  const git = yield* WorkspaceGit
  const prefix = workspace.subdirectory === "" ? "" : `${workspace.subdirectory}/`
  const named = commands.flatMap((command) => (command === null ? [] : pathsIn(command)))
  const candidates = Array.from(new Set(named.map((path) => `${prefix}${path}`))).slice(0, mostPaths)
  const found = yield* git
    .files(workspace.home, workspace.base, candidates)
    .pipe(Effect.catchTag("WorkspaceFailed", () => Effect.succeed<ReadonlyArray<string>>([])))
  const patterns = protect.map((pattern) => (pattern.startsWith(":") ? pattern : `:(glob)${pattern}`))
  return Array.from(new Set([...patterns, ...found.map((path) => `:(literal)${path}`)])).slice(0, mostPaths)
})
