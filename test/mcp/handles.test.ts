/** Tasks of the protocol in both their forms: durable, the same in every process, and only for clients that take them. */
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { Beat, until } from "../system/Beat.ts"
import { Server } from "./Server.ts"

const extension = { "io.modelcontextprotocol/tasks": {} }

let beat: Beat
const servers: Array<Server> = []
const start = (): Server => {
  const server = new Server(beat)
  servers.push(server)
  return server
}

beforeEach(() => {
  beat = new Beat()
})
afterEach(async () => {
  for (const server of servers.splice(0)) server.kill()
  await beat.close()
})

const delegate = (prompt: string, more: object = {}) => ({
  name: "DelegateTask",
  arguments: { agent: "shell", prompt },
  ...more
})

const polled = async (server: Server, taskId: unknown, wanted: string) => {
  for (let round = 0; round < 200; round++) {
    const { result } = await server.request("tasks/get", { taskId })
    if (result?.status === wanted) return result
    await new Promise((resume) => setTimeout(resume, 50))
  }
  throw new Error(`${taskId} never was ${wanted}`)
}

describe("the extension", () => {
  it("gives a handle that outlives the server, and the result with it", async () => {
    const first = start()
    await first.discover(extension)
    const { result } = await first.request("tools/call", delegate("sleep 1; echo made"))
    assert.deepInclude(result, { resultType: "task", status: "working", ttlMs: null })
    assert.doesNotHaveAnyKeys(result, ["content", "result", "task"])
    // Durable before it was returned.
    assert.include(["queued", "running"], beat.status(String(result?.taskId)).status)
    first.kill()

    const second = start()
    await second.discover(extension)
    const done = await polled(second, result?.taskId, "completed")
    assert.strictEqual(done.resultType, "complete")
    assert.deepNestedInclude(done, { "result.structuredContent.tasks[0].answer": "made" })
    const known = await second.request("tools/call", { name: "WaitTasks", arguments: { ids: [result?.taskId] } })
    assert.strictEqual(known.result?.resultType, "complete", "nothing is left to wait for")
  })

  it("a failed task has completed with an error, and WaitTasks gives the same handle", async () => {
    const server = start()
    await server.discover(extension)
    const { result } = await server.request("tools/call", delegate("sleep 1; echo bad >&2; exit 3"))
    const wait = await server.request("tools/call", { name: "WaitTasks", arguments: { ids: [result?.taskId] } })
    assert.deepInclude(wait.result, { resultType: "task", taskId: result?.taskId })
    const done = await polled(server, result?.taskId, "completed")
    assert.deepNestedInclude(done, { "result.isError": true, "result.structuredContent.tasks[0].exitCode": 3 })
  })

  it("stands for the automatic retry too: it works on, gives the last result, and cancels it", async () => {
    const server = start()
    await server.discover(extension)
    const script = `test -e "${beat.home}/second" && echo fine || { touch "${beat.home}/second"; exit 3; }`
    const arguments_ = { agent: "shell", prompt: script, retries: 1, backoffMs: 1 }
    const { result } = await server.request("tools/call", { name: "DelegateTask", arguments: arguments_ })
    const done = await polled(server, result?.taskId, "completed")
    assert.strictEqual(done.taskId, result?.taskId)
    assert.deepNestedInclude(done, { "result.structuredContent.tasks[0].answer": "fine" })

    const stubborn = { agent: "shell", prompt: "exit 4", retries: 1, backoffMs: 3_600_000 }
    const other = await server.request("tools/call", { name: "DelegateTask", arguments: stubborn })
    const { taskId } = other.result ?? {}
    await until(
      "the next attempt",
      () => beat.rows("SELECT 1 FROM tasks WHERE retry_of = ?", String(taskId)).length > 0
    )
    assert.deepInclude((await server.request("tasks/get", { taskId })).result, { taskId, status: "working" })
    assert.isUndefined((await server.request("tasks/cancel", { taskId })).error)
    await polled(server, taskId, "cancelled")
  })

  it("cancels, acknowledges updates, and knows no strangers", async () => {
    const server = start()
    await server.discover(extension)
    const { result } = await server.request("tools/call", delegate("sleep 60"))
    const { taskId } = result ?? {}
    assert.strictEqual(
      (await server.request("tasks/update", { taskId, inputResponses: {} })).result?.resultType,
      "complete"
    )
    assert.isUndefined((await server.request("tasks/cancel", { taskId })).error)
    await polled(server, taskId, "cancelled")
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"]) {
      const answer = await server.request(method, { taskId: "0000000000zz", inputResponses: {} })
      assert.strictEqual(answer.error?.code, -32602, method)
    }
  })

  it("is not used on clients that did not declare it, nor for several tasks", async () => {
    const plain = start()
    await plain.discover()
    assert.strictEqual((await plain.request("tools/call", delegate("true"))).result?.resultType, "complete")
    const declared = start()
    await declared.discover(extension)
    const several = {
      name: "DelegateTask",
      arguments: { agent: "shell", tasks: [{ prompt: "true" }, { prompt: "true" }] }
    }
    const { result } = await declared.request("tools/call", several)
    assert.strictEqual(result?.resultType, "complete")
  })
})

