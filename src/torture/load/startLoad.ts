/** Starts every process of a torture run. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { keepWorkers } from "../faults/Workers.ts"
import type { Plan } from "../Plan.ts"
import type { Store } from "../Store.ts"
import type { World } from "../World.ts"
import { client } from "./Clients.ts"
import { addHook } from "./Hooks.ts"
import { isolatedSubmitter } from "./Isolated.ts"
import { leadSubmitter } from "./Leads.ts"
import { limitSubmitter } from "./Limits.ts"
import type { Load } from "./Load.ts"
import { loopSubmitter } from "./Loops.ts"
import { merger } from "./Merges.ts"
import { createSchedule, submitter } from "./Submitters.ts"
import type { TaskPlan } from "./TaskPlan.ts"

/** How many tasks of each rarer kind come first: on a slow machine few tasks get their turn. */
const firstOfKind = 3

const rareFirst = (tasks: ReadonlyArray<TaskPlan>): Array<TaskPlan> => {
  const rare = (["emptier", "listener"] as const).flatMap((kind) =>
    tasks.filter(({ after, behaviour }) => behaviour === kind && after.length === 0).slice(0, firstOfKind)
  )
  return [...rare, ...tasks.filter((task) => !rare.includes(task))]
}

/** Starts the load. It continues until `over` is set. */
export const startLoad = (world: World, store: Store, plan: Plan) =>
  Effect.gen(function* () {
    yield* addHook(world)
    const load: Load = {
      world,
      store,
      byCommand: rareFirst(plan.tasks.filter(({ via }) => via === "command")),
      loops: world.repository === null ? [] : Array.from(plan.loops),
      limits: Array.from(plan.limits),
      leads: Array.from(plan.leads),
      isolated: world.shop === null ? [] : Array.from(plan.merges.tasks),
      steps: Array.from(plan.merges.steps),
      pipelines: Array.from(plan.pipelines),
      workers: Array.from(plan.workers),
      servers: Array.from(plan.servers),
      byMcp: rareFirst(plan.tasks.filter(({ via }) => via === "mcp")),
      submitting: yield* FiberSet.make(),
      fibers: yield* FiberSet.make(),
      server: null,
      lastEnd: 0,
      stopped: false,
      strangers: 0,
      clockSet: false,
      wantsFailpoints: false,
      over: false
    }
    yield* FiberSet.run(load.submitting, submitter(load))
    for (const schedule of plan.schedules) yield* FiberSet.run(load.submitting, createSchedule(load, schedule))
    yield* FiberSet.run(load.submitting, loopSubmitter(load))
    yield* FiberSet.run(load.submitting, limitSubmitter(load))
    yield* FiberSet.run(load.submitting, leadSubmitter(load))
    yield* FiberSet.run(load.submitting, isolatedSubmitter(load))
    yield* FiberSet.run(load.fibers, merger(load))
    yield* FiberSet.run(load.submitting, client(load))
    yield* FiberSet.run(load.submitting, keepWorkers(load))
    return load
  })
