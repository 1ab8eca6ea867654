/** Runs a program with a text on its stdin, within a time, and ends all of its process group after that. */
import { type ChildProcess, spawn } from "node:child_process"

export interface Place {
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

export interface ProgramCall {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly input: string
  readonly timeoutMs: number
  readonly place: Place
  readonly abort: AbortSignal
}

interface ProgramEnd {
  /** Null where it did not start, or was ended by a signal. */
  readonly code: number | null
  readonly missing: boolean
  /** How it ended, for people. */
  readonly detail: string
}

/** Between TERM and KILL. */
const graceMs = 2000

/** The end of stderr is kept. */
const keptBytes = 2000

const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  if (pid === undefined || pid <= 1) return
  try {
    process.kill(-pid, signal)
  } catch {
    // None of it is left.
  }
}

const lastLine = (text: string): string =>
  (
    text
      .split("\n")
      .map((line) => line.trim())
      .findLast((line) => line !== "") ?? ""
  ).slice(0, 160)

export const runProgram = ({ abort, args, file, input, place, timeoutMs }: ProgramCall): Promise<ProgramEnd> =>
  new Promise((resolve) => {
    const child = spawn(file, [...args], {
      cwd: place.directory,
      env: { ...place.environment },
      // What it prints to stdout is not read.
      stdio: ["pipe", "ignore", "pipe"],
      // A separate process group, so that what it starts ends with it.
      detached: true
    })
    let stderr = ""
    /** Why it had to be ended; null while it is within its bounds. */
    let over: string | null = null
    let grace: NodeJS.Timeout | undefined
    const end = (why: string) => {
      if (over !== null) return
      over = why
      signalGroup(child, "SIGTERM")
      grace = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs)
    }
    const timer = setTimeout(() => end(`did not end within ${timeoutMs} ms`), timeoutMs)
    const onAbort = () => end("the worker was ended")
    const settle = (result: ProgramEnd) => {
      clearTimeout(timer)
      clearTimeout(grace)
      abort.removeEventListener("abort", onAbort)
      child.stdin?.destroy()
      child.stderr?.destroy()
      resolve(result)
    }
    abort.addEventListener("abort", onAbort)
    if (abort.aborted) onAbort()
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-keptBytes)
    })
    child.once("error", (error: NodeJS.ErrnoException) =>
      settle({
        code: null,
        missing: error.code === "ENOENT",
        detail: `cannot be started (${error.code ?? "unknown"})`
      })
    )
    // Not `close`: a process that it leaves behind may hold its stderr open.
    child.once("exit", (code, signal) => {
      // One that ignored TERM must not be outlived by what it has started.
      if (over !== null) signalGroup(child, "SIGKILL")
      const how = over ?? (signal === null ? `exit ${code ?? "unknown"}` : signal)
      setImmediate(() => {
        const said = code === 0 ? "" : lastLine(stderr)
        settle({ code: over === null ? code : null, missing: false, detail: said === "" ? how : `${how}: ${said}` })
      })
    })
    // One that does not read closes the pipe.
    child.stdin?.on("error", () => undefined)
    child.stdin?.end(input)
  })
