/** What only a worker does with workspaces, on SQLite. Not among the light services, which have no use for it. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Paths } from "../../../services/Paths.ts"
import { WorkerWorkspaces } from "../../../services/WorkerWorkspaces.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { ResultRow, WorkspaceRow, workspaceColumns } from "./WorkspaceRows.ts"
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
    Request: Schema.Struct({ before: Schema.Int, limit: Schema.Int }),
    Result: WorkspaceRow,
    execute: ({ before, limit }) => sql`
      SELECT ${columns} FROM workspaces
      WHERE state IN ('planned', 'ready') AND used_at < ${before} AND kept = 0 AND NOT ${isAwaited(sql)}
      ORDER BY used_at LIMIT ${limit}
    `
  }))

  const findUnfinished = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: WorkspaceRow,
    execute: (limit) => sql`
      SELECT ${columns} FROM workspaces WHERE state = 'reclaiming' ORDER BY used_at LIMIT ${limit}
    `
  }))

  const findTrash = Statement.findAll(() => ({
    Request: Schema.Struct({ before: Schema.Int, limit: Schema.Int }),
    Result: WorkspaceRow,
    execute: ({ before, limit }) => sql`
      SELECT ${columns} FROM workspaces WHERE state = 'trashed' AND kept = 0 AND used_at < ${before} ORDER BY used_at LIMIT ${limit}
    `
  }))

  const writeResult = Statement.run(() => ({
    Request: ResultRow,
    execute: ({ commit, ...row }) => sql`
      INSERT INTO results (task_id, workspace_id, base, "commit", tree, files, insertions, deletions, commits, nested,
        home, problem, sealed_at)
      VALUES (${row.taskId}, ${row.workspaceId}, ${row.base}, ${commit}, ${row.tree}, ${row.files}, ${row.insertions},
        ${row.deletions}, ${row.commits}, ${row.nested}, ${row.home}, ${row.problem}, ${row.sealedAt})
      ON CONFLICT (task_id) DO UPDATE SET base = excluded.base, "commit" = excluded."commit", tree = excluded.tree,
        files = excluded.files, insertions = excluded.insertions, deletions = excluded.deletions,
        commits = excluded.commits, nested = excluded.nested, home = excluded.home, problem = excluded.problem,
        sealed_at = excluded.sealed_at
    `
  }))

  return WorkerWorkspaces.of({
    ready: Effect.fn("WorkerWorkspaces.ready")((id, mounted) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sql`
          UPDATE workspaces SET state = 'ready', trash_path = NULL, mounted = ${mounted ? 1 : 0}, used_at = ${now}
          WHERE id = ${id} AND state IN ('planned', 'ready')
        `
      ).pipe(Effect.asVoid, write("workspaceReady"))
    ),

    rebase: Effect.fn("WorkerWorkspaces.rebase")((id, base) =>
      sql`UPDATE workspaces SET base = ${base} WHERE id = ${id} AND state = 'planned' AND last_seal IS NULL`.pipe(
        Effect.asVoid,
        write("workspaceRebase")
      )
    ),

    sealed: Effect.fn("WorkerWorkspaces.sealed")((result) =>
      Effect.gen(function* () {
        yield* writeResult(result)
        yield* sql`
          UPDATE workspaces SET last_seal = ${result.commit}, last_sealed_at = ${result.sealedAt},
            problem = ${result.problem}, used_at = ${result.sealedAt}
          WHERE id = ${result.workspaceId}
        `
      }).pipe(write("taskSealed"))
    ),

    troubled: Effect.fn("WorkerWorkspaces.troubled")((id, problem) =>
      sql`UPDATE workspaces SET problem = ${problem} WHERE id = ${id}`.pipe(Effect.asVoid, write("workspaceTroubled"))
    ),

    idle: Effect.fn("WorkerWorkspaces.idle")((before, limit) =>
      findIdle({ before, limit }).pipe(read("idleWorkspaces"))
    ),

    unfinished: Effect.fn("WorkerWorkspaces.unfinished")((limit) =>
      findUnfinished(limit).pipe(read("unfinishedReclaims"))
    ),

    trash: Effect.fn("WorkerWorkspaces.trash")((before, limit) => findTrash({ before, limit }).pipe(read("trash"))),

    measured: Effect.fn("WorkerWorkspaces.measured")((id, bytes) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => sql`UPDATE workspaces SET bytes = coalesce(${bytes}, bytes), measured_at = ${now} WHERE id = ${id}`
      ).pipe(Effect.asVoid, write("workspaceMeasured"))
    ),
    unmeasured: Effect.fn("WorkerWorkspaces.unmeasured")((limit) =>
      findUnmeasured(limit).pipe(read("unmeasuredWorkspaces"))
    )
  })
})

export const layer = Layer.effect(WorkerWorkspaces, make)
