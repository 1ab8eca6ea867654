/** Contests on SQLite. They are decided in the transactions that end their tasks: see `contestEnds.ts`. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ContestId, ContestRules } from "../../../domain/contest/Contest.ts"
import { ContestNotFound } from "../../../domain/contest/ContestErrors.ts"
import type { NewContest } from "../../../domain/contest/NewContest.ts"
import type { NewDependency, NewTask } from "../../../domain/task/NewTask.ts"
import { TaskId, TaskSummary } from "../../../domain/task/Task.ts"
import { spanIdOf, withTraceparent } from "../../../domain/traces/TraceContext.ts"
import { Contests } from "../../../services/Contests.ts"
import { Ids } from "../../../services/Ids.ts"
import { Paths } from "../../../services/Paths.ts"
import type { CancelAnswer, CancelRequest } from "../../../services/Queue.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { makeCancel } from "../queue/cancel.ts"
import { type Arrival, canonical, makeEnqueue } from "../queue/enqueue.ts"
import { makeFinish } from "../queue/finish.ts"
import { makeContestRows, Role } from "./ContestRows.ts"
import { makeStoreContest } from "./storeContest.ts"

/** Ids named in the error of an ambiguous prefix. */
const candidates = 10

/** A candidate stops at the first of its tasks that does not complete. */
const following = (task: NewTask, before: number | null): NewTask => {
  const edges: ReadonlyArray<NewDependency> =
    before === null ? [] : [{ upstream: { member: before }, policy: "success" }]
  return { ...task, dependsOn: [...(task.dependsOn ?? []), ...edges] }
}

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const { read, write, writeWork } = makeAccess(sql, database)
  const { findTasks, get } = makeContestRows(sql)
  const store = makeStoreContest(sql)
  const enqueue = makeEnqueue(sql)
  const cancelTask = makeCancel(sql, makeFinish(sql, ids))

  const found = (id: ContestId) =>
    Effect.flatMap(
      get(id),
      Option.match({
        onNone: () => Effect.fail(new ContestNotFound({ reference: id, candidates: [] })),
        onSome: Effect.succeed
      })
    )

  const findByPrefix = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: Schema.Struct({ id: ContestId }),
    execute: ({ from, to }) =>
      sql`SELECT id FROM contests WHERE id >= ${from} AND id < ${to} ORDER BY id LIMIT ${candidates}`
  }))

  const findPlace = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ id: ContestId, rules: Schema.parseJson(ContestRules), number: Schema.Int, role: Role }),
    execute: (id) => sql`
      SELECT contests.id, contests.rules, own.number, own.role
      FROM contest_tasks own JOIN contests ON contests.id = own.contest_id WHERE own.task_id = ${id}
    `
  }))

  const findKept = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ id: TaskId }),
    execute: (choice) => sql`
      SELECT work.task_id AS id FROM contest_tasks own
      JOIN contests ON contests.id = own.contest_id
      JOIN contest_tasks work ON work.contest_id = contests.id AND work.number = contests.winner AND work.role = 'work'
      WHERE own.task_id = ${choice} AND own.role = 'choice'
    `
  }))

  /** The last first, so that the end of one releases no other. */
  const findOpen = Statement.findAll(() => ({
    Request: ContestId,
    Result: TaskSummary.pick("id", "status"),
    execute: (id) => sql`
      SELECT tasks.id, tasks.status FROM contest_tasks own JOIN tasks ON tasks.id = own.task_id
      WHERE own.contest_id = ${id} AND tasks.ended_at IS NULL ORDER BY own.position DESC, own.number
    `
  }))

  const create = (id: ContestId, contest: NewContest, arrivals: ReadonlyArray<Arrival>, maxDepth: number) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      yield* enqueue(arrivals, maxDepth)
      const taskIds = arrivals.map((arrival) => arrival.id)
      yield* store({ id, contest, taskIds, choice: null, at })
      return yield* found(id).pipe(Effect.catchTag("ContestNotFound", Effect.die))
    })

  const cancel = (id: ContestId, request: CancelRequest) =>
    Effect.gen(function* () {
      const { cancelRequestedAt, endedAt } = yield* found(id)
      if (endedAt !== null) return "over" satisfies CancelAnswer
      if (cancelRequestedAt === null) {
        const now = yield* Clock.currentTimeMillis
        yield* sql`
          UPDATE contests SET cancel_requested_at = ${now}, cancel_reason = ${request.reason}, cancelled_by = ${request.by}
          WHERE id = ${id}
        `
      }
      const open = yield* findOpen(id)
      // The end of the last one ends the contest.
      yield* Effect.forEach(open, (task) => cancelTask(task.id, request), { discard: true }).pipe(
        Effect.catchTag("TaskNotFound", Effect.die)
      )
      const runs = open.some((task) => task.status === "running")
      return runs ? ("requested" satisfies CancelAnswer) : ("ended" satisfies CancelAnswer)
    })

  return Contests.of({
    create: Effect.fn("Contests.create")(function* (contest, { maxDepth }) {
      const id = yield* ids.contest
      const arrivals: Array<Arrival> = []
      for (const tasks of contest.candidates) {
        for (const [position, { task }] of tasks.entries()) {
          const before = position === 0 ? null : arrivals.length - 1
          const environmentId = yield* ids.digest(canonical(task.environment))
          const traced = withTraceparent(following(task, before), spanIdOf("contest", id))
          arrivals.push({ id: yield* ids.task, environmentId, task: traced })
        }
      }
      return yield* create(id, contest, arrivals, maxDepth).pipe(writeWork("createContest"))
    }),

    get: Effect.fn("Contests.get")((id) => found(id).pipe(read("getContest"))),

    resolve: Effect.fn("Contests.resolve")(function* (reference) {
      const fitting =
        reference === ""
          ? []
          : yield* findByPrefix({ from: reference, to: `${reference}~` }).pipe(read("resolveContest"))
      const [first, second] = fitting
      if (first !== undefined && second === undefined) return first.id
      return yield* new ContestNotFound({ reference, candidates: fitting.map(({ id }) => id) })
    }),

    placeOf: Effect.fn("Contests.placeOf")((task) => findPlace(task).pipe(read("contestPlace"))),

    entrants: Effect.fn("Contests.entrants")((id) =>
      findTasks(id).pipe(
        Effect.map((rows) => rows.map(({ number, role, taskId }) => ({ number, role, taskId }))),
        read("contestEntrants")
      )
    ),

    keptBy: Effect.fn("Contests.keptBy")((choice) =>
      findKept(choice).pipe(Effect.map(Option.map(({ id }) => id)), read("contestKept"))
    ),

    tampered: Effect.fn("Contests.tampered")((task, path) =>
      sql`
        UPDATE contest_candidates SET tampered = ${path}
        WHERE verdict IS NULL AND (contest_id, number) IN (
          SELECT contest_id, number FROM contest_tasks WHERE task_id = ${task}
        )
      `.pipe(Effect.asVoid, write("contestTampered"))
    ),

    cancel: Effect.fn("Contests.cancel")((id, request) => cancel(id, request).pipe(writeWork("cancelContest")))
  })
})

export const layer = Layer.effect(Contests, make)
