/** The built server on the wire, in both eras: what it must survive, and how it answers. */
import { existsSync, mkdirSync, readdirSync, readlinkSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { coreTools } from "../../src/mcp/Tools.ts"
import { patient } from "../support/pace.ts"
import { Beat, until } from "../system/Beat.ts"
import { type Message, Server } from "./Server.ts"

let beat: Beat
let server: Server

beforeEach(() => {
  beat = new Beat()
  server = new Server(beat)
})

afterEach(async () => {
  server.kill()
  await server.exit
  await beat.close()
})

const eras = {
  "2024-11-05": () => server.initialize("2024-11-05"),
  "2025-06-18": () => server.initialize("2025-06-18"),
  "2025-11-25": () => server.initialize("2025-11-25"),
  "2026-07-28": () => server.discover()
}

const textOf = (answer: { readonly content: ReadonlyArray<{ readonly text?: string }> }) =>
  answer.content[0]?.text ?? ""

describe("the handshake", () => {
  it("of 2025 answers with the version that was asked for", async () => {
    const hello = await server.initialize("2025-06-18")
    assert.strictEqual(hello.result?.protocolVersion, "2025-06-18")
    assert.match(String(hello.result?.instructions), /DelegateTask/)
  })

  it("of today tells versions, capabilities and how long that holds", async () => {
    const { result } = await server.discover()
    assert.deepStrictEqual(result?.supportedVersions, ["2026-07-28"])
    assert.deepNestedInclude(result?.capabilities, { extensions: { "io.modelcontextprotocol/tasks": {} } })
    assert.isAbove(Number(result?.ttlMs), 0)
  })
})

for (const [era, open] of Object.entries(eras)) {
  describe(`in the era of ${era}`, () => {
    it("lists tools, prompts, resources, and answers a call", async () => {
      await open()
      const { result } = await server.request("tools/list")
      const tools = result?.tools as ReadonlyArray<{ name: string; outputSchema: object; annotations: object }>
      assert.strictEqual(tools.length, coreTools.length)
      for (const tool of tools) {
        assert.hasAllKeys(tool.annotations, [
          "title",
          "readOnlyHint",
          "destructiveHint",
          "idempotentHint",
          "openWorldHint"
        ])
        assert.propertyVal(tool.outputSchema, "type", "object")
      }
      const status = await server.call("TaskStatus")
      assert.deepStrictEqual(JSON.parse(textOf(status)), status.structuredContent)
      assert.strictEqual(status.structuredContent.all.counts.queued, 0)
      assert.lengthOf((await server.request("prompts/list")).result?.prompts as Array<unknown>, 2)
      assert.lengthOf((await server.request("resources/templates/list")).result?.resourceTemplates as Array<unknown>, 3)
      assert.deepStrictEqual((await server.request("resources/list")).result?.resources, [])
    })

    it("gives string ids back as strings, and does not need arguments", async () => {
      await open()
      const answer = await server.request("tools/call", { name: "ListAgents" }, "abc")
      assert.strictEqual(answer.id, "abc")
      assert.isUndefined(answer.error)
      assert.strictEqual((await server.request("tools/list", {}, "7")).id, "7")
    })

    it("answers a line that is not JSON and the good one after it", async () => {
      await open()
      server.write('{"jsonrpc": "2.0", "id": 1, \n')
      server.write("[1,2]\n\n")
      assert.strictEqual((await server.request("tools/list")).error, undefined)
      const codes = server.messages.filter(({ error }) => error !== undefined).map(({ error, id }) => [error?.code, id])
      assert.deepStrictEqual(codes, [
        [-32700, null],
        [-32600, null]
      ])
    })

    it("says what is wrong with unknown methods, tools and arguments", async () => {
      await open()
      assert.strictEqual((await server.request("tools/lost")).error?.code, -32601)
      const tool = await server.request("tools/call", { name: "TaskResul" })
      assert.deepInclude(tool.error, {
        code: -32602,
        message: "There is no tool 'TaskResul'. Did you mean 'TaskResult'?"
      })
      const bad = await server.call("DelegateTask", { promt: "x", priority: "high", timeoutMs: -1 })
      assert.isTrue(bad.isError)
      assert.include(textOf(bad), "promt: there is no such argument. Did you mean 'prompt'?")
      assert.include(textOf(bad), 'priority: expected "P0" or "P1" or "P2", not "high", e.g. "P1"')
      assert.include(textOf(bad), "timeoutMs: expected a whole number from 0 to 31536000000, not -1, e.g. 1800000")
      const list = await server.call("TaskResult", ["x"])
      assert.include(textOf(list), 'the arguments: expected an object, e.g. {"id":"k3v9x2m7q4ab"}')
      const missing = await server.call("TaskResult")
      assert.include(textOf(missing), 'id: it is missing, e.g. "k3v9x2m7q4ab"')
      const unknown = await server.call("TaskResult", { id: "zzzz" })
      assert.isTrue(unknown.isError)
      assert.match(
        textOf(unknown),
        /^TaskNotFound: No task 'zzzz'\. TaskStatus shows the ids\.\nNext: TaskStatus without/
      )
      assert.strictEqual((await server.request("resources/read", { uri: "backbeat://task/zz" })).error?.code, -32602)
    })
  })
}

describe("bytes", () => {
  it("200 kB of CJK text arrives whole, wherever it is cut", async () => {
    await server.initialize()
    const text = "漢字かな混じり文、𠮷野家。".repeat(5200)
    assert.isAbove(Buffer.byteLength(text), 200_000)
    const line = Buffer.from(
      `${JSON.stringify({ jsonrpc: "2.0", id: "cjk", method: "prompts/get", params: { name: "delegate", arguments: { task: text } } })}\n`
    )
    // Pieces of every length from 1 to 700 bytes: every offset within a character is a border somewhere.
    for (let from = 0, size = 1; from < line.length; from += size, size = (size % 700) + 1) {
      server.write(line.subarray(from, from + size))
    }
    const answer = await server.find("the answer", ({ id }) => id === "cjk")
    const messages = answer.result?.messages as ReadonlyArray<{ content: { text: string } }>
    assert.isTrue(messages[0]?.content.text.includes(text))
  })

  it("each byte on its own makes the same message", async () => {
    await server.initialize()
    const line = Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", id: "é漢𠮷", method: "tools/list" })}\r\n`)
    for (const byte of line) server.write(Buffer.from([byte]))
    assert.isUndefined((await server.find("the answer", ({ id }) => id === "é漢𠮷")).error)
  })

  it("a message that is too large is refused, and the next one is served", async () => {
    await server.initialize()
    server.write('{"jsonrpc":"2.0","id":"big","method":"tools/call","params":{"name":"')
    const piece = "x".repeat(1024 * 1024)
    for (let megabyte = 0; megabyte < 17; megabyte++) server.write(piece)
    server.write('"}}\n')
    const refusal = await server.find("a refusal", ({ error }) => error !== undefined)
    assert.match(refusal.error?.message ?? "", /larger than 16 MB.*file/)
    assert.isUndefined((await server.request("tools/list")).error)
    assert.lengthOf(
      server.messages.filter(({ error }) => error !== undefined),
      1
    )
  })
})

describe("many and long calls", () => {
  it("answers 100 calls in flight, each once", async () => {
    await server.initialize()
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => server.request("tools/call", { name: "TaskStatus" }, `c${index}`))
    )
    assert.isTrue(answers.every(({ error }) => error === undefined))
    assert.lengthOf(new Set(server.messages.flatMap(({ id }) => (String(id).startsWith("c") ? [id] : []))), 100)
  })

  it("a cancelled wait ends unanswered, and the task continues", async () => {
    await server.initialize()
    const id = await server.delegate("sleep 1; echo done")
    server.write(
      `${JSON.stringify({ jsonrpc: "2.0", id: "w", method: "tools/call", params: { name: "WaitTasks", arguments: { ids: [id] }, _meta: { progressToken: "p" } } })}\n`
    )
    server.notify("notifications/cancelled", { requestId: "w", reason: "enough" })
    const wait = await server.call("WaitTasks", { ids: [id] })
    assert.strictEqual(wait.structuredContent.tasks[0].status, "completed")
    assert.isUndefined(server.messages.find((message) => message.id === "w"))
  })

  it("of more calls than are begun together each can be cancelled, and the next is served", async () => {
    await server.initialize()
    const id = await server.delegate("sleep 60")
    const ids = Array.from({ length: 512 }, (_, index) => `w${index}`)
    const params = { name: "WaitTasks", arguments: { ids: [id] } }
    for (const wait of ids)
      server.write(`${JSON.stringify({ jsonrpc: "2.0", id: wait, method: "tools/call", params })}\n`)
    const status = server.call("TaskStatus", { id })
    for (const requestId of ids) server.notify("notifications/cancelled", { requestId })
    assert.strictEqual((await status).structuredContent.task.id, id)
    await server.call("CancelTask", { ids: [id] })
    assert.isUndefined(server.messages.find((message) => String(message.id).startsWith("w")))
  })

  it("a first call that is cancelled immediately opens the database no second time", async () => {
    await server.initialize()
    server.write(
      `${JSON.stringify({ jsonrpc: "2.0", id: "x", method: "tools/call", params: { name: "TaskStatus" } })}\n`
    )
    server.notify("notifications/cancelled", { requestId: "x" })
    await server.call("TaskStatus")
    const directory = `/proc/${server.child.pid}/fd`
    if (!existsSync(directory)) return
    const open = readdirSync(directory).filter((name) => {
      try {
        return readlinkSync(`${directory}/${name}`) === beat.databaseFile
      } catch {
        return false
      }
    })
    assert.lengthOf(open, 1)
  })

  it("progress comes with a line that people can read", async () => {
    await server.initialize()
    const id = await server.delegate("echo first; echo second; sleep 3")
    await server.call("WaitTasks", { ids: [id] }, { _meta: { progressToken: "tok" } })
    const told = server.messages.filter(({ method }) => method === "notifications/progress")
    assert.isAtLeast(told.length, 1)
    assert.strictEqual(told[0]?.params?.progressToken, "tok")
    assert.match(String(told[0]?.params?.message), /^running \d+m?s, (no output yet|[12] lines?, last: \w+)$/)
  })

  it("a client that never reads delays no other, and the end of stdin ends the server", async () => {
    await server.initialize()
    const id = await server.delegate("head -c 100000 /dev/zero | tr '\\0' x | fold -w 100")
    await server.call("WaitTasks", { ids: [id] })
    server.child.stdout?.pause()
    const asked = JSON.stringify({
      jsonrpc: "2.0",
      id: "flood",
      method: "tools/call",
      params: { name: "TaskLogs", arguments: { id, lines: 1000 } }
    })
    for (let index = 0; index < 300; index++) server.write(`${asked}\n`)
    // The queue is served by this very process meanwhile.
    const other = await beat.submit("echo alive")
    await until("the other task", () => beat.status(other).status === "completed" || null)
    const began = Date.now()
    server.child.stdin?.end()
    await new Promise((resolve) => server.child.once("exit", resolve))
    const ms = Date.now() - began
    assert.isBelow(ms, patient(3000))
    server.child.stdout?.resume()
  })
})

