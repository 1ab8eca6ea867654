/** Claims and finishes as fast as it can through the product's own queue: `node cycle.mjs <seconds>`. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { outcome } from "../../src/domain/Outcome.ts"
import { RuntimeId } from "../../src/domain/Runtime.ts"
import * as Ids from "../../src/layers/node/Ids.ts"
import * as NodePaths from "../../src/layers/node/Paths.ts"
import * as Database from "../../src/layers/sql/Database.ts"
import * as SqlServices from "../../src/layers/sql/SqlServices.ts"
import { Queue } from "../../src/services/Queue.ts"
import { together, warmUpCycles } from "./together.ts"

const [seconds = 1] = process.argv.slice(2).map(Number)

const services = SqlServices.layer.pipe(
  Layer.provideMerge(Database.layerWriter),
  Layer.provideMerge(Layer.merge(Ids.layer, NodePaths.layer))
)

const done = outcome({ status: "completed", cause: "exit", exitCode: 0 })

const program = Effect.gen(function* () {
  const queue = yield* Queue
  const runtimeId = RuntimeId.make(String(process.pid).padStart(16, "0"))
  let cycles = 0
  let errors = 0
  const cycle = Effect.gen(function* () {
    const claim = yield* Effect.either(
      queue.claim({ runtimeId, maxWorkers: 1000, onlyWhenIdle: false, bootId: "b", uptimeMs: 0 })
    )
    if (claim._tag === "Left") errors += 1
    if (claim._tag === "Left" || Option.isNone(claim.right)) return
    const { task, worker } = claim.right.value
    const ended = yield* Effect.either(queue.finish(task.id, done, { claimId: worker.claimId, runtimeId }))
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
