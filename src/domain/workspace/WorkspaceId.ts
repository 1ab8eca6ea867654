/** The name of a workspace. */
import * as Schema from "effect/Schema"

/** Formed as a task's id is; each is looked up among its own kind. */
export const WorkspaceId = Schema.String.pipe(
  Schema.pattern(/^[0-9a-hjkmnp-tv-z]{12}$/, { description: "12 characters, e.g. k3v9x2m7q4ab" }),
  Schema.brand("WorkspaceId"),
  Schema.annotations({ identifier: "WorkspaceId" })
)
export type WorkspaceId = typeof WorkspaceId.Type
