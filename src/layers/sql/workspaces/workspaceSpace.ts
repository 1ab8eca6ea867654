/** The disk space of workspaces as it was measured last, which of them may go, and what a task waits for because of its workspace. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import { WorkspaceState } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import type { Access } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { WorkspaceRow, workspaceColumns } from "./WorkspaceRows.ts"

/** Bytes of the workspaces that are in their place. */
export const heldBytes = (sql: SqlClient.SqlClient) =>
  sql`(SELECT coalesce(sum(held.bytes), 0) FROM workspaces held WHERE held.state IN ('planned', 'ready', 'reclaiming'))`

export const makeWorkspaceSpace = (sql: SqlClient.SqlClient, { read, write }: Access) => {
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

  const findHeld = Statement.single(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ bytes: Schema.Int, count: Schema.Int }),
    execute: () => sql`
      SELECT ${heldBytes(sql)} AS bytes, count(*) AS count FROM workspaces WHERE state IN ('planned', 'ready', 'reclaiming')
    `
  }))

  const findWait = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ state: WorkspaceState, by: Schema.NullOr(TaskId) }),
    execute: (id) => sql`
      SELECT workspaces.state, (
        SELECT other.id FROM tasks other
        WHERE other.workspace_id = workspaces.id AND other.status = 'running' AND other.id <> tasks.id LIMIT 1
      ) AS "by"
      FROM tasks JOIN workspaces ON workspaces.id = tasks.workspace_id WHERE tasks.id = ${id}
    `
  }))

  // Along the index that keeps running tasks of one workspace apart.
  const findWorking = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Schema.Struct({ workspaceId: WorkspaceId, id: TaskId }),
    execute: () => sql`SELECT workspace_id, id FROM tasks WHERE workspace_id IS NOT NULL AND status = 'running'`
  }))

  const findIdle = Statement.findAll(() => ({
    Request: Schema.Struct({ abandoned: Schema.Int, before: Schema.Int, limit: Schema.Int }),
    Result: WorkspaceRow,
    execute: ({ abandoned, before, limit }) => sql`
      SELECT ${columns} FROM workspaces
      WHERE kept = 0
        AND (state IN ('planned', 'ready') AND used_at < ${before} OR state = 'reclaiming' AND used_at < ${abandoned})
        AND NOT EXISTS (
          SELECT 1 FROM tasks WHERE tasks.workspace_id = workspaces.id AND tasks.status IN ('queued', 'running')
        )
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

  return {
    idle: Effect.fn("Workspaces.idle")((before: number, abandoned: number, limit: number) =>
      findIdle({ abandoned, before, limit }).pipe(read("idleWorkspaces"))
    ),

    trash: Effect.fn("Workspaces.trash")((before: number, limit: number) =>
      findTrash({ before, limit }).pipe(read("trash"))
    ),

    measured: Effect.fn("Workspaces.measured")((id: WorkspaceId, bytes: number | null) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sql`UPDATE workspaces SET bytes = coalesce(${bytes}, bytes), measured_at = ${now} WHERE id = ${id}`
      ).pipe(Effect.asVoid, write("workspaceMeasured"))
    ),
    unmeasured: Effect.fn("Workspaces.unmeasured")((limit: number) =>
      findUnmeasured(limit).pipe(read("unmeasuredWorkspaces"))
    ),
    held: findHeld().pipe(
      Effect.catchTag("NoSuchElementException", () => Effect.succeed({ bytes: 0, count: 0 })),
      read("workspaceSpace"),
      Effect.withSpan("Workspaces.held")
    ),
    working: findWorking().pipe(
      Effect.map((rows) => new Map(rows.map(({ id, workspaceId }) => [workspaceId, id]))),
      read("workingWorkspaces"),
      Effect.withSpan("Workspaces.working")
    ),
    waitOf: Effect.fn("Workspaces.waitOf")((id: TaskId) =>
      findWait(id).pipe(Effect.map(Option.getOrNull), read("workspaceWait"))
    )
  }
}
