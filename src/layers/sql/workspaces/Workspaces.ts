/** Workspaces on SQLite: each change of state a compare-and-set. */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ContestId } from "../../../domain/contest/Contest.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { CommitId, type Workspace } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceBusy, WorkspaceNotFound } from "../../../domain/workspace/WorkspaceErrors.ts"
import { WorkspaceId } from "../../../domain/workspace/WorkspaceId.ts"
import { Paths } from "../../../services/Paths.ts"
import { type WorkspaceEntry, Workspaces } from "../../../services/Workspaces.ts"
import { makeAccess } from "../database/Immediate.ts"
import * as Statement from "../database/Statement.ts"
import { freeSlot } from "./provideWorkspace.ts"
import { ResultRow, resultColumns, storedFlag, WorkspaceRow, workspaceColumns } from "./WorkspaceRows.ts"
import { isAwaited, makeWorkspaceUse } from "./workspaceUse.ts"

const Identity = Schema.parseJson(ProcessIdentity)

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

  const findSubmitted = Statement.findAll(() => ({
    Request: WorkspaceId,
    Result: Schema.Struct({ id: TaskId }),
    execute: (id) => sql`SELECT min(id) AS id FROM tasks WHERE workspace_id = ${id} GROUP BY parent_id`
  }))

  const findResult = Statement.findOne(() => ({
    Request: TaskId,
    Result: ResultRow,
    execute: (id) => sql`SELECT ${sql.literal(resultColumns)} FROM results WHERE task_id = ${id}`
  }))

  const found = (id: WorkspaceId) =>
    Effect.flatMap(
      findOne(id),
      Option.match({
        onNone: () => Effect.fail(new WorkspaceNotFound({ reference: id, candidates: [] })),
        onSome: Effect.succeed
      })
    )

  /** The time rises with each change of state: by it a process sees that the record has changed since it read it. */
  const after = (now: number) => sql`CASE WHEN used_at >= ${now} THEN used_at + 1 ELSE ${now} END`

  const takeForReclaim = Statement.findOne(() => ({
    Request: Schema.Struct({ id: WorkspaceId, now: Schema.Int, by: Identity, from: Schema.NullOr(Identity) }),
    Result: WorkspaceRow,
    execute: ({ by, from, id, now }) => sql`
      UPDATE workspaces SET state = 'reclaiming', reclaimer = ${by}, used_at = ${after(now)}
      WHERE id = ${id}
        AND (reclaimer = ${from} OR (state IN ('planned', 'ready') AND kept = 0 AND NOT ${isAwaited(sql)}))
      RETURNING ${columns}
    `
  }))

  const findReclaimer = Statement.findOne(() => ({
    Request: WorkspaceId,
    Result: Schema.Struct({ reclaimer: Identity, since: Timestamp }),
    execute: (id) => sql`SELECT reclaimer, used_at AS since FROM workspaces WHERE id = ${id} AND reclaimer IS NOT NULL`
  }))

  const change = (operation: string, { id, state, usedAt }: Workspace, set: Fragment) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => sql`
        UPDATE workspaces SET ${set}, reclaimer = NULL, used_at = ${after(now)}
        WHERE id = ${id} AND state = ${state} AND used_at = ${usedAt} RETURNING id
      `
    ).pipe(
      Effect.map((rows) => rows.length > 0),
      write(operation)
    )

  /** Its files are out of their place. A task that came meanwhile brings them back. */
  const away = (state: "trashed" | "gone") => sql`
    state = CASE WHEN ${isAwaited(sql)} THEN 'planned' ELSE ${state} END,
    slot = CASE WHEN ${isAwaited(sql)} THEN coalesce(slot, ${freeSlot(sql)}) END
  `

  return Workspaces.of({
    ...makeWorkspaceUse(sql, access),

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

    result: Effect.fn("Workspaces.result")((id) => findResult(id).pipe(read("taskResult"))),

    submitted: Effect.fn("Workspaces.submitted")((id) =>
      findSubmitted(id).pipe(
        Effect.map((rows) => rows.map((row) => row.id)),
        read("workspaceSubmitted")
      )
    ),
    keep: Effect.fn("Workspaces.keep")((id, kept) =>
      sql`UPDATE workspaces SET kept = ${kept ? 1 : 0} WHERE id = ${id}`.pipe(Effect.asVoid, write("keepWorkspace"))
    ),

    reclaimer: Effect.fn("Workspaces.reclaimer")((id) => findReclaimer(id).pipe(read("reclaimer"))),

    reclaiming: Effect.fn("Workspaces.reclaiming")((id, by, from) =>
      Effect.gen(function* () {
        const workspace = yield* found(id)
        const taken = yield* takeForReclaim({ id, now: yield* Clock.currentTimeMillis, by, from })
        if (Option.isSome(taken)) return taken.value
        const reason =
          workspace.state === "reclaiming"
            ? "another process reclaims it"
            : workspace.state === "trashed" || workspace.state === "gone"
              ? "it was reclaimed before"
              : workspace.kept
                ? `it is kept: beat workspace keep --off ${id}`
                : "a task in it waits or runs"
        return yield* new WorkspaceBusy({ id, reason })
      }).pipe(write("reclaimWorkspace"))
    ),

    trashed: Effect.fn("Workspaces.trashed")((workspace, trashPath, late) =>
      change(
        "workspaceTrashed",
        workspace,
        sql`${away("trashed")}, trash_path = ${trashPath}, last_seal = coalesce(${late}, last_seal), problem = NULL`
      )
    ),

    returned: Effect.fn("Workspaces.returned")((workspace, problem) =>
      change("workspaceReturned", workspace, sql`state = 'ready', problem = ${problem}`)
    ),

    gone: Effect.fn("Workspaces.gone")((workspace) =>
      change("workspaceGone", workspace, sql`${away("gone")}, trash_path = NULL`)
    ),

    restored: Effect.fn("Workspaces.restored")((workspace) =>
      change("workspaceRestored", workspace, sql`state = 'ready', trash_path = NULL, slot = ${freeSlot(sql)}`)
    )
  })
})

export const layer = Layer.effect(Workspaces, make)
