/** Each stored JSON column damaged in turn: what cannot be read ends or is set aside, and keeps nothing else from its turn. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { passes } from "../../../../src/domain/Errors.ts"
import type { Checkpoint } from "../../../../src/domain/task/Checkpoint.ts"
import { outcome } from "../../../../src/domain/task/Outcome.ts"
import { Checkpoints } from "../../../../src/services/Checkpoints.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { newTask } from "../../../support/tasks.ts"
import { claimOptions, memory, workerA } from "../support.ts"

/** Not JSON at all, JSON of another kind, and an object that another version may have stored. */
const damages = ["", "null", "[]", "7", '{"file":1}', '{"a":{"b":1}}']

const submit = Effect.gen(function* () {
  const queue = yield* Queue
  const [enqueued] = yield* queue.enqueue([newTask({ labels: { a: "b" } })], { maxDepth: 3 })
  return enqueued === undefined ? yield* Effect.dieMessage("nothing enqueued") : enqueued.task
})

const everything = { status: [], agent: null, labels: {}, directory: null, parentId: null, since: null, before: null }

const columns = [
  { column: "tasks.labels", set: (sql: SqlClient.SqlClient, text: string) => sql`UPDATE tasks SET labels = ${text}` },
  { column: "tasks.usage", set: (sql: SqlClient.SqlClient, text: string) => sql`UPDATE tasks SET usage = ${text}` },
  {
    column: "task_inputs.launch",
    set: (sql: SqlClient.SqlClient, text: string) => sql`UPDATE task_inputs SET launch = ${text}`
  },
  {
    column: "environments.variables",
    set: (sql: SqlClient.SqlClient, text: string) => sql`UPDATE environments SET variables = ${text}`
  }
]

describe.each(columns)("a damaged $column", ({ set }) => {
  it.effect("keeps no task from being shown, and none from being cancelled", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      const sql = yield* SqlClient.SqlClient
      for (const damage of damages) {
        const { id } = yield* submit
        yield* set(sql, damage)
        assert.strictEqual((yield* tasks.summary(id)).id, id)
        assert.strictEqual((yield* tasks.get(id)).id, id)
        assert.isAbove((yield* tasks.list({ ...everything, limit: 10 })).tasks.length, 0)
        assert.strictEqual(yield* queue.cancel(id, { reason: null, by: "t" }), "ended")
        // What has ended does not change any more, damage included.
        yield* sql`DELETE FROM tasks WHERE id = ${id}`
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("of a running task keeps no adopter from following it to its end", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      for (const damage of damages) {
        yield* sql`DELETE FROM environments WHERE id NOT IN (SELECT environment_id FROM task_inputs)`
        const { id } = yield* submit
        const { claim } = yield* Effect.flatten(queue.claim(claimOptions))
        yield* set(sql, damage)
        const held = yield* Effect.flatten(queue.claimedTask(claim.claimId))
        assert.strictEqual(held.task.id, id)
        const done = outcome({ status: "completed", cause: "exit", exitCode: 0 })
        yield* queue.finish(id, done, { claimId: claim.claimId, workerId: workerA })
        yield* sql`DELETE FROM tasks WHERE id = ${id}`
        yield* sql`DELETE FROM environments`
      }
    }).pipe(Effect.provide(memory))
  )
})

describe("what does not fit", () => {
  it.effect("is an error that never passes, whatever the operation, and no damage of the file", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const { id } = yield* submit
      const { claim } = yield* Effect.flatten(queue.claim(claimOptions))
      yield* sql`UPDATE task_inputs SET launch = '{"file":1}'`
      const captured = yield* Effect.flip(queue.captured(id))
      assert.deepInclude(captured, { _tag: "StorageError", reason: "unfit" })
      yield* sql`UPDATE tasks SET agent = ''`
      for (const operation of [queue.claimedTask(claim.claimId), Effect.flatMap(Tasks, (tasks) => tasks.get(id))]) {
        const error = yield* Effect.flip<unknown, unknown, Tasks>(operation)
        assert.deepInclude(error, { _tag: "StorageError", reason: "unfit" })
      }
      if (captured._tag === "StorageError") {
        assert.isFalse(passes(captured))
        assert.notInclude(captured.message, "damaged or not a Backbeat database")
      }
      // A claim ends what it cannot start, and the end needs none of it.
      assert.strictEqual(yield* queue.cancel(id, { reason: null, by: "t" }), "requested")
    }).pipe(Effect.provide(memory))
  )

  it.effect("of a checkpoint counts as none, and the next one replaces it", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const checkpoints = yield* Checkpoints
      const sql = yield* SqlClient.SqlClient
      const { id } = yield* submit
      yield* queue.cancel(id, { reason: null, by: "t" })
      const fresh: Checkpoint = {
        taskId: id,
        takenAt: 1,
        status: "cancelled",
        cause: "cancelled",
        error: null,
        answer: null,
        tail: "",
        durationMs: null,
        usage: null,
        before: null,
        after: null,
        diffStat: null,
        alongside: []
      }
      assert.deepStrictEqual(yield* checkpoints.store(fresh), fresh)
      for (const [at, damage] of damages.entries()) {
        yield* sql`UPDATE checkpoints SET content = ${damage}`
        assert.deepStrictEqual(yield* checkpoints.get(id), Option.none())
        const next = { ...fresh, takenAt: at + 2 }
        assert.deepStrictEqual(yield* checkpoints.store(next), next)
        assert.deepStrictEqual(yield* checkpoints.store({ ...fresh, tail: "late" }), next)
        assert.deepStrictEqual(yield* checkpoints.get(id), Option.some(next))
      }
    }).pipe(Effect.provide(memory))
  )
})
