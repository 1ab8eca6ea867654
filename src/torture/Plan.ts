/** What a torture run will do, decided in advance by a seed: the same seed gives the same tasks and the same faults. */
import { createHash } from "node:crypto"
import { Dice } from "./Dice.ts"
import { type Fault, planFaults } from "./faults/FaultPlan.ts"
import { planServers, planWorkers, type WorkerPlan } from "./faults/WorkerPlan.ts"
import { type LeadPlan, planLeads } from "./load/LeadPlan.ts"
import { type LimitPlan, planLimits } from "./load/LimitPlan.ts"
import { type LoopPlan, planLoops } from "./load/LoopPlan.ts"
import {
  type PipelinePlan,
  planPipelines,
  planSchedules,
  planTasks,
  type SchedulePlan,
  type TaskPlan
} from "./load/TaskPlan.ts"

export interface Plan {
  readonly seed: number
  readonly durationMs: number
  readonly tasks: ReadonlyArray<TaskPlan>
  readonly pipelines: ReadonlyArray<PipelinePlan>
  readonly schedules: ReadonlyArray<SchedulePlan>
  readonly loops: ReadonlyArray<LoopPlan>
  readonly limits: ReadonlyArray<LimitPlan>
  readonly leads: ReadonlyArray<LeadPlan>
  readonly faults: ReadonlyArray<Fault>
  /** The workers that are started one after the other. */
  readonly workers: ReadonlyArray<WorkerPlan>
  /** Failpoints of the MCP servers, one after the other. */
  readonly servers: ReadonlyArray<string | null>
  /** Names the plan: equal digests are equal plans. */
  readonly digest: string
}

export const makePlan = (seed: number, durationMs: number): Plan => {
  const dice = new Dice(seed)
  const tasks = planTasks(dice, durationMs)
  const pipelines = planPipelines(dice, durationMs)
  const schedules = planSchedules(dice)
  const faults = planFaults(
    dice,
    durationMs,
    schedules.every(({ missed }) => missed !== "run-all")
  )
  const workers = planWorkers(dice, durationMs)
  const servers = planServers(dice, durationMs)
  // Last, so that the seeds of earlier plans mean the same tasks.
  const loops = planLoops(dice, durationMs)
  // An agent tells the end of a limit by the real clock: where that is set, no limit means anything.
  const limits = faults.some(({ kind }) => kind === "clock") ? [] : planLimits(dice, durationMs)
  const leads = planLeads(dice, durationMs)
  const digest = createHash("sha256")
    .update(JSON.stringify({ durationMs, tasks, pipelines, schedules, loops, limits, leads, faults, workers, servers }))
    .digest("hex")
    .slice(0, 12)
  return { seed, durationMs, tasks, pipelines, schedules, loops, limits, leads, faults, workers, servers, digest }
}
