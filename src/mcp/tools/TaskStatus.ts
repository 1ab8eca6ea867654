/** Shows one task in full, or an overview of all tasks. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Checkpoint } from "../../domain/task/Checkpoint.ts"
import { TaskStatus as Status, TaskGlance } from "../../domain/task/Task.ts"
import { TaskReport, taskReport } from "../../programs/reports/taskReport.ts"
import { cutText } from "../../programs/reports/taskState.ts"
import { Tasks } from "../../services/Tasks.ts"
import { cutMiddle } from "../../text/Middle.ts"
import { Reference } from "../fields/Fields.ts"
import { outputLink, resultLink, taskLink } from "../protocol/Resources.ts"
import { tool } from "../Tool.ts"

/** Characters of a prompt or an answer; the rest is behind a link. */
const longestText = 2000

const Glance = Schema.Struct({
  counts: Schema.Record({ key: Status, value: Schema.Int }),
  /** The newest 20. */
  newest: Schema.Array(TaskGlance)
}).annotations({ identifier: "Glance" })

const shortened = (checkpoint: Checkpoint | null): Checkpoint | null =>
  checkpoint === null
    ? null
    : {
        ...checkpoint,
        answer: checkpoint.answer === null ? null : cutText(checkpoint.answer, longestText),
        tail: cutMiddle(checkpoint.tail, longestText)
      }

const Output = Schema.Struct({
  /** Null without an id. Long texts are cut at 2000 characters. */
  task: Schema.NullOr(TaskReport),
  /** Null with an id. */
  all: Schema.NullOr(Glance)
})

const glance = Effect.gen(function* () {
  const tasks = yield* Tasks
  const counts = yield* tasks.counts
  const newest = yield* tasks.newest(20)
  return { counts, newest: newest.map((task) => ({ ...task, title: cutText(task.title, 100) })) }
})

export const taskStatus = tool({
  name: "TaskStatus",
  title: "Status of tasks",
  description:
    "Show a task's status with what it waits for, cause and error; without an id: counts and the newest 20 tasks.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ id: Schema.optional(Reference) }),
  output: Output,
  example: { id: "k3v9x2m7q4ab" },
  handle: Effect.fn("TaskStatus")(function* ({ id }) {
    if (id === undefined) return { task: null, all: yield* glance }
    const report = yield* taskReport(id)
    return {
      all: null,
      task: {
        ...report,
        prompt: cutText(report.prompt, longestText),
        systemPrompt: report.systemPrompt === null ? null : cutText(report.systemPrompt, longestText),
        answer: report.answer === null ? null : cutText(report.answer, longestText),
        checkpoint: shortened(report.checkpoint)
      }
    }
  }),
  links: ({ task }) =>
    task === null
      ? []
      : [
          ...(task.prompt.length >= longestText ? [taskLink(task.id)] : []),
          ...(task.answer === null ? [] : [resultLink(task.id)]),
          outputLink(task.id)
        ]
})
