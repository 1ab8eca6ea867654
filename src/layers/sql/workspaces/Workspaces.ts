/** Workspaces on SQLite: each change of state a compare-and-set. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ContestId } from "../../../domain/contest/Contest.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import { CommitId } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceBusy, WorkspaceNotFound } from "../../../domain/workspace/WorkspaceErrors.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Paths } from "../../../services/Paths.ts"
import { type WorkspaceEntry, Workspaces } from "../../../services/Workspaces.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { freeSlot } from "./provideWorkspace.ts"
import { ResultRow, resultColumns, storedFlag, WorkspaceRow, workspaceColumns } from "./WorkspaceRows.ts"
import { makeWorkspaceSpace } from "./workspaceSpace.ts"

/** Ids named in the error of an ambiguous prefix. */
const candidates = 10

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const { database } = yield* Paths
  const access = makeAccess(sql, database)
  const { read, write } = access
  const columns = sql.literal(workspaceColumns)

  const findOfTask = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({
      ...WorkspaceRow.fields,
      startCommit: Schema.NullOr(CommitId),
      contestId: Schema.NullOr(ContestId),
      role: Schema.NullOr(Schema.String),
      winner: Schema.NullOr(Schema.Int),
      keptCommit: Schema.NullOr(CommitId)
    }),
    execute: (id) => sql`
      SELECT ${columns}, tasks.start_commit, own.contest_id, own.role, contests.winner, (
        SELECT results."commit" FROM contest_tasks work JOIN results ON results.task_id = work.task_id
        WHERE work.contest_id = contests.id AND work.number = contests.winner AND work.role = 'work'
      ) AS kept_commit
      FROM tasks JOIN workspaces ON workspaces.id = tasks.workspace_id
      LEFT JOIN contest_tasks own ON own.task_id = tasks.id
      LEFT JOIN contests ON contests.id = own.contest_id
      WHERE tasks.id = ${id}
    `
  }))

  const findOne = Statement.findOne(() => ({
    Request: WorkspaceId,
    Result: WorkspaceRow,
    execute: (id) => sql`SELECT ${columns} FROM workspaces WHERE id = ${id}`
  }))

  const Found = Schema.Struct({ id: WorkspaceId })
  const findByPrefix = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: Found,
    execute: ({ from, to }) => sql`
      SELECT id FROM workspaces WHERE id >= ${from} AND id < ${to}
      UNION
      SELECT workspace_id AS id FROM tasks WHERE id >= ${from} AND id < ${to} AND workspace_id IS NOT NULL
      ORDER BY id LIMIT ${candidates}
    `
  }))
  const findNewest = Statement.findAll(() => ({
    Request: Schema.Void,
    Result: Found,
    execute: () => sql`
      SELECT workspace_id AS id FROM tasks WHERE workspace_id IS NOT NULL ORDER BY seq DESC LIMIT 1
    `
  }))

  const findEntries = Statement.findAll(() => ({
    Request: Schema.Struct({ state: Schema.Array(Schema.String), limit: Schema.Int }),
    Result: Schema.Struct({
      ...WorkspaceRow.fields,
      taskId: Schema.NullOr(TaskId),
      title: Schema.NullOr(Schema.String),
      working: storedFlag
    }),
    execute: ({ limit, state }) => sql`
      SELECT ${columns}, tasks.id AS task_id, tasks.title,
        EXISTS (SELECT 1 FROM tasks own WHERE own.workspace_id = workspaces.id AND own.status = 'running') AS working
      FROM workspaces LEFT JOIN tasks
        ON tasks.seq = (SELECT max(seq) FROM tasks own WHERE own.workspace_id = workspaces.id)
      WHERE ${state.length === 0 ? sql`1 = 1` : sql.in("state", state)}
      ORDER BY workspaces.created_at DESC, workspaces.id LIMIT ${limit}
    `
  }))

  const findResult = Statement.findOne(() => ({
    Request: TaskId,
    Result: ResultRow,
    execute: (id) => sql`SELECT ${sql.literal(resultColumns)} FROM results WHERE task_id = ${id}`
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

  const found = (id: WorkspaceId) =>
    Effect.flatMap(
      findOne(id),
      Option.match({
        onNone: () => Effect.fail(new WorkspaceNotFound({ reference: id, candidates: [] })),
        onSome: Effect.succeed
      })
    )

  const touched = Clock.currentTimeMillis

  return Workspaces.of({
    ...makeWorkspaceSpace(sql, access),

    ofTask: Effect.fn("Workspaces.ofTask")((id) =>
      findOfTask(id).pipe(
        Effect.map(
          Option.map(({ contestId, keptCommit, role, startCommit, winner, ...workspace }) => ({
            workspace,
            startCommit,
            contestId,
            choice: role === "choice" ? { winner, commit: keptCommit } : null
          }))
        ),
        read("workspaceOfTask")
      )
    ),

    get: Effect.fn("Workspaces.get")((id) => found(id).pipe(read("getWorkspace"))),

    resolve: Effect.fn("Workspaces.resolve")(function* (reference) {
      const search = reference === "@last" ? findNewest() : findByPrefix({ from: reference, to: `${reference}~` })
      const all = reference === "" ? [] : yield* search.pipe(read("resolveWorkspace"))
      const [first, second] = all
      if (first !== undefined && second === undefined) return first.id
      return yield* new WorkspaceNotFound({ reference, candidates: all.map(({ id }) => id) })
    }),

    list: Effect.fn("Workspaces.list")((filter) =>
      findEntries(filter).pipe(
        Effect.map((rows) =>
          rows.map(
            ({ taskId, title, working, ...workspace }): WorkspaceEntry => ({ workspace, taskId, title, working })
          )
        ),
        read("listWorkspaces")
      )
    ),

    ready: Effect.fn("Workspaces.ready")((id, mounted) =>
      Effect.flatMap(
        touched,
        (now) => sql`
          UPDATE workspaces SET state = 'ready', trash_path = NULL, mounted = ${mounted ? 1 : 0}, used_at = ${now}
          WHERE id = ${id} AND state IN ('planned', 'ready')
        `
      ).pipe(Effect.asVoid, write("workspaceReady"))
    ),

    rebase: Effect.fn("Workspaces.rebase")((id, base) =>
      sql`UPDATE workspaces SET base = ${base} WHERE id = ${id} AND state = 'planned' AND last_seal IS NULL`.pipe(
        Effect.asVoid,
        write("workspaceRebase")
      )
    ),

    sealed: Effect.fn("Workspaces.sealed")((result) =>
      Effect.gen(function* () {
        yield* writeResult(result)
        yield* sql`
          UPDATE workspaces SET last_seal = ${result.commit}, last_sealed_at = ${result.sealedAt},
            problem = ${result.problem}, used_at = ${result.sealedAt}
          WHERE id = ${result.workspaceId}
        `
      }).pipe(write("taskSealed"))
    ),

    troubled: Effect.fn("Workspaces.troubled")((id, problem) =>
      sql`UPDATE workspaces SET problem = ${problem} WHERE id = ${id}`.pipe(Effect.asVoid, write("workspaceTroubled"))
    ),

    result: Effect.fn("Workspaces.result")((id) => findResult(id).pipe(read("taskResult"))),

    keep: Effect.fn("Workspaces.keep")((id, kept) =>
      sql`UPDATE workspaces SET kept = ${kept ? 1 : 0} WHERE id = ${id}`.pipe(Effect.asVoid, write("keepWorkspace"))
    ),

    reclaiming: Effect.fn("Workspaces.reclaiming")((id) =>
      Effect.gen(function* () {
        const workspace = yield* found(id)
        const changed = yield* sql`
          UPDATE workspaces SET state = 'reclaiming', used_at = ${yield* touched} WHERE id = ${id} AND state IN ('planned', 'ready', 'reclaiming')
            AND kept = 0 AND NOT EXISTS (
              SELECT 1 FROM tasks WHERE workspace_id = ${id} AND status IN ('queued', 'running')
            )
          RETURNING id
        `
        if (changed.length > 0) return { ...workspace, state: "reclaiming" as const }
        const reason = workspace.kept
          ? `it is kept: beat workspace keep --off ${id}`
          : workspace.state === "trashed" || workspace.state === "gone"
            ? "it was reclaimed before"
            : "a task in it waits or runs"
        return yield* new WorkspaceBusy({ id, reason })
      }).pipe(write("reclaimWorkspace"))
    ),

    trashed: Effect.fn("Workspaces.trashed")((id, trashPath, late) =>
      Effect.flatMap(
        touched,
        (now) => sql`
          UPDATE workspaces SET state = 'trashed', trash_path = ${trashPath}, last_seal = coalesce(${late}, last_seal), slot = NULL, used_at = ${now}, problem = NULL
          WHERE id = ${id} AND state = 'reclaiming'
        `
      ).pipe(Effect.asVoid, write("workspaceTrashed"))
    ),

    returned: Effect.fn("Workspaces.returned")((id, problem) =>
      sql`UPDATE workspaces SET state = 'ready', problem = ${problem} WHERE id = ${id} AND state = 'reclaiming'`.pipe(
        Effect.asVoid,
        write("workspaceReturned")
      )
    ),

    gone: Effect.fn("Workspaces.gone")((id) =>
      Effect.flatMap(
        touched,
        (now) => sql`
          UPDATE workspaces SET state = 'gone', trash_path = NULL, slot = NULL, used_at = ${now}
          WHERE id = ${id} AND state IN ('reclaiming', 'trashed')
        `
      ).pipe(Effect.asVoid, write("workspaceGone"))
    ),

    restored: Effect.fn("Workspaces.restored")((id, state) =>
      Effect.flatMap(
        touched,
        (now) => sql`
          UPDATE workspaces SET state = ${state}, trash_path = NULL, slot = ${freeSlot(sql)}, used_at = ${now}
          WHERE id = ${id} AND state IN ('trashed', 'gone')
        `
      ).pipe(Effect.asVoid, write("workspaceRestored"))
    )
  })
})

export const layer = Layer.effect(Workspaces, make)
