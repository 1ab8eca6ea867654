/** Where the work of `beat run` is done: here, in a new workspace, or in that of another task. */
import * as Effect from "effect/Effect"
import type { NewDependency } from "../../domain/task/NewTask.ts"
import { asShellCommand } from "../../programs/tasks/asShellCommand.ts"
import type { Submission } from "../../programs/tasks/prepareTask.ts"
import type { Submitter } from "../../programs/tasks/Submitter.ts"
import { type SubmitResult, submit } from "../../programs/tasks/submit.ts"
import { type Place, placeWork } from "../../programs/workspaces/placeWork.ts"
import { Caller } from "../framework/Caller.ts"

interface Given extends Place {
  readonly setup: string | null
}

/** The work, what runs before it, and what the submitter should know. */
interface Placed {
  readonly setup: Submission | null
  readonly work: Submission
  readonly notes: ReadonlyArray<string>
}

export const placeWithSetup = Effect.fn("placeWithSetup")(function* (submission: Submission, given: Given) {
  const { environment } = yield* Caller
  const { notes, work } = yield* placeWork(submission, given, environment)
  if (given.setup === null) return { setup: null, work, notes } satisfies Placed
  const edge: NewDependency = { upstream: { member: 0 }, policy: "success" }
  const after: Placed = {
    setup: asShellCommand(work, given.setup),
    work: { ...work, dependsOn: [...(work.dependsOn ?? []), edge] },
    notes
  }
  return after
})

/** Submits the work with its setup. The answer is the work alone. */
export const submitPlaced = Effect.fn("submitPlaced")(function* ({ notes, setup, work }: Placed, submitter: Submitter) {
  const result = yield* submit(setup === null ? [work] : [setup, work], submitter)
  const answer: SubmitResult = {
    ...result,
    tasks: result.tasks.slice(-1).map((one) => ({ ...one, warnings: [...one.warnings, ...notes] }))
  }
  return answer
})
