/** Runs `git` with an environment in which the directory alone decides which repository is meant, and with bounds. */
import { spawn } from "node:child_process"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { codeOf } from "../files/SystemCode.ts"
import { gitEnvironment } from "./gitEnvironment.ts"
import { workspaceVariables } from "./WorkspacePlaces.ts"

/** git could not be started, took too long, or exited with a code that the caller does not expect. */
export class GitFailed extends Data.TaggedError("GitFailed")<{
  /** `missing`: there is no git. `slow`: it was ended. `long`: it printed too much. `exit`: it said no. */
  readonly reason: "missing" | "slow" | "long" | "exit"
  readonly code: number | null
  /** The first lines of stderr, or what the system said. */
  readonly detail: string
}> {}

export interface GitCall {
  /** `gh`, which knows the repository by git, runs in the directory (default: `git`). */
  readonly program?: "git" | "gh"
  /** Null for a command that needs no repository. */
  readonly directory: string | null
  readonly args: ReadonlyArray<string>
  readonly stdin?: Uint8Array | string
  /** Settings in addition to those of every call. */
  readonly settings?: Readonly<Record<string, string>>
  /** Variables in addition to the cleaned environment. */
  readonly variables?: Readonly<Record<string, string>>
  /** Exit codes that are answers (default: 0). */
  readonly accepts?: ReadonlyArray<number>
  /** Milliseconds (default: a minute). */
  readonly patienceMs?: number
}

export interface GitAnswer {
  readonly code: number
  /** At most 64 MB. */
  readonly stdout: Buffer
  readonly stderr: string
}

const standardPatienceMs = 60_000
const mostBytes = 64 * 1024 ** 2
const mostErrorBytes = 16 * 1024

/** After SIGTERM, at which git removes its lock files, this long until SIGKILL. */
const graceMs = 2000

/** Settings of every call: no monitor or maintenance is started, no hook runs, and names of files stay as they are. */
const everyCall = {
  "core.fsmonitor": "false",
  "core.quotePath": "false",
  "core.hooksPath": "/dev/null",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "advice.detachedHead": "false",
  "commit.gpgSign": "false",
  "log.showSignature": "false",
  "diff.relative": "false"
}

/** Lines that a line of git announces: more would not be read. */
const mostAnnounced = 10

/** What follows a line that ends with a colon: git indents the files that it names. Else it is the next line. */
const announced = (after: ReadonlyArray<string>): string => {
  const end = after.findIndex((line) => !/^\s/.test(line))
  const listed = end < 0 ? after : after.slice(0, end)
  const named = (listed.length === 0 ? after.slice(0, 1) : listed).map((line) => line.trim())
  const more = named.length > mostAnnounced ? `, and ${named.length - mostAnnounced} more` : ""
  return ` ${named.slice(0, mostAnnounced).join(", ")}${more}`.trimEnd()
}

/** One line that says what went wrong: git puts that first, or after `fatal:` and `error:`, with what this line announces. */
export const said = (stderr: string): string => {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "")
  const marked = lines.findIndex((line) => /^(fatal|error):/.test(line))
  const at = Math.max(0, marked)
  const first = (lines[at] ?? "git said nothing").replace(/^(fatal|error): /, "").trimEnd()
  return `${first}${first.endsWith(":") ? announced(lines.slice(at + 1)) : ""}`.slice(0, 500)
}

export const git = ({
  accepts = [0],
  args,
  directory,
  patienceMs = standardPatienceMs,
  program = "git",
  settings = {},
  stdin,
  variables = {}
}: GitCall): Effect.Effect<GitAnswer, GitFailed> =>
  Effect.async<GitAnswer, GitFailed>((resume) => {
    const own = directory === null ? {} : workspaceVariables(directory)
    if (own === null) {
      const detail = `the workspace of ${directory} has no repository any more`
      return resume(Effect.fail(new GitFailed({ reason: "exit", code: null, detail })))
    }
    const child = spawn(program, [...(directory === null || program === "gh" ? [] : ["-C", directory]), ...args], {
      ...(program === "gh" && directory !== null ? { cwd: directory } : {}),
      env: gitEnvironment({ ...everyCall, ...settings }, { ...own, ...variables }),
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true
    })
    const out: Array<Buffer> = []
    let size = 0
    let stderr = ""
    const fail = (reason: GitFailed["reason"], code: number | null, detail: string) =>
      resume(Effect.fail(new GitFailed({ reason, code, detail })))
    /** Why it had to be ended; null while it is within its bounds. */
    let over: (() => void) | null = null
    let grace: NodeJS.Timeout | undefined
    const end = (why: () => void) => {
      if (over !== null) return
      over = why
      child.kill("SIGTERM")
      grace = setTimeout(() => {
        child.kill("SIGKILL")
        // One that a file system holds up does not even end then.
        why()
      }, graceMs)
    }
    const timer = setTimeout(
      () =>
        end(() =>
          fail("slow", null, `${program} ${args[0] ?? ""} did not end within ${Math.round(patienceMs / 1000)} s`)
        ),
      patienceMs
    )
    child.stdout.on("data", (bytes: Buffer) => {
      size += bytes.length
      if (size <= mostBytes) out.push(bytes)
      else end(() => fail("long", null, `the answer of ${program} is longer than ${mostBytes / 1024 ** 2} MB`))
    })
    child.stderr.on("data", (bytes: Buffer) => {
      if (stderr.length < mostErrorBytes) stderr += bytes.toString("utf8")
    })
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      fail(error.code === "ENOENT" ? "missing" : "exit", null, error.code ?? error.message)
    })
    child.once("close", (code, signal) => {
      clearTimeout(timer)
      clearTimeout(grace)
      if (over !== null) over()
      else if (code !== null && accepts.includes(code)) {
        resume(Effect.succeed({ code, stdout: Buffer.concat(out), stderr }))
      } else fail("exit", code, code === null ? `${program} ${args[0] ?? ""} was killed (${signal})` : said(stderr))
    })
    // A git that ends before it has read everything closes the pipe: its exit code says why.
    child.stdin.on("error", () => {})
    child.stdin.end(stdin)
    return Effect.async<void>((ended) => {
      clearTimeout(timer)
      clearTimeout(grace)
      if (child.exitCode !== null || child.signalCode !== null) return ended(Effect.void)
      over = null
      child.once("close", () => ended(Effect.void))
      end(() => ended(Effect.void))
    })
  })

/** Work on files for git, which fails as git does. */
export const attemptGit = <A>(run: () => Promise<A>): Effect.Effect<A, GitFailed> =>
  Effect.tryPromise({
    try: run,
    catch: (error) => new GitFailed({ reason: "exit", code: null, detail: codeOf(error) })
  })

/** Its output as one text, without the last line break. */
export const gitText = (call: GitCall): Effect.Effect<string, GitFailed> =>
  Effect.map(git(call), ({ stdout }) => stdout.toString("utf8").replace(/\n$/, ""))

/** Its output, split at NUL. */
export const gitList = (call: GitCall): Effect.Effect<ReadonlyArray<string>, GitFailed> =>
  Effect.map(git(call), ({ stdout }) =>
    stdout
      .toString("utf8")
      .split("\0")
      .filter((entry) => entry !== "")
  )
