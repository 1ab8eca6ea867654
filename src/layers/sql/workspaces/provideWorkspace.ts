/** Gives a task its workspace: a new one is planned, and one that was reclaimed is planned again at the same path. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { WorkspaceRequest } from "../../../domain/workspace/Workspace.ts"

/** The smallest number that no workspace has. */
export const freeSlot = (sql: SqlClient.SqlClient) => sql`(
  SELECT min(taken.slot + 1) FROM (SELECT 0 AS slot UNION ALL SELECT slot FROM workspaces WHERE slot IS NOT NULL) taken
  WHERE NOT EXISTS (SELECT 1 FROM workspaces other WHERE other.slot = taken.slot + 1)
)`

/** It must run inside a transaction. */
export const makeProvideWorkspace = (sql: SqlClient.SqlClient) => (request: WorkspaceRequest) =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (request.kind === "existing") {
      // The time of a reclaim that has begun belongs to its process.
      yield* sql`
        UPDATE workspaces SET used_at = CASE WHEN state = 'reclaiming' THEN used_at ELSE ${now} END,
          slot = coalesce(slot, ${freeSlot(sql)}),
          state = CASE WHEN state IN ('trashed', 'gone') THEN 'planned' ELSE state END
        WHERE id = ${request.id}
      `
      return
    }
    const { base, baseKind, home, id, path, subdirectory } = request
    // The second task of a batch may ask for the workspace that the first one brings.
    yield* sql`
      INSERT INTO workspaces (id, home, subdirectory, base, base_kind, path, slot, state, created_at, used_at)
      VALUES (${id}, ${home}, ${subdirectory}, ${base}, ${baseKind}, ${path}, ${freeSlot(sql)}, 'planned', ${now}, ${now})
      ON CONFLICT (id) DO NOTHING
    `
  })
