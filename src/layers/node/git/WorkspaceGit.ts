/** Workspaces by the `git` program and the file system. */
import * as fs from "node:fs/promises"
import { basename, dirname, join, relative } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { NotIsolable, WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Paths } from "../../../services/Paths.ts"
import { type HomeState, WorkspaceGit } from "../../../services/WorkspaceGit.ts"
import { codeOf } from "../files/SystemCode.ts"
import { cut, isWhole } from "./CutWorkspace.ts"
import { type GitFailed, git, gitList, gitText } from "./GitProgram.ts"
import { isThere } from "./isThere.ts"
import { nameIn, seal, snapshotTree, treeNow } from "./SealWorkspace.ts"
import { startAt } from "./startAt.ts"
import { unsealed } from "./unsealed.ts"
import { users } from "./users.ts"
import { knowWorkspaces } from "./WorkspacePlaces.ts"

/** `git merge-tree --write-tree` came with this version. */
const oldest = [2, 38] as const

const mostChanged = 1000

/** Directories of workspaces, in their place or in the trash, that one look deals with. */
const mostFound = 10_000

/** Of what is being deleted from the trash. */
const erasedSuffix = ".erased"

/** A directory is counted for this long at most. */
const sizeMs = 5000

const versionOf = Effect.gen(function* () {
  const text = yield* gitText({ directory: null, args: ["--version"] })
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(text) ?? []
  const fits = Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1])
  return { text, fits }
})

/** What git's refusal means for a directory. */
const refusal = (directory: string, { detail, reason }: GitFailed): NotIsolable => {
  if (reason === "missing") return new NotIsolable({ directory, problem: "no-git", detail })
  if (/not a git repository/.test(detail)) return new NotIsolable({ directory, problem: "no-repository", detail })
  return new NotIsolable({ directory, problem: "refused", detail })
}

