/** Several servers on one file, and servers inside of tasks: nothing is lost, nothing runs twice, nothing is harmed. */
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { patient } from "../support/pace.ts"
import { Beat, binary, until } from "../system/Beat.ts"
import { Server } from "./Server.ts"

let beat: Beat
const servers: Array<Server> = []
const start = (env: Readonly<Record<string, string>> = {}): Server => {
  const server = new Server(beat, env)
  servers.push(server)
  return server
}

beforeEach(() => {
  beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "4" })
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.kill()
  await beat.close()
})

describe("ten servers on one file", () => {
  it("run every task once and answer every wait", async () => {
    const all = Array.from({ length: 10 }, () => start())
    await Promise.all(all.map((server) => server.initialize()))
    const file = `${beat.home}/ran`
    const stories = all.map(async (server, index) => {
      const first = await server.delegate(`echo ${index}a >> ${file}`)
      const second = await server.delegate(`echo ${index}b >> ${file}`)
      const seen: Array<string> = []
      let cursor = 0
      while (seen.length < 2) {
        const { isError, content, structuredContent } = await server.call("WaitTasks", { ids: [first, second], cursor })
        assert.isNotTrue(isError, content[0]?.text)
        for (const task of structuredContent.tasks) {
          assert.strictEqual(task.status, "completed", task.error)
          seen.push(task.id)
        }
        cursor = structuredContent.cursor
      }
      assert.sameMembers(seen, [first, second])
    })
    await Promise.all(stories)
    const { readFileSync } = await import("node:fs")
    const ran = readFileSync(file, "utf8").trim().split("\n")
    assert.lengthOf(ran, 20)
    assert.lengthOf(new Set(ran), 20)
    // All leave, none of them needs a successor.
    for (const server of all) server.child.stdin?.end()
    assert.deepStrictEqual(
      await Promise.all(all.map((server) => server.exit)),
      all.map(() => 0)
    )
    // Who was too slow to take itself off the list is taken off by the next that comes.
    const next = start()
    await next.initialize()
    await until("the list is clean", () => beat.workers().every((pid) => pid === next.child.pid) || null)
  })
})

describe("a server with as many open calls as it takes", () => {
  it("answers a ping, and takes a cancellation, before a call has ended", async () => {
    const server = start()
    await server.initialize()
    const id = await server.delegate("sleep 600")
    const wait = { name: "WaitTasks", arguments: { ids: [id], timeoutMs: 50_000 } }
    const calls = Array.from({ length: 520 }, (_, at) => ({ id: `wait-${at}`, method: "tools/call", params: wait }))
    const cancelled = { method: "notifications/cancelled", params: { requestId: "wait-0" } }
    const messages = [...calls, cancelled, { id: "ping", method: "ping" }]
    server.write(messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join(""))
    const answer = await until("the answer", () => server.messages.find(({ id }) => id === "ping") ?? null)
    assert.deepStrictEqual(answer.result, {})
    assert.notExists(server.messages.find(({ id }) => String(id).startsWith("wait-")))
  })
})

describe("a server inside of a task", () => {
  it("delegates as that task's child, which outlives it", async () => {
    const messages = [
      {
        id: 1,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "in", version: "1" } }
      },
      {
        id: 2,
        method: "tools/call",
        params: { name: "DelegateTask", arguments: { agent: "shell", prompt: "sleep 1; env | grep BACKBEAT_" } }
      }
    ]
    const input = messages.map((message) => JSON.stringify({ jsonrpc: "2.0", ...message })).join("\n")
    const outer = start()
    await outer.initialize()
    const parent = await outer.delegate(
      `{ echo '${input}'; sleep 1.5; } | '${process.execPath}' '${binary}' mcp start > ${beat.home}/inner; sleep 0.2`
    )
    const ended = await outer.call("WaitTasks", { ids: [parent] })
    assert.strictEqual(ended.structuredContent.tasks[0].status, "completed", JSON.stringify(ended.structuredContent))
    const [child] = beat.rows<{ id: string; depth: number }>("SELECT id, depth FROM tasks WHERE parent_id = ?", parent)
    assert.strictEqual(child?.depth, 1)
    const done = await outer.call("WaitTasks", { ids: [child?.id] })
    assert.strictEqual(done.structuredContent.tasks[0].status, "completed", JSON.stringify(done.structuredContent))
    assert.include(done.structuredContent.tasks[0].answer, `BACKBEAT_TASK_ID=${child?.id}`)
    await until("the inner server is off the list", () => beat.workers().length <= 2 || null)
  })
})

describe("a wait", () => {
  it("misses no end and tells none twice, whatever the order", async () => {
    const server = start()
    await server.initialize()
    const made = await server.call("DelegateTask", {
      agent: "shell",
      tasks: Array.from({ length: 30 }, (_, index) => ({ prompt: `echo ${index}` }))
    })
    const ids: ReadonlyArray<string> = made.structuredContent.tasks.map(({ id }: { id: string }) => id)
    assert.lengthOf(ids, 30)
    const seen: Array<string> = []
    let cursor: number = made.structuredContent.cursor
    for (let round = 0; round < 60 && seen.length < 30; round++) {
      const { structuredContent } = await server.call("WaitTasks", {
        ids,
        cursor,
        mode: round % 2 === 0 ? "any" : "all"
      })
      assert.isAtMost(structuredContent.tasks.length, 20)
      seen.push(...structuredContent.tasks.map(({ id }: { id: string }) => id))
      cursor = structuredContent.cursor
    }
    assert.lengthOf(seen, 30)
    assert.sameMembers(seen, [...ids])
    const after = await server.call("WaitTasks", { ids, cursor })
    assert.deepInclude(after.structuredContent, { tasks: [], pending: [], more: false, timedOut: false })
    const fresh = await server.call("WaitTasks", { ids, mode: "all" })
    assert.isTrue(fresh.structuredContent.more)
    assert.lengthOf(fresh.structuredContent.tasks, 20)
  })

  it("ends at its time and says so", async () => {
    const server = start()
    await server.initialize()
    const id = await server.delegate("sleep 60")
    const began = Date.now()
    const { structuredContent } = await server.call("WaitTasks", { ids: [id], timeoutMs: 300 })
    assert.deepInclude(structuredContent, { tasks: [], pending: [id], timedOut: true })
    const ms = Date.now() - began
    assert.isBelow(ms, patient(5000))
    await server.call("CancelTask", { ids: [id] })
  })

  it("all or none of several tasks are stored", async () => {
    const server = start()
    await server.initialize()
    const bad = await server.call("DelegateTask", {
      tasks: [
        { agent: "shell", prompt: "true" },
        { agent: "shel", prompt: "true" }
      ]
    })
    assert.isTrue(bad.isError)
    assert.match(bad.content[0]?.text ?? "", /^AgentUnknown/)
    const status = await server.call("TaskStatus")
    assert.isUndefined(status.structuredContent.all.newest)
    assert.strictEqual(status.structuredContent.all.counts.queued, 0)
    const once = await server.delegate("true", { key: "k1" })
    const twice = await server.call("DelegateTask", { agent: "shell", prompt: "true", key: "k1" })
    assert.strictEqual(twice.structuredContent.tasks[0].id, once)
    assert.match(twice.structuredContent.warnings[0], /already used by/)
  })
})
