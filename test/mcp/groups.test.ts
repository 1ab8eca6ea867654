/** Loops, contests and pipelines over MCP: the tools for tasks wait for them, stop them and name them by their own ids. */
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { makeRepository } from "../support/repository.ts"
import { Beat, until } from "../system/Beat.ts"
import { Server } from "./Server.ts"

describe("the id of a group", () => {
  let beat: Beat
  let server: Server

  beforeEach(async () => {
    beat = new Beat()
    makeRepository(beat.home, { "a.txt": "one\n", ".gitignore": "state\n" })
    server = new Server(beat)
    await server.initialize()
  })

  afterEach(async () => {
    server.kill()
    await server.exit
    await beat.close()
  })

  const called = async (name: string, given: object) => {
    const { content, isError, structuredContent } = await server.call(name, given)
    assert.isNotTrue(isError, `${name}: ${content[0]?.text}`)
    return structuredContent
  }

  /** Cancels until the wait for it reports the end; WaitTasks answers after 50 s at the latest. */
  const waited = async (ids: ReadonlyArray<string>, given: object = {}) => {
    for (let round = 0; round < 5; round += 1) {
      const answer = await called("WaitTasks", { ids, ...given })
      if (!answer.timedOut) return answer
    }
    throw new Error(`${ids} did not end`)
  }

  it("is what DelegateTask says to wait for: a loop ends after its last round, and its tasks name it", async () => {
    const begun = await called("DelegateTask", {
      agent: "shell",
      prompt: "echo x >> n",
      loop: { until: "test $(wc -l < n) -ge 2", max: 3 }
    })
    const { id } = begun.groups[0].loop
    assert.deepStrictEqual(begun.pending, [id])
    assert.include(begun.warnings[0], `loop ${id}: wait for this id with WaitTasks`)
    const ended = await waited(begun.pending, { mode: "all" })
    assert.deepStrictEqual(ended.pending, [])
    assert.deepInclude(ended.groups[0].loop, { id, status: "passed", round: 2 })
    const again = await called("WaitTasks", { ids: [id], cursor: ended.cursor })
    assert.deepInclude(again.groups[0].loop, { id, status: "passed" }, "an answer without it would say nothing")
    const first = begun.tasks[0].id
    assert.strictEqual((await called("TaskStatus", { id: first })).task.loopId, id)
    assert.strictEqual((await called("TaskStatus", { id: first, detail: "summary" })).summary.loopId, id)
    assert.strictEqual((await called("TaskDiff", { id })).files[0].path, "n")
  }, 300_000)

  it("is one for a key: the same loop, with all of its rounds, however often it is asked for", async () => {
    const given = {
      agent: "shell",
      prompt: "echo x >> n",
      key: "once",
      loop: { until: "test $(wc -l < n) -ge 3", max: 4 }
    }
    const [begun, again] = await Promise.all([called("DelegateTask", given), called("DelegateTask", given)])
    assert.deepStrictEqual(again.pending, begun.pending)
    server.kill()
    await server.exit
    server = new Server(beat)
    await server.initialize()
    assert.deepStrictEqual((await called("DelegateTask", given)).tasks[0].id, begun.tasks[0].id)
    const { groups } = await waited(begun.pending, { mode: "all" })
    assert.deepInclude(groups[0].loop, { status: "passed", round: 3 })
    const late = await called("DelegateTask", given)
    assert.deepStrictEqual([late.groups[0].loop.id, late.pending], [begun.pending[0], []])
    assert.include(late.warnings, `idempotency key already used by loop ${begun.pending[0]}; no new loop was created`)
    await server.delegate("true", { key: "taken" })
    for (const other of [
      { ...given, prompt: "echo y >> n" },
      { ...given, prompt: "true", key: "taken" }
    ]) {
      const refused = await server.call("DelegateTask", other)
      assert.match(refused.content[0]?.text ?? "", /^IdempotencyConflict: /)
    }
    assert.lengthOf(beat.rows("SELECT id FROM loops"), 1)
  }, 300_000)

  it("stops a loop: no other round begins", async () => {
    const begun = await called("DelegateTask", { agent: "shell", prompt: "sleep 60", loop: { until: "false" } })
    const { id } = begun.groups[0].loop
    await until("it runs", () => beat.status(begun.tasks[0].id).status === "running" || null)
    const { groups, tasks } = await called("CancelTask", { ids: [id], reason: "enough" })
    assert.deepStrictEqual(tasks, [])
    assert.deepInclude(groups[0], { answer: "requested" })
    assert.deepInclude(groups[0].loop, { id, status: "cancelled" })
    assert.deepStrictEqual(beat.rows("SELECT count(*) AS n FROM tasks WHERE status IN ('queued', 'running')"), [
      { n: 0 }
    ])
    assert.deepInclude((await called("CancelTask", { ids: [id] })).groups[0], { answer: "over" })
  }, 300_000)

  it("ends the wait for a loop that a person has paused", async () => {
    const begun = await called("DelegateTask", {
      agent: "shell",
      prompt: "sleep 1",
      loop: { until: "false", max: 900 }
    })
    const { id } = begun.groups[0].loop
    assert.strictEqual((await beat.run(["loop", "pause", id])).code, 0)
    let answer = await called("WaitTasks", { ids: [id] })
    for (let round = 0; round < 5 && answer.groups === undefined; round += 1)
      answer = await called("WaitTasks", { ids: [id] })
    assert.deepStrictEqual(answer.pending, [id])
    assert.deepInclude(answer.groups[0].loop, { id, status: "paused" })
    await called("CancelTask", { ids: [id] })
    assert.deepInclude((await called("WaitTasks", { ids: [id] })).groups[0].loop, { id, status: "cancelled" })
  }, 300_000)

  it("stands for a contest: it is waited for, named by its candidates, and stopped", async () => {
    const given = { agent: "shell", prompt: "touch done", times: 2, best: "test -f done" }
    const begun = await called("DelegateTask", given)
    const { id } = begun.groups[0].contest
    assert.deepStrictEqual(begun.pending, [id])
    const ended = await waited([id])
    assert.deepInclude(ended.groups[0].contest, { id, status: "passed" })
    const candidate = await called("TaskStatus", { id: begun.tasks[0].id, detail: "summary" })
    assert.strictEqual(candidate.summary.contestId, id)
    const slow = await called("DelegateTask", { ...given, prompt: "sleep 60" })
    const stopped = await called("CancelTask", { ids: slow.pending })
    assert.deepInclude(stopped.groups[0].contest, { id: slow.pending[0], status: "cancelled" })
  }, 300_000)

  it("stands for a pipeline: a cursor reports its end once, among those of tasks", async () => {
    const steps = [
      { name: "one", prompt: "echo 1", agent: "shell" },
      { name: "two", prompt: "echo 2", agent: "shell", retries: 1 }
    ]
    const { id, steps: stored } = await called("CreatePipeline", { steps })
    assert.strictEqual((await called("TaskStatus", { id: stored[0].taskId })).task.pipelineId, id)
    const slow = await server.delegate("sleep 60")
    const ids = [id, slow, stored[0].taskId, stored[1].taskId]
    const seen: Array<string> = []
    let cursor = 0
    for (let round = 0; round < 20 && seen.length < 3; round += 1) {
      const answer = await called("WaitTasks", { ids, cursor })
      for (const { pipeline } of answer.groups ?? []) seen.push(pipeline.id)
      for (const task of answer.tasks) seen.push(task.id)
      cursor = answer.cursor
    }
    assert.sameMembers(seen, [id, stored[0].taskId, stored[1].taskId])
    const left = await called("WaitTasks", { ids, cursor, timeoutMs: 0 })
    assert.isUndefined(left.groups)
    assert.deepStrictEqual(left.pending, [slow])
    const running = await called("CreatePipeline", { steps: [{ prompt: "sleep 60", agent: "shell" }] })
    const refused = await server.call("MergeTask", { id: running.id })
    assert.include(refused.content[0]?.text, `Wait for its end: WaitTasks ${running.id}`)
    const stopped = await called("CancelTask", { ids: [slow, running.id] })
    assert.deepInclude(stopped.groups[0].pipeline, { id: running.id, status: "cancelled" })
    assert.deepInclude(stopped.tasks[0].task, { id: slow, status: "cancelled" })
  }, 300_000)

  it("is refused inside a task that did not start it, and nothing else in the call is touched", async () => {
    const loop = (await called("DelegateTask", { agent: "shell", prompt: "sleep 60", loop: { until: "false" } }))
      .pending[0]
    const contest = (await called("DelegateTask", { agent: "shell", prompt: "sleep 60", times: 2, best: "true" }))
      .pending[0]
    const pipeline = (await called("CreatePipeline", { steps: [{ prompt: "sleep 60", agent: "shell" }] })).id
    const agent = await server.delegate("sleep 60")
    const inside = new Server(beat, { BACKBEAT_TASK_ID: agent, BACKBEAT_DEPTH: "0" })
    try {
      await inside.initialize()
      const own = await inside.call("DelegateTask", {
        agent: "shell",
        prompt: "sleep 60",
        directory: join(beat.home),
        loop: { until: "false" }
      })
      const [mine] = own.structuredContent.pending
      for (const id of [loop, contest, pipeline]) {
        const refused = await inside.call("CancelTask", { ids: [mine, id] })
        assert.match(refused.content[0]?.text ?? "", /^OutsideTask: /)
      }
      const before = await called("TaskStatus", { id: mine, detail: "summary" })
      assert.strictEqual(before.loop.status, "running")
      const stopped = await inside.call("CancelTask", { ids: [mine] })
      assert.strictEqual(stopped.structuredContent.groups[0].loop.status, "cancelled")
    } finally {
      inside.kill()
    }
    await called("CancelTask", { ids: [loop, contest, pipeline, agent] })
  }, 300_000)

  it("is waited for by a client that takes handles too: none stands for a group, or for several tasks", async () => {
    const modern = new Server(beat)
    try {
      await modern.discover({ "io.modelcontextprotocol/tasks": {} })
      const begun = await modern.call("DelegateTask", {
        agent: "shell",
        prompt: "echo x >> n",
        loop: { until: "true" }
      })
      assert.lengthOf(begun.structuredContent.pending, 1)
      const ids = begun.structuredContent.pending
      const wait = await modern.call("WaitTasks", { ids, mode: "all" })
      assert.strictEqual(wait.structuredContent.groups[0].loop.status, "passed")
      const tasks = [await server.delegate("sleep 1"), await server.delegate("sleep 1")]
      const several = await modern.call("WaitTasks", { ids: tasks, mode: "all" })
      assert.deepStrictEqual(several.structuredContent.pending, [])
      assert.lengthOf(several.structuredContent.tasks, 2)
    } finally {
      modern.kill()
    }
  }, 300_000)
})
