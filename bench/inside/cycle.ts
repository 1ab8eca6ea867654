/** Claims and finishes as fast as it can through the product's own queue: `node cycle.mjs <seconds>`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { outcome } from "../../src/domain/task/Outcome.ts"
import { WorkerId } from "../../src/domain/worker/Worker.ts"
import * as NodePaths from "../../src/layers/node/files/Paths.ts"
import * as Ids from "../../src/layers/node/system/Ids.ts"
import * as Database from "../../src/layers/sql/database/Database.ts"
import * as SqlServices from "../../src/layers/sql/SqlServices.ts"
import { Queue } from "../../src/services/Queue.ts"
import { together, warmUpCycles } from "./together.ts"

const [seconds = 1] = process.argv.slice(2).map(Number)

const services = SqlServices.layer.pipe(
  Layer.provideMerge(Database.layerWriter),
  Layer.provideMerge(Layer.merge(Ids.layer, NodePaths.layer))
)

/** The tasks belong to who runs the benchmark. */
const uid = process.geteuid?.() ?? null

const done = outcome({ status: "completed", cause: "exit", exitCode: 0 })

const program = Effect.gen(function* () {
  const queue = yield* Queue
  const workerId = WorkerId.make(String(process.pid).padStart(16, "0"))
  let cycles = 0
  let errors = 0
  const cycle = Effect.gen(function* () {
    const claimed = yield* Effect.either(
      queue.claim({
        workerId,
        maxConcurrency: 1000,
        onlyWhenIdle: false,
        bootId: "b",
        uptimeMs: 0,
        sinceBootMs: 0,
        uid
      })
    )
    if (claimed._tag === "Left") errors += 1
    if (claimed._tag === "Left" || Option.isNone(claimed.right)) return
    const { task, claim } = claimed.right.value
    const ended = yield* Effect.either(queue.finish(task.id, done, { claimId: claim.claimId, workerId }))
    if (ended._tag === "Left") errors += 1
    else cycles += 1
  })
  yield* Effect.repeatN(cycle, warmUpCycles)
  yield* Effect.promise(together)
  cycles = 0
  const end = Date.now() + seconds * 1000
  while (Date.now() < end) yield* cycle
  return { cycles, errors }
})

const result = await Effect.runPromise(Effect.provide(program, services))
process.stdout.write(JSON.stringify(result))
