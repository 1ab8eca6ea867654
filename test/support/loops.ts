/** Loops with everything filled in that a test does not care about, and rounds that end as a test says. */
import * as Effect from "effect/Effect"
import type { LoopRules } from "../../src/domain/loop/Loop.ts"
import { type Outcome, outcome } from "../../src/domain/task/Outcome.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { evaluationsOf } from "../../src/programs/loops/submitLoop.ts"
import { Loops, type NewLoop } from "../../src/services/Loops.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { Queue } from "../../src/services/Queue.ts"
import { loopRules } from "./loopRules.ts"
import { bytesOf } from "./output.ts"
import { claimNext, completed, newTask } from "./tasks.ts"

const oneStep = [{ name: null, task: newTask({ prompt: "make it work", agent: "claude" }) }]

export const createLoop = (
  rules: LoopRules = loopRules(),
  work: NewLoop["work"] = oneStep,
  stepTask: TaskId | null = null
) =>
  Effect.gen(function* () {
    const commands = evaluationsOf(rules).map(({ command, role }) => ({ role, task: newTask({ prompt: command }) }))
    const judge = { role: "judge" as const, task: newTask({ prompt: rules.judge ?? "", agent: "codex" }) }
    const evaluations = rules.judge === null ? commands : [...commands, judge]
    return yield* (yield* Loops).create({ rules, goal: null, work, evaluations, stepTask }, { maxDepth: 10 })
  })

/** Claims the next task and ends it, with what it prints to stdout. */
export const endNextTask = (ending: Outcome, stdout: string) =>
  Effect.gen(function* () {
    const { claim, task } = yield* claimNext()
    if (stdout !== "") {
      const write = { taskId: task.id, stream: "stdout" as const, offset: 0, bytes: bytesOf(stdout) }
      yield* (yield* OutputStore).append(write, { cap: 1_000_000 })
    }
    yield* (yield* Queue).finish(task.id, ending, { claimId: claim.claimId, workerId: claim.workerId })
    return task
  })

export interface RoundSketch {
  readonly work?: Outcome
  /** How the evaluations end, each with what it prints. */
  readonly evaluations: ReadonlyArray<readonly [ending: Outcome, stdout: string]>
  /** The tree that the work leaves, and the files that it changed. */
  readonly tree?: string
  readonly files?: number
  readonly tampered?: string
}

/** The commit that the work of this task leaves. */
export const commitOf = (id: string): string => Buffer.from(`c${id}`.padEnd(20, "x")).toString("hex").slice(0, 40)

/** Ends the tasks of one round, in their order. */
export const endRound = ({ evaluations, files = 1, tampered, tree, work = completed }: RoundSketch) =>
  Effect.gen(function* () {
    const loops = yield* Loops
    const task = yield* endNextTask(work, "")
    yield* loops.worked(task.id, {
      commit: commitOf(task.id),
      tree: tree ?? commitOf(`t${task.id}`),
      files,
      tampered: tampered ?? null
    })
    for (const [ending, stdout] of evaluations) yield* endNextTask(ending, stdout)
    return task
  })

export const timedOut = outcome({ status: "failed", cause: "timeout" })
