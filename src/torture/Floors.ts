/** The least that a torture run must have done before "no violations" proves anything, and what of its plan never came. */

import type { Fault, FaultKind } from "./faults/FaultPlan.ts"
import type { Focus } from "./load/LimitPlan.ts"
import { failpointsOf } from "./load/MergePlan.ts"
import type { Trouble } from "./load/TaskPlan.ts"
import type { Plan } from "./Plan.ts"

/** What the run has done so far. */
export interface Reached {
  readonly kills: number
  /** Tasks that have ended. */
  readonly ends: number
  /** How often a task was parked at a limit. */
  readonly parks: number
  /** How often each kind of fault came, and each failpoint ended a process. */
  readonly faults: Readonly<Record<string, number>>
  readonly failpoints: Readonly<Record<string, number>>
  /** What was done with the work of isolated tasks, and how often. */
  readonly work: Readonly<Record<string, number>>
  /** Kinds of faults that cannot come on this machine, with the reason. */
  readonly unable: ReadonlyMap<string, string>
}

export interface Coverage {
  /** Kinds of faults below their floor. */
  readonly wanted: ReadonlyArray<FaultKind>
  readonly wants: { readonly kills: boolean; readonly failpoints: boolean }
  /** Kinds of faults and failpoints that the plan contains and that never came. */
  readonly missed: { readonly faults: ReadonlyArray<string>; readonly failpoints: ReadonlyArray<string> }
  /** One sentence for each floor that was not reached. */
  readonly shortfalls: ReadonlyArray<string>
}

/** A kind of fault that the plan contains this often must come at least once. */
const plannedOften = 5

/** Two idle cores kill four to five times per second and end more tasks than that; with a focus they kill less. */
const perSecond: Readonly<
  Record<Focus, { kills: number; ends: number; failpoints: number; parks: number; merges: number }>
> = {
  everything: { kills: 1, ends: 1, failpoints: 1 / 6, parks: 0, merges: 1 / 30 },
  limits: { kills: 1 / 4, ends: 1 / 2, failpoints: 1 / 20, parks: 1 / 4, merges: 0 },
  merges: { kills: 1 / 4, ends: 1 / 4, failpoints: 1 / 20, parks: 0, merges: 1 / 8 }
}

const nameOf = (point: string): string => point.split(":")[0] ?? point

const ofTrouble = (trouble: Trouble | undefined): ReadonlyArray<string> =>
  trouble !== null && trouble !== undefined && "failpoint" in trouble ? [trouble.failpoint] : []

/** The failpoints that a plan sets for any of its processes. */
export const plannedFailpoints = (plan: Plan): ReadonlySet<string> =>
  new Set([
    ...[...plan.workers.map(({ failpoints }) => failpoints), ...plan.servers].flatMap((points) =>
      points === null ? [] : points.split(",").map(nameOf)
    ),
    ...plan.tasks.flatMap((task) =>
      [
        task.submitTrouble,
        task.cancel?.trouble,
        task.edit?.trouble,
        task.again?.trouble,
        ...task.messages.map(({ trouble }) => trouble)
      ].flatMap(ofTrouble)
    ),
    ...plan.pipelines.flatMap(({ submitTrouble }) => ofTrouble(submitTrouble)),
    ...plan.loops.flatMap(({ submitTrouble }) => ofTrouble(submitTrouble)),
    ...plan.schedules.flatMap(({ createTrouble }) => ofTrouble(createTrouble)),
    ...plan.merges.tasks.flatMap(({ submitTrouble }) => ofTrouble(submitTrouble)),
    ...plan.merges.steps.flatMap(failpointsOf)
  ])

/** What must have been done with the work of isolated tasks, and how often of what is asked for. */
const ofWork: ReadonlyArray<{ readonly what: string; readonly names: ReadonlyArray<string>; readonly part: number }> = [
  {
    what: "merges, undos, reclaims and restores",
    names: ["merge done", "undo done", "reclaim done", "restore done"],
    part: 1
  },
  {
    what: "of these that were killed",
    names: ["merge killed", "undo killed", "reclaim killed", "restore killed"],
    part: 1 / 2
  }
]

export const coverageOf = (plan: Plan, reached: Reached): Coverage => {
  const seconds = plan.durationMs / 1000
  const floor = perSecond[plan.focus]
  const planned = new Map<FaultKind, number>()
  for (const { kind } of plan.faults) planned.set(kind, (planned.get(kind) ?? 0) + 1)
  const faults = Array.from(planned.keys()).filter((kind) => (reached.faults[kind] ?? 0) === 0)
  const points = plannedFailpoints(plan)
  const failpoints = Array.from(points).filter((point) => (reached.failpoints[point] ?? 0) === 0)
  const floors = [
    { what: "kills", found: reached.kills, least: Math.ceil(seconds * floor.kills) },
    { what: "tasks that ended", found: reached.ends, least: Math.ceil(seconds * floor.ends) },
    { what: "parks", found: reached.parks, least: Math.ceil(seconds * floor.parks) },
    {
      what: "different failpoints",
      found: Object.keys(reached.failpoints).length,
      least: Math.floor(Math.min(seconds * floor.failpoints, points.size / 2))
    }
  ]
  if (!reached.unable.has("merge")) {
    for (const { names, part, what } of ofWork) {
      const found = names.reduce((sum, name) => sum + (reached.work[name] ?? 0), 0)
      floors.push({ what, found, least: Math.floor(seconds * floor.merges * part) })
    }
  }
  const isBelow = (name: string) => floors.some(({ found, least, what }) => what === name && found < least)
  const wanted = faults.filter((kind) => (planned.get(kind) ?? 0) >= plannedOften && !reached.unable.has(kind))
  return {
    wanted,
    wants: { kills: isBelow("kills"), failpoints: isBelow("different failpoints") },
    missed: { faults: faults.sort(), failpoints: failpoints.sort() },
    shortfalls: [
      ...floors
        .filter(({ found, least }) => found < least)
        .map(({ found, least, what }) => `${found} ${what}, at least ${least} are needed`),
      ...wanted.map((kind) => `no ${kind}, and the plan contains ${planned.get(kind)}`)
    ]
  }
}

/** Between two faults that a run repeats because their kind has not come, in milliseconds. */
const repeatMs = 500

/**
 * The faults of a further round, from its start on: all of the plan where too little was killed, else those of the kinds that
 * are wanted, closely one after the other, so that the round ends soon. Where too few tasks ended, no other fault disturbs them.
 */
export const furtherFaults = (plan: Plan, { wanted, wants }: Coverage): ReadonlyArray<Fault> =>
  wants.kills
    ? plan.faults
    : plan.faults
        .filter(({ kind }) => wanted.includes(kind))
        .map((fault, index) => ({ ...fault, at: Math.min(index * repeatMs, plan.durationMs) }))
