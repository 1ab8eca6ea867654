/** After a prune no row names a task that is gone, but for the ledger and independent records. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../../src/domain/limits/Account.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import { WorkspaceId } from "../../../../src/domain/workspace/WorkspaceId.ts"
import { Gates } from "../../../../src/services/Gates.ts"
import { Questions } from "../../../../src/services/Questions.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { WorkerWorkspaces } from "../../../../src/services/WorkerWorkspaces.ts"
import { create } from "../../../support/pipelines.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, completed, failed, newTask, submit, submitAndClaim } from "../../../support/tasks.ts"

/** What survives the task that it names. */
const records = new Set(["ledger", "notices", "deliveries", "schedule_executions"])

/** `table.column` for each place in which one of the texts is stored. */
const placesOf = Effect.fn(function* (texts: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const tables = yield* sql<{ name: string }>`
    SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
  `
  const places: Array<string> = []
  for (const { name: table } of tables) {
    const columns = yield* sql<{ name: string; type: string }>`SELECT name, type FROM pragma_table_info(${table})`
    for (const { name: column } of columns.filter(({ type }) => type === "TEXT")) {
      const found = yield* sql`
        SELECT 1 FROM ${sql(table)} WHERE ${sql(column)} IN (SELECT value FROM json_each(${JSON.stringify(texts)})) LIMIT 1
      `
      if (found.length > 0) places.push(`${table}.${column}`)
    }
  }
  return places
})

const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
const spending = { sessionId: "session", cumulative: true, uses: [] }
const use = {
  model: "opus",
  inputTokens: 10,
  outputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costMicro: 5,
  costBy: "reported" as const
}

/** A task that has left something in every table, and has ended. */
const lived = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const queue = yield* Queue
  const workspaces = yield* WorkerWorkspaces
  const workspaceId = WorkspaceId.make("w".repeat(12))
  const commit = "a".repeat(40)
  const first = yield* submitAndClaim({
    agent: "claude",
    account,
    budgetMicro: 1_000_000,
    labels: { team: "web" },
    workspace: {
      kind: "new",
      id: workspaceId,
      home: "/home/ann/shop",
      subdirectory: "",
      base: commit,
      baseKind: "head",
      path: "/state/shop"
    }
  })
  const { id } = first.task
  yield* (yield* Questions).ask({ taskId: id, askedBy: "agent", text: "Which?", options: [] })
  yield* (yield* Gates).close({ scope: "task", name: id, until: null, reason: null, by: "ann", freeze: false })
  const child = yield* submit({ prompt: "child", parentId: id, dependsOn: [{ upstream: id, policy: "finished" }] })
  yield* workspaces.sealed({
    taskId: id,
    workspaceId,
    base: commit,
    commit,
    tree: commit,
    files: 1,
    insertions: 1,
    deletions: 0,
    commits: 0,
    nested: [],
    home: true,
    problem: null,
    sealedAt: 0
  })
  yield* queue.finish(id, { ...completed, sessionId: "session", spending: { ...spending, uses: [use] } }, first.claim)
  yield* sql`INSERT INTO windows (account, name, family, closed, refusals, observed_at, source)
    VALUES (${account.key}, 'five_hour', '', 0, 0, 0, ${id})`
  yield* sql`INSERT INTO merges (id, task_id, home, branch, before, state, check_task, conflicts, pid, start_time, boot_id,
    created_at, changed_at) VALUES ('m1', ${child.id}, '/home', 'main', ${commit}, 'merged', ${id}, '[]', 2, '1', 'b', 0, 0)`
  // A pause that came late.
  yield* (yield* Gates).close({ scope: "task", name: id, until: null, reason: null, by: "ann", freeze: false })
  return { id, child: child.id, workspaceId }
})

