/** A client of `beat mcp start`: JSON-RPC over the pipes of a process that may be killed at any moment. */
import type { Running, World } from "../World.ts"

interface Message {
  readonly id?: number | string | null
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** What is read of a tool's answer. */
interface ToolAnswer {
  readonly isError?: boolean
  readonly content?: ReadonlyArray<{ readonly text?: string }>
  readonly structuredContent?: unknown
}

/** The tasks that an answer names. */
export const idsOf = (structured: unknown): ReadonlyArray<string> => {
  if (typeof structured !== "object" || structured === null || !("tasks" in structured)) return []
  const { tasks } = structured
  return Array.isArray(tasks)
    ? tasks.flatMap((task: unknown) =>
        typeof task === "object" && task !== null && "id" in task && typeof task.id === "string" ? [task.id] : []
      )
    : []
}

export class McpClient {
  readonly running: Running
  #next = 1
  #rest = ""
  readonly #waiting = new Map<number, (message: Message | null) => void>()

  constructor(world: World, failpoints: string | undefined) {
    this.running = world.start(["mcp", "start"], { failpoints, log: "mcp", stdin: true })
    this.running.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#read(text, world))
    void this.running.finished.then(() => {
      for (const answer of this.#waiting.values()) answer(null)
      this.#waiting.clear()
    })
  }

  get alive(): boolean {
    return this.running.child.exitCode === null && this.running.child.signalCode === null
  }

  #read(text: string, world: World): void {
    const lines = (this.#rest + text).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) {
      try {
        const message: Message = JSON.parse(line)
        if (typeof message.id !== "number") continue
        this.#waiting.get(message.id)?.(message)
        this.#waiting.delete(message.id)
      } catch {
        world.chronicle.breach("stdout is the protocol's", null, `no JSON: ${line.slice(0, 200)}`)
      }
    }
  }

  /** Null: the server died before it answered. */
  request(method: string, params: object): Promise<unknown> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      if (!this.alive) return resolve(null)
      this.#waiting.set(id, (message) => {
        if (message?.error !== undefined) reject(new Error(message.error.message))
        else resolve(message === null ? null : message.result)
      })
      this.running.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`)
    })
  }

  async initialize(): Promise<boolean> {
    const clientInfo = { name: "torture", version: "1" }
    const hello = await this.request("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo })
    if (hello === null) return false
    this.running.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`)
    return true
  }

  async call(name: string, given: object): Promise<ToolAnswer | null> {
    const result = await this.request("tools/call", { name, arguments: given })
    return typeof result === "object" ? result : null
  }

  leave(): Promise<unknown> {
    this.running.child.stdin?.end()
    return this.running.finished
  }
}
