/** What an isolated task has changed. */
import * as Schema from "effect/Schema"
import { WorkChanges, workChanges } from "../../programs/merges/workChanges.ts"
import { Reference, whole, withDefault } from "../fields/Fields.ts"
import { tool } from "../Tool.ts"

const mostFiles = 200

export const taskDiff = tool({
  name: "TaskDiff",
  title: "Changes of a task",
  description:
    "Show the files and the patch that an isolated task or a loop has changed, against where it began or another task's result.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    id: Reference,
    against: Schema.optional(Reference),
    maxBytes: withDefault(whole(0, 100_000, "Of the patch"), 20_000)
  }),
  output: WorkChanges,
  example: { id: "k3v9x2m7q4ab", against: "x2m7q4abk3v9", maxBytes: 20_000 },
  handle: ({ against, id, maxBytes }) => workChanges(id, against, { files: mostFiles, bytes: maxBytes })
})
