/** Sees to it that a torture run has workers: whenever one dies, the next of the plan takes its place. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { Load } from "../load/Load.ts"
import type { WorkerPlan } from "./WorkerPlan.ts"

/** Workers at the same time, in addition to the MCP server and the workers that commands start automatically. */
const wanted = 2

/** Between two looks, in milliseconds. */
const lookMs = 60

const plain: WorkerPlan = { failpoints: null, limit: null, umask: "0022" }

/** The next of the plan; below the floor of failpoints the next that dies at one. */
const nextWorker = ({ wantsFailpoints, workers }: Load): WorkerPlan => {
  const index = wantsFailpoints ? workers.findIndex(({ failpoints }) => failpoints !== null) : 0
  return workers.splice(Math.max(0, index), 1)[0] ?? plain
}

const startWorker = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    const plan = nextWorker(load)
    const { failpoints, limit, umask } = plan
    if (limit === null) {
      load.world.start(["worker"], { failpoints: failpoints ?? undefined, log: "worker", umask })
      chronicle.fault("worker", 0)
      chronicle.note(null, `a worker with ${failpoints ?? "no failpoints"}`)
      return
    }
    const { child } = load.world.start(["worker"], { fileLimit: limit.blocks, log: "limited", umask })
    chronicle.fault("limited-worker", 0)
    chronicle.note(null, `a worker with files of ${limit.blocks} blocks`)
    yield* FiberSet.run(
      load.fibers,
      Effect.sync(() => {
        if (child.kill("SIGKILL")) chronicle.fault("kill-limited", 1)
      }).pipe(Effect.delay(limit.forMs))
    )
  })

/** Runs for as long as there is load. */
export const keepWorkers = (load: Load): Effect.Effect<void> =>
  Effect.gen(function* () {
    while (!load.over) {
      yield* load.world.up.await
      const own = Array.from(load.world.commands).filter(({ child }) => child.spawnargs.includes("worker"))
      if (own.length < wanted && load.store.exists) yield* startWorker(load)
      yield* Effect.sleep(lookMs)
    }
  })
