/** How workspaces are used: their disk space as it was measured last, the tasks that work in them, and what others wait for. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import { WorkspaceState } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import type { Access } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"

/** Bytes of the workspaces that are in their place. Those that only wait for a place hold none. */
export const heldBytes = (sql: SqlClient.SqlClient) => sql`(
  SELECT coalesce(sum(held.bytes), 0) FROM workspaces held WHERE held.state IN ('ready', 'reclaiming')
    OR (held.state = 'planned' AND EXISTS (
      SELECT 1 FROM tasks holding WHERE holding.workspace_id = held.id AND holding.status = 'running'
    ))
)`

/** A task in it waits or runs. */
export const isAwaited = (sql: SqlClient.SqlClient) =>
  sql`EXISTS (SELECT 1 FROM tasks WHERE tasks.workspace_id = workspaces.id AND tasks.status IN ('queued', 'running'))`

export const makeWorkspaceUse = (sql: SqlClient.SqlClient, { read }: Access) => {
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

  return {
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
