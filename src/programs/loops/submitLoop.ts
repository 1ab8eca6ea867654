/** Submits a loop: the work of its rounds and their evaluations are captured once, and the first round is stored. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { GoalLimits } from "../../domain/goal/Goal.ts"
import type { Loop, LoopRules } from "../../domain/loop/Loop.ts"
import { type LoopRequest, loopRules } from "../../domain/loop/LoopRequest.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { Loops } from "../../services/Loops.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { asShellCommand } from "../tasks/asShellCommand.ts"
import { prepareTask, type Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { planWorkspace } from "../workspaces/planWorkspace.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"
import { protectedPaths } from "./protectedPaths.ts"
import { requireSessions } from "./requireSessions.ts"

interface SubmittedLoop {
  readonly loop: Loop
  /** Hints about the agents, for the submitter. */
  readonly warnings: ReadonlyArray<string>
  /** Whether a worker was launched for it. */
  readonly launched: boolean
  /** The loop is stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

/** The shell commands that judge a round, in the order in which they run. */
export const evaluationsOf = ({ samples, score, until }: LoopRules) => [
  ...(until === null ? [] : [{ role: "until" as const, command: until }]),
  ...(score === null ? [] : Array.from({ length: samples }, () => ({ role: "score" as const, command: score })))
]

/** The agent that judges. It gets no tools of Backbeat, and an answer that is neither PASS nor FAIL is asked for once more. */
const judgeOf = (
  { server: _server, ...work }: Submission,
  criterion: string,
  { judgeAgent, judgeModel }: LoopRequest
): Submission => ({
  ...asShellCommand(work, criterion),
  agent: judgeAgent ?? work.agent,
  model: judgeAgent === null ? work.model : judgeModel,
  maxRetries: 1,
  backoffMs: 1000
})

/** One task of each round. */
export interface RoundStep {
  /** Null: the round has one step. */
  readonly name: string | null
  readonly work: Submission
}

export interface WantedLoop {
  readonly request: LoopRequest
  /** `HEAD`, `tree`, a revision or a task. */
  readonly base: string
  /** In their order, at least one. They and the evaluations work in the directory of the first. */
  readonly steps: readonly [RoundStep, ...ReadonlyArray<RoundStep>]
  /** The task that waits for the end of the loop. */
  readonly stepTask?: TaskId
  /** The bounds of the tree below its work, which are those of the loop where they say the same. */
  readonly goal?: Omit<GoalLimits, "deadline" | "budgetUsd">
}

/** A loop of one step. */
export const ofOneStep = (work: Submission): WantedLoop["steps"] => [{ name: null, work }]

/** Returns after the commit. */
export const submitLoop = Effect.fn("submitLoop")(function* (
  { base, goal, request, stepTask, steps }: WantedLoop,
  submitter: Submitter
) {
  const loops = yield* Loops
  const { maxDepth } = yield* (yield* SettingsStore).get
  const [{ work: first }] = steps
  const planned = yield* planWorkspace(realDirectory(first.directory, submitter.environment), base)
  const asked = loopRules(request, yield* Clock.currentTimeMillis)
  const rules: LoopRules = {
    ...asked,
    protect: yield* protectedPaths(asked.protect, [asked.until, asked.score], planned.request)
  }
  const within = (work: Submission): Submission => ({
    ...work,
    directory: first.directory,
    workspace: planned.request
  })
  const works = yield* Effect.forEach(steps, ({ name, work }) =>
    Effect.map(prepareTask(within(work), submitter), (prepared) => ({ name, ...prepared }))
  )
  yield* requireSessions(
    request,
    works.map(({ task }) => task.agent)
  )
  const described = [
    ...evaluationsOf(rules).map(({ command, role }) => ({ role, work: asShellCommand(within(first), command) })),
    ...(rules.judge === null ? [] : [{ role: "judge" as const, work: judgeOf(within(first), rules.judge, request) }])
  ]
  const prepared = yield* Effect.forEach(described, ({ role, work }) =>
    Effect.map(
      prepareTask({ ...work, timeoutMs: rules.evaluationMs, dependsOn: [] }, submitter),
      ({ task, warnings }) => ({ evaluation: { role, task }, warnings })
    )
  )
  const loop = yield* loops.create(
    {
      rules,
      goal: goal === undefined ? null : { ...goal, deadline: rules.deadline, budgetUsd: rules.budgetUsd },
      work: works.map(({ name, task }) => ({ name, task })),
      evaluations: prepared.map(({ evaluation }) => evaluation),
      stepTask: stepTask ?? null
    },
    { maxDepth }
  )
  const served = yield* Effect.either(ensureWorker())
  const hints = [...works, ...prepared].flatMap(({ warnings }) => warnings)
  const result: SubmittedLoop = {
    loop,
    warnings: Array.from(new Set([...hints, ...planned.notes])),
    launched: served._tag === "Right" && served.right,
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})
