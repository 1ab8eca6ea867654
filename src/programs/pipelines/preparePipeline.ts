/** Makes a pipeline ready to be stored: each step with its task, and what the plan left open from its submitter. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { askFor } from "../../domain/pipeline/AnswerRule.ts"
import {
  contestTasksOf,
  type NewPipeline,
  type NewPipelineStep,
  type PipelinePlan
} from "../../domain/pipeline/Pipeline.ts"
import type { PlannedStep } from "../../domain/pipeline/PlannedStep.ts"
import { Labels } from "../../domain/task/Task.ts"
import type { WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { Directories } from "../../services/Directories.ts"
import { loopTask } from "../loops/loopTask.ts"
import { planOfWork } from "../loops/planOfWork.ts"
import { requireSessions } from "../loops/requireSessions.ts"
import { prepareTask, type Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { planWorkspaces } from "../workspaces/planWorkspace.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"
import { choiceOf, prepareContest } from "./prepareContest.ts"

/** What a submission says for every step that says nothing else. */
export type PipelineDefaults = Pick<
  Submission,
  "agent" | "model" | "systemPrompt" | "priority" | "directory" | "timeoutMs" | "stallMs" | "labels"
> &
  Pick<Partial<Submission>, "maxRetries" | "backoffMs"> & {
    /** Text that the submitter piped in: it goes to the first step. */
    readonly piped?: string | null
    /** What the workspaces of an isolated pipeline are cut from: `HEAD`, unless it says otherwise. */
    readonly base?: string | null
  }

const isLabels = Schema.is(Labels)

/** As written, 0 is none; null is what the others say. */
const orElse = (written: number | null, otherwise: number | null | undefined) =>
  written === null ? otherwise : written === 0 ? null : written

/** For a step whose directory is absolute, or not given. */
export const stepSubmission = (
  step: PlannedStep,
  defaults: PipelineDefaults
): Effect.Effect<Submission, InvalidInput> => {
  const labels = { ...defaults.labels, ...step.labels }
  if (!isLabels(labels)) return new InvalidInput({ field: "labels", problem: "more than 32 in all", example: null })
  const edges = step.after.map((member) => ({ upstream: { member }, policy: step.policy }))
  const retries = step.retries ?? defaults.maxRetries
  const backoffMs = step.backoffMs ?? defaults.backoffMs
  return Effect.succeed({
    prompt: step.prompt,
    closing: step.gate === null ? null : askFor(step.gate),
    agent: step.agent ?? defaults.agent,
    model: step.model ?? defaults.model,
    systemPrompt: step.systemPrompt ?? defaults.systemPrompt,
    priority: step.priority ?? defaults.priority,
    directory: step.directory ?? defaults.directory,
    timeoutMs: orElse(step.timeoutMs, defaults.timeoutMs),
    stallMs: orElse(step.stallMs, defaults.stallMs),
    maxOutputBytes: undefined,
    notBefore: null,
    idempotencyKey: null,
    labels,
    extra: {},
    retryOf: null,
    dependsOn: edges,
    continueFrom: step.continueFrom === null ? null : { member: step.continueFrom },
    ...(retries === undefined ? {} : { maxRetries: retries }),
    ...(backoffMs === undefined ? {} : { backoffMs })
  })
}

const submissionOf = Effect.fn("preparePipeline.submission")(function* (step: PlannedStep, defaults: PipelineDefaults) {
  const directories = yield* Directories
  const directory = step.directory === null ? null : yield* directories.resolve(step.directory, defaults.directory)
  return yield* stepSubmission({ ...step, directory }, defaults)
})

type NewWorkspace = Extract<WorkspaceRequest, { readonly kind: "new" }>

/**
 * The workspaces of each step: one for all that ask for nothing else, and one for each candidate. The base of those that begin
 * with what the step before left moves there when the step starts.
 */
