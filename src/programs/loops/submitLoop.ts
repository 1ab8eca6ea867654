/** Submits a loop: the work of its rounds and their evaluations are captured once, and the first round is stored. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { GoalLimits } from "../../domain/goal/Goal.ts"
import type { Loop, LoopRules } from "../../domain/loop/Loop.ts"
import { Loops } from "../../services/Loops.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { prepareTask, type Submission } from "../tasks/prepareTask.ts"
import { shellBeside } from "../tasks/shellBeside.ts"
import type { Submitter } from "../tasks/submitter.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { planWorkspace } from "../workspaces/planWorkspace.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"
import { protectedPaths } from "./protectedPaths.ts"

export interface SubmittedLoop {
  readonly loop: Loop
  /** Hints about the agent, for the submitter. */
  readonly warnings: ReadonlyArray<string>
  /** Whether a worker was launched for it. */
  readonly launched: boolean
  /** The loop is stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

/** Milliseconds that an evaluation may take unless the submitter says otherwise. */
export const standardEvaluationMs = 30 * 60_000

/** The shell commands that judge a round, in the order in which they run. */
export const evaluationsOf = ({ samples, score, until }: LoopRules) => [
  ...(until === null ? [] : [{ role: "until" as const, command: until }]),
  ...(score === null ? [] : Array.from({ length: samples }, () => ({ role: "score" as const, command: score })))
]

/** The agent that judges. It gets no tools of Backbeat, and an answer that is neither PASS nor FAIL is asked for once more. */
const judgeOf = ({ server: _server, ...work }: Submission, criterion: string, { agent, model }: Judge): Submission => ({
  ...shellBeside(work, criterion),
  agent: agent ?? work.agent,
  model: agent === null ? work.model : model,
  maxRetries: 1,
  backoffMs: 1000
})

/** Who judges: null is the agent of the work, with its model. */
export interface Judge {
  readonly agent: string | null
  readonly model: string | null
}

/** Returns after the commit. */
export const submitLoop = Effect.fn("submitLoop")(function* (
  given: Submission,
  wanted: LoopRules,
  base: string,
  submitter: Submitter,
  {
    goal = null,
    judge = { agent: null, model: null }
  }: { readonly goal?: GoalLimits | null; readonly judge?: Judge } = {}
) {
  const loops = yield* Loops
  const { maxDepth } = yield* (yield* SettingsStore).get
  const planned = yield* planWorkspace(realDirectory(given.directory, submitter.environment), base)
  const submission: Submission = { ...given, workspace: planned.request }
  const rules: LoopRules = {
    ...wanted,
    protect: yield* protectedPaths(wanted.protect, [wanted.until, wanted.score], planned.request)
  }
  const { task: work, warnings } = yield* prepareTask(submission, submitter)
  const described = [
    ...evaluationsOf(rules).map(({ command, role }) => ({ role, work: shellBeside(submission, command) })),
    ...(rules.judge === null ? [] : [{ role: "judge" as const, work: judgeOf(submission, rules.judge, judge) }])
  ]
  const prepared = yield* Effect.forEach(described, ({ role, work }) =>
    Effect.map(
      prepareTask({ ...work, timeoutMs: rules.evaluationMs, dependsOn: [] }, submitter),
      ({ task, warnings }) => ({ evaluation: { role, task }, warnings })
    )
  )
  const evaluations = prepared.map(({ evaluation }) => evaluation)
  const loop = yield* loops.create({ rules, goal, work, evaluations }, { maxDepth })
  const served = yield* Effect.either(ensureWorker())
  const result: SubmittedLoop = {
    loop,
    warnings: Array.from(new Set([...warnings, ...prepared.flatMap((one) => one.warnings), ...planned.notes])),
    launched: served._tag === "Right" && served.right,
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})
