/** Lets an agent write a pipeline file for a goal: checked by the reader of such files, and corrected once. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { type PipelineInvalid, problemText } from "../../domain/pipeline/PipelineErrors.ts"
import { type TaskId, TaskId as TaskIdSchema } from "../../domain/task/Task.ts"
import { Tasks } from "../../services/Tasks.ts"
import type { Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { submit } from "../tasks/submit.ts"
import { type WaitOptions, waitFor } from "../tasks/waitFor.ts"
import { planWorkspace } from "../workspaces/planWorkspace.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"

// Only a goal without a plan needs the words.
const words = Effect.promise(() => import("../../text/PlanText.ts"))

/** The first draft, and one correction. */
const mostDrafts = 2

export const PlanDraft = Schema.Struct({
  /** The tasks that wrote it, the newest last. */
  tasks: Schema.Array(TaskIdSchema),
  /** The file. */
  text: Schema.String,
  /** What is wrong with it; empty: it can be run. */
  problems: Schema.Array(PipelineProblem)
}).annotations({ identifier: "PlanDraft" })
export type PlanDraft = typeof PlanDraft.Type

/** The agent did not answer. */
class PlanFailed extends Schema.TaggedError<PlanFailed>()("PlanFailed", {
  task: TaskIdSchema,
  problem: Schema.String
}) {
  override get message(): string {
    return `Task ${this.task} wrote no plan: ${this.problem}. What it did: beat logs ${this.task}`
  }
}

/** A workspace, so that the repository stays as it is whatever the agent does; none outside of git. */
const isolated = (submission: Submission, submitter: Submitter) =>
  planWorkspace(realDirectory(submission.directory, submitter.environment), "tree").pipe(
    Effect.map(({ request }): Submission => ({ ...submission, workspace: request })),
    Effect.catchTag("NotIsolable", () => Effect.succeed(submission))
  )

/** `read` is the reader of pipeline files; `onTask` is called with each task that is started. */
export const draftPlan = Effect.fn("draftPlan")(function* <R>(
  given: Submission,
  submitter: Submitter,
  read: (text: string) => Effect.Effect<unknown, PipelineInvalid>,
  onTask: (id: TaskId) => Effect.Effect<void, never, R>,
  options: Omit<WaitOptions, "goal" | "any">
) {
  const tasks = yield* Tasks
  const { planIn, planPrompt } = yield* words
  const written: Array<TaskId> = []
  let draft: { readonly text: string; readonly problems: ReadonlyArray<PipelineProblem> } | null = null
  for (let turn = 0; turn < mostDrafts; turn += 1) {
    const told: { readonly text: string; readonly problems: string } | null =
      draft === null
        ? null
        : { text: draft.text, problems: draft.problems.map((one) => problemText("plan", one)).join("\n") }
    const work: Submission = yield* isolated({ ...given, prompt: planPrompt(given.prompt, told) }, submitter)
    const [first] = (yield* submit([work], submitter)).tasks
    if (first === undefined) return yield* Effect.dieMessage("no task was stored")
    written.push(first.task.id)
    yield* onTask(first.task.id)
    const [ended] = yield* waitFor([first.task.id], { ...options, goal: "end", any: false })
    const task = yield* tasks.get(ended?.id ?? first.task.id)
    if (task.status !== "completed" || task.answer === null || task.answer.trim() === "") {
      const problem = task.status === "completed" ? "its answer is empty" : (task.error ?? task.status)
      return yield* new PlanFailed({ task: task.id, problem })
    }
    const text = planIn(task.answer)
    const checked = yield* Effect.either(read(text))
    draft = { text, problems: Either.isLeft(checked) ? checked.left.problems : [] }
    if (draft.problems.length === 0) break
  }
  const result: PlanDraft = { tasks: written, text: draft?.text ?? "", problems: draft?.problems ?? [] }
  return result
})
