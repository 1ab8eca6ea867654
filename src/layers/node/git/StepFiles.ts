/** The files that a step of a branch changes, and which of them the user has edited: those stay as they are. */
import { createHash } from "node:crypto"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import { git, gitList, gitText } from "./GitProgram.ts"

/** A file that two commits have differently; null where one has no such file. */
export interface StepFile {
  readonly path: string
  readonly from: string | null
  readonly to: string | null
}

const nameOf = (oid: string | undefined) => (oid === undefined || /^0+$/.test(oid) ? null : oid)

const raw = (tree: string, ...args: ReadonlyArray<string>) =>
  Effect.map(
    gitList({ directory: tree, args: ["diff", "--raw", "--no-renames", "--no-abbrev", "-z", ...args, "--"] }),
    (fields) =>
      fields.flatMap((field, at): ReadonlyArray<StepFile> => {
        const path = fields[at + 1]
        if (at % 2 === 1 || path === undefined) return []
        const [, , from, to] = field.split(" ")
        return [{ path, from: nameOf(from), to: nameOf(to) }]
      })
  )

/** Paths that a sparse checkout leaves out: they have no file. */
export const leftOut = (tree: string) =>
  Effect.map(
    gitList({ directory: tree, args: ["ls-files", "-t", "-z"] }),
    (entries) => new Set(entries.flatMap((entry) => (entry.startsWith("S ") ? [entry.slice(2)] : [])))
  )

export const stepFiles = (tree: string, from: string, to: CommitId) => raw(tree, from, to)

/** What is staged against a commit: null for a file that is staged as deleted. */
export const stagedIn = (tree: string, commit: CommitId) =>
  Effect.map(raw(tree, "--cached", commit), (files) => new Map(files.map(({ path, to }) => [path, to])))

export const reversed = (files: ReadonlyArray<StepFile>): ReadonlyArray<StepFile> =>
  files.map(({ from, path, to }) => ({ path, from: to, to: from }))

const blobName = (bytes: Uint8Array, length: number): string =>
  createHash(length === 40 ? "sha1" : "sha256")
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest("hex")

/** What git would store for the files that are there: null for one that is missing, and no entry for a directory. */
export const storedNames = Effect.fn("storedNames")(function* (tree: string, files: ReadonlyArray<StepFile>) {
  const found = new Map<string, string | null>()
  const plain = yield* Effect.promise(async () => {
    const names: Array<string> = []
    for (const { from, path, to } of files) {
      const at = join(tree, path)
      const state = await fs.lstat(at).catch(() => null)
      if (state === null) found.set(path, null)
      else if (state.isSymbolicLink())
        found.set(path, blobName(Buffer.from(await fs.readlink(at).catch(() => "")), (from ?? to ?? "").length))
      // One name is one line of what git reads. It ends at the first file that it cannot read.
      else if (state.isFile() && !path.includes("\n")) {
        const isReadable = await fs.access(at, constants.R_OK).then(
          () => true,
          () => false
        )
        if (isReadable) names.push(path)
        else found.set(path, "")
      }
    }
    return names
  })
  if (plain.length === 0) return found
  const text = yield* gitText({
    directory: tree,
    args: ["hash-object", "--stdin-paths"],
    stdin: `${plain.join("\n")}\n`
  })
  const lines = text.split("\n")
  for (const [at, path] of plain.entries()) found.set(path, lines[at] ?? "")
  return found
})

/** Whether the file is a beginning of what git was writing. */
export const isCutShort = (tree: string, path: string, commit: CommitId) =>
  git({ directory: tree, args: ["cat-file", "--filters", `${commit}:${path}`] }).pipe(
    Effect.flatMap(({ stdout }) =>
      Effect.promise(async () => {
        const bytes = await fs.readFile(join(tree, path)).catch(() => null)
        return bytes !== null && stdout.subarray(0, bytes.length).equals(bytes)
      })
    ),
    Effect.orElseSucceed(() => false)
  )

/**
 * Those of the files that are as neither commit has them, on disk or staged. `torn`: a git that was killed may have left some missing or
 * half written on their way to this commit.
 */
export const editedIn = Effect.fn("editedIn")(function* (
  tree: string,
  from: CommitId,
  files: ReadonlyArray<StepFile>,
  torn: CommitId | null
) {
  const staged = yield* stagedIn(tree, from)
  const names = yield* storedNames(tree, files)
  const sparse = yield* leftOut(tree)
  const edited: Array<string> = []
  for (const file of files) {
    const { path } = file
    const name = names.get(path)
    const isStaged = staged.has(path) && staged.get(path) !== file.to
    if (isStaged) edited.push(path)
    else if (name === undefined || name === file.from || name === file.to || (name === null && sparse.has(path)))
      continue
    else if (torn === null || (name !== null && !(yield* isCutShort(tree, path, torn)))) edited.push(path)
  }
  return edited
})
