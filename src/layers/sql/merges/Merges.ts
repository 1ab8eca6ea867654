/** Merges on SQLite: each change of state a compare-and-set. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Merge, MergeId } from "../../../domain/merge/Merge.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { Merges } from "../../../services/Merges.ts"
import { Paths } from "../../../services/Paths.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { openMerge } from "./openMerge.ts"

const { owner: _owner, ...plain } = Merge.fields

const Flat = Schema.Struct({
  ...plain,
  conflicts: Schema.parseJson(Merge.fields.conflicts),
  ...ProcessIdentity.fields
})

const MergeRow = Schema.transform(Flat, Schema.typeSchema(Merge), {
  strict: true,
  decode: ({ bootId, pid, startTime, ...merge }) => ({ ...merge, owner: { bootId, pid, startTime } }),
  encode: ({ owner, ...merge }) => ({ ...merge, ...owner })
})

const columns = `id, task_id, home, branch, tree, before, merged, state, check_task, conflicts, reason, url, pid,
  start_time, boot_id, created_at, changed_at`

/** Merges that are read at a time. */
const most = 100
const mostOfTask = 20

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read, write } = makeAccess(sql, database)
  const all = sql.literal(columns)
  const isOpen = sql.literal(openMerge)

  const findOpen = Statement.findOne(() => ({
    Request: Schema.String,
    Result: MergeRow,
    execute: (home) => sql`SELECT ${all} FROM merges WHERE home = ${home} AND ${isOpen}`
  }))
  const findAllOpen = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: MergeRow,
    execute: () => sql`SELECT ${all} FROM merges WHERE ${isOpen} ORDER BY seq LIMIT ${most}`
  }))
  const findOne = Statement.findOne(() => ({
    Request: MergeId,
    Result: MergeRow,
    execute: (id) => sql`SELECT ${all} FROM merges WHERE id = ${id}`
  }))
  const findOfTask = Statement.findAll(() => ({
    Request: TaskId,
    Result: MergeRow,
    execute: (id) => sql`SELECT ${all} FROM merges WHERE task_id = ${id} ORDER BY seq DESC LIMIT ${mostOfTask}`
  }))
  const insert = Statement.run(() => ({
    Request: MergeRow,
    execute: (row) => sql`INSERT INTO merges ${sql.insert(row)}`
  }))
  const update = Statement.run(() => ({
    Request: MergeRow,
    execute: (row) => sql`UPDATE merges SET ${sql.update(row, ["id"])} WHERE id = ${row.id}`
  }))

  const isSame = (left: ProcessIdentity, right: ProcessIdentity) =>
    left.pid === right.pid && left.startTime === right.startTime && left.bootId === right.bootId

  return Merges.of({
    allOpen: findAllOpen().pipe(read("openMerges"), Effect.withSpan("Merges.allOpen")),
    get: Effect.fn("Merges.get")((id) => findOne(id).pipe(read("getMerge"))),
    ofTask: Effect.fn("Merges.ofTask")((task) => findOfTask(task).pipe(read("mergesOfTask"))),

    begin: Effect.fn("Merges.begin")((merge) =>
      Effect.gen(function* () {
        if (merge.state !== "proposing" && Option.isSome(yield* findOpen(merge.home))) return false
        yield* insert(merge)
        return true
      }).pipe(write("beginMerge"))
    ),

    change: Effect.fn("Merges.change")((from, to) =>
      Effect.gen(function* () {
        const found = yield* findOne(from.id)
        if (Option.isNone(found)) return false
        const merge = found.value
        if (merge.state !== from.state || !isSame(merge.owner, from.owner)) return false
        if (to.state === "undoing" && Option.isSome(yield* findOpen(merge.home))) return false
        // A new owner alone does not move the time: the locks of a killed git are as old as the step.
        const changedAt = to.state === undefined ? merge.changedAt : yield* Clock.currentTimeMillis
        yield* update({ ...merge, ...to, changedAt })
        return true
      }).pipe(write("changeMerge"))
    )
  })
})

export const layer = Layer.effect(Merges, make)
