/** What a torture run will do, decided in advance by a seed: the same seed gives the same tasks and the same faults. */
import { createHash } from "node:crypto"
import { Dice } from "./Dice.ts"
import { type Fault, planFaults } from "./faults/FaultPlan.ts"
import { planServers, planWorkers, type WorkerPlan } from "./faults/WorkerPlan.ts"
import { type Focus, type LimitPlan, planLimits } from "./load/LimitPlan.ts"
import { type LoopPlan, planLoops } from "./load/LoopPlan.ts"
import {
  type PipelinePlan,
  planPipelines,
  planSchedules,
  planTasks,
  type SchedulePlan,
  type TaskPlan
} from "./load/TaskPlan.ts"

/** With a focus on limits, one of so many other tasks, pipelines and kills of agents is left: a dead agent meets no limit. */
const othersOf: Readonly<Record<Focus, number>> = { everything: 1, limits: 4 }

export interface Plan {
  readonly seed: number
  readonly durationMs: number
  readonly focus: Focus
  readonly tasks: ReadonlyArray<TaskPlan>
  readonly pipelines: ReadonlyArray<PipelinePlan>
  readonly schedules: ReadonlyArray<SchedulePlan>
  readonly loops: ReadonlyArray<LoopPlan>
  readonly limits: ReadonlyArray<LimitPlan>
  readonly faults: ReadonlyArray<Fault>
  /** The workers that are started one after the other. */
  readonly workers: ReadonlyArray<WorkerPlan>
  /** Failpoints of the MCP servers, one after the other. */
  readonly servers: ReadonlyArray<string | null>
  /** Names the plan: equal digests are equal plans. */
  readonly digest: string
}

export const makePlan = (seed: number, durationMs: number, focus: Focus = "everything"): Plan => {
  const dice = new Dice(seed)
  const some = <A>(all: ReadonlyArray<A>) => all.filter((_, index) => index % othersOf[focus] === 0)
  const tasks = some(planTasks(dice, durationMs))
  const pipelines = some(planPipelines(dice, durationMs))
  const schedules = planSchedules(dice)
  const mayJump = focus === "everything" && schedules.every(({ missed }) => missed !== "run-all")
  const faults = planFaults(dice, durationMs, mayJump).filter(
    ({ kind }, index) => kind !== "kill-agent" || index % othersOf[focus] === 0
  )
  const workers = planWorkers(dice, durationMs)
  const servers = planServers(dice, durationMs)
  // Last, so that the seeds of earlier plans mean the same tasks.
  const loops = planLoops(dice, durationMs)
  // An agent tells the end of a limit by the real clock: where that is set, no limit means anything.
  const limits = faults.some(({ kind }) => kind === "clock") ? [] : planLimits(dice, durationMs, focus)
  const digest = createHash("sha256")
    .update(JSON.stringify({ durationMs, focus, tasks, pipelines, schedules, loops, limits, faults, workers, servers }))
    .digest("hex")
    .slice(0, 12)
  return { seed, durationMs, focus, tasks, pipelines, schedules, loops, limits, faults, workers, servers, digest }
}
