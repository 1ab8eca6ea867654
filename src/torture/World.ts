/** The scratch directory of a torture run, what lives in it, and how its processes are started. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { Chronicle } from "./Chronicle.ts"
import { clockScript } from "./faults/clockScript.ts"
import { leadScript } from "./load/LeadPlan.ts"
import { limitedScript, tokenMicro, unlimitedFile, type Windows } from "./load/LimitPlan.ts"
import { makeRepository, stateOf } from "./load/Repository.ts"
import { agentScript, claudeScript } from "./load/Script.ts"
import { makeShop } from "./load/Shop.ts"

/** The global limit on workers in the run. A task whose shim was killed keeps its place for seconds: others need room too. */
export const maxConcurrency = 16

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
}

interface StartOptions {
  readonly failpoints?: string | undefined
  /** In blocks of 512 bytes. */
  readonly fileLimit?: number
  /** Its stderr goes to a file of this name, as a worker's does, and its stdout nowhere. */
  readonly log?: string
  readonly stdin?: boolean
  readonly umask?: string
  /** In a separate pid namespace. */
  readonly elsewhere?: boolean
  /** Where it is started; it names the queue by its path then. */
  readonly directory?: string | undefined
  /** Variables in addition. */
  readonly variables?: Readonly<Record<string, string>>
  /** Number of the user, where that is another. */
  readonly user?: number
}

/** The umask of everything that submits work, which is that of every agent. */
export const submitUmask: string = process.umask().toString(8).padStart(4, "0")

/** The first process of a pid namespace: it stays until all others have left, which would die with it. */
const container = '"$@"; code=$?; while set -- /proc/[0-9]*; [ $# -gt 1 ]; do sleep 0.2; done; exit $code'

/** Nothing where the run is over already and its directory gone. */
const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

export class World {
  readonly home: string
  readonly database: string
  readonly chronicle: Chronicle
  readonly commands = new Set<Running>()
  /** Closed while the machine is down. */
  readonly up: Effect.Latch = Effect.unsafeMakeLatch(true)
  #boot = 0
  #logs = 0
  #starts = 0
  /** A repository of the user, for work in workspaces; null where there is no git. */
  readonly repository: string | null
  /** What no task may change of it. */
  readonly repositoryState: string
  /** A second one, into which the work of isolated tasks is merged. */
  readonly shop: string | null
  readonly root: string
  readonly #beat: ReadonlyArray<string>

  /** `beat` is the command that starts the program under test. */
  constructor(root: string, beat: ReadonlyArray<string>, windows: Windows) {
    this.root = root
    this.#beat = beat
    this.home = join(root, "home")
    this.database = join(this.home, "backbeat.db")
    for (const name of ["home", "journal", "work", "logs", "account", "leads"])
      mkdirSync(join(root, name), { mode: 0o700 })
    symlinkSync(this.home, join(root, "work", "here"))
    writeFileSync(join(root, "clock.cjs"), clockScript(join(root, "ahead")))
    this.setClock(0)
    writeFileSync(join(root, "agent.sh"), agentScript(root))
    writeFileSync(join(root, "lead.cjs"), leadScript(root, beat))
    writeFileSync(join(root, "limited.sh"), limitedScript(root, windows))
    writeFileSync(join(root, "claude"), claudeScript(root))
    chmodSync(join(root, "claude"), 0o755)
    const settings = { graceMs: 400, idleMs: 400, maxConcurrency, memoryReserveBytes: 0, memoryPerTaskBytes: 1000 }
    const rates = { input: tokenMicro, output: tokenMicro }
    const prices = { "claude-fake": rates, "claude-opus-fake": rates }
    // The trash is emptied by the next worker but a few: some workspaces come back from their commit.
    const config = {
      ...settings,
      workspaceTrashMs: 6000,
      prices,
      agents: { claude: { program: join(root, "claude") } }
    }
    writeFileSync(join(this.home, "config.json"), JSON.stringify(config), { mode: 0o600 })
    this.chronicle = new Chronicle(join(root, "events.jsonl"))
    this.repository = makeRepository(join(root, "repository"))
    this.repositoryState = this.repository === null ? "" : stateOf(this.repository)
    this.shop = this.repository === null ? null : makeShop(join(root, "shop"))
    if (this.repository === null) this.chronicle.unable.set("loop", "git is not installed")
    if (this.shop === null) this.chronicle.unable.set("merge", "git is not installed")
  }