describe("prune", () => {
  it.effect("leaves no row that names a task that is gone, but for records", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const queue = yield* Queue
      const { child, id, workspaceId } = yield* lived
      const pipeline = yield* create([{ task: { agent: "codex" } }])
      const ids = [id, child, pipeline.id]
      while (true) {
        const rest = yield* sql`SELECT 1 FROM tasks WHERE status = 'queued'`
        if (rest.length === 0) break
        const { claim, task } = yield* claimNext()
        ids.push(task.id)
        yield* queue.finish(task.id, completed, claim)
      }
      yield* (yield* Gates).close({
        scope: "pipeline",
        name: pipeline.id,
        until: null,
        reason: null,
        by: "ann",
        freeze: false
      })
      yield* sql`UPDATE workspaces SET state = 'gone', slot = NULL`
      const before = yield* placesOf(ids)
      for (const place of ["budgets.value", "gates.name", "windows.source", "merges.check_task", "questions.task_id"]) {
        assert.include(before, place)
      }
      const session = sql`SELECT 1 FROM session_totals`
      assert.lengthOf(yield* session, 1)
      yield* TestClock.adjust("1 second")
      yield* queue.prune({ endedBefore: 1000, limit: 100, dryRun: false })
      yield* (yield* Gates).tidy
      const left = (yield* placesOf([...ids, workspaceId])).filter((place) => !records.has(place.replace(/\..*/, "")))
      assert.deepStrictEqual(left, [])
      assert.deepStrictEqual([(yield* session).length, (yield* sql`SELECT 1 FROM ledger`).length], [0, 1])
      assert.deepStrictEqual(yield* sql`SELECT id FROM lanes WHERE budgets NOT IN ('', '+')`, [])
    }).pipe(Effect.provide(testSql))
  )

  it.effect("keeps work with an open merge, whole, until the merge has ended", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const queue = yield* Queue
      const single = yield* submitAndClaim()
      yield* queue.finish(single.task.id, completed, single.claim)
      const parent = yield* submitAndClaim()
      yield* submit({ prompt: "child", parentId: parent.task.id })
      const child = yield* claimNext()
      yield* queue.finish(child.task.id, completed, child.claim)
      yield* queue.finish(parent.task.id, completed, parent.claim)
      const pipeline = yield* create([{ task: { prompt: "first" } }, { task: { prompt: "second" } }])
      const steps: Array<TaskId> = []
      for (const _ of pipeline.steps) {
        const { claim, task } = yield* claimNext()
        yield* queue.finish(task.id, completed, claim)
        steps.push(task.id)
      }
      const first = yield* submitAndClaim()
      const retry = newTask({ retryOf: first.task.id, continuation: "retry" })
      yield* queue.finish(first.task.id, failed, first.claim, retry)
      const second = yield* claimNext()
      yield* queue.finish(second.task.id, completed, second.claim)
      const other = yield* submitAndClaim()
      yield* queue.finish(other.task.id, completed, other.claim)

      const merging = [single.task.id, child.task.id, steps[0], second.task.id]
      for (const [at, id] of merging.entries()) {
        const state = ["testing", "applying", "undoing", "applying"][at] ?? ""
        yield* sql`INSERT INTO merges (id, task_id, home, branch, before, state, conflicts, pid, start_time, boot_id, created_at,
          changed_at) VALUES (${`m${at}`}, ${id}, ${`/home${at}`}, 'main', 'a', ${state}, '[]', 2, '1', 'b', 0, 0)`
      }
      yield* TestClock.adjust("1 second")
      const options = { endedBefore: 1000, limit: 100 }
      assert.deepStrictEqual(yield* queue.prune({ ...options, dryRun: true }), [other.task.id])
      assert.deepStrictEqual(yield* queue.prune({ ...options, dryRun: false }), [other.task.id])
      assert.lengthOf(yield* sql`SELECT 1 FROM merges`, merging.length)
      assert.lengthOf(yield* sql`SELECT 1 FROM pipelines`, 1)
      yield* sql`UPDATE merges SET state = 'merged'`
      yield* queue.prune({ ...options, dryRun: false })
      assert.deepStrictEqual(yield* sql`SELECT id FROM tasks`, [])
    }).pipe(Effect.provide(testSql))
  )

  it.effect("deletes old questions from outside of tasks, and keeps open ones", () =>
    Effect.gen(function* () {
      const questions = yield* Questions
      const asked = { taskId: null, askedBy: "mcp", options: [] }
      const old = yield* questions.ask({ ...asked, text: "old" })
      const open = yield* questions.ask({ ...asked, text: "open" })
      yield* questions.answer(old.id, { text: "yes", denied: false, by: "ann" })
      yield* TestClock.adjust("1 second")
      yield* (yield* Queue).prune({ endedBefore: 1000, limit: 100, dryRun: false })
      assert.strictEqual((yield* Effect.flip(questions.get(old.id)))._tag, "QuestionNotFound")
      assert.strictEqual((yield* questions.get(open.id)).state, "open")
    }).pipe(Effect.provide(testSql))
  )
})