const planStepWorkspaces = Effect.fn("preparePipeline.workspaces")(function* (
  { isolate, steps }: PipelinePlan,
  { base, directory }: PipelineDefaults,
  { environment }: Submitter
) {
  if (!isolate) return { notes: [], at: () => undefined, candidatesAt: () => [] }
  const far = steps.find((step) => step.directory !== null)
  if (far !== undefined) {
    const problem = "the steps of an isolated pipeline work in its workspace"
    return yield* new InvalidInput({ field: `${far.name}.directory`, problem, example: null })
  }
  const own = steps.flatMap(({ contest, workspace }, index) =>
    contest !== null ? contest.candidates.map(() => index) : workspace === "own" ? [index] : []
  )
  const { notes, requests } = yield* planWorkspaces(
    realDirectory(directory, environment),
    base ?? "HEAD",
    own.length + 1
  )
  const [shared, ...others] = requests
  const ownAt = (index: number): ReadonlyArray<NewWorkspace> =>
    others.flatMap((request, place) => (own[place] === index ? [{ ...request, baseKind: "step" as const }] : []))
  return {
    notes,
    at: (index: number): NewWorkspace | undefined => (steps[index]?.workspace === "own" ? ownAt(index)[0] : shared),
    candidatesAt: ownAt
  }
})

/** Only pipelines that run once have a workspace: that of a schedule would be shared by all of its runs. */
export const refuseIsolation = ({ isolate }: PipelinePlan) =>
  isolate
    ? new InvalidInput({ field: "isolate", problem: "a schedule cannot run an isolated pipeline", example: null })
    : Effect.void

/** Stores nothing. Also returns hints about the agents. */
export const preparePipeline = Effect.fn("preparePipeline")(function* (
  plan: PipelinePlan,
  defaults: PipelineDefaults,
  submitter: Submitter
) {
  const warnings = new Set<string>()
  const workspaceOf = yield* planStepWorkspaces(plan, defaults, submitter)
  for (const note of workspaceOf.notes) warnings.add(note)
  let members = plan.steps.length
  const steps = yield* Effect.forEach(plan.steps, (step, index) =>
    Effect.gen(function* () {
      const submission = {
        ...(yield* submissionOf(step, defaults)),
        piped: index === 0 ? (defaults.piped ?? null) : null,
        workspace: workspaceOf.at(index)
      }
      const { after, continueFrom, delayMs, gate, name, policy, stage } = step
      const place = { name, stage, policy, after, delayMs, continueFrom, gate }
      const warn = (hints: ReadonlyArray<string>) => {
        for (const hint of hints) warnings.add(`${name}: ${hint}`)
      }
      if (step.loop !== null) {
        // Its agent is known before anything is stored.
        const { task, warnings } = yield* prepareTask(submission, submitter)
        warn(warnings)
        yield* requireSessions(step.loop, [task.agent])
        const plan = planOfWork({ request: step.loop, base: "HEAD" }, step, submission)
        const prepared = yield* prepareTask(loopTask(submission, plan), submitter)
        return { ...place, work: prepared.task } satisfies NewPipelineStep
      }
      if (step.contest === null) {
        const prepared = yield* prepareTask(submission, submitter)
        warn(prepared.warnings)
        return { ...place, work: prepared.task } satisfies NewPipelineStep
      }
      const candidates = yield* prepareContest(
        {
          step: step.contest,
          work: submission,
          setup: plan.setup,
          requests: workspaceOf.candidatesAt(index),
          first: members
        },
        submitter
      )
      warn(candidates.warnings)
      members += contestTasksOf(candidates.contest).length
      const choice = yield* prepareTask(choiceOf(submission, step.contest.candidates.length), submitter)
      const work = { ...choice.task, dependsOn: [...choice.task.dependsOn, ...candidates.edges] }
      return { ...place, work, contest: candidates.contest } satisfies NewPipelineStep
    }).pipe(
      Effect.catchTag("InvalidInput", (error) =>
        Effect.fail(new InvalidInput({ field: `${step.name}.${error.field}`, problem: error.problem, example: null }))
      )
    )
  )
  const pipeline: NewPipeline = { name: plan.name, steps, retryOf: null, idempotencyKey: null }
  return { pipeline, warnings: Array.from(warnings) }
})
