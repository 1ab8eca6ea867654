/** Starts every process of a torture run. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { keepWorkers } from "../faults/Workers.ts"
import type { Plan } from "../Plan.ts"
import type { Store } from "../Store.ts"
import type { World } from "../World.ts"
import { client } from "./Clients.ts"
import type { Load } from "./Load.ts"
import { loopSubmitter } from "./Loops.ts"
import { createSchedule, submitter } from "./Submitters.ts"
import type { TaskPlan } from "./TaskPlan.ts"

const rank = (task: TaskPlan, tasks: ReadonlyArray<TaskPlan>): number =>
  task === tasks.find(({ behaviour }) => behaviour === "listener") ? 0 : 1

/** Starts the load. It continues until `over` is set. */
export const startLoad = (world: World, store: Store, plan: Plan) =>
  Effect.gen(function* () {
    const load: Load = {
      world,
      store,
      // A listener first: on a slow machine few commands come to their turn.
      byCommand: plan.tasks
        .filter(({ via }) => via === "command")
        .sort((one, other) => rank(one, plan.tasks) - rank(other, plan.tasks)),
      loops: world.repository === null ? [] : Array.from(plan.loops),
      pipelines: Array.from(plan.pipelines),
      workers: Array.from(plan.workers),
      servers: Array.from(plan.servers),
      byMcp: plan.tasks.filter(({ via }) => via === "mcp"),
      submitting: yield* FiberSet.make(),
      fibers: yield* FiberSet.make(),
      server: null,
      lastEnd: 0,
      stopped: false,
      clockSet: false,
      wantsFailpoints: false,
      over: false
    }
    yield* FiberSet.run(load.submitting, submitter(load))
    for (const schedule of plan.schedules) yield* FiberSet.run(load.submitting, createSchedule(load, schedule))
    yield* FiberSet.run(load.submitting, loopSubmitter(load))
    yield* FiberSet.run(load.submitting, client(load))
    yield* FiberSet.run(load.submitting, keepWorkers(load))
    return load
  })
