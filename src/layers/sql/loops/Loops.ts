/** Loops on SQLite. The transaction that ends a task starts their next round: see `loopEnds.ts`. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { IdempotencyConflict } from "../../../domain/Errors.ts"
import { heldForLoop } from "../../../domain/gates/loopHolding.ts"
import { GoalLimits } from "../../../domain/goal/Goal.ts"
import { decideLoop, recentRounds } from "../../../domain/loop/LoopDecision.ts"
import { LoopNotFound, LoopStateConflict } from "../../../domain/loop/LoopErrors.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { TaskId, titleOf } from "../../../domain/task/Task.ts"
import { Ids } from "../../../services/Ids.ts"
import { Loops, type NewLoop, type RoundTask } from "../../../services/Loops.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import { makeOtherKind } from "../database/otherKind.ts"
import * as Statement from "../database/Statement.ts"
import { makeCancel } from "../queue/cancel.ts"
import { canonical, makeTwinOf } from "../queue/enqueue.ts"
import { makeFinish } from "../queue/finish.ts"
import { StoredTask } from "../schedules/ScheduleRows.ts"
import { makeInsertEnvironment } from "../tasks/insertEnvironment.ts"
import { makeCancelLoop } from "./cancelLoop.ts"
import { makeEndLoop } from "./endLoop.ts"
import { LoopIdRow, LoopWrite, makeLoopRows, orNoLoop, Role } from "./LoopRows.ts"
import { makeStoreRound } from "./storeRound.ts"

/** Ids named in the error of an ambiguous prefix. */
const candidates = 10

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const ids = yield* Ids
  const { database } = yield* Paths
  const { read, write, writeWork } = makeAccess(sql, database)
  const otherKind = makeOtherKind(sql)
  const { findOfStep, get, page, roundsOf } = makeLoopRows(sql)
  const storeRound = makeStoreRound(sql, ids)
  const endLoop = makeEndLoop(sql)
  const cancel = makeCancelLoop(sql, makeCancel(sql, makeFinish(sql, ids)))

  const found = (id: LoopId) => get(id).pipe(orNoLoop(id))

  const insertEnvironment = makeInsertEnvironment(sql)
  const twinOf = makeTwinOf(sql)

  const insertTask = Statement.run(() => ({
    Request: Schema.Struct({
      loopId: LoopId,
      position: Schema.Int,
      role: Role,
      name: Schema.NullOr(Schema.String),
      environmentId: Schema.String,
      task: StoredTask
    }),
    execute: (row) => sql`INSERT INTO loop_tasks ${sql.insert(row)}`
  }))

  const insertLoop = Statement.run(() => ({
    Request: LoopWrite,
    execute: (row) => sql`INSERT INTO loops ${sql.insert({ ...row, status: "running", round: 0 })}`
  }))

  const insertGoal = Statement.run(() => ({
    Request: Schema.Struct({ loopId: LoopId, ...GoalLimits.fields }),
    execute: (row) => sql`INSERT INTO goals ${sql.insert(row)}`
  }))

  const findByPrefix = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: LoopIdRow,
    execute: ({ from, to }) =>
      sql`SELECT id FROM loops WHERE id >= ${from} AND id < ${to} ORDER BY id LIMIT ${candidates}`
  }))

  const findNewest = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: LoopIdRow,
    execute: () => sql`SELECT id FROM loops ORDER BY seq DESC LIMIT 1`
  }))

  const findPlace = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ loopId: LoopId, round: Schema.Int, role: Role, position: Schema.Int }),
    execute: (id) => sql`
      SELECT own.loop_id, own.round, loop_tasks.role, own.position
      FROM loop_round_tasks own
      JOIN loop_tasks ON loop_tasks.loop_id = own.loop_id AND loop_tasks.position = own.position
      WHERE own.task_id = ${id}
    `
  }))

  const create = (
    id: LoopId,
    { evaluations, goal, rules, stepTask, work }: NewLoop,
    environments: ReadonlyArray<string>,
    maxDepth: number
  ) =>
    Effect.gen(function* () {
      const twin = stepTask === null ? Option.none() : yield* findOfStep(stepTask)
      if (Option.isSome(twin)) return yield* found(twin.value.id).pipe(Effect.catchTag("LoopNotFound", Effect.die))
      const [first] = work
      if (first === undefined) return yield* Effect.dieMessage("a loop without work")
      const { agent, directory, idempotencyKey, prompt } = first.task
      const submitted = yield* twinOf(first.task)
      if (submitted !== null) {
        const place = yield* findPlace(submitted)
        if (Option.isSome(place))
          return yield* found(place.value.loopId).pipe(Effect.catchTag("LoopNotFound", Effect.die))
        return yield* new IdempotencyConflict({ key: idempotencyKey ?? "", existing: submitted })
      }
      const createdAt = yield* Clock.currentTimeMillis
      const { maxRounds } = rules
      const steps = work.length
      yield* insertLoop({ id, title: titleOf(prompt), agent, directory, rules, maxRounds, steps, stepTask, createdAt })
      if (goal !== null) yield* insertGoal({ loopId: id, ...goal })
      const tasks = [
        ...work.map((step) => ({ role: "work" as const, ...step })),
        ...evaluations.map((one) => ({ ...one, name: null }))
      ]
      for (const [position, { name, role, task }] of tasks.entries()) {
        const { environment, ...captured } = task
        const environmentId = environments[position] ?? ""
        yield* insertEnvironment({ id: environmentId, variables: environment })
        yield* insertTask({ loopId: id, position, role, name, environmentId, task: captured })
      }
      yield* storeRound(id, rules, 1, null, maxDepth)
      return yield* found(id).pipe(Effect.catchTag("LoopNotFound", Effect.die))
    })

  const pause = (id: LoopId) =>
    Effect.gen(function* () {
      const loop = yield* found(id)
      if (loop.status !== "running") return yield* new LoopStateConflict({ id, step: "be paused", actual: loop.status })
      const now = yield* Clock.currentTimeMillis
      yield* sql`
        UPDATE loops SET pause_requested_at = ${now} WHERE id = ${id} AND status = 'running' AND pause_requested_at IS NULL
      `
      return yield* found(id)
    })

  /** The next round of a paused loop: decided again, by the time and the money of now. */
  const resume = (id: LoopId) =>
    Effect.gen(function* () {
      const loop = yield* found(id)
      const isPausing = loop.status === "running" && loop.pauseRequestedAt !== null
      if (loop.status !== "paused" && !isPausing) {
        return yield* new LoopStateConflict({ id, step: "be resumed", actual: loop.status })
      }
      yield* sql`UPDATE loops SET status = 'running', pause_requested_at = NULL WHERE id = ${id} AND ended_at IS NULL`
      if (loop.status === "running") return yield* found(id)
      const now = yield* Clock.currentTimeMillis
      const rounds = yield* roundsOf({ id, after: loop.round - recentRounds, kept: loop.bestRound })
      const { next } = decideLoop({ ...loop, pauseRequestedAt: null, rounds }, now)
      if (next._tag === "End") {
        yield* endLoop(id, next.status, now)
      } else if (next._tag === "Round") {
        yield* storeRound(id, loop.rules, loop.round + 1, next.startCommit, Number.MAX_SAFE_INTEGER).pipe(
          Effect.catchTags({
            DependencyInvalid: Effect.die,
            DepthExceeded: Effect.die,
            // A loop inside a goal that has no room for another round.
            GoalLimitReached: () => endLoop(id, "exhausted", now),
            IdempotencyConflict: Effect.die,
            TaskNotFound: Effect.die
          })
        )
      }
      return yield* found(id)
    })

  return Loops.of({
    create: Effect.fn("Loops.create")(function* (loop, { maxDepth }) {
      const id = yield* ids.loop
      const tasks = [...loop.work, ...loop.evaluations].map(({ task }) => task)
      const environments = yield* Effect.forEach(tasks, ({ environment }) => ids.digest(canonical(environment)))
      return yield* create(id, loop, environments, maxDepth).pipe(writeWork("createLoop"))
    }),

    get: Effect.fn("Loops.get")((id) => found(id).pipe(read("getLoop"))),

    resolve: Effect.fn("Loops.resolve")(function* (reference) {
      const search = reference === "@last" ? findNewest() : findByPrefix({ from: reference, to: `${reference}~` })
      const fitting = reference === "" ? [] : yield* search.pipe(read("resolveLoop"))
      const [first, second] = fitting
      if (first !== undefined && second === undefined) return first.id
      const elsewhere = first === undefined ? yield* otherKind(reference).pipe(read("resolveLoop")) : {}
      return yield* new LoopNotFound({ reference, candidates: fitting.map(({ id }) => id), ...elsewhere })
    }),

    list: Effect.fn("Loops.list")(function* ({ before, goals, limit, status }) {
      const loops = yield* page({ status, goals, limit: limit + 1, before: before ?? Number.MAX_SAFE_INTEGER }).pipe(
        read("listLoops")
      )
      return { loops: loops.slice(0, limit), more: loops.length > limit }
    }),

    ofStep: Effect.fn("Loops.ofStep")((task) =>
      Effect.flatMap(
        findOfStep(task),
        Option.match({ onNone: () => Effect.succeedNone, onSome: ({ id }) => get(id) })
      ).pipe(read("loopOfStep"))
    ),

    hold: Effect.fn("Loops.hold")((task) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sql`
          INSERT INTO gates (scope, name, until_at, reason, closed_by, at)
          SELECT 'task', step_task, NULL, ${heldForLoop} || id, 'backbeat', ${now} FROM loops
          WHERE step_task = ${task} AND ended_at IS NULL
          ON CONFLICT (scope, name) DO NOTHING
        `
      ).pipe(Effect.asVoid, write("holdForLoop"))
    ),

    roundOf: Effect.fn("Loops.roundOf")((task) =>
      Effect.gen(function* () {
        const place = yield* findPlace(task)
        if (Option.isNone(place)) return Option.none<RoundTask>()
        const { loopId, ...own } = place.value
        return Option.map(yield* get(loopId), (loop): RoundTask => ({ loop, ...own }))
      }).pipe(read("loopRound"))
    ),

    worked: Effect.fn("Loops.worked")((task, { commit, files, tampered, tree }) =>
      sql`
        UPDATE loop_rounds SET "commit" = ${commit}, tree = ${tree}, files = ${files}, tampered = ${tampered}
        WHERE verdict IS NULL AND (loop_id, round) IN (
          SELECT loop_id, round FROM loop_round_tasks WHERE task_id = ${task}
        )
      `.pipe(Effect.asVoid, write("loopWorked"))
    ),

    working: Effect.fn("Loops.working")((task) =>
      sql`
        UPDATE loop_rounds SET "commit" = NULL, tree = NULL, files = NULL, tampered = NULL
        WHERE verdict IS NULL AND (loop_id, round) IN (
          SELECT loop_id, round FROM loop_round_tasks WHERE task_id = ${task}
        )
      `.pipe(Effect.asVoid, write("loopWorking"))
    ),

    pause: Effect.fn("Loops.pause")((id) => pause(id).pipe(write("pauseLoop"))),
    resume: Effect.fn("Loops.resume")((id) => resume(id).pipe(writeWork("resumeLoop"))),
    cancel: Effect.fn("Loops.cancel")((id, request) => cancel(id, request).pipe(orNoLoop(id), writeWork("cancelLoop")))
  })
})

export const layer = Layer.effect(Loops, make)