describe("tasks of 2025-11-25", () => {
  it("are made when the client asks, and tasks/result waits for the answer", async () => {
    const server = start()
    const hello = await server.initialize()
    assert.deepNestedInclude(hello.result, {
      "capabilities.tasks": { list: {}, cancel: {}, requests: { tools: { call: {} } } }
    })
    const { result } = await server.request("tools/call", delegate("sleep 1; echo made", { task: { ttl: 60_000 } }))
    const task = result?.task as { taskId: string; status: string; ttl: null }
    assert.deepInclude(task, { status: "working", ttl: null })
    const answer = await server.request("tasks/result", { taskId: task.taskId })
    assert.deepNestedInclude(answer.result, { "structuredContent.tasks[0].answer": "made" })
    assert.deepInclude(answer.result?._meta, { "io.modelcontextprotocol/related-task": { taskId: task.taskId } })
    const list = await server.request("tasks/list")
    assert.deepNestedInclude(list.result, { "tasks[0].taskId": task.taskId, "tasks[0].status": "completed" })
    assert.strictEqual((await server.request("tasks/cancel", { taskId: task.taskId })).error?.code, -32602)
  })

  it("are refused for several tasks, a loop or a contest before anything is stored, and given for a task that has ended", async () => {
    const server = start()
    await server.initialize()
    const refusedOnes = [
      { tasks: [{ prompt: "echo a" }, { prompt: "echo b" }] },
      { prompt: "echo a", loop: { until: "true" } },
      { prompt: "echo a", times: 2, best: "true" }
    ]
    for (const given of refusedOnes) {
      const { result } = await server.request("tools/call", {
        name: "DelegateTask",
        arguments: { agent: "shell", ...given },
        task: {}
      })
      assert.isTrue(result?.isError, JSON.stringify(given))
      assert.include(JSON.stringify(result), "Nothing was stored: call again without 'task'")
    }
    const { structuredContent } = await server.call("TaskStatus")
    assert.deepStrictEqual(structuredContent.all.newest ?? [], [])

    const keyed = { agent: "shell", prompt: "echo made", key: "once" }
    const id = await server.delegate("echo made", { key: "once" })
    await server.call("WaitTasks", { ids: [id], mode: "all" })
    const { result } = await server.request("tools/call", { name: "DelegateTask", arguments: keyed, task: {} })
    assert.deepNestedInclude(result, { "task.taskId": id, "task.status": "completed" })
  })

  it("have no result yet when the server leaves before they have ended", async () => {
    const server = start()
    await server.initialize()
    const { result } = await server.request("tools/call", delegate("sleep 60", { task: {} }))
    const { taskId } = (result?.task ?? {}) as { taskId: string }
    await until("it runs", () => beat.status(taskId).status === "running" || null)
    const asked = server.request("tasks/result", { taskId })
    // What is asked before this has arrived when it is answered.
    await server.request("ping")
    assert.strictEqual((await server.leave()).code, 0)
    const answer = await asked
    assert.isUndefined(answer.result)
    assert.include(answer.error?.message, "the task has not ended")
    assert.strictEqual((await beat.run(["cancel", taskId])).code, 0)
  })

  it("are cancelled when the cancel returns, and refused by tools that cannot be one", async () => {
    const server = start()
    await server.initialize()
    const { result } = await server.request("tools/call", delegate("sleep 60", { task: {} }))
    const task = result?.task as { taskId: string }
    const { taskId } = task
    await until("it runs", () => beat.status(taskId).status === "running" || null)
    assert.deepInclude((await server.request("tasks/cancel", { taskId })).result, { taskId, status: "cancelled" })
    const refused = await server.request("tools/call", { name: "ListTasks", arguments: {}, task: {} })
    assert.strictEqual(refused.error?.code, -32601)
  })
})
