/** DelegateTask: candidates of one prompt, and what its tasks do at a usage limit. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "vitest"
import { makeRepository } from "../support/repository.ts"
import { Beat } from "../system/Beat.ts"
import { Server } from "./Server.ts"

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

it("lets candidates work side by side, and the id of the contest stands for the one that is kept", async () => {
  const given = {
    agent: "shell",
    prompt: "pwd > where.txt; touch done",
    times: 2,
    best: "test -f done",
    fallback: ["codex"]
  }
  const { content, isError, structuredContent } = await server.call("DelegateTask", { ...given, onLimit: "fail" })
  assert.isNotTrue(isError, content[0]?.text)
  assert.lengthOf(structuredContent.tasks, 2)
  assert.lengthOf(structuredContent.pending, 1)
  const [, contest] = /^contest ([0-9a-z]{12}): /.exec(structuredContent.warnings[0]) ?? []
  const rows = beat.rows("SELECT DISTINCT on_limit, fallback FROM tasks WHERE title LIKE 'pwd%'")
  assert.deepStrictEqual(rows, [{ on_limit: "fail", fallback: '["codex"]' }])
  const ended = await server.call("WaitTasks", { ids: structuredContent.pending, mode: "all" })
  assert.deepStrictEqual(ended.structuredContent.pending, [])
  const shown = (await server.call("TaskStatus", { id: contest })).structuredContent.contest
  assert.deepInclude(shown, { id: contest, status: "passed" })
  assert.isNumber(shown.winner)
  assert.lengthOf(shown.candidates, structuredContent.tasks.length)
  const diff = await server.call("TaskDiff", { id: contest })
  assert.deepStrictEqual(
    diff.structuredContent.files.map(({ path }: { readonly path: string }) => path),
    ["done", "where.txt"]
  )
  const merged = await server.call("MergeTask", { id: contest, message: "Keep the best" })
  assert.strictEqual(merged.structuredContent.state, "merged", merged.content[0]?.text)
  assert.match(readFileSync(join(beat.home, "where.txt"), "utf8"), /workspaces/)
}, 40_000)

it("refuses candidates without a command that judges them, what does not go with them, and one key for two tasks", async () => {
  const refusals = [
    [{ prompt: "x", times: 2 }, /^InvalidInput: times: needs 'best'/],
    [{ prompt: "x", best: "true" }, /^InvalidInput: best: needs 'times'/],
    [{ tasks: [{ prompt: "x" }], times: 2, best: "true" }, /^InvalidInput: times: cannot be combined with 'tasks'/],
    [{ prompt: "x", times: 2, best: "true", key: "k" }, /^InvalidInput: times: cannot be combined with 'key'/],
    [{ prompt: "x", times: 2, loop: { until: "true" } }, /^InvalidInput: loop: cannot be combined with 'times'/],
    [
      { tasks: [{ prompt: "x" }, { prompt: "x", key: "k" }, { prompt: "y", key: "k" }] },
      /^InvalidInput: tasks\[2\]\.key: 'k' is the key of tasks\[1\]/
    ],
    [{ prompt: "x", times: 1, best: "true" }, /^InvalidArguments: times: expected a whole number from 2 to 16/],
    [{ prompt: "x", times: 2, best: "true", agent: "a,b,c" }, /^InvalidInput: agent: names 3 agents for 2 candidates/]
  ] as const
  for (const [given, words] of refusals) {
    const answer = await server.call("DelegateTask", { agent: "shell", ...given })
    assert.isTrue(answer.isError)
    assert.match(answer.content[0]?.text ?? "", words)
  }
  assert.lengthOf(beat.rows("SELECT id FROM tasks"), 0)
})

it("repeats a task until an agent says PASS", async () => {
  const loop = { judge: 'test $(wc -l < n) -ge 2 && echo PASS || echo "FAIL: too short"', max: 3 }
  const { content, isError, structuredContent } = await server.call("DelegateTask", {
    agent: "shell",
    prompt: "echo x >> n",
    loop
  })
  assert.isNotTrue(isError, content[0]?.text)
  const [, id] = /^loop ([0-9a-z]{12}): /.exec(structuredContent.warnings[0]) ?? []
  await beat.run(["wait", id ?? "", "--timeout", "60s"])
  assert.deepStrictEqual(beat.rows("SELECT status, round FROM loops"), [{ status: "passed", round: 2 }])
  for (const [given, words] of [
    [{}, /^InvalidInput: loop: 'loop' needs 'until', 'score' or 'judge'/],
    [{ score: "echo 1" }, /^InvalidInput: loop\.score: 'score' needs 'better' lower or 'better' higher/]
  ] as const) {
    const refused = await server.call("DelegateTask", { agent: "shell", prompt: "x", loop: given })
    assert.match(refused.content[0]?.text ?? "", words)
  }
}, 60_000)