const inspect = Effect.fn("WorkspaceGit.inspect")(function* (directory: string) {
  const wrong = (problem: NotIsolable["problem"], detail = "") => new NotIsolable({ directory, problem, detail })
  const version = yield* versionOf.pipe(Effect.mapError((error) => refusal(directory, error)))
  if (!version.fits) return yield* wrong("old-git", version.text)
  const ask = (...args: ReadonlyArray<string>) =>
    gitText({ directory, args }).pipe(Effect.mapError((error) => refusal(directory, error)))
  if ((yield* ask("rev-parse", "--is-bare-repository")) === "true") return yield* wrong("bare")
  const top = yield* ask("rev-parse", "--show-toplevel")
  if (top === "") return yield* wrong("bare")
  const home = yield* Effect.promise(() => fs.realpath(top).catch(() => top))
  const real = yield* Effect.promise(() => fs.realpath(directory).catch(() => directory))
  const head = yield* gitText({ directory, args: ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"] }).pipe(
    Effect.flatMap(nameIn),
    Effect.mapError((error) => (error.reason === "exit" ? wrong("no-commit") : refusal(directory, error)))
  )
  const changed = yield* gitList({ directory: home, args: ["status", "--porcelain", "-z", "--no-renames"] }).pipe(
    Effect.mapError((error) => refusal(directory, error))
  )
  const state: HomeState = { home, subdirectory: relative(home, real), head, dirty: changed.length }
  return state
})

/** Bytes that the files take on disk, without following links. */
const sizeOf = async (path: string, until: () => boolean): Promise<number> => {
  const entries = await fs.readdir(path, { withFileTypes: true }).catch(() => [])
  let sum = 0
  for (const entry of entries) {
    if (until()) return sum
    const at = join(path, entry.name)
    if (entry.isDirectory()) sum += await sizeOf(at, until)
    else sum += ((await fs.lstat(at).catch(() => null))?.blocks ?? 0) * 512
  }
  return sum
}

/** The directories in one, each with the id of its workspace. */
const workspacesIn = async (directory: string) => {
  const names = await fs.readdir(directory).catch(() => [])
  return names.slice(0, mostFound).flatMap((name) => {
    // In the trash with the time of its reclaim, and with the mark of what is being erased.
    const id = /^([0-9a-hjkmnp-tv-z]{12})(-\d+)?(\.erased)?$/.exec(name)?.[1]
    return id === undefined ? [] : [{ id: WorkspaceId.make(id), path: join(directory, name) }]
  })
}

const make = Effect.gen(function* () {
  const paths = yield* Paths
  const { trash } = paths
  knowWorkspaces(paths.workspaces)

  /** The directory of the newest reclaim of a workspace, unless it is being erased. */
  const newestInTrash = async (id: WorkspaceId): Promise<string | null> => {
    const found = (await workspacesIn(trash)).filter((entry) => entry.id === id && !entry.path.endsWith(erasedSuffix))
    return (
      found
        .map(({ path }) => path)
        .sort()
        .at(-1) ?? null
    )
  }

  const failing =
    (step: WorkspaceFailed["step"], path: string) =>
    <A, R>(effect: Effect.Effect<A, GitFailed, R>): Effect.Effect<A, WorkspaceFailed, R> =>
      Effect.mapError(effect, ({ detail }) => new WorkspaceFailed({ step, path, detail }))

  const moving = <A>(step: "reclaim" | "restore", path: string, run: () => Promise<A>) =>
    Effect.tryPromise({
      try: run,
      catch: (error) => new WorkspaceFailed({ step, path, detail: codeOf(error) })
    })

  return WorkspaceGit.of({
    inspect,

    revision: Effect.fn("WorkspaceGit.revision")((home, name) =>
      gitText({
        directory: home,
        args: ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]
      }).pipe(
        Effect.flatMap(nameIn),
        Effect.mapError((error) =>
          error.reason === "exit"
            ? new NotIsolable({ directory: home, problem: "no-revision", detail: name })
            : refusal(home, error)
        )
      )
    ),

    snapshot: (home, claimId) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        snapshotTree(home, join(paths.home, `index-${claimId}`), at).pipe(
          Effect.mapError((error) => refusal(home, error))
        )
      ),

    pin: Effect.fn("WorkspaceGit.pin")((home, ref, commit) =>
      git({ directory: home, args: ["update-ref", ref, commit] }).pipe(
        Effect.mapError((error) => refusal(home, error)),
        Effect.asVoid
      )
    ),

    unpin: Effect.fn("WorkspaceGit.unpin")((home, ref) =>
      Effect.ignore(git({ directory: home, args: ["update-ref", "-d", ref] }))
    ),

    cut,
    isWhole,
    seal,
    tree: treeNow,
    unsealed,

    startAt,

    head: Effect.fn("WorkspaceGit.head")(({ path }) =>
      gitText({ directory: path, args: ["rev-parse", "HEAD^{commit}"] }).pipe(
        Effect.flatMap(nameIn),
        failing("start", path)
      )
    ),

    changed: Effect.fn("WorkspaceGit.changed")((repository, from, to, pathspecs) =>
      gitList({
        directory: repository,
        args: ["diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", from, to, "--", ...pathspecs]
      }).pipe(
        Effect.map((names) => names.slice(0, mostChanged)),
        failing("compare", repository)
      )
    ),

    files: Effect.fn("WorkspaceGit.files")((repository, commit, paths) =>
      paths.length === 0
        ? Effect.succeed([])
        : gitList({ directory: repository, args: ["ls-tree", "-z", "--full-tree", commit, "--", ...paths] }).pipe(
            Effect.map((entries) =>
              entries.flatMap((entry) => {
                const [facts = "", name = ""] = entry.split("\t")
                return facts.split(" ")[1] === "blob" ? [name] : []
              })
            ),
            failing("compare", repository)
          )
    ),

    users: (workspace) => users(workspace),

    exists: ({ path }) => Effect.promise(() => isThere(path)),

    trashOf: ({ id, trashPath }) =>
      Effect.promise(async () => {
        if (trashPath !== null) return (await isThere(trashPath)) ? trashPath : null
        return await newestInTrash(id)
      }),

    placed: Effect.promise(async () => {
      const found = await workspacesIn(paths.workspaces)
      const seen = await Promise.all(found.map(({ path }) => fs.stat(path).catch(() => null)))
      return found.map(({ id }, at) => ({ id, changedAt: Math.floor(seen[at]?.mtimeMs ?? 0) }))
    }),

    trashed: Effect.promise(() => workspacesIn(trash)),

    discard: Effect.fn("WorkspaceGit.discard")((workspace) =>
      moving("reclaim", workspace.path, async () => {
        await fs.mkdir(trash, { recursive: true, mode: 0o700 })
        const { id, path, usedAt } = workspace
        const source = dirname(path)
        // It was renamed before: the process that did it was killed before it could say so.
        if (!(await isThere(source))) {
          const found = await newestInTrash(id)
          if (found !== null) return found
        }
        // A name that is used once: a process that stops for a while before it erases a directory erases that one and no later one.
        const target = join(trash, `${id}-${usedAt}`)
        await fs.rename(source, target)
        return target
      })
    ),

    retrieve: Effect.fn("WorkspaceGit.retrieve")(({ path, trashPath }) =>
      moving("restore", path, () =>
        trashPath === null ? Promise.reject(new Error("ENOENT")) : fs.rename(trashPath, dirname(path))
      ).pipe(Effect.asVoid)
    ),

    erase: Effect.fn("WorkspaceGit.erase")((trashPath) =>
      moving("reclaim", trashPath, async () => {
        // The rename decides between this and a restore: no half of a workspace is brought back.
        const erased = trashPath.endsWith(erasedSuffix) ? trashPath : `${trashPath}${erasedSuffix}`
        if (erased !== trashPath) {
          await fs.rename(trashPath, erased).catch((error: unknown) => {
            if (codeOf(error) !== "ENOENT") throw error
          })
        }
        await fs.rm(erased, { recursive: true, force: true, maxRetries: 2 })
      }).pipe(Effect.asVoid)
    ),

    size: Effect.fn("WorkspaceGit.size")((path, patienceMs = sizeMs) =>
      Effect.promise(async () => {
        const end = process.hrtime.bigint() + BigInt(patienceMs) * 1_000_000n
        const isOver = () => process.hrtime.bigint() > end
        const sum = await sizeOf(path, isOver)
        return isOver() ? null : sum
      })
    ),

    sweep: Effect.fn("WorkspaceGit.sweep")((_id: WorkspaceId, path: string) =>
      Effect.promise(async () => {
        const names = await fs.readdir(dirname(path)).catch(() => [])
        for (const name of names.filter((entry) => entry.startsWith(`${basename(path)}.tmp-`))) {
          await fs.rm(join(dirname(path), name), { recursive: true, force: true }).catch(() => {})
        }
        await fs.rmdir(dirname(path)).catch(() => {})
      })
    )
  })
})

export const layer = Layer.effect(WorkspaceGit, make)
