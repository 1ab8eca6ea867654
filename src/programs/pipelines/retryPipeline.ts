/** Retries a pipeline that has not completed: completed steps are kept, the others run again. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ContestId } from "../../domain/contest/Contest.ts"
import type { NewCandidate, NewContest } from "../../domain/contest/NewContest.ts"
import {
  contestTasksOf,
  type NewPipelineStep,
  type Pipeline,
  type PipelineStep
} from "../../domain/pipeline/Pipeline.ts"
import { PipelineStateConflict } from "../../domain/pipeline/PipelineErrors.ts"
import type { NewDependency, Upstream } from "../../domain/task/NewTask.ts"
import { isTerminal, type PipelineId } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { placeAt } from "../contests/submitContest.ts"
import { prepareTask } from "../tasks/prepareTask.ts"
import { resubmit } from "../tasks/resubmit.ts"
import { continuationOf } from "../tasks/retry.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { planWorkspaces } from "../workspaces/planWorkspace.ts"
import { linked } from "./prepareContest.ts"
import { storePipeline } from "./submitPipeline.ts"
import { requireOwnPipeline } from "./waitForPipeline.ts"

/** Places of the steps that are kept: completed, and so were all they followed. */
const keptOf = ({ steps }: Pipeline): ReadonlySet<number> => {
  const kept = new Set<number>()
  const isKept = (place: number): boolean => {
    const step = steps[place]
    return step !== undefined && step.status === "completed" && step.after.every(isKept)
  }
  for (const { position } of steps) if (isKept(position)) kept.add(position)
  return kept
}

/** The limits of its first attempt: each automatic retry has less left of them. */
const retriesOf = Effect.fn("retryPipeline.retries")(function* ({ task }: Pick<PipelineStep, "task">) {
  if (task.rootId === null || task.continuation !== "retry") return task
  const tasks = yield* Tasks
  return yield* tasks.summary(task.rootId).pipe(Effect.catchTag("TaskNotFound", () => Effect.succeed(task)))
})

interface Again {
  readonly contest: ContestId
  /** What each candidate begins after, and the step whose results go before its prompt. */
  readonly dependsOn: ReadonlyArray<NewDependency>
  readonly continueFrom: Upstream | null
  readonly first: number
}

/** The same candidates, each in a new workspace. */
const contestAgain = Effect.fn("retryPipeline.contest")(function* (
  { contest: id, continueFrom, dependsOn, first }: Again,
  submitter: Submitter
) {
  const tasks = yield* Tasks
  const contests = yield* Contests
  const workspaces = yield* Workspaces
  const { candidates, directory, rules, title } = yield* contests
    .get(id)
    .pipe(Effect.catchTag("ContestNotFound", () => Effect.dieMessage("a step without its contest")))
  const entrants = yield* contests.entrants(id)
  const prepared: Array<NewCandidate> = []
  const edges: Array<NewDependency> = []
  let prompt = title
  let member = first
  const [one] = candidates
  const place = one === undefined ? Option.none() : yield* workspaces.ofTask(one.workTask)
  const base = Option.isNone(place) ? "HEAD" : place.value.workspace.base
  const { requests } = yield* planWorkspaces(directory, base, candidates.length)
  for (const [index, { number }] of candidates.entries()) {
    const request = requests[index]
    if (request === undefined) continue
    const own = entrants.filter((entrant) => entrant.number === number)
    const candidate = yield* Effect.forEach(own, ({ role, taskId }, position) =>
      Effect.gen(function* () {
        const whole = yield* tasks.get(taskId)
        const { environment, submission } = yield* resubmit(whole, submitter.environment.PATH)
        if (role === "work") prompt = whole.prompt
        const begins = role === "work" || role === "setup"
        const { task } = yield* prepareTask(
          {
            ...submission,
            retryOf: null,
            workspace: placeAt({ ...request, baseKind: "step" }, position),
            dependsOn: begins ? dependsOn : [],
            continueFrom: role === "work" ? continueFrom : null,
            maxRetries: (yield* retriesOf({ task: whole })).maxRetries
          },
          { ...submitter, environment }
        )
        return role === "choice" ? [] : [{ role, task }]
      })
    )
    prepared.push(linked(candidate.flat(), member))
    member += own.length
    edges.push({ upstream: { member: member - 1 }, policy: "finished" })
  }
  const contest: NewContest = { rules, prompt, directory, candidates: prepared }
  return { contest, edges }
})

export const retryPipeline = Effect.fn("retryPipeline")(function* (id: PipelineId, submitter: Submitter) {
  const tasks = yield* Tasks
  const pipeline = yield* (yield* Pipelines).get(id)
  yield* requireOwnPipeline(pipeline, submitter, "retry")
  if (!isTerminal(pipeline.status) || pipeline.status === "completed") {
    return yield* new PipelineStateConflict({ id, actual: pipeline.status })
  }
  const kept = keptOf(pipeline)
  const fresh = pipeline.steps.filter(({ position }) => !kept.has(position)).map(({ position }) => position)
  const upstream = (place: number): Upstream => {
    const step = pipeline.steps[place]
    return step !== undefined && kept.has(place) ? step.task.id : { member: fresh.indexOf(place) }
  }
  const warnings = new Set<string>()
  let members = fresh.length
  const steps = yield* Effect.forEach(pipeline.steps, (step) =>
    Effect.gen(function* () {
      const { after, continueFrom, delayMs, gate, name, policy, stage, task } = step
      const place = { name, stage, policy, after, delayMs, continueFrom, gate }
      if (kept.has(step.position)) return { ...place, work: { kept: task.id } } satisfies NewPipelineStep
      const whole = yield* tasks.get(task.id)
      const { environment, submission } = yield* resubmit(whole, submitter.environment.PATH)
      const edges: ReadonlyArray<NewDependency> = after.map((other) => ({ upstream: upstream(other), policy }))
      const from = continueFrom === null ? null : upstream(continueFrom)
      if (step.contest !== null) {
        const again = { contest: step.contest, dependsOn: edges, continueFrom: from, first: members }
        const { contest, edges: ends } = yield* contestAgain(again, submitter)
        members += contestTasksOf(contest).length
        const choice = yield* prepareTask(
          { ...submission, retryOf: null, dependsOn: [...edges, ...ends], continueFrom: null },
          { ...submitter, environment }
        )
        return { ...place, work: choice.task, contest } satisfies NewPipelineStep
      }
      const { backoffMs, maxRetries } = yield* retriesOf(step)
      // A step that never ran has nothing to retry.
      const began = task.startedAt !== null
      const prepared = yield* prepareTask(
        {
          ...submission,
          ...(began ? continuationOf(whole) : { retryOf: null }),
          dependsOn: edges,
          continueFrom: from,
          maxRetries,
          backoffMs
        },
        { ...submitter, environment }
      )
      for (const warning of prepared.warnings) warnings.add(`${name}: ${warning}`)
      return { ...place, work: prepared.task } satisfies NewPipelineStep
    })
  )
  return yield* storePipeline({ name: pipeline.name, steps, retryOf: id, idempotencyKey: null }, Array.from(warnings))
})
