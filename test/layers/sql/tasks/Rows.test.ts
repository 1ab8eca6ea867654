/** Every model comes back from its row as it was: no field is lost on the way. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as EffectRuntime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { Environment, NewTask } from "../../../../src/domain/task/NewTask.ts"
import { Outcome } from "../../../../src/domain/task/Outcome.ts"
import { EndCause, type Task, titleOf } from "../../../../src/domain/task/Task.ts"
import { endStep, transition } from "../../../../src/domain/task/Transition.ts"
import { traceparentWithin } from "../../../../src/domain/traces/TraceContext.ts"
import { ProcessIdentity } from "../../../../src/domain/worker/Process.ts"
import { Worker } from "../../../../src/domain/worker/Worker.ts"
import { StoredLaunch } from "../../../../src/layers/sql/tasks/Rows.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../../src/services/WorkerRegistry.ts"
import { claimOptions, memory, workerA } from "../support.ts"

type Services = Queue | Tasks | WorkerRegistry | SqlClient.SqlClient

/** Runs `property` on random values, each on the same database. */
const forAll = <A, E>(
  values: FastCheck.Arbitrary<A>,
  property: (value: A) => Effect.Effect<void, E, Services>,
  numRuns: number
) =>
  Effect.flatMap(Effect.runtime<Services>(), (runtime) =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(values, (value) => EffectRuntime.runPromise(runtime)(property(value))),
        { numRuns }
      )
    )
  )

/** UTF-8 has no form for half a surrogate pair. */
const wellFormed = (text: string) => !/\p{Surrogate}/u.test(text)

const anyText = FastCheck.fullUnicodeString({ maxLength: 60 }).filter(wellFormed)

const newTasks = FastCheck.record({
  task: Arbitrary.make(NewTask),
  prompt: anyText,
  systemPrompt: FastCheck.option(anyText),
  directory: anyText
}).map(
  ({ task: { workspace, budgetMicro: _ownBudget, ...task }, ...texts }): NewTask => ({
    ...task,
    // The other kind names a workspace that is stored already.
    ...(workspace?.kind === "new" ? { workspace } : {}),
    ...texts,
    depth: task.depth % 4,
    retryOf: null,
    dependsOn: [],
    continueFrom: null,
    idempotencyKey: task.idempotencyKey,
    notBefore: null,
    // A field left out and one that is undefined are the same in JSON.
    launch: Schema.decodeSync(StoredLaunch)(Schema.encodeSync(StoredLaunch)(task.launch)),
    timeoutMs: task.timeoutMs === null ? null : task.timeoutMs % 1e12
  })
)

const outcomes = Arbitrary.make(Outcome).map(
  (ending): Outcome => ({ ...ending, usage: ending.usage && { ...ending.usage, costUsd: 0.25 } })
)

