/** The files that a step of a branch changes, and which of them the user has edited: those stay as they are. */
import { createHash } from "node:crypto"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { CommitId } from "../../../domain/workspace/Workspace.ts"
import { git, gitList, gitText } from "./GitProgram.ts"
import { isForeign, obstacleOf } from "./WorkTreePaths.ts"

/** A file that two commits have differently; null where one has no such file. */
export interface StepFile {
  readonly path: string
  readonly from: string | null
  readonly to: string | null
  /** Neither commit has a file there: it is the name of a commit, whose directory git leaves alone. */
  readonly isModule: boolean
}

/** The mode of an entry that names a commit. */
const moduleMode = "160000"

/** What is at a path of the work tree itself; null: nothing. */
const stateIn = async (tree: string, path: string) =>
  (await obstacleOf(tree, path)) === null ? await fs.lstat(join(tree, path)).catch(() => null) : null

/** Whether a directory holds a file that is none of these. */
const holdsOther = async (tree: string, directory: string, known: ReadonlySet<string>): Promise<boolean> => {
  const entries = await fs.readdir(join(tree, directory), { withFileTypes: true }).catch(() => null)
  if (entries === null) return true
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory() ? await holdsOther(tree, path, known) : !known.has(path)) return true
  }
  return false
}

const pathsOf = (files: ReadonlyArray<StepFile>): ReadonlySet<string> => new Set(files.map(({ path }) => path))

/**
 * Whether something that no file of the step explains is in the place of this one: a link or another file in the place of a parent,
 * or a directory with more in it. git would replace it when it writes the file.
 */
const isDisplaced = async (tree: string, { isModule, path }: StepFile, files: ReadonlySet<string>) => {
  const obstacle = await obstacleOf(tree, path)
  if (obstacle !== null) return obstacle === path || !files.has(obstacle)
  const state = isModule ? null : await fs.lstat(join(tree, path)).catch(() => null)
  return state?.isDirectory() === true && (await holdsOther(tree, path, files))
}

/** Paths of the files in whose place something is that no file of the step explains. */
export const displacedIn = (tree: string, files: ReadonlyArray<StepFile>) =>
  Effect.promise(async () => {
    const paths = pathsOf(files)
    const found = new Set<string>()
    for (const file of files) if (await isDisplaced(tree, file, paths)) found.add(file.path)
    return found
  })

const nameOf = (oid: string | undefined) => (oid === undefined || /^0+$/.test(oid) ? null : oid)

const raw = (tree: string, ...args: ReadonlyArray<string>) =>
  Effect.map(
    gitList({ directory: tree, args: ["diff", "--raw", "--no-renames", "--no-abbrev", "-z", ...args, "--"] }),
    (fields) =>
      fields.flatMap((field, at): ReadonlyArray<StepFile> => {
        const path = fields[at + 1]
        if (at % 2 === 1 || path === undefined) return []
        const [before, after, from, to] = field.split(" ")
        const names = { from: nameOf(from), to: nameOf(to) }
        const isModule =
          (names.from === null || before === `:${moduleMode}`) && (names.to === null || after === moduleMode)
        return [{ path, ...names, isModule }]
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
  files.map((file) => ({ ...file, from: file.to, to: file.from }))

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
      const state = await stateIn(tree, path)
      if (state === null) found.set(path, null)
      else if (state.isSymbolicLink())
        found.set(path, blobName(Buffer.from(await fs.readlink(at).catch(() => "")), (from ?? to ?? "").length))
      else if (!state.isDirectory()) {
        // git ends at the first file that it cannot read.
        const isReadable =
          state.isFile() &&
          (await fs.access(at, constants.R_OK).then(
            () => true,
            () => false
          ))
        if (isReadable) names.push(path)
        else found.set(path, "")
      }
    }
    return names
  })
  // One name is one line of what git reads.
  const lines = plain.filter((path) => !path.includes("\n"))
  for (const path of plain.filter((path) => path.includes("\n"))) {
    found.set(path, yield* gitText({ directory: tree, args: ["hash-object", "--", path] }))
  }
  if (lines.length === 0) return found
  const text = yield* gitText({
    directory: tree,
    args: ["hash-object", "--stdin-paths"],
    stdin: `${lines.join("\n")}\n`
  })
  const names = text.split("\n")
  for (const [at, path] of lines.entries()) found.set(path, names[at] ?? "")
  return found
})

/** Whether the file is a beginning of what git was writing. */
export const isCutShort = (tree: string, path: string, commit: CommitId) =>
  git({ directory: tree, args: ["cat-file", "--filters", `${commit}:${path}`] }).pipe(
    Effect.flatMap(({ stdout }) =>
      Effect.promise(async () => {
        const isFile = (await stateIn(tree, path))?.isFile() === true
        const bytes = isFile ? await fs.readFile(join(tree, path)).catch(() => null) : null
        return bytes !== null && stdout.subarray(0, bytes.length).equals(bytes)
      })
    ),
    Effect.orElseSucceed(() => false)
  )

/**
 * What is in the place of these files, or of a directory that one of them needs, and is in no commit and not staged. It is the user's:
 * git has not written any of the files yet. A path that git itself refuses is not looked up.
 */
export const inTheWay = Effect.fn("inTheWay")(function* (tree: string, from: string, files: ReadonlyArray<StepFile>) {
  const paths = pathsOf(files)
  // Where case makes no difference to the file system, a file that only changes it is there under its new name already.
  const leaving = new Map(files.flatMap(({ path, to }) => (to === null ? [[path.toLowerCase(), path] as const] : [])))
  const displacers = new Set<string>()
  const taken = yield* Effect.promise(async () => {
    const names: Array<string> = []
    for (const file of files) {
      const { path } = file
      if (await isDisplaced(tree, file, paths)) displacers.add((await obstacleOf(tree, path)) ?? path)
      else if (file.from === null) {
        const state = await stateIn(tree, path)
        const old = leaving.get(path.toLowerCase())
        const renamed = old === undefined ? null : await stateIn(tree, old)
        if (state !== null && !state.isDirectory() && state.ino !== renamed?.ino) names.push(path)
      }
    }
    return names
  })
  const displaced = Array.from(displacers).filter((path) => !path.split("/").some(isForeign))
  if (taken.length === 0) return displaced
  // git itself knows what to do with a file that is staged.
  const staged = yield* stagedIn(tree, from)
  return displaced.concat(taken.filter((path) => typeof staged.get(path) !== "string"))
})

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
  const displaced = yield* displacedIn(tree, files)
  const edited: Array<string> = []
  for (const file of files) {
    const { path } = file
    const name = names.get(path)
    const isStaged = staged.has(path) && staged.get(path) !== file.to
    if (isStaged || displaced.has(path)) edited.push(path)
    else if (name === undefined || name === file.from || name === file.to || (name === null && sparse.has(path)))
      continue
    else if (torn === null || (name !== null && !(yield* isCutShort(tree, path, torn)))) edited.push(path)
  }
  return edited
})
