/** The tools for pipelines, as a client calls them on the built server. */
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { Beat } from "../system/Beat.ts"
import { Server } from "./Server.ts"

describe("pipelines over MCP", () => {
  let beat: Beat
  let server: Server

  beforeEach(async () => {
    beat = new Beat()
    server = new Server(beat)
    await server.initialize()
  })

  afterEach(async () => {
    server.kill()
    await beat.close()
  })

  const textOf = (answer: Awaited<ReturnType<Server["call"]>>): string => answer.content[0]?.text ?? ""

  it("are created whole, run in order, and are waited for by their tasks", async () => {
    const created = await server.call("CreatePipeline", {
      name: "order",
      steps: [
        { name: "one", prompt: "echo 1 >> order", agent: "shell", directory: beat.home },
        { name: "two", prompt: "cat order", agent: "shell", directory: beat.home, timeout: "5m", priority: "P0" },
        { name: "never", prompt: "true", agent: "shell", after: ["one"], policy: "failure" }
      ]
    })
    assert.isNotTrue(created.isError, textOf(created))
    const { id, steps } = created.structuredContent
    assert.deepStrictEqual(
      steps.map((step: { name: string; after: unknown }) => [step.name, step.after ?? []]),
      [
        ["one", []],
        ["two", ["one"]],
        ["never", ["one"]]
      ]
    )
    const second = await server.call("TaskStatus", { id: steps[1].taskId })
    const { priority, timeoutMs } = second.structuredContent.task
    assert.deepStrictEqual([priority, timeoutMs], ["P0", 300_000])
    const ids = steps.map((step: { taskId: string }) => step.taskId)
    const ends = await server.call("WaitTasks", { ids, mode: "all" })
    assert.deepStrictEqual(ends.structuredContent.pending, [])
    const status = await server.call("PipelineStatus", { id: id.slice(0, 10) })
    assert.strictEqual(status.structuredContent.status, "completed")
    assert.deepStrictEqual(
      status.structuredContent.steps.map((step: { status: string }) => step.status),
      ["completed", "completed", "skipped"]
    )
    const same = (await server.call("TaskStatus", { id })).structuredContent
    assert.deepStrictEqual(same, { pipeline: status.structuredContent })
    const short = (await server.call("TaskStatus", { id, detail: "summary" })).structuredContent.pipeline
    assert.deepInclude(short, { id, status: "completed" })
    assert.notProperty(short, "steps")
    const summary = (await server.call("TaskStatus", { id: ids[0], detail: "summary" })).structuredContent
    assert.hasAllKeys(summary, ["summary"])
    assert.deepInclude(summary.summary, { id: ids[0], status: "completed" })
    assert.strictEqual((await server.call("TaskResult", { id: ids[1] })).structuredContent.answer.trim(), "1")
    const listed = await server.call("ListPipelines", { status: ["completed"] })
    assert.strictEqual(listed.structuredContent.pipelines[0].id, id)
    assert.isUndefined(listed.structuredContent.next)
  })

  it("say what is wrong with them, and nothing is stored", async () => {
    const unknown = await server.call("CreatePipeline", {
      steps: [
        { prompt: "x", after: ["bild"] },
        { name: "build", prompt: "y" }
      ]
    })
    assert.isTrue(unknown.isError)
    assert.match(textOf(unknown), /steps\[0\]\.after\[0\]: there is no step 'bild'\. Did you mean 'build'\?/)
    const circle = await server.call("CreatePipeline", { steps: [{ name: "a", prompt: "x", after: ["a"] }] })
    assert.match(textOf(circle), /it would wait for itself/)
    const misspelt = await server.call("CreatePipeline", { steps: [{ promt: "x" }] })
    assert.match(textOf(misspelt), /steps\[0\]\.prompt: it is missing/)
    assert.match(
      textOf(await server.call("PipelineStatus", { id: "zzz" })),
      /PipelineNotFound: No pipeline 'zzz'.*\n?.*with the id of one, its 'pipelineId'/s
    )
    assert.deepStrictEqual((await server.call("ListPipelines", {})).structuredContent.pipelines, [])
  })

  it("come once for a key, and are cancelled with all that they run", async () => {
    const steps = [
      { name: "long", prompt: "sleep 1000", agent: "shell" },
      { name: "after", prompt: "true", agent: "shell", policy: "finished" }
    ]
    const first = await server.call("CreatePipeline", { steps, key: "k" })
    const second = await server.call("CreatePipeline", { steps, key: "k" })
    const { id } = first.structuredContent
    assert.strictEqual(second.structuredContent.id, id)
    assert.match(second.structuredContent.warnings.join(), /no new pipeline was created/)
    const cancelled = await server.call("CancelPipeline", { id, reason: "enough" })
    assert.strictEqual(cancelled.structuredContent.status, "cancelled")
    assert.deepStrictEqual(
      cancelled.structuredContent.steps.map((step: { status: string; cause: string }) => [step.status, step.cause]),
      [
        ["cancelled", "cancelled"],
        ["cancelled", "cancelled"]
      ]
    )
  })
})
