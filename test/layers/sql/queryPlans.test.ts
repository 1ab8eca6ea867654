/** Every statement goes along an index: the cost of a command does not grow with the number of tasks. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { GroupName } from "../../../src/domain/gates/GroupName.ts"
import { outcome } from "../../../src/domain/task/Outcome.ts"
import { TaskId } from "../../../src/domain/task/Task.ts"
import * as Host from "../../../src/layers/memory/fakes/Host.ts"
import * as Processes from "../../../src/layers/memory/fakes/Processes.ts"
import * as SettingsStore from "../../../src/layers/memory/fakes/SettingsStore.ts"
import * as WorkerLauncher from "../../../src/layers/memory/fakes/WorkerLauncher.ts"
import * as DueTimesSql from "../../../src/layers/sql/workers/DueTimes.ts"
import { makeLook } from "../../../src/programs/top/Look.ts"
import { Checkpoints } from "../../../src/services/Checkpoints.ts"
import { DueTimes } from "../../../src/services/DueTimes.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { Metrics } from "../../../src/services/Metrics.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Pipelines } from "../../../src/services/Pipelines.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Schedules } from "../../../src/services/Schedules.ts"
import { type ListFilter, Tasks } from "../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { create, endNext } from "../../support/pipelines.ts"
import { createSchedule, fireInAMinute } from "../../support/schedules.ts"
import { completed, newTask } from "../../support/tasks.ts"
import { claimOptions, memory, workerA, workerB } from "./support.ts"

type Compiled = readonly [text: string, parameters: ReadonlyArray<unknown>]

/** The statements that `effect` runs. */
const statementsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const seen: Array<Compiled> = []
    yield* Statement.withTransformer(effect, (statement) =>
      Effect.sync(() => {
        seen.push(statement.compile())
        return statement
      })
    )
    return seen
  })

