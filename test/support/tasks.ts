/** Tasks, claims and outcomes with everything filled in that a test does not care about. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import { outcome } from "../../src/domain/task/Outcome.ts"
import { type Worker, WorkerId } from "../../src/domain/worker/Worker.ts"
import { uid } from "../../src/layers/memory/fakes/Processes.ts"
import { schema } from "../../src/layers/memory/store/WorkerRegistry.ts"
import { type ClaimOptions, type Held, type Parking, Queue } from "../../src/services/Queue.ts"
import type { ListFilter } from "../../src/services/Tasks.ts"

/** What an adopter is given of a claim. */
export const heldBy = ({ task, claim }: Held): Option.Option<Held> => Option.some({ task, claim })

export const newTask = (overrides: Partial<NewTask> = {}): NewTask => ({
  prompt: "fix the failing test",
  systemPrompt: null,
  priority: "P1",
  agent: "shell",
  model: null,
  directory: "/tmp",
  timeoutMs: null,
  stallMs: null,
  maxOutputBytes: 10_000_000,
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
  launch: {
    file: overrides.agent === undefined || overrides.agent === "shell" ? "/bin/sh" : `/usr/bin/${overrides.agent}`,
    args: ["-c", "{prompt}"],
    promptAt: [1],
    stdin: "none"
  },
  environment: { PATH: "/usr/bin:/bin" },
  sessionId: null,
  ...overrides
})

export const workerA = WorkerId.make("aaaaaaaaaaaaaaaa")
export const workerB = WorkerId.make("bbbbbbbbbbbbbbbb")

export const claimOptions = (overrides: Partial<ClaimOptions> = {}): ClaimOptions => ({
  workerId: workerA,
  maxConcurrency: 10,
  onlyWhenIdle: false,
  bootId: "boot-1",
  uptimeMs: 0,
  sinceBootMs: 0,
  uid: null,
  ...overrides
})

/** A worker of the pretended machine. */
export const workerWith = (fields: Pick<Worker, "id" | "process"> & Partial<Worker>): Worker => ({
  kind: "worker",
  version: "0.0.0",
  schema,
  uid,
  file: null,
  startedAt: 0,
  seenAt: 0,
  ...fields
})

export const completed = outcome({ status: "completed", cause: "exit", exitCode: 0 })
export const failed = outcome({ status: "failed", cause: "exit", exitCode: 1 })
export const ended = outcome({ status: "cancelled", cause: "cancelled" })

/** How a limit parks a task. */
export const parked = (more: Partial<Parking> = {}): Parking => ({
  limit: true,
  wake: false,
  told: true,
  prompt: null,
  resetsAt: null,
  credit: false,
  sessionId: null,
  launch: null,
  timeLeftMs: null,
  spending: null,
  ...more
})

export const anyTask: ListFilter = {
  status: [],
  agent: null,
  labels: {},
  directory: null,
  parentId: null,
  since: null,
  limit: 1000,
  before: null
}

/** Enqueues one task without a depth limit that matters. */
export const submit = (overrides: Partial<NewTask> = {}) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const [enqueued] = yield* queue.enqueue([newTask(overrides)], { maxDepth: 10 })
    return enqueued === undefined ? yield* Effect.dieMessage("nothing was enqueued") : enqueued.task
  })

/** Claims the next task, which must be there. */
export const claimNext = (overrides: Partial<ClaimOptions> = {}) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const claimed = yield* queue.claim(claimOptions(overrides))
    return Option.isSome(claimed) ? claimed.value : yield* Effect.dieMessage("nothing could be claimed")
  })

/** Submits a task and claims it: the only one queued. */
export const submitAndClaim = (overrides: Partial<NewTask> = {}) => Effect.zipRight(submit(overrides), claimNext())
