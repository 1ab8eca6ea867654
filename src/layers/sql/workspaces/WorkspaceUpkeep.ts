/** What a worker has to do about workspaces, on SQLite. Not among the light services, which have no use for it. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Paths } from "../../../services/Paths.ts"
import { WorkspaceUpkeep } from "../../../services/WorkspaceUpkeep.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { WorkspaceRow, workspaceColumns } from "./WorkspaceRows.ts"
import { isAwaited } from "./workspaceUse.ts"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const { read, write } = makeAccess(sql, database)
  const columns = sql.literal(workspaceColumns)

  const findUnmeasured = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: Schema.Struct({ id: WorkspaceId, path: Schema.String }),
    execute: (limit) => sql`
      SELECT id, path FROM workspaces
      WHERE state = 'ready' AND (measured_at IS NULL OR measured_at < used_at)
      ORDER BY used_at LIMIT ${limit}
    `
  }))

  const findIdle = Statement.findAll(() => ({
    Request: Schema.Struct({ abandoned: Schema.Int, before: Schema.Int, limit: Schema.Int }),
    Result: WorkspaceRow,
    execute: ({ abandoned, before, limit }) => sql`
      SELECT ${columns} FROM workspaces
      WHERE state = 'reclaiming' AND used_at < ${abandoned}
        OR state IN ('planned', 'ready') AND used_at < ${before} AND kept = 0 AND NOT ${isAwaited(sql)}
      ORDER BY used_at LIMIT ${limit}
    `
  }))

  const findInterrupted = Statement.findAll(() => ({
    Request: Schema.Struct({ before: Schema.Int, limit: Schema.Int }),
    Result: WorkspaceRow,
    execute: ({ before, limit }) => sql`
      SELECT ${columns} FROM workspaces WHERE state = 'reclaiming' AND used_at < ${before} AND ${isAwaited(sql)}
      ORDER BY used_at LIMIT ${limit}
    `
  }))

  const findTrash = Statement.findAll(() => ({
    Request: Schema.Struct({ before: Schema.Int, limit: Schema.Int }),
    Result: WorkspaceRow,
    execute: ({ before, limit }) => sql`
      SELECT ${columns} FROM workspaces WHERE state = 'trashed' AND used_at < ${before} ORDER BY used_at LIMIT ${limit}
    `
  }))

  return WorkspaceUpkeep.of({
    idle: Effect.fn("WorkspaceUpkeep.idle")((before, abandoned, limit) =>
      findIdle({ abandoned, before, limit }).pipe(read("idleWorkspaces"))
    ),

    interrupted: Effect.fn("WorkspaceUpkeep.interrupted")((before, limit) =>
      findInterrupted({ before, limit }).pipe(read("interruptedReclaims"))
    ),

    trash: Effect.fn("WorkspaceUpkeep.trash")((before, limit) => findTrash({ before, limit }).pipe(read("trash"))),

    measured: Effect.fn("WorkspaceUpkeep.measured")((id, bytes) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sql`UPDATE workspaces SET bytes = coalesce(${bytes}, bytes), measured_at = ${now} WHERE id = ${id}`
      ).pipe(Effect.asVoid, write("workspaceMeasured"))
    ),
    unmeasured: Effect.fn("WorkspaceUpkeep.unmeasured")((limit) =>
      findUnmeasured(limit).pipe(read("unmeasuredWorkspaces"))
    )
  })
})

export const layer = Layer.effect(WorkspaceUpkeep, make)
