/** Drives the built MCP server as raw JSON-RPC: bytes in, lines out, nothing in between. */
import { type ChildProcess, spawn } from "node:child_process"
import { type Beat, binary } from "../system/Beat.ts"

export interface Message {
  readonly jsonrpc: "2.0"
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: { readonly [key: string]: unknown }
  readonly result?: { readonly [key: string]: unknown }
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

export interface ToolAnswer {
  readonly content: ReadonlyArray<{ readonly type: string; readonly text?: string; readonly uri?: string }>
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for.
  readonly structuredContent?: any
  readonly isError?: boolean
}

const modernVersion = "2026-07-28"

/** What every request of today's era carries. */
export const envelope = (extensions: Readonly<Record<string, object>> = {}) => ({
  "io.modelcontextprotocol/protocolVersion": modernVersion,
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": { extensions }
})

export class Server {
  readonly child: ChildProcess
  readonly messages: Array<Message> = []
  readonly exit: Promise<number | null>
  stderr = ""
  #rest = ""
  #next = 1
  readonly #waiting = new Set<() => void>()
  readonly #extra: Record<string, unknown> = {}

  constructor(beat: Beat, env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [binary, "mcp", "start"], {
      cwd: beat.home,
      env: { ...beat.environment, ...env },
      stdio: ["pipe", "pipe", "pipe"]
    })
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n")
      this.#rest = lines.pop() ?? ""
      // Anything that is no JSON on stdout fails the test that looks.
      for (const line of lines) this.messages.push(JSON.parse(line))
      for (const wake of this.#waiting) wake()
    })
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text
    })
    this.child.stdin?.on("error", () => undefined)
    this.exit = new Promise((resolve) => this.child.once("close", (code) => resolve(code)))
  }

  write(text: string | Buffer): void {
    this.child.stdin?.write(text)
  }

  /** The first message that fits, now or later. */
  async find(what: string, fits: (message: Message) => boolean, withinMs = 240_000): Promise<Message> {
    const end = Date.now() + withinMs
    while (true) {
      const found = this.messages.find(fits)
      if (found !== undefined) return found
      const left = end - Date.now()
      if (left <= 0) throw new Error(`not within ${withinMs} ms: ${what}; stderr: ${this.stderr}`)
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake)
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(wake, left)
        this.#waiting.add(wake)
      })
    }
  }

  request(method: string, params: object = {}, id: string | number = this.#next++): Promise<Message> {
    const _meta = { ...this.#extra, ...("_meta" in params ? (params._meta as object) : {}) }
    const full = Object.keys(_meta).length === 0 ? params : { ...params, _meta }
    this.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params: full })}\n`)
    return this.find(`answer to ${method} ${id}`, (message) => message.id === id && message.method === undefined)
  }

  notify(method: string, params: object = {}): void {
    this.write(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`)
  }

  /** The handshake of 2025. */
  async initialize(version = "2025-11-25", capabilities: object = {}): Promise<Message> {
    const clientInfo = { name: "raw", version: "1.0.0" }
    const hello = await this.request("initialize", { protocolVersion: version, capabilities, clientInfo })
    this.notify("notifications/initialized")
    return hello
  }

  /** Today's era: no handshake, every request says what it needs. */
  async discover(extensions: Readonly<Record<string, object>> = {}): Promise<Message> {
    Object.assign(this.#extra, envelope(extensions))
    return this.request("server/discover")
  }

  async call(name: string, args?: object, more: object = {}): Promise<ToolAnswer> {
    const answer = await this.request("tools/call", {
      name,
      ...(args === undefined ? {} : { arguments: args }),
      ...more
    })
    if (answer.result === undefined) throw new Error(`${name}: ${JSON.stringify(answer.error)}`)
    return answer.result as unknown as ToolAnswer
  }

  /** Hands over a shell command; its id. */
  async delegate(prompt: string, more: object = {}): Promise<string> {
    const answer = await this.call("DelegateTask", { agent: "shell", prompt, ...more })
    if (answer.isError) throw new Error(answer.content[0]?.text)
    return answer.structuredContent.tasks[0].id
  }

  kill(): void {
    this.child.kill("SIGKILL")
  }

  /** Closes stdin; the exit code and how long it took. */
  async leave(): Promise<{ readonly code: number | null; readonly ms: number }> {
    const began = Date.now()
    this.child.stdin?.end()
    const code = await this.exit
    return { code, ms: Date.now() - began }
  }
}
