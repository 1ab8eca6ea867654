/** The official clients, of today and of the era before, driving the built server through a whole story. */
import { Client, type ClientOptions } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Client as Client10 } from "mcp-sdk-1.0/client/index.js"
import { StdioClientTransport as Stdio10 } from "mcp-sdk-1.0/client/stdio.js"
import { Client as Client112 } from "mcp-sdk-1.12/client/index.js"
import { StdioClientTransport as Stdio112 } from "mcp-sdk-1.12/client/stdio.js"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { Beat, binary, isAlive, kill, until } from "../system/Beat.ts"
import type { ToolAnswer } from "./Server.ts"

let beat: Beat

beforeEach(() => {
  beat = new Beat()
})
afterEach(() => beat.close())

interface Connected {
  readonly pid: number
  readonly call: (name: string, args: Record<string, unknown>, told?: (message: string) => void) => Promise<ToolAnswer>
  readonly read: (uri: string) => Promise<string>
  readonly tools: () => Promise<ReadonlyArray<string>>
  readonly close: () => Promise<void>
}

const server = () => ({
  command: process.execPath,
  args: [binary, "mcp", "start"],
  env: beat.environment,
  cwd: beat.home
})
const identity = { name: "story", version: "1.0.0" }

const today =
  (options: ClientOptions): (() => Promise<Connected>) =>
  async () => {
    const client = new Client(identity, options)
    const transport = new StdioClientTransport({ ...server(), stderr: "inherit" })
    await client.connect(transport)
    return {
      pid: transport.pid ?? 0,
      call: async (name, args, told) =>
        (await client.callTool(
          { name, arguments: args },
          told === undefined ? {} : { onprogress: ({ message }) => told(message ?? "") }
        )) as unknown as ToolAnswer,
      read: async (uri) => {
        const [content] = (await client.readResource({ uri })).contents
        return content !== undefined && "text" in content ? String(content.text) : ""
      },
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      close: () => client.close()
    }
  }

/** The earlier transports keep their process to themselves. */
const pidOf = (transport: object): number => {
  const child: unknown = Reflect.get(transport, "_process")
  return typeof child === "object" && child !== null && "pid" in child && typeof child.pid === "number" ? child.pid : 0
}

/** A client of an earlier SDK. Each has the methods of the latest one among them. */
const before =
  (connect: () => Promise<readonly [client: unknown, transport: object]>) => async (): Promise<Connected> => {
    const [connected, transport] = await connect()
    const client = connected as ClientV1
    return {
      pid: pidOf(transport),
      call: async (name, args, told) =>
        (await client.callTool(
          { name, arguments: args },
          undefined,
          told === undefined ? {} : { onprogress: ({ message }) => told(message ?? "") }
        )) as unknown as ToolAnswer,
      read: async (uri) => {
        const [content] = (await client.readResource({ uri })).contents
        return content !== undefined && "text" in content ? String(content.text) : ""
      },
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      close: () => client.close()
    }
  }

const v1 = before(async () => {
  const [client, transport] = [new ClientV1(identity), new StdioV1({ ...server(), stderr: "inherit" })]
  await client.connect(transport)
  return [client, transport]
})

const v112 = before(async () => {
  const [client, transport] = [new Client112(identity), new Stdio112({ ...server(), stderr: "inherit" })]
  await client.connect(transport)
  return [client, transport]
})

/** This SDK cannot choose the directory of its server. */
const v10 = before(async () => {
  const [client, transport] = [
    new Client10(identity, { capabilities: {} }),
    new Stdio10({ ...server(), stderr: "inherit" })
  ]
  await client.connect(transport)
  return [client, transport]
})

const clients: Readonly<Record<string, () => Promise<Connected>>> = {
  "today's client, today's era": today({ versionNegotiation: { mode: { pin: "2026-07-28" } } }),
  "today's client, the era before": today({ versionNegotiation: { mode: "legacy" } }),
  "the client before": v1,
  "the client of 2025-03-26 (SDK 1.12.0)": v112,
  "the client of 2024-11-05 (SDK 1.0.4)": v10
}

const gone = (pid: number) => until("the server's end", () => !isAlive(pid) || null)

for (const [name, connect] of Object.entries(clients)) {
  describe(name, () => {
    it("delegates, waits with progress, reads and cancels; and again after the server was killed", async () => {
      const first = await connect()
      assert.include(await first.tools(), "DelegateTask")

      const told: Array<string> = []
      const done = await first.call("DelegateTask", { agent: "shell", prompt: "echo one; sleep 2; echo two" })
      const id: string = done.structuredContent.tasks[0].id
      const waited = await first.call("WaitTasks", { ids: [id] }, (message) => told.push(message))
      assert.deepInclude(waited.structuredContent.tasks[0], { id, status: "completed", answer: "one\ntwo" })
      // On a slow machine the first line of output comes after the first word of progress.
      assert.match(told[0] ?? "", /^running .*, (no output yet|1 line, last: one)$/)
      const again = await first.call("WaitTasks", { ids: [id], cursor: waited.structuredContent.cursor, timeoutMs: 0 })
      assert.deepStrictEqual(again.structuredContent.tasks, [])
      assert.strictEqual((await first.call("TaskLogs", { id, lines: 1 })).structuredContent.text, "two")
      assert.strictEqual((await first.call("TaskResult", { id })).structuredContent.answer, "one\ntwo")
      assert.strictEqual(await first.read(`backbeat://task/${id}/output`), "one\ntwo")

      const long: string = (await first.call("DelegateTask", { agent: "shell", prompt: "sleep 1; echo late" }))
        .structuredContent.tasks[0].id
      await until("the task runs", () => beat.status(long).status === "running" || null)
      kill(first.pid, "SIGKILL")
      await gone(first.pid)
      await first.close()

      const second = await connect()
      const late = await second.call("WaitTasks", { ids: [long] })
      assert.deepInclude(late.structuredContent.tasks[0], { id: long, status: "completed", answer: "late" })
      const endless: string = (await second.call("DelegateTask", { agent: "shell", prompt: "sleep 300" }))
        .structuredContent.tasks[0].id
      await until("the task runs", () => beat.status(endless).status === "running" || null)
      const cancelled = await second.call("CancelTask", { ids: [endless], reason: "enough" })
      assert.deepInclude(cancelled.structuredContent.tasks[0].task, {
        status: "cancelled",
        cancelReason: "enough",
        cancelledBy: "story"
      })
      const retried = await second.call("RetryTask", { id: long })
      assert.notStrictEqual(retried.structuredContent.tasks[0].id, long)
      const other = await second.call("TaskResult", { id: "nothing" })
      assert.isTrue(other.isError)
      await second.close()
    })
  })
}
