/**
 * Tasks that wait for one another, through the product's own queue: `graph.mjs seed` stores a task and one that waits for
 * it; `finish ID STATUS` ends the first; `cycle ID TOP...` tries to let a task wait for those above it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { Bench } from "tinybench"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import { outcome } from "../../src/domain/task/Outcome.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { WorkerId } from "../../src/domain/worker/Worker.ts"
import * as NodePaths from "../../src/layers/node/files/Paths.ts"
import * as Ids from "../../src/layers/node/system/Ids.ts"
import * as Database from "../../src/layers/sql/database/Database.ts"
import * as SqlServices from "../../src/layers/sql/SqlServices.ts"
import { Queue } from "../../src/services/Queue.ts"

const [command = "", ...words] = process.argv.slice(2)

const services = SqlServices.layer.pipe(
  Layer.provideMerge(Database.layerWriter),
  Layer.provideMerge(Layer.merge(Ids.layer, NodePaths.layer))
)

const task = (fields: Partial<NewTask>): NewTask => ({
  prompt: "true",
  systemPrompt: null,
  priority: "P1",
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
  launch: { file: "/bin/sh", args: ["-c", "true"], promptAt: [], stdin: "none" },
  environment: { PATH: "/bin" },
  sessionId: null,
  ...fields
})

const workerId = WorkerId.make("0000000000000000")

const seed = Effect.gen(function* () {
  const queue = yield* Queue
  const pair = [task({}), task({ dependsOn: [{ upstream: { member: 0 }, policy: "success" }] })]
  return (yield* queue.enqueue(pair, { maxDepth: 3 })).map(({ task }) => task.id)
})

const finish = Effect.gen(function* () {
  const queue = yield* Queue
  const claimed = yield* queue.claim({
    workerId,
    maxConcurrency: 1,
    onlyWhenIdle: false,
    bootId: "b",
    uptimeMs: 0,
    sinceBootMs: 0,
    uid: null
  })
  if (Option.isNone(claimed)) return yield* Effect.dieMessage("nothing to claim")
  const { claim } = claimed.value
  const end = outcome(
    words[1] === "failed"
      ? { status: "failed", cause: "exit", exitCode: 1 }
      : { status: "completed", cause: "exit", exitCode: 0 }
  )
  const began = performance.now()
  yield* queue.finish(claim.taskId, end, { claimId: claim.claimId, workerId })
  return performance.now() - began
})

/** The search walks the whole graph, finds the task itself, and the edit is refused: nothing changes between rounds. */
const cycle = Effect.gen(function* () {
  const queue = yield* Queue
  const runtime = yield* Effect.runtime<Queue>()
  const [id, ...tops] = words.map((word) => TaskId.make(word))
  if (id === undefined) return yield* Effect.dieMessage("no task")
  const { revision } = yield* queue.captured(id)
  const edit = Effect.flip(
    queue.edit(id, { dependsOn: tops.map((upstream) => ({ upstream, policy: "success" as const })) }, revision)
  )
  const refused = yield* edit
  if (refused._tag !== "DependencyInvalid") return yield* Effect.dieMessage(`not refused: ${refused._tag}`)
  const bench = new Bench({ iterations: 30, time: 0, warmupIterations: 5, warmupTime: 0 })
  bench.add("cycle", () => Runtime.runPromise(runtime)(edit))
  yield* Effect.promise(() => bench.run())
  return bench.tasks.flatMap(({ result }) => result?.samples ?? [])
})

const commands = { seed, finish, cycle }
const known = (name: string): name is keyof typeof commands => Object.hasOwn(commands, name)

if (!known(command)) throw new Error(`no such command: ${command}`)
const result = await Effect.runPromise(
  Effect.provide(Effect.orDie<unknown, unknown, Queue>(commands[command]), services)
)
process.stdout.write(JSON.stringify(result))
