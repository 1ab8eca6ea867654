/** The questions that wait for a person, with the facts about their tasks. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Question } from "../../domain/questions/Question.ts"
import { TaskGlance } from "../../domain/task/Task.ts"
import { Questions } from "../../services/Questions.ts"
import { Tasks } from "../../services/Tasks.ts"

export const InboxEntry = Schema.Struct({
  ...Question.fields,
  /** Null where it was asked outside of any task. */
  task: Schema.NullOr(TaskGlance),
  /** Whether its task waits without a process: its agent's turn has ended. */
  parked: Schema.Boolean
}).annotations({ identifier: "InboxEntry" })
export type InboxEntry = typeof InboxEntry.Type

export const Inbox = Schema.Struct({ questions: Schema.Array(InboxEntry) }).annotations({ identifier: "Inbox" })

/** Oldest first, at most 200. */
export const inbox = Effect.fn("inbox")(function* () {
  const questions = yield* Questions
  const tasks = yield* Tasks
  return yield* Effect.forEach(yield* questions.open, (question) =>
    Effect.gen(function* () {
      const found = question.taskId === null ? null : yield* Effect.option(tasks.summary(question.taskId))
      const summary = found === null || found._tag === "None" ? null : found.value
      const task =
        summary === null
          ? null
          : {
              id: summary.id,
              title: summary.title,
              status: summary.status,
              agent: summary.agent,
              createdAt: summary.createdAt,
              endedAt: summary.endedAt
            }
      const entry: InboxEntry = { ...question, task, parked: summary?.status === "queued" }
      return entry
    })
  )
})
