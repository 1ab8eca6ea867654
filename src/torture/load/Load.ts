/** The progress of a torture run through its plan, and how its fibers run a command or take the next task. */
import * as Effect from "effect/Effect"
import type * as FiberSet from "effect/FiberSet"
import type { AskedEdge } from "../Chronicle.ts"
import type { WorkerPlan } from "../faults/WorkerPlan.ts"
import type { Store } from "../Store.ts"
import type { Finished, World } from "../World.ts"
import type { LeadPlan } from "./LeadPlan.ts"
import type { LimitPlan } from "./LimitPlan.ts"
import type { LoopPlan } from "./LoopPlan.ts"
import type { McpClient } from "./McpClient.ts"
import type { IsolatedPlan, StepPlan } from "./MergePlan.ts"
import type { PipelinePlan, TaskPlan, Trouble } from "./TaskPlan.ts"

/** No task is submitted while this many tasks run or could run, or this many have not ended. */
const most = { ready: 26, unfinished: 90 } as const

/** The progress of the run through its plan. */
export interface Load {
  readonly world: World
  readonly store: Store
  readonly byCommand: Array<TaskPlan>
  readonly byMcp: Array<TaskPlan>
  readonly loops: Array<LoopPlan>
  readonly limits: Array<ReadonlyArray<LimitPlan>>
  readonly leads: Array<LeadPlan>
  readonly isolated: Array<IsolatedPlan>
  /** Merges, undos, reclaims and restores. */
  readonly steps: Array<StepPlan>
  readonly pipelines: Array<PipelinePlan>
  readonly workers: Array<WorkerPlan>
  /** Failpoints of the MCP servers. */
  readonly servers: Array<string | null>
  /** The fibers that submit tasks: no task comes after they have ended. */
  readonly submitting: FiberSet.FiberSet
  /** Everything else that was begun. */
  readonly fibers: FiberSet.FiberSet
  /** The server that tasks are handed to at present. */
  server: McpClient | null
  /** Number of the last end there was when a worker was killed. */
  lastEnd: number
  /** A worker is stopped until the end of the faults. */
  stopped: boolean
  /** Too few failpoints were reached. */
  wantsFailpoints: boolean
  /** Commands of another user, who may enter the directories of the run meanwhile. */
  strangers: number
  /** The clock is ahead or behind. */
  clockSet: boolean
  over: boolean
}

/** Runs `beat` to its end, with the trouble that was planned for it. */
export const runCommand = (
  load: Load,
  args: ReadonlyArray<string>,
  trouble: Trouble,
  more: { readonly variables?: Readonly<Record<string, string>>; readonly directory?: string } = {}
): Effect.Effect<Finished> =>
  Effect.gen(function* () {
    yield* load.world.up.await
    const failpoints = trouble !== null && "failpoint" in trouble ? `${trouble.failpoint}:kill` : undefined
    const running = load.world.start(args, { failpoints, ...more })
    if (trouble !== null && "killAfterMs" in trouble) {
      const timer = setTimeout(() => {
        if (running.child.kill("SIGKILL")) load.world.chronicle.fault("kill-command", 1)
      }, trouble.killAfterMs)
      void running.finished.then(() => clearTimeout(timer))
    }
    return yield* Effect.promise(() => running.finished)
  })

/** The tasks it waits for, by the ids that are known so far; the same at each attempt. */
export const edgesOf = ({ world: { chronicle } }: Load, plan: TaskPlan): ReadonlyArray<AskedEdge> => {
  const known = chronicle.edges.get(plan.key)
  if (known !== undefined) return known
  const asked = plan.after.flatMap(({ back, policy }) => {
    const upstream = chronicle.accepted.get(`t${Number(plan.key.slice(1)) - back}`)
    return upstream === undefined ? [] : [{ upstream, policy }]
  })
  chronicle.edges.set(plan.key, asked)
  const upstream = plan.continues ? asked.find(({ policy }) => policy === "success")?.upstream : undefined
  if (upstream !== undefined) chronicle.continued.set(plan.key, upstream)
  return asked
}

const hasRoom = (store: Store): boolean => {
  const found = store.one<{ blocked: number; unfinished: number }>(
    "SELECT count(*) AS unfinished, count(iif(waiting_on > 0, 1, NULL)) AS blocked FROM tasks WHERE status IN ('queued', 'running')"
  )
  return found === undefined || (found.unfinished < most.unfinished && found.unfinished - found.blocked < most.ready)
}

/** The next task, once there is room for it; null when no more are wanted. */
export const next = <A>(load: Load, from: Array<A>): Effect.Effect<A | null> =>
  Effect.gen(function* () {
    while (!load.over) {
      yield* load.world.up.await
      if (hasRoom(load.store)) return from.shift() ?? null
      yield* Effect.sleep(50)
    }
    return null
  })
