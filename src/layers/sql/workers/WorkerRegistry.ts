/** The registry of workers and workers on SQLite. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Millis, TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { type Claim, StartProblem, StopCause } from "../../../domain/worker/Claim.ts"
import { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { Stillness } from "../../../domain/worker/Stillness.ts"
import { Paths } from "../../../services/Paths.ts"
import { type Holder, WorkerRegistry } from "../../../services/WorkerRegistry.ts"
import { makeAccess } from "../database/Immediate.ts"
import { latest } from "../database/migrate.ts"
import { openedFile } from "../database/OpenedFile.ts"
import * as Statement from "../database/Statement.ts"
import { failClaimLost } from "../queue/failClaimLost.ts"
import { ClaimRow, WorkerRow } from "../tasks/Rows.ts"
import { IdRow, orDieWhenMissing } from "../tasks/TaskRows.ts"

const HolderRequest = Schema.Struct({ claimId: Schema.String, workerId: Schema.String })

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const lost = failClaimLost(sql)

  const insertWorker = Statement.run(() => ({
    Request: WorkerRow,
    execute: (row) => sql`
      INSERT INTO workers ${sql.insert(row)}
      ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, pid = excluded.pid, start_time = excluded.start_time,
        boot_id = excluded.boot_id, version = excluded.version, schema = excluded.schema, uid = excluded.uid, file = excluded.file,
        started_at = excluded.started_at, seen_at = excluded.seen_at
    `
  }))

  const findSchema = Statement.findOne(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ stored: Schema.Int }),
    execute: () => sql`SELECT user_version AS stored FROM pragma_user_version`
  }))

  const findStillness = Statement.single(() => ({
    Request: Schema.String,
    Result: Stillness,
    execute: (id) => sql`
      SELECT
        (SELECT user_version FROM pragma_user_version) AS schema,
        (SELECT count(*) FROM workers WHERE id = ${id}) AS listed,
        (SELECT count(*) FROM workers) AS workers,
        (SELECT coalesce(sum(count), 0) FROM task_counts WHERE status IN ('queued', 'running')) AS open,
        (SELECT coalesce(max(seq), 0) FROM outbox) AS last_end,
        (SELECT coalesce(max(seq), 0) FROM notices) AS last_notice,
        EXISTS (SELECT 1 FROM messages WHERE state = 'stored') AS messages,
        EXISTS (SELECT 1 FROM deliveries WHERE state = 'due')
          OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'sending') AS deliveries,
        (SELECT min(next_fire_at) FROM schedules INDEXED BY schedules_fire WHERE status = 'active') AS next_fire_at
    `
  }))

  const findWorkers = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: WorkerRow,
    execute: () => sql`SELECT * FROM workers ORDER BY started_at, rowid`
  }))

  const findClaims = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: ClaimRow,
    execute: () => sql`SELECT * FROM claims ORDER BY claimed_at, rowid`
  }))

  const findClaim = Statement.findOne(() => ({
    Request: TaskId,
    Result: ClaimRow,
    execute: (id) => sql`SELECT * FROM claims WHERE task_id = ${id}`
  }))

  const recordStart = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, process: ProcessIdentity, now: Timestamp }),
    Result: ClaimRow,
    execute: ({ holder, now, process }) => sql`
      UPDATE claims SET state = 'running', pid = ${process.pid}, start_time = ${process.startTime},
        boot_id = ${process.bootId}, running_at = coalesce(running_at, ${now})
      WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
      RETURNING *
    `
  }))

  const recordStop = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, cause: StopCause, now: Timestamp }),
    Result: ClaimRow,
    execute: ({ cause, holder, now }) => sql`
      UPDATE claims SET stop_cause = coalesce(stop_cause, ${cause}), stop_at = coalesce(stop_at, ${now})
      WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
      RETURNING *
    `
  }))

  const recordSleep = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, sleptMs: Millis }),
    Result: ClaimRow,
    execute: ({ holder, sleptMs }) => sql`
      UPDATE claims SET deadline_uptime = CASE
        WHEN deadline_uptime > ${Number.MAX_SAFE_INTEGER} - ${sleptMs} THEN ${Number.MAX_SAFE_INTEGER}
        ELSE deadline_uptime + ${sleptMs} END
      WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
      RETURNING *
    `
  }))

  const recordFreezing = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, uptimeMs: Millis }),
    Result: ClaimRow,
    execute: ({ holder, uptimeMs }) => sql`
      UPDATE claims SET frozen_uptime = coalesce(frozen_uptime, ${uptimeMs})
      WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
      RETURNING *
    `
  }))

  const recordFrozen = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, now: Timestamp }),
    Result: IdRow,
    execute: ({ holder, now }) => sql`
      UPDATE tasks SET frozen_at = coalesce(frozen_at, ${now})
      WHERE id = (
        SELECT task_id FROM claims
        WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId} AND frozen_uptime IS NOT NULL
      )
      RETURNING id
    `
  }))

  const recordThawed = Statement.findOne(() => ({
    Request: Schema.Struct({ holder: HolderRequest, uptimeMs: Millis }),
    Result: ClaimRow,
    execute: ({ holder, uptimeMs }) => sql`
      UPDATE claims SET frozen_uptime = NULL, deadline_uptime = CASE
        WHEN frozen_uptime IS NULL OR frozen_uptime > ${uptimeMs} THEN deadline_uptime
        WHEN deadline_uptime > ${Number.MAX_SAFE_INTEGER} - (${uptimeMs} - frozen_uptime) THEN ${Number.MAX_SAFE_INTEGER}
        ELSE deadline_uptime + (${uptimeMs} - frozen_uptime) END
      WHERE claim_id = ${holder.claimId} AND worker_id = ${holder.workerId}
      RETURNING *
    `
  }))

  const recordFailure = Statement.run(() => ({
    Request: Schema.Struct({ claimId: Schema.String, message: Schema.NullOr(Schema.String) }),
    execute: ({ claimId, message }) => sql`
      UPDATE claim_history SET start_failures = start_failures + 1, start_error = coalesce(${message}, start_error)
      WHERE claim_id = ${claimId} AND coalesce(${message}, start_error) IS NOT NULL
    `
  }))

  const findProblem = Statement.findOne(() => ({
    Request: TaskId,
    Result: StartProblem,
    execute: (id) => sql`
      SELECT sum(start_failures) AS count, (
        SELECT start_error FROM claim_history last WHERE last.task_id = ${id} AND last.start_error IS NOT NULL
        ORDER BY claimed_at DESC LIMIT 1
      ) AS message
      FROM claim_history WHERE task_id = ${id} AND start_failures > 0 HAVING message IS NOT NULL
    `
  }))

  const held = <E, R>({ claimId }: Holder, step: string, row: Effect.Effect<Option.Option<Claim>, E, R>) =>
    Effect.flatMap(row, Option.match({ onNone: () => lost(claimId, step), onSome: (claim) => Effect.succeed(claim) }))

  return WorkerRegistry.of({
    register: Effect.fn("WorkerRegistry.register")((worker) => insertWorker(worker).pipe(access.write("register"))),

    leave: Effect.fn("WorkerRegistry.leave")(function* (id, when) {
      const condition =
        when === "always"
          ? sql`id = ${id}`
          : when === "idle"
            ? sql`
                id = ${id} AND NOT EXISTS (SELECT 1 FROM tasks WHERE status = 'running') AND NOT EXISTS (
                  SELECT 1 FROM tasks INDEXED BY tasks_ready
                  WHERE status = 'queued' AND waiting_on = 0 AND asks = 0
                )
                  AND NOT EXISTS (SELECT 1 FROM schedules WHERE status = 'active')
                  AND NOT EXISTS (SELECT 1 FROM hook_cursors WHERE seq < (SELECT max(seq) FROM notices))
                  AND NOT EXISTS (SELECT 1 FROM messages WHERE state = 'stored')
              `
            : sql`id = ${id} AND EXISTS (SELECT 1 FROM workers AS other WHERE other.id = ${when.superseded})`
      const left = yield* sql`DELETE FROM workers WHERE ${condition} RETURNING id`.pipe(access.write("leave"))
      return left.length > 0
    }),

    schema: findSchema().pipe(
      Effect.map(Option.getOrElse(() => ({ stored: latest }))),
      Effect.map(({ stored }) => ({ known: latest, stored, file: openedFile(sql) })),
      access.read("schema"),
      Effect.withSpan("WorkerRegistry.schema")
    ),

    stillness: Effect.fn("WorkerRegistry.stillness")((id) =>
      findStillness(id).pipe(orDieWhenMissing, access.read("stillness"))
    ),

    workers: findWorkers().pipe(access.read("workers"), Effect.withSpan("WorkerRegistry.workers")),

    claims: findClaims().pipe(access.read("workers"), Effect.withSpan("WorkerRegistry.workers")),

    claimOf: Effect.fn("WorkerRegistry.workerOf")((taskId) => findClaim(taskId).pipe(access.read("workerOf"))),

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

    freezing: Effect.fn("WorkerRegistry.freezing")((holder, uptimeMs) =>
      held(holder, "freeze", recordFreezing({ holder, uptimeMs: Math.floor(uptimeMs) })).pipe(access.write("freezing"))
    ),

    frozen: Effect.fn("WorkerRegistry.frozen")(function* (holder) {
      const now = yield* Clock.currentTimeMillis
      const id = yield* recordFrozen({ holder, now }).pipe(access.write("frozen"))
      if (Option.isNone(id)) return yield* lost(holder.claimId, "freeze").pipe(access.read("frozen"))
    }),

    thawed: Effect.fn("WorkerRegistry.thawed")((holder, uptimeMs) =>
      held(holder, "continue", recordThawed({ holder, uptimeMs: Math.floor(uptimeMs) })).pipe(
        Effect.tap(
          ({ taskId }) => sql`UPDATE tasks SET frozen_at = NULL WHERE id = ${taskId} AND frozen_at IS NOT NULL`
        ),
        access.writeWork("thawed")
      )
    ),

    startFailed: Effect.fn("WorkerRegistry.startFailed")(({ claimId }, message) =>
      recordFailure({ claimId, message }).pipe(access.write("startFailed"))
    ),

    startProblem: Effect.fn("WorkerRegistry.startProblem")((taskId) =>
      findProblem(taskId).pipe(access.read("startProblem"))
    ),

    adopt: Effect.fn("WorkerRegistry.adopt")(function* (claimId, from, to) {
      const taken = yield* sql`
        UPDATE claims SET worker_id = ${to} WHERE claim_id = ${claimId} AND worker_id = ${from} RETURNING claim_id
      `.pipe(access.write("adopt"))
      return taken.length > 0
    })
  })
})

export const layer = Layer.effect(WorkerRegistry, make)
