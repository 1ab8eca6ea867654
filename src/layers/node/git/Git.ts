/** Asks the `git` program, with a bound on its time and its words. */
import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Git } from "../../../services/Git.ts"
import { headFromFiles, isInWorkTree, workTreeFromFiles } from "./GitFiles.ts"
import { gitEnvironment } from "./gitEnvironment.ts"
import { workspaceVariables } from "./WorkspacePlaces.ts"

/** A repository that takes longer is left alone. */
const patienceMs = 4000

/** Only the beginning of a longer answer is read. */
const mostBytes = 4 * 1024 * 1024

const mostFiles = 100

/** Takes the place of the commit before the first one: git knows the empty tree in every repository. */
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

/** A monitor of the file system would be started and stay. The whole repository counts, wherever in it the task works. */
const settings = { "core.fsmonitor": "false", "core.quotePath": "false", "diff.relative": "false" }

/** Its output; null when it failed or could not be run. */
const ask = (directory: string, ...args: ReadonlyArray<string>): Effect.Effect<string | null> =>
  Effect.async<string | null>((resume) => {
    const own = workspaceVariables(directory)
    if (own === null) return resume(Effect.succeed(null))
    const options = {
      cwd: directory,
      // A repository that has only a part of itself must not fetch the rest.
      env: gitEnvironment(settings, { ...own, GIT_NO_LAZY_FETCH: "1" }),
      encoding: "utf8",
      timeout: patienceMs,
      killSignal: "SIGKILL",
      maxBuffer: mostBytes,
      windowsHide: true
    } as const
    const child = execFile("git", args, options, (error, stdout) => {
      const cut = error?.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER"
      resume(Effect.succeed(error === null || cut ? stdout : null))
    })
    child.stdin?.end()
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.catchAllDefect(() => Effect.succeed(null)),
    // One that a file system holds up does not even end when it is killed.
    Effect.timeoutTo({ duration: patienceMs + 500, onSuccess: (answer) => answer, onTimeout: () => null })
  )

const head = Effect.fn("Git.head")(function* (directory: string) {
  const plain = yield* Effect.promise(() => headFromFiles(directory).catch(() => "unclear" as const)).pipe(
    // A file system that does not answer must not hold up the end of a task.
    Effect.timeoutTo({ duration: patienceMs, onSuccess: (found) => found, onTimeout: () => null })
  )
  if (plain !== "unclear") return plain
  const answer = yield* ask(directory, "rev-parse", "HEAD", "--abbrev-ref", "HEAD")
  if (answer === null) {
    // Before the first commit there is a branch and nothing else.
    const branch = yield* ask(directory, "symbolic-ref", "--short", "HEAD")
    return branch === null ? null : { branch: branch.trim(), commit: null }
  }
  const [commit = "", branch = "HEAD"] = answer.split("\n")
  return { branch: branch === "HEAD" ? null : branch, commit }
})

/** The entry of one file in `git status --porcelain=v2`, as `XY path`; null for what is none. */
const fileOf = (entry: string): string | null => {
  const fields = entry.split(" ")
  switch (fields[0]) {
    case "?":
      return `?? ${entry.slice(2)}`
    case "1":
      return `${fields[1]} ${fields.slice(8).join(" ")}`
    case "2":
      return `${fields[1]} ${fields.slice(9).join(" ")}`
    case "u":
      return `${fields[1]} ${fields.slice(10).join(" ")}`
    default:
      return null
  }
}

const state = Effect.fn("Git.state")(function* (directory: string) {
  const inWorkTree = yield* Effect.promise(() => isInWorkTree(directory)).pipe(
    Effect.timeoutTo({ duration: patienceMs, onSuccess: (found) => found, onTimeout: () => false })
  )
  if (!inWorkTree) return null
  const answer = yield* ask(
    directory,
    "status",
    "--porcelain=v2",
    "--branch",
    "--no-renames",
    "--ignore-submodules=dirty",
    "-z"
  )
  if (answer === null) return null
  const entries = answer.split("\0")
  const told = (name: string): string | null =>
    entries.find((entry) => entry.startsWith(`# branch.${name} `))?.slice(`# branch.${name} `.length) ?? null
  const [branch, commit] = [told("head"), told("oid")]
  const files = entries.map(fileOf).filter((file) => file !== null)
  return {
    branch: branch === "(detached)" ? null : branch,
    commit: commit === "(initial)" ? null : commit,
    dirty: files.slice(0, mostFiles),
    dirtyCount: files.length
  }
})

const isCommit = (name: string): boolean => /^[0-9a-f]{40,64}$/.test(name)

export const layer = Layer.succeed(
  Git,
  Git.of({
    workTree: Effect.fn("Git.workTree")((directory) =>
      Effect.promise(() => workTreeFromFiles(directory).catch(() => directory)).pipe(
        Effect.timeoutTo({ duration: patienceMs, onSuccess: (found) => found, onTimeout: () => directory })
      )
    ),
    head,
    state,
    diffStat: Effect.fn("Git.diffStat")(function* (directory, { commit }) {
      if (commit !== null && !isCommit(commit)) return null
      const answer = yield* ask(
        directory,
        "diff",
        "--stat=100",
        "--stat-count=50",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--ignore-submodules=dirty",
        commit ?? emptyTree,
        "--"
      )
      return answer === null ? null : answer.trimEnd()
    })
  })
)
