/** The final answer of a task. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { taskResult as resultOf, TaskResult } from "../../programs/reports/taskResult.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Reference } from "../fields/Fields.ts"
import { outputLink, resultLink } from "../protocol/Resources.ts"
import { tool } from "../Tool.ts"

/** Characters: about ten thousand tokens. The rest is behind a link. */
const longest = 40_000

export const taskResult = tool({
  name: "TaskResult",
  title: "Result of a task",
  description: "Get the agent's final answer, session id, duration and usage of an ended task, without the transcript.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ id: Reference }),
  output: TaskResult,
  example: { id: "k3v9x2m7q4ab" },
  handle: Effect.fn("TaskResult")(function* ({ id }) {
    const tasks = yield* Tasks
    return yield* resultOf(yield* tasks.resolve(id), longest)
  }),
  links: ({ answerCut, id }) => [...(answerCut ? [resultLink(id)] : []), outputLink(id)]
})
