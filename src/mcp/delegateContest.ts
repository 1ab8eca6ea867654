/** `times` and `best` of DelegateTask: one prompt for several candidates, of which one that passes is kept. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../domain/Errors.ts"
import { standardEvaluationMs } from "../domain/loop/LoopRequest.ts"
import { submitContest } from "../programs/contests/submitContest.ts"
import { groupsOf } from "../programs/reports/groupState.ts"
import { taskState } from "../programs/reports/taskState.ts"
import { submitterOf } from "../programs/tasks/Submitter.ts"
import { type DescribedTask, submissionOf } from "./fields/TaskFields.ts"
import { onceStored } from "./onceStored.ts"
import { Session } from "./protocol/Session.ts"
import type { TaskStates } from "./TaskStates.ts"
import { requireShell } from "./withoutShell.ts"

interface Given extends DescribedTask {
  readonly times?: number | undefined
  readonly best?: string | undefined
  readonly base?: string | undefined
  readonly in?: string | undefined
  readonly tasks?: unknown
}

const wrong = (field: string, problem: string) =>
  new InvalidInput({ field, problem, example: '"times": 3, "best": "npm test"' })

/** The candidates take turns with the agents that `agent` names, separated by commas. */
const agentsOf = (agent: string | undefined, times: number) =>
  Effect.gen(function* () {
    const names = (agent ?? "").split(",").map((name) => name.trim())
    if (agent === undefined) return [null]
    if (names.includes("")) return yield* wrong("agent", "has an empty name in its list")
    if (names.length > times) return yield* wrong("agent", `names ${names.length} agents for ${times} candidates`)
    return names
  })

/** The answer has the contest to wait for, and the tasks of its candidates. */
export const delegateContest = Effect.fn("delegateContest")(function* (input: Given) {
  const { best, prompt, times } = input
  const session = yield* Session
  if (times === undefined) return yield* wrong("best", "needs 'times'")
  if (best === undefined) return yield* wrong("times", "needs 'best'")
  for (const other of ["tasks", "in", "key"] as const)
    if (input[other] !== undefined) return yield* wrong("times", `cannot be combined with '${other}'`)
  if (prompt === undefined) return yield* wrong("prompt", "it is missing")
  yield* requireShell("best")
  const agents = yield* agentsOf(input.agent, times)
  const submission = yield* submissionOf({ ...input, prompt }, new Map())
  yield* session.serving
  const { contest, warnings } = yield* Effect.uninterruptible(
    submitContest(
      submission,
      {
        rules: { check: best, score: null, better: "lower", protect: [], evaluationMs: standardEvaluationMs },
        times,
        agents,
        setup: null,
        base: input.base ?? "HEAD"
      },
      submitterOf(session.environment)
    )
  )
  const answer: TaskStates = {
    tasks: yield* onceStored(
      Effect.forEach(contest.candidates, ({ workTask }) => taskState(workTask)),
      []
    ),
    groups: yield* onceStored(groupsOf([contest.id]), null),
    pending: [contest.id],
    cursor: 0,
    more: false,
    timedOut: false,
    warnings: [
      `contest ${contest.id}: wait for this id with WaitTasks, then give it to TaskDiff and MergeTask for the candidate that is kept`,
      ...warnings
    ]
  }
  return answer
})