describe("leaving", () => {
  it("answers what can be answered when stdin ends in the middle of a call, and is gone within a second", async () => {
    await server.initialize()
    const id = await server.delegate("sleep 30")
    server.write(
      `${JSON.stringify({ jsonrpc: "2.0", id: "w", method: "tools/call", params: { name: "WaitTasks", arguments: { ids: [id] } } })}\n`
    )
    await until("the task runs", () => beat.status(id).status === "running" || null)
    const { code, ms } = await server.leave()
    assert.strictEqual(code, 0)
    assert.isBelow(ms, patient(1500))
    const answer = server.messages.find((message: Message) => message.id === "w")
    assert.deepNestedInclude(answer?.result, { "structuredContent.timedOut": true, "structuredContent.pending": [id] })
    // Somebody else has taken over, and the task runs on.
    await until("another worker", () => beat.workers().some((pid) => pid !== server.child.pid) || null)
    assert.strictEqual(beat.status(id).status, "running")
    assert.strictEqual((await beat.run(["cancel", id])).code, 0)
  })

  it("starts no worker when nothing is left to do", async () => {
    await server.initialize()
    const id = await server.delegate("true")
    await server.call("WaitTasks", { ids: [id] })
    assert.strictEqual((await server.leave()).code, 0)
    assert.deepStrictEqual(beat.workers(), [])
  })

  it("leaves immediately when it was asked nothing, and on SIGTERM", async () => {
    assert.strictEqual((await server.leave()).code, 0)
    const other = new Server(beat)
    await other.initialize()
    other.child.kill("SIGTERM")
    assert.strictEqual(await other.exit, 0)
  })
})

describe("a broken database", () => {
  it("is told by the tools, and the server stays", async () => {
    const home = join(beat.home, "broken")
    mkdirSync(join(home, "backbeat.db"), { recursive: true })
    const broken = new Server(beat, { BACKBEAT_HOME: home })
    await broken.initialize()
    const answer = await broken.call("TaskStatus")
    assert.isTrue(answer.isError)
    assert.match(textOf(answer), /^StorageError: /)
    assert.isUndefined((await broken.request("tools/list")).error)
    assert.strictEqual((await broken.leave()).code, 0)
  })

  it("in a place below a file is refused with one sentence and exit code 2", async () => {
    const refused = new Server(beat, { BACKBEAT_HOME: "/dev/null/nowhere" })
    assert.strictEqual(await refused.exit, 2)
    assert.strictEqual(refused.stderr, "beat: BACKBEAT_HOME: cannot be followed to a directory (ENOTDIR)\n")
  })
})
