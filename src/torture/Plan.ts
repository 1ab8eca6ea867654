/** What a torture run will do, decided in advance by a seed: the same seed gives the same tasks and the same faults. */
import { createHash } from "node:crypto"
import { Dice } from "./Dice.ts"
import { type Fault, type FaultKind, planFaults } from "./faults/FaultPlan.ts"
import { dyingAtHooks, planServers, planWorkers, type WorkerPlan } from "./faults/WorkerPlan.ts"
import { type LeadPlan, planLeads } from "./load/LeadPlan.ts"
import { type Focus, type LimitPlan, planLimits } from "./load/LimitPlan.ts"
import { type LoopPlan, planLoops } from "./load/LoopPlan.ts"
import { type MergePlans, planMerges } from "./load/MergePlan.ts"
import {
  type PipelinePlan,
  planPipelines,
  planSchedules,
  planTasks,
  type SchedulePlan,
  type TaskPlan
} from "./load/TaskPlan.ts"

/** With a focus, one of so many other tasks and pipelines is left. */
const othersOf: Readonly<Record<Focus, number>> = { everything: 1, limits: 8, merges: 12 }

/** One of so many faults is left: each costs the processes that are started again. */
const faultsOf: Readonly<Record<Focus, number>> = { everything: 1, limits: 1, merges: 4 }

/** These end an agent, which meets no limit and leaves no work then: most of them are left out with a focus. */
const endsAgent = new Set<FaultKind>(["kill-agent", "kill-shim", "kill-tree", "kill-starting"])

export interface Plan {
  readonly seed: number
  readonly durationMs: number
  readonly focus: Focus
  readonly tasks: ReadonlyArray<TaskPlan>
  readonly pipelines: ReadonlyArray<PipelinePlan>
  readonly schedules: ReadonlyArray<SchedulePlan>
  readonly loops: ReadonlyArray<LoopPlan>
  /** In groups that are submitted together. */
  readonly limits: ReadonlyArray<ReadonlyArray<LimitPlan>>
  readonly leads: ReadonlyArray<LeadPlan>
  readonly merges: MergePlans
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
  const planned = planSchedules(dice)
  const schedules = focus === "everything" ? planned : []
  const mayJump = focus === "everything" && planned.every(({ missed }) => missed !== "run-all")
  const faults = planFaults(dice, durationMs, mayJump).filter(
    ({ kind }, index) => index % (endsAgent.has(kind) ? othersOf : faultsOf)[focus] === 0
  )
  const plainWorkers = planWorkers(dice, durationMs)
  const servers = planServers(dice, durationMs)
  // Last, so that the seeds of earlier plans mean the same tasks.
  const allLoops = planLoops(dice, durationMs)
  const loops = focus === "everything" ? allLoops : []
  // An agent tells the end of a limit by the real clock: where that is set, no limit means anything.
  const limits = faults.some(({ kind }) => kind === "clock") ? [] : planLimits(dice, durationMs, focus)
  const allLeads = planLeads(dice, durationMs)
  const leads = focus === "everything" ? allLeads : []
  const workers = dyingAtHooks(dice, plainWorkers)
  const allMerges = planMerges(dice, durationMs, focus)
  const merges = focus === "limits" ? { tasks: [], steps: [] } : allMerges
  const all = { focus, merges, tasks, pipelines, schedules, loops, limits, leads, faults, workers, servers }
  const digest = createHash("sha256")
    .update(JSON.stringify({ durationMs, ...all }))
    .digest("hex")
    .slice(0, 12)
  return { seed, durationMs, ...all, digest }
}
