/** Reads what an agent printed, a page at a time. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LogPage, readLog } from "../../programs/output/readLog.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Reference, whole, withDefault } from "../fields/Fields.ts"
import { outputLink } from "../protocol/Resources.ts"
import { tool } from "../Tool.ts"

/** The most bytes that one call puts into a model's context. */
const maxBytes = 20_000

export const taskLogs = tool({
  name: "TaskLogs",
  title: "Output of a task",
  description:
    "Read a task's output (logs): the last lines, or those after 'since'; at most 20 kB, with 'next' for more.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    id: Reference,
    lines: withDefault(whole(1, 10_000, "From the end"), 50),
    since: Schema.optional(
      Schema.String.annotations({ description: "'next' of the previous page; '0.0': the beginning" })
    ),
    raw: withDefault(Schema.Boolean.annotations({ description: "Unread lines, such as an agent's JSON" }), false)
  }),
  output: LogPage,
  example: { id: "k3v9x2m7q4ab", lines: 50, since: "0.0", raw: false },
  handle: Effect.fn("TaskLogs")(function* (input) {
    const tasks = yield* Tasks
    return yield* readLog(yield* tasks.resolve(input.id), {
      raw: input.raw,
      since: input.since ?? null,
      lines: input.lines,
      maxBytes
    })
  }),
  links: ({ taskId }) => [outputLink(taskId)]
})