const emptied = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DELETE FROM claims`
  yield* sql`DELETE FROM tasks`
})

describe("rows", () => {
  it.effect("keep every field of a task through its whole life", () =>
    forAll(
      FastCheck.record({
        task: newTasks,
        ending: outcomes,
        process: Arbitrary.make(ProcessIdentity),
        cause: Arbitrary.make(EndCause)
      }),
      ({ cause, ending, process, task }) =>
        Effect.gen(function* () {
          const queue = yield* Queue
          const tasks = yield* Tasks
          const registry = yield* WorkerRegistry
          const now = yield* Clock.currentTimeMillis
          const [enqueued] = yield* queue.enqueue([task], { maxDepth: 3 })
          const id = enqueued?.task.id ?? (yield* Effect.dieMessage("nothing enqueued"))
          const { account, environment, launch, traceparent, workspace, ...fields } = task
          const stored: Task = {
            ...fields,
            account: account?.key ?? null,
            group: task.group ?? null,
            goalId: null,
            onLimit: task.onLimit ?? "park",
            giveUpMs: task.giveUpMs ?? 604_800_000,
            fallback: task.fallback ?? [],
            spare: task.spare ?? false,
            parks: 0,
            parkedAt: null,
            wakes: 0,
            workspaceId: workspace?.id ?? null,
            id,
            seq: enqueued?.task.seq ?? 0,
            title: titleOf(task.prompt),
            status: "queued",
            attempt: 1,
            rootId: null,
            retriedBy: null,
            waitingOn: 0,
            frozenAt: null,
            asks: 0,
            pipelineId: null,
            dependsOn: [],
            continueFrom: null,
            createdAt: now,
            startedAt: null,
            endedAt: null,
            cancelRequestedAt: null,
            cancelReason: null,
            cancelledBy: null,
            cause: null,
            exitCode: null,
            signal: null,
            error: null,
            failureClass: null,
            failureResetAt: null,
            bytesStored: 0,
            bytesDropped: 0,
            leftovers: 0,
            usage: null,
            answer: null
          }
          assert.deepStrictEqual(enqueued, { task: stored, created: true })
          assert.deepStrictEqual(yield* tasks.get(id), stored)
          assert.deepStrictEqual(yield* queue.captured(id), { launch, environment, revision: 0, resumeSession: null })

          const claimed = yield* Effect.flatten(
            queue.claim({
              ...claimOptions,
              bootId: process.bootId,
              uptimeMs: 5,
              sinceBootMs: 5,
              uid: launch.uid ?? null
            })
          )
          const running: Task = { ...stored, status: "running", startedAt: now }
          assert.deepStrictEqual(claimed, {
            task: running,
            resumeSession: null,
            traceparent: traceparentWithin({ ...stored, traceparent: traceparent ?? null }),
            launch,
            environment,
            claim: {
              taskId: id,
              claimId: claimed.claim.claimId,
              workerId: workerA,
              state: "claimed",
              process: null,
              bootId: process.bootId,
              claimedAt: now,
              runningAt: null,
              deadlineUptime: task.timeoutMs === null ? null : 5 + task.timeoutMs,
              frozenUptime: null,
              boundUptime: null,
              stopCause: null,
              stopAt: null
            }
          })
          const holder = { claimId: claimed.claim.claimId, workerId: workerA }
          const started = { ...claimed.claim, state: "running", process, runningAt: now } as const
          assert.deepStrictEqual(yield* registry.started(holder, process), started)
          const stopping = { ...started, stopCause: cause, stopAt: now }
          assert.deepStrictEqual(yield* registry.stopping(holder, cause), stopping)
          assert.deepStrictEqual(yield* registry.claimOf(id), Option.some(stopping))

          assert.isNotNull(transition("running", endStep[ending.status]))
          const event = yield* queue.finish(id, ending, holder)
          assert.deepStrictEqual(yield* tasks.events(event.seq - 1, 1), [event])
          const { spending: _spending, ...kept } = ending
          const ended = { ...running, ...kept, sessionId: ending.sessionId ?? task.sessionId, endedAt: now }
          assert.deepStrictEqual(yield* tasks.get(id), ended)
          const { answer: _answer, dependsOn: _edges, prompt: _prompt, systemPrompt: _system, ...summary } = ended
          assert.deepStrictEqual(yield* tasks.summary(id), summary)
        }).pipe((life) => Effect.zipRight(emptied, life)),
      30
    ).pipe((lives) => Effect.zipRight(TestClock.adjust("1 second"), lives), Effect.provide(memory))
  )

  it.effect("keep every field of a worker", () =>
    forAll(
      Arbitrary.make(Worker),
      (worker) =>
        Effect.gen(function* () {
          const registry = yield* WorkerRegistry
          yield* registry.register(worker)
          assert.deepStrictEqual(yield* registry.workers, [worker])
          assert.isTrue(yield* registry.leave(worker.id, "always"))
        }),
      50
    ).pipe(Effect.provide(memory))
  )

  it.effect("that do not fit are an error that does not show what is in them", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const [value] = FastCheck.sample(newTasks, 1)
      if (value === undefined) return yield* Effect.dieMessage("no sample")
      const [enqueued] = yield* queue.enqueue([value], { maxDepth: 3 })
      const id = enqueued?.task.id ?? (yield* Effect.dieMessage("nothing enqueued"))
      yield* sql`UPDATE environments SET variables = '{"TOKEN": ["very-secret"]}'`
      const error = yield* Effect.flip(queue.captured(id))
      assert.deepInclude(error, { _tag: "StorageError", reason: "unfit", operation: "captured" })
      const told = `${error.message} ${JSON.stringify(error)} ${error._tag === "StorageError" ? String(error.cause) : ""}`
      assert.include(told, "TOKEN")
      assert.notInclude(told, "secret")
      assert.isTrue(Schema.is(Environment)({ TOKEN: "a" }))
    }).pipe(Effect.provide(memory))
  )
})