  /** Nothing of the surrounding environment but where programs are. */
  environment(failpoints?: string): Record<string, string> {
    return {
      PATH: process.env.PATH ?? "/usr/bin:/bin",
      HOME: join(this.root, "work"),
      LANG: "C.UTF-8",
      // One directory, named in turn as users do: all of them mean the same queue.
      BACKBEAT_HOME: [this.home, "here", join(this.root, "work", "here")][this.#starts % 3] ?? this.home,
      NODE_OPTIONS: `--require "${join(this.root, "clock.cjs")}"`,
      ...(this.#boot === 0 ? {} : { BACKBEAT_BOOT_ID: this.#bootId }),
      ...(failpoints === undefined ? {} : { BACKBEAT_FAILPOINTS: failpoints })
    }
  }

  /** From now on no account refuses. */
  openAccounts(): void {
    writeFileSync(unlimitedFile(this.root), "")
  }

  /** From now on processes see the boot id of a machine that was restarted. */
  reboot(): void {
    this.#boot += 1
    writeFileSync(join(this.root, "boot"), this.#bootId)
  }

  get #bootId(): string {
    return `torture-${this.#boot}`
  }

  /** Sets the clock on the wall of all processes of the run. */
  setClock(aheadMs: number): void {
    writeFileSync(join(this.root, "ahead"), String(aheadMs))
  }

  /** Starts `beat` with these arguments. */
  start(args: ReadonlyArray<string>, options: StartOptions = {}): Running {
    const foreign = ["unshare", "--pid", "--fork", "--mount-proc", "--", "/bin/sh", "-c", container, "sh"]
    const words = [...(options.elsewhere === true ? foreign : []), ...this.#beat, ...args]
    const { fileLimit = "unlimited", umask } = options
    const set = ["/bin/sh", "-c", 'ulimit -f "$1"; umask "$2"; shift 2; exec "$@"', "sh", String(fileLimit)]
    const isPlain = options.fileLimit === undefined && umask === undefined
    const [program = "", ...rest] = isPlain ? words : [...set, umask ?? submitUmask, ...words]
    this.#logs += options.log === undefined ? 0 : 1
    this.#starts += 1
    const log = options.log === undefined ? null : join(this.root, "logs", `${options.log}-${this.#logs}.log`)
    const output = log === null ? "pipe" : openSync(log, "a")
    const child = spawn(program, rest, {
      cwd: options.directory ?? join(this.root, "work"),
      env: {
        ...this.environment(options.failpoints),
        ...(options.directory === undefined ? {} : { BACKBEAT_HOME: this.home }),
        ...options.variables
      },
      ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
      stdio: [
        options.stdin === true ? "pipe" : "ignore",
        options.stdin === true || log === null ? "pipe" : "ignore",
        output
      ]
    })
    if (typeof output === "number") closeSync(output)
    const stdout: Array<Buffer> = []
    let stderr = ""
    if (options.stdin !== true) child.stdout?.on("data", (bytes: Buffer) => stdout.push(bytes))
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.stdin?.on("error", () => undefined)
    const finished = new Promise<Finished>((resolve) => {
      child.once("error", (error) =>
        resolve({ code: 70, signal: null, stdout: Buffer.alloc(0), stderr: error.message })
      )
      child.once("close", (code, signal) => {
        this.commands.delete(running)
        const said = log === null ? stderr : textOf(log)
        this.#account(args, { code, signal, stdout: Buffer.concat(stdout), stderr: said })
        resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: said })
      })
    })
    const running = { child, finished }
    this.commands.add(running)
    return running
  }

  /** Counts deaths at failpoints, and treats every bug that a process reports about itself as a broken promise. */
  #account(args: ReadonlyArray<string>, { code, signal, stderr }: Finished): void {
    const name = /^failpoint ([\w.-]+)$/m.exec(stderr)?.[1]
    if (name !== undefined && signal === "SIGKILL") this.chronicle.failpoint(name)
    const line = args.slice(0, 2).join(" ")
    if (code === 70) this.chronicle.breach("no defect", null, `beat ${line} failed by a bug: ${stderr.slice(-2000)}`)
    else if (signal !== null && signal !== "SIGKILL" && signal !== "SIGTERM" && signal !== "SIGXFSZ")
      this.chronicle.breach("no defect", null, `beat ${line} died of ${signal}: ${stderr.slice(-2000)}`)
  }
}
