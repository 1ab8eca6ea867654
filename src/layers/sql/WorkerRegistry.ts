/** The registry of workers and runtimes on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ProcessIdentity } from "../../domain/Process.ts"
import { EndCause, Millis, TaskId, Timestamp } from "../../domain/Task.ts"
import type { Worker } from "../../domain/Worker.ts"
import { Paths } from "../../services/Paths.ts"
import { type Holder, WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { makeLost } from "./holding.ts"
import { makeAccess } from "./Immediate.ts"
import { RuntimeRow, WorkerRow } from "./rows.ts"
import * as Statement from "./statement.ts"

const HolderRequest = Schema.Struct({ claimId: Schema.String, runtimeId: Schema.String })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const lost = makeLost(sql)

  const insertRuntime = Statement.run(() => ({
    Request: RuntimeRow,
    execute: (row) => sql`
      INSERT INTO runtimes ${sql.insert(row)}
      ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, pid = excluded.pid, start_time = excluded.start_time,
        boot_id = excluded.boot_id, version = excluded.version, started_at = excluded.started_at
    `
  }))

  const findRuntimes = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: RuntimeRow,
    execute: () => sql`SELECT * FROM runtimes ORDER BY started_at, rowid`
  }))

  const findWorkers = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: WorkerRow,
    execute: () => sql`SELECT * FROM workers ORDER BY claimed_at, rowid`
  }))

  const findWorker = Statement.findOne(() => ({
    Request: TaskId,
    Result: WorkerRow,
    execute: (id) => sql`SELECT * FROM workers WHERE task_id = ${id}`
  }))

  const recordStart = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, process: ProcessIdentity, now: Timestamp }),
    Result: WorkerRow,
    execute: ({ holder, now, process }) => sql`
      UPDATE workers SET state = 'running', pid = ${process.pid}, start_time = ${process.startTime},
        boot_id = ${process.bootId}, running_at = coalesce(running_at, ${now})
      WHERE claim_id = ${holder.claimId} AND runtime_id = ${holder.runtimeId}
      RETURNING *
    `
  }))

  const recordStop = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, cause: EndCause, now: Timestamp }),
    Result: WorkerRow,
    execute: ({ cause, holder, now }) => sql`
      UPDATE workers SET stop_cause = coalesce(stop_cause, ${cause}), stop_at = coalesce(stop_at, ${now})
      WHERE claim_id = ${holder.claimId} AND runtime_id = ${holder.runtimeId}
      RETURNING *
    `
  }))

  const recordSleep = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, sleptMs: Millis }),
    Result: WorkerRow,
    execute: ({ holder, sleptMs }) => sql`
      UPDATE workers SET deadline_uptime = CASE
        WHEN deadline_uptime > ${Number.MAX_SAFE_INTEGER} - ${sleptMs} THEN ${Number.MAX_SAFE_INTEGER}
        ELSE deadline_uptime + ${sleptMs} END
      WHERE claim_id = ${holder.claimId} AND runtime_id = ${holder.runtimeId}
      RETURNING *
    `
  }))

  const held = <E, R>({ claimId }: Holder, step: string, row: Effect.Effect<Option.Option<Worker>, E, R>) =>
    Effect.flatMap(row, Option.match({ onNone: () => lost(claimId, step), onSome: (worker) => Effect.succeed(worker) }))

  return WorkerRegistry.of({
    register: Effect.fn("WorkerRegistry.register")((runtime) => insertRuntime(runtime).pipe(access.write("register"))),

    leave: Effect.fn("WorkerRegistry.leave")(function* (id, when) {
      const condition =
        when === "always"
          ? sql`id = ${id}`
          : when === "idle"
            ? sql`
                id = ${id} AND NOT EXISTS (SELECT 1 FROM tasks WHERE status IN ('queued', 'running'))
                  AND NOT EXISTS (SELECT 1 FROM schedules WHERE status = 'active')
              `
            : sql`id = ${id} AND EXISTS (SELECT 1 FROM runtimes AS other WHERE other.id = ${when.superseded})`
      const left = yield* sql`DELETE FROM runtimes WHERE ${condition} RETURNING id`.pipe(access.write("leave"))
      return left.length > 0
    }),

    runtimes: findRuntimes().pipe(access.read("runtimes"), Effect.withSpan("WorkerRegistry.runtimes")),

    workers: findWorkers().pipe(access.read("workers"), Effect.withSpan("WorkerRegistry.workers")),

    workerOf: Effect.fn("WorkerRegistry.workerOf")((taskId) => findWorker(taskId).pipe(access.read("workerOf"))),

    started: Effect.fn("WorkerRegistry.started")(function* (holder, process) {
      const now = yield* Clock.currentTimeMillis
      return yield* held(holder, "start", recordStart({ holder, process, now })).pipe(access.write("started"))
    }),

    stopping: Effect.fn("WorkerRegistry.stopping")(function* (holder, cause) {
      const now = yield* Clock.currentTimeMillis
      return yield* held(holder, "stop", recordStop({ holder, cause, now })).pipe(access.write("stopping"))
    }),

    postpone: Effect.fn("WorkerRegistry.postpone")((holder, sleptMs) =>
      held(holder, "postpone", recordSleep({ holder, sleptMs })).pipe(access.write("postpone"))
    ),

    adopt: Effect.fn("WorkerRegistry.adopt")(function* (claimId, from, to) {
      const taken = yield* sql`
        UPDATE workers SET runtime_id = ${to} WHERE claim_id = ${claimId} AND runtime_id = ${from} RETURNING claim_id
      `.pipe(access.write("adopt"))
      return taken.length > 0
    })
  })
})

export const layer = Layer.effect(WorkerRegistry, make)
