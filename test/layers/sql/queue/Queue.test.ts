/** What the SQL queue promises beyond the port's contract: the database itself holds the state machine. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { outcome } from "../../../../src/domain/task/Outcome.ts"
import { OutputStore } from "../../../../src/services/OutputStore.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { heldBy, newTask } from "../../../support/tasks.ts"
import { claimOptions, memory, workerA, workerB } from "../support.ts"

const done = outcome({ status: "completed", cause: "exit", exitCode: 0 })

const submit = (fields = {}) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const [enqueued] = yield* queue.enqueue([newTask(fields)], { maxDepth: 3 })
    return enqueued === undefined ? yield* Effect.dieMessage("nothing enqueued") : enqueued.task
  })

const claimNext = Effect.gen(function* () {
  const queue = yield* Queue
  return yield* Effect.flatten(queue.claim(claimOptions))
})

describe("Queue on SQLite", () => {
  it.effect("submits, claims and ends a task", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      const task = yield* submit({ labels: { a: "b" }, timeoutMs: 5000 })
      assert.deepStrictEqual(yield* tasks.get(task.id), task)
      const claimed = yield* claimNext
      assert.strictEqual(claimed.task.id, task.id)
      assert.strictEqual(claimed.claim.deadlineUptime, 5000)
      assert.deepStrictEqual(claimed.environment, newTask().environment)
      assert.deepStrictEqual(yield* queue.claimedTask(claimed.claim.claimId), heldBy(claimed))
      const event = yield* queue.finish(task.id, done, { claimId: claimed.claim.claimId, workerId: workerA })
      assert.deepStrictEqual(yield* tasks.events(0, 10), [event])
      assert.strictEqual((yield* tasks.counts).completed, 1)
      assert.deepStrictEqual(yield* queue.claimedTask(claimed.claim.claimId), Option.none())
    }).pipe(Effect.provide(memory))
  )

  it.effect("refuses to end a running task without its holder, or for another worker", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const task = yield* submit()
      const { claim } = yield* claimNext
      const bare = yield* Effect.flip(queue.finish(task.id, done, null))
      assert.strictEqual(bare._tag, "TaskStateConflict")
      const other = yield* Effect.flip(queue.finish(task.id, done, { claimId: claim.claimId, workerId: workerB }))
      assert.strictEqual(other._tag, "TaskStateConflict")
      assert.isTrue(Option.isSome(yield* queue.claimedTask(claim.claimId)))
    }).pipe(Effect.provide(memory))
  )

  it.effect("names the task of a claim that was lost", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const task = yield* submit()
      const { claim } = yield* claimNext
      const holder = { claimId: claim.claimId, workerId: workerA }
      yield* queue.finish(task.id, done, holder)
      const error = yield* Effect.flip(queue.requeue(holder))
      assert.deepInclude(error, { _tag: "TaskStateConflict", id: task.id, actual: "completed" })
    }).pipe(Effect.provide(memory))
  )

  it.effect("ends a task whose row cannot be read, so that those behind it get their turn", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const first = yield* submit()
      const second = yield* submit()
      yield* sql`UPDATE task_inputs SET launch = '{"file":""}' WHERE task_id = ${first.id}`
      assert.deepStrictEqual(yield* queue.claim(claimOptions), Option.none())
      const [row] = yield* sql`SELECT status, cause FROM tasks WHERE id = ${first.id}`
      assert.deepStrictEqual(row, { status: "failed", cause: "spawn-failed" })
      assert.strictEqual((yield* claimNext).task.id, second.id)
    }).pipe(Effect.provide(memory))
  )

  it.effect("holds the state machine in the table itself", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const task = yield* submit()
      const refused = (statement: Effect.Effect<unknown, unknown>) =>
        Effect.map(Effect.exit(statement), (exit) => assert.isTrue(Exit.isFailure(exit)))
      yield* refused(sql`UPDATE tasks SET status = 'completed', ended_at = 1, cause = 'exit' WHERE id = ${task.id}`)
      yield* refused(sql`UPDATE tasks SET status = 'cancelled' WHERE id = ${task.id}`)
      yield* refused(sql`UPDATE tasks SET status = 'running' WHERE id = ${task.id}`)
      const { claim } = yield* claimNext
      yield* queue.finish(task.id, done, { claimId: claim.claimId, workerId: workerA })
      yield* refused(sql`UPDATE tasks SET leftovers = 1 WHERE id = ${task.id}`)
      yield* refused(sql`UPDATE tasks SET status = 'queued', ended_at = NULL, cause = NULL WHERE id = ${task.id}`)
      yield* refused(sql`
        INSERT INTO tasks ${sql.insert({
          id: "x",
          title: "",
          status: "running",
          startedAt: 1,
          priority: "P1",
          agent: "a",
          directory: "/",
          maxOutputBytes: 1,
          depth: 0,
          attempt: 1,
          labels: "{}",
          createdAt: 1
        })}
      `)
      const [row] = yield* sql`SELECT status, leftovers FROM tasks WHERE id = ${task.id}`
      assert.deepStrictEqual(row, { status: "completed", leftovers: 0 })
    }).pipe(Effect.provide(memory))
  )

  it.effect("stores nothing of a submission whose last task is refused", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const error = yield* Effect.flip(queue.enqueue([newTask(), newTask({ depth: 4 })], { maxDepth: 3 }))
      assert.deepInclude(error, { _tag: "DepthExceeded", depth: 4, limit: 3 })
      for (const table of ["tasks", "task_inputs", "environments"]) {
        assert.deepStrictEqual(yield* sql`SELECT * FROM ${sql(table)}`, [])
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("stores equal environments once and drops them with their last task", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const output = yield* OutputStore
      const sql = yield* SqlClient.SqlClient
      const first = yield* submit({ environment: { A: "1", B: "2" } })
      const second = yield* submit({ environment: { B: "2", A: "1" }, labels: { keep: "no" } })
      const third = yield* submit({ environment: { A: "1" } })
      const environments = sql`SELECT id FROM environments`
      assert.strictEqual((yield* environments).length, 2)
      yield* queue.cancel(first.id, { by: "tester", reason: null })
      yield* queue.cancel(third.id, { by: "tester", reason: null })
      const write = { taskId: first.id, stream: "stdout", offset: 0, bytes: new Uint8Array(10) } as const
      yield* output.append(write, { cap: 100 })
      const options = { endedBefore: 1, limit: 10 }
      assert.deepStrictEqual(yield* queue.prune({ ...options, dryRun: true }), [first.id, third.id])
      assert.strictEqual((yield* environments).length, 2)
      assert.deepStrictEqual(yield* queue.prune({ ...options, dryRun: false }), [first.id, third.id])
      assert.strictEqual((yield* environments).length, 1)
      yield* queue.cancel(second.id, { by: "tester", reason: null })
      assert.deepStrictEqual(yield* queue.prune({ ...options, dryRun: false }), [second.id])
      for (const table of [
        "tasks",
        "task_inputs",
        "task_labels",
        "task_output",
        "task_streams",
        "environments",
        "outbox"
      ]) {
        assert.deepStrictEqual(yield* sql`SELECT * FROM ${sql(table)}`, [], table)
      }
    }).pipe(Effect.provide(memory))
  )
})