const planOf = ([text, parameters]: Compiled) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql.unsafe<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`, parameters)
    return rows.map(({ detail }) => detail)
  })

/** Walking the index of what may be claimed, or of what fires, in its order is how the first that is due is found. */
const growing =
  /^SCAN (?!tasks USING INDEX tasks_ready|schedules USING COVERING INDEX schedules_fire)(tasks|task_inputs|task_labels|label|task_output|task_streams|claim_history|environments|outbox|checkpoints|task_starts|task_dependencies|edge|own|pipelines|pipeline_steps|schedules|schedule_executions|schedule_tasks|o|s)\b/

/** Fails where `effect` walks a whole table that grows, or sorts what may be much; returns the plans. */
const assertIndexed = <A, E, R>(effect: Effect.Effect<A, E, R>, sortsLittle = false) =>
  Effect.gen(function* () {
    const statements = yield* statementsOf(effect)
    assert.isNotEmpty(statements)
    const plans: Array<string> = []
    for (const statement of statements) {
      if (/^\s*(PRAGMA|INSERT)/.test(statement[0])) continue
      const plan = yield* planOf(statement)
      // From the end of the primary key backwards, as far as the page goes.
      const newest = /FROM \w+\s+ORDER BY seq DESC LIMIT/.test(statement[0])
      for (const detail of plan) if (!newest) assert.notMatch(detail, growing, statement[0])
      // Statuses side by side are merged by sorting, each cut to the page before, and a graph sorts what hangs on the
      // tasks at hand, and a claim the first task of each open lane; all else comes in its order.
      if (!sortsLittle && !/UNION ALL|WITH RECURSIVE|json_each|FROM lanes/.test(statement[0])) {
        assert.notInclude(plan.join("\n"), "TEMP B-TREE", statement[0])
      }
      plans.push(...plan)
    }
    return plans
  })

const everything: ListFilter = {
  status: [],
  agent: null,
  labels: {},
  directory: null,
  parentId: null,
  since: null,
  limit: 20,
  before: null
}

const someId = TaskId.make("k3v9x2m7q4ab")

const filters: Readonly<Record<string, Partial<ListFilter>>> = {
  none: {},
  cursor: { before: 5 },
  status: { status: ["failed"] },
  "open statuses": { status: ["queued", "running"] },
  "all statuses": { status: ["queued", "running", "completed", "failed", "cancelled"] },
  agent: { agent: "claude" },
  "agent and status": { agent: "claude", status: ["running"] },
  label: { labels: { team: "a" } },
  labels: { labels: { team: "a", kind: "b" }, status: ["completed", "failed"] },
  directory: { directory: "/repo", status: ["completed"] },
  parent: { parentId: someId, labels: { team: "a" } },
  since: { since: 1000 },
  "everything at once": {
    status: ["failed", "cancelled"],
    agent: "claude",
    labels: { team: "a" },
    directory: "/repo",
    since: 5,
    before: 100
  }
}

describe("query plans", () => {
  for (const [name, filter] of Object.entries(filters)) {
    it.effect(`list by ${name}`, () =>
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const plans = yield* assertIndexed(tasks.list({ ...everything, ...filter }))
        if (filter.since !== undefined) assert.include(plans.join("\n"), "tasks_created (created_at>?)")
      }).pipe(Effect.provide(memory))
    )
  }

  it.effect("the other questions of the read model", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      const [enqueued] = yield* queue.enqueue([newTask()], { maxDepth: 3 })
      const id = enqueued?.task.id ?? someId
      for (const [question, index] of [
        [tasks.get(id), "autoindex"],
        [tasks.summary(id), "autoindex"],
        [tasks.resolve("@last"), "PRIMARY KEY"],
        [tasks.resolve(id.slice(0, 3)), "id>? AND id<?"],
        [tasks.counts, "task_counts"],
        [tasks.ahead(id), "tasks_ready (lane=? AND priority<?)"],
        [tasks.children(id), "tasks_parent"],
        [tasks.nextDue(0), "tasks_due (not_before>?)"],
        [tasks.cancelRequested, "tasks_cancel"],
        [tasks.events(3, 10), "rowid>?"],
        [tasks.endsOf([id]), "outbox_subject"],
        [tasks.haltsOf([id]), "autoindex"],
        [tasks.lastEvent, "SEARCH outbox"]
      ] as const) {
        const plans = yield* assertIndexed<unknown, unknown, never>(question)
        assert.include(plans.join("\n"), index)
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("checkpoints", () =>
    Effect.gen(function* () {
      const checkpoints = yield* Checkpoints
      for (const [question, index] of [
        [checkpoints.get(someId), "SEARCH checkpoints"],
        [checkpoints.startOf(someId), "SEARCH task_starts"],
        [checkpoints.missing(3, 10), "SEARCH outbox USING INTEGER PRIMARY KEY (rowid>?)"],
        [checkpoints.reached, "outbox_readers"]
      ] as const) {
        const plans = yield* assertIndexed<unknown, unknown, never>(question)
        assert.include(plans.join("\n"), index)
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("the life of a task", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const registry = yield* WorkerRegistry
      const output = yield* OutputStore
      const plans = yield* assertIndexed(
        Effect.gen(function* () {
          const task = newTask({ idempotencyKey: "key", labels: { a: "b" } })
          const [first] = yield* queue.enqueue([task, task], { maxDepth: 3 })
          const id = first?.task.id ?? someId
          yield* queue.enqueue([newTask({ parentId: id, retryOf: id })], { maxDepth: 3 })
          const { claim } = yield* Effect.flatMap(
            queue.claim(claimOptions),
            Option.match({
              onNone: () => Effect.dieMessage("nothing to claim"),
              onSome: Effect.succeed
            })
          )
          const holder = { claimId: claim.claimId, workerId: workerA }
          yield* registry.started(holder, { pid: 77, startTime: "1", bootId: "boot" })
          yield* registry.stopping(holder, "timeout")
          yield* registry.adopt(claim.claimId, workerB, workerA)
          yield* registry.leave(workerB, "idle")
          for (const offset of [0, 300]) {
            const write = { taskId: id, stream: "stdout", offset, bytes: new Uint8Array(300) } as const
            yield* output.append(write, { cap: 100 })
          }
          yield* output.streams(id)
          yield* output.read({ taskId: id, stream: "stdout", after: 0, limit: 10 })
          yield* output.readBack({ taskId: id, stream: null, before: null, limit: 10 })
          yield* queue.cancel(id, { by: "tester", reason: null })
          yield* queue.captured(id)
          yield* queue.finish(id, outcome({ status: "failed", cause: "timeout" }), holder)
          yield* queue.prune({ endedBefore: 1, limit: 5, dryRun: false })
        })
      )
      assert.include(plans.join("\n"), "tasks_ready")
    }).pipe(Effect.provide(memory))
  )

  it.effect("tasks that wait for one another", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      for (const end of [
        outcome({ status: "completed", cause: "exit" }),
        outcome({ status: "failed", cause: "exit" })
      ]) {
        const behind = (member: number) =>
          newTask({ dependsOn: [{ upstream: { member }, policy: "success" as const }] })
        const plans = yield* assertIndexed(
          Effect.gen(function* () {
            const stored = yield* queue.enqueue([newTask(), behind(0), behind(1), behind(1)], { maxDepth: 3 })
            const ids = stored.map(({ task }) => task.id)
            const [, second = someId, third = someId, fourth = someId] = ids
            yield* tasks.get(third)
            const wanted = [{ upstream: third, policy: "success" as const }]
            const { revision } = yield* queue.captured(fourth)
            yield* queue.edit(fourth, { dependsOn: wanted }, revision)
            yield* Effect.flip(queue.edit(second, { dependsOn: wanted }, 0))
            const { claim } = yield* Effect.flatten(queue.claim(claimOptions))
            yield* queue.finish(claim.taskId, end, { claimId: claim.claimId, workerId: workerA })
            yield* queue.cancel(fourth, { by: "tester", reason: null })
            // What is left of it would be claimed in the next round.
            yield* queue.cancel(second, { by: "tester", reason: null })
          })
        )
        assert.include(plans.join("\n"), "task_dependencies_upstream")
      }
    }).pipe(Effect.provide(memory))
  )

  it.effect("pipelines", () =>
    Effect.gen(function* () {
      const pipelines = yield* Pipelines
      yield* assertIndexed(
        Effect.gen(function* () {
          const { id } = yield* create([{}, {}, {}], { name: "release", idempotencyKey: "k" })
          yield* pipelines.get(id)
          yield* pipelines.resolve(id.slice(0, 3))
          yield* pipelines.resolve("@last")
          yield* pipelines.list({ status: [], limit: 20, before: null })
          yield* pipelines.list({ status: ["running"], limit: 20, before: 7 })
          yield* endNext(completed)
          yield* pipelines.cancel(id, { by: "tester", reason: null })
        }),
        // The steps of one pipeline.
        true
      )
    }).pipe(Effect.provide(memory))
  )

  it.effect("the times that a worker sleeps until", () =>
    Effect.gen(function* () {
      const plans = yield* assertIndexed((yield* DueTimes).next(1000))
      for (const index of ["tasks_due (not_before>?)", "lanes_open (opens_at>?)", "loops_status (status=?)"]) {
        assert.include(plans.join("\n"), index)
      }
    }).pipe(Effect.provide(Layer.provideMerge(DueTimesSql.layer, memory)))
  )

  it.effect("schedules", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const plans = yield* assertIndexed(
        Effect.gen(function* () {
          const { id } = yield* createSchedule()
          yield* schedules.nextFire
          yield* fireInAMinute
          yield* schedules.get(id)
          yield* schedules.resolve(id.slice(0, 3))
          yield* schedules.list({ status: [], limit: 20, before: null })
          yield* schedules.list({ status: ["active", "paused"], limit: 20, before: 7 })
          yield* schedules.history(id, { limit: 10, before: null })
          yield* schedules.open(id)
          yield* schedules.pause(id, { reason: null, revision: null })
          yield* schedules.resume(id)
          yield* schedules.cancel(id)
          yield* schedules.prune({ endedBefore: 1, limit: 5, dryRun: false })
        }),
        // Schedules of one name or status, of which nobody has many.
        true
      )
      assert.include(plans.join("\n"), "schedules_fire")
    }).pipe(Effect.provide(memory))
  )

  it.effect("one look of the live screen, and what monitoring reads", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const metrics = yield* Metrics
      const { look } = yield* makeLook
      yield* queue.enqueue([newTask({ labels: { team: "a" } }), newTask({ agent: "claude" })], { maxDepth: 3 })
      yield* queue.claim(claimOptions)
      const filter = { status: [], agent: null, labels: {}, directory: null, since: null }
      // A screen of rows, and tasks of one day.
      const plans = yield* assertIndexed(look({ filter, text: "", limit: 40 }), true)
      assert.include(plans.join("\n"), "task_counts")
      yield* assertIndexed(look({ filter: { ...filter, agent: "claude" }, text: "", limit: 40 }), true)
      yield* assertIndexed(metrics.tally(5), true)
    }).pipe(
      Effect.provide(
        Layer.mergeAll(Host.layer, Processes.layer, SettingsStore.layer({}), WorkerLauncher.layer).pipe(
          Layer.provideMerge(memory)
        )
      )
    )
  )

  it.effect("a claim next to a group that is paused, with all that waits in it", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const gates = yield* Gates
      const group = GroupName.make("review")
      yield* queue.enqueue([newTask({ group }), newTask({ group }), newTask({ priority: "P2" })], { maxDepth: 3 })
      yield* gates.close({ scope: "group", name: group, until: null, reason: null, by: "anna", freeze: false })
      const plans = yield* assertIndexed(queue.claim(claimOptions))
      // The lane of the group is closed: none of its tasks is looked at.
      assert.match(plans.join("\n"), /(SCAN|SEARCH) lanes/)
      assert.include(plans.join("\n"), "tasks_ready (lane=?")
    }).pipe(Effect.provide(memory))
  )
})
