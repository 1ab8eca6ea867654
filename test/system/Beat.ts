/** Drives the built `beat` as a user does: argv in, stdout, stderr and exit code out, in its own home. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { setTimeout } from "node:timers/promises"
import Database from "better-sqlite3"

export const binary = resolve(import.meta.dirname, "../../dist/beat.cjs")

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningBeat {
  readonly child: ChildProcess
  readonly done: Promise<Finished>
  readonly stdout: () => string
  readonly stderr: () => string
}

export interface BeatOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Buffer
  readonly cwd?: string
}

/** One home directory with everything in it, and what a test does with it. */
export class Beat {
  readonly home = mkdtempSync(join(tmpdir(), "beat-test-"))
  readonly #children = new Set<ChildProcess>()
  readonly #settings: Readonly<Record<string, string>>

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.#settings = settings
  }

  get environment(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: this.home,
      LANG: "C.UTF-8",
      BACKBEAT_HOME: join(this.home, "state"),
      BACKBEAT_IDLE_MS: "500",
      ...this.#settings
    }
  }

  /** Starts `beat` without waiting. stdin is closed unless there is input. */
  start(args: ReadonlyArray<string>, options: BeatOptions = {}): RunningBeat {
    const started = this.#spawn(args, options, options.input === undefined ? "ignore" : "pipe")
    if (options.input !== undefined) started.child.stdin?.end(options.input)
    return started
  }

  /** The same with a stdin that stays open. */
  open(args: ReadonlyArray<string>, options: BeatOptions = {}): RunningBeat {
    return this.#spawn(args, options, "pipe")
  }

  #spawn(args: ReadonlyArray<string>, options: BeatOptions, stdin: "ignore" | "pipe"): RunningBeat {
    const child = spawn(process.execPath, [binary, ...args], {
      cwd: options.cwd ?? this.home,
      env: { ...this.environment, ...options.env },
      stdio: [stdin, "pipe", "pipe"]
    })
    this.#children.add(child)
    let stdout = ""
    let stderr = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    const done = new Promise<Finished>((finish, fail) => {
      child.once("error", fail)
      child.once("close", (code, signal) => {
        this.#children.delete(child)
        finish({ code, signal, stdout, stderr })
      })
    })
    return { child, done, stdout: () => stdout, stderr: () => stderr }
  }

  /** Runs `beat` to its end. */
  run(args: ReadonlyArray<string>, options: BeatOptions = {}): Promise<Finished> {
    return this.start(args, options).done
  }

  /** Submits a shell command; the id. */
  async submit(command: string, args: ReadonlyArray<string> = [], options: BeatOptions = {}): Promise<string> {
    const finished = await this.run(["run", "-a", "shell", ...args, "--", command], options)
    if (finished.code !== 0) throw new Error(`beat run: exit ${finished.code}: ${finished.stderr}`)
    return finished.stdout.trim()
  }

  get databaseFile(): string {
    return join(this.home, "state", "backbeat.db")
  }

  /** Reads rows from the database, as an independent observer. */
  rows<Row>(sql: string, ...parameters: ReadonlyArray<string | number>): ReadonlyArray<Row> {
    if (!existsSync(this.databaseFile)) return []
    const database = new Database(this.databaseFile, { readonly: true, timeout: 5000 })
    try {
      return database.prepare<Array<string | number>, Row>(sql).all(...parameters)
    } catch (error) {
      // The first command of all has made the file and not yet its tables.
      if (error instanceof Error && error.message.startsWith("no such table")) return []
      throw error
    } finally {
      database.close()
    }
  }

  status(id: string): { readonly status: string; readonly cause: string | null; readonly exit_code: number | null } {
    const [row] = this.rows<{ status: string; cause: string | null; exit_code: number | null }>(
      "SELECT status, cause, exit_code FROM tasks WHERE id = ?",
      id
    )
    if (row === undefined) throw new Error(`no task ${id}`)
    return row
  }

  /** What is kept of a stream. Rows are dropped whole; of the one at the border only the end counts. */
  output(id: string, stream: "stdout" | "stderr" = "stdout"): Buffer {
    const [gap] = this.rows<{ from: number; to: number }>(
      'SELECT dropped_at AS "from", dropped_at + dropped AS "to" FROM task_streams WHERE task_id = ? AND stream = ? AND dropped > 0',
      id,
      stream
    )
    return Buffer.concat(
      this.rows<{ offset: number; bytes: Buffer }>(
        'SELECT "offset", bytes FROM task_output WHERE task_id = ? AND stream = ? ORDER BY seq',
        id,
        stream
      ).map(({ bytes, offset }) =>
        gap === undefined || offset < gap.from ? bytes : bytes.subarray(Math.max(0, gap.to - offset))
      )
    )
  }

  workers(): ReadonlyArray<number> {
    return this.rows<{ pid: number }>("SELECT pid FROM workers ORDER BY started_at").map((row) => row.pid)
  }

  /** The shim of a running task. */
  shim(id: string): number | null {
    return this.rows<{ pid: number | null }>("SELECT pid FROM claims WHERE task_id = ?", id)[0]?.pid ?? null
  }

  /** Ends everything that was started in this home, by pid, and what that starts while it ends, as a power cut does. */
  async switchOff(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL")
    for (let looks = 0, quiet = 0; quiet < 2 && looks < 200; looks += 1) {
      const left = this.#processes().filter((pid) => pid !== process.pid && isAlive(pid))
      quiet = left.length === 0 ? quiet + 1 : 0
      for (const pid of left) kill(pid, "SIGKILL")
      await setTimeout(10)
    }
  }

  /** Ends everything that was started in this home, then removes the home. */
  async close(): Promise<void> {
    await this.switchOff()
    rmSync(this.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }

  /** Every process that was started in this home. */
  #processes(): ReadonlyArray<number> {
    if (!existsSync("/proc/self/environ")) return []
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    return pids.map(Number).filter((pid) => marked(pid, this.home))
  }
}

/** Whether a process was started within this home: a pid alone proves nothing. */
const marked = (pid: number, home: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").includes(home)
  } catch {
    return false
  }
}

/** Signals a process that may be gone already. 0 would be the group of the tests themselves. */
export const kill = (pid: number, signal: NodeJS.Signals): boolean => {
  if (!(Math.abs(pid) > 1)) throw new Error(`there is no process to send ${signal} to`)
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return false
  }
}

/** Whether a process exists and is more than a zombie. */
export const isAlive = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return !["Z", "X"].includes(stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3))
  } catch {
    return false
  }
}

export const children = (pid: number): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Waits, looking every 20 ms, until `look` gives something other than false, null or undefined. */
export const until = async <A>(
  what: string,
  look: () => A | false | null | undefined,
  withinMs = 240_000
): Promise<A> => {
  const end = Date.now() + withinMs
  while (true) {
    const found = look()
    if (found !== false && found !== null && found !== undefined) return found
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await setTimeout(20)
  }
}
