/** Claims from a long queue through the product's own queue: `claim.mjs seed` stores a task; `claim N` claims and puts back. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { WorkerId } from "../../src/domain/worker/Worker.ts"
import * as NodePaths from "../../src/layers/node/files/Paths.ts"
import * as Ids from "../../src/layers/node/system/Ids.ts"
import * as Database from "../../src/layers/sql/database/Database.ts"
import * as SqlServices from "../../src/layers/sql/SqlServices.ts"
import { Queue } from "../../src/services/Queue.ts"

const [command = "", rounds = "0"] = process.argv.slice(2)

const services = SqlServices.layer.pipe(
  Layer.provideMerge(Database.layerWriter),
  Layer.provideMerge(Layer.merge(Ids.layer, NodePaths.layer))
)

const workerId = WorkerId.make("0000000000000000")

const seed = Effect.gen(function* () {
  const queue = yield* Queue
  const task = {
    prompt: "true",
    systemPrompt: null,
    priority: "P1" as const,
    agent: "shell",
    model: null,
    directory: "/tmp",
    timeoutMs: null,
    stallMs: null,
    maxOutputBytes: 1_000_000,
    notBefore: null,
    parentId: null,
    depth: 0,
    retryOf: null,
    continuation: null,
    dependsOn: [],
    continueFrom: null,
    maxRetries: 0,
    backoffMs: 0,
    idempotencyKey: null,
    labels: {},
    launch: { file: "/bin/sh", args: ["-c", "true"], promptAt: [], stdin: "none" as const },
    environment: { PATH: "/bin" },
    sessionId: null
  }
  return yield* queue.enqueue([task], { maxDepth: 3 })
})

/** Milliseconds of each claim; a task that was claimed is put back, so that every round finds the same queue. */
const claim = Effect.gen(function* () {
  const queue = yield* Queue
  const samples: Array<number> = []
  for (let round = -20; round < Number(rounds); round++) {
    const began = performance.now()
    const claimed = yield* queue.claim({
      workerId,
      maxConcurrency: 100,
      onlyWhenIdle: false,
      bootId: "b",
      uptimeMs: 0,
      sinceBootMs: 0,
      uid: null
    })
    if (round >= 0) samples.push(performance.now() - began)
    if (Option.isSome(claimed)) yield* queue.requeue(claimed.value.claim)
  }
  return samples
})

const work: Effect.Effect<unknown, unknown, Queue> = command === "seed" ? seed : claim
process.stdout.write(JSON.stringify(await Effect.runPromise(Effect.provide(Effect.orDie(work), services))))
