/** What every store of pipelines promises. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { outcome } from "../../src/domain/task/Outcome.ts"
import { PipelineId } from "../../src/domain/task/Task.ts"
import { Pipelines } from "../../src/services/Pipelines.ts"
import { PutRight } from "../../src/services/PutRight.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { create, endNext, newPipeline, statusesOf } from "../support/pipelines.ts"
import { hour } from "../support/schedules.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, claimOptions, completed, ended, failed, newTask, submit } from "../support/tasks.ts"

const asked = { reason: "not needed", by: "tester" }

/** The events of pipelines so far. */
const pipelineEnds = Effect.gen(function* () {
  const events = yield* (yield* Tasks).events(0, 1000)
  return events
    .filter(({ kind }) => kind === "pipeline")
    .map(({ at, cause, id, status }) => ({ id, status, cause, at }))
})

export const pipelineContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`Pipelines over ${subject.name}`, () => {
    test(
      "are stored with their tasks and found again",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        yield* TestClock.adjust("5 seconds")
        const made = yield* create(
          [
            {},
            { stage: 0, after: [] },
            { after: [0, 1], policy: "finished", delayMs: 50, continueFrom: 1, gate: "verdict" }
          ],
          { name: "release", idempotencyKey: "k" }
        )
        const { steps, ...summary } = made
        assert.deepStrictEqual(summary, {
          id: summary.id,
          seq: summary.seq,
          name: "release",
          status: "queued",
          counts: { queued: 3, running: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0 },
          retryOf: null,
          idempotencyKey: "k",
          createdAt: 5000,
          startedAt: null,
          endedAt: null,
          cancelRequestedAt: null,
          cancelReason: null,
          cancelledBy: null
        })
        assert.deepStrictEqual(
          steps.map(({ task, ...step }) => ({ ...step, waitingOn: task.waitingOn, own: task.pipelineId === made.id })),
          [
            {
              name: "a",
              stage: 0,
              policy: "success",
              gate: null,
              contest: null,
              delayMs: 0,
              position: 0,
              after: [],
              continueFrom: null,
              status: "queued",
              kept: false,
              waitingOn: 0,
              own: true
            },
            {
              name: "b",
              stage: 0,
              policy: "success",
              gate: null,
              contest: null,
              delayMs: 0,
              position: 1,
              after: [],
              continueFrom: null,
              status: "queued",
              kept: false,
              waitingOn: 0,
              own: true
            },
            {
              name: "c",
              stage: 2,
              policy: "finished",
              gate: "verdict",
              contest: null,
              delayMs: 50,
              position: 2,
              after: [0, 1],
              continueFrom: 1,
              status: "queued",
              kept: false,
              waitingOn: 2,
              own: true
            }
          ]
        )
        assert.deepStrictEqual(yield* pipelines.get(made.id), made)
        const rules = yield* Effect.forEach(made.steps, ({ task }) => pipelines.answerRule(task.id))
        assert.deepStrictEqual(rules.map(Option.getOrNull), [null, null, "verdict"])
        assert.deepStrictEqual((yield* pipelines.list({ status: [], limit: 10, before: null })).pipelines, [summary])
        const missing = yield* Effect.flip(pipelines.get(PipelineId.make("zzzzzzzzzzzz")))
        assert.strictEqual(missing._tag, "PipelineNotFound")
      })
    )

    test(
      "are stored whole or not at all",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const error = yield* Effect.flip(
          pipelines.create(
            newPipeline([{}, { task: { dependsOn: [{ upstream: { member: 9 }, policy: "success" }] } }]),
            {
              maxDepth: 1
            }
          )
        )
        assert.strictEqual(error._tag, "DependencyInvalid")
        const deep = yield* Effect.flip(pipelines.create(newPipeline([{}, { task: { depth: 2 } }]), { maxDepth: 1 }))
        assert.strictEqual(deep._tag, "DepthExceeded")
        assert.deepStrictEqual((yield* pipelines.list({ status: [], limit: 10, before: null })).pipelines, [])
        assert.strictEqual((yield* (yield* Tasks).counts).queued, 0)
      })
    )

    test(
      "come once for one key",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const pipeline = newPipeline([{}, {}], { idempotencyKey: "once" })
        const first = yield* pipelines.create(pipeline, { maxDepth: 1 })
        const second = yield* pipelines.create(pipeline, { maxDepth: 1 })
        assert.deepStrictEqual([first.created, second.created], [true, false])
        assert.deepStrictEqual(second.pipeline, first.pipeline)
        assert.strictEqual((yield* (yield* Tasks).counts).queued, 2)
        const other = newPipeline([{}, {}, {}], { idempotencyKey: "once" })
        const error = yield* Effect.flip(pipelines.create(other, { maxDepth: 1 }))
        assert.strictEqual(error._tag, "PipelineKeyConflict")
      })
    )

    test(
      "are named by their name, which means the newest of it; an id goes before",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const make = (name: string) =>
          Effect.map(pipelines.create({ ...newPipeline([{}]), name }, { maxDepth: 1 }), ({ pipeline }) => pipeline.id)
        const first = yield* make("release")
        const second = yield* make("release")
        const named = yield* make(first)
        yield* make("other")
        assert.strictEqual(yield* pipelines.resolve("release"), second)
        assert.strictEqual(yield* pipelines.resolve(first), first)
        assert.notStrictEqual(named, first)
        assert.strictEqual((yield* Effect.flip(pipelines.resolve("releas")))._tag, "PipelineNotFound")
      })
    )

    test(
      "are named by the beginning of an id",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const unknown = (reference: string) =>
          pipelines.resolve(reference).pipe(
            Effect.flip,
            Effect.map((error) => (error._tag === "PipelineNotFound" ? error.candidates : null))
          )
        assert.deepStrictEqual(yield* unknown("@last"), [])
        const one = yield* create([{}])
        const two = yield* create([{}])
        assert.strictEqual(yield* pipelines.resolve("@last"), two.id)
        assert.strictEqual(yield* pipelines.resolve(one.id), one.id)
        assert.strictEqual(yield* pipelines.resolve(two.id.slice(0, 11)), two.id)
        for (const reference of ["", "zzz", `${one.id}0`]) {
          assert.deepStrictEqual(yield* unknown(reference), [], reference)
        }
      })
    )

    test(
      "go from step to step and end with the last, once",
      Effect.gen(function* () {
        const { id } = yield* create([{}, {}, {}])
        assert.strictEqual(yield* statusesOf(id), "queued: a queued, b queued, c queued")
        const { task, claim } = yield* claimNext()
        assert.strictEqual(yield* statusesOf(id), "running: a running, b queued, c queued")
        assert.deepStrictEqual(yield* (yield* Queue).claim(claimOptions()), Option.none())
        yield* (yield* Queue).finish(task.id, completed, claim)
        assert.strictEqual(yield* statusesOf(id), "running: a completed, b queued, c queued")
        assert.strictEqual(yield* endNext(completed), "b")
        assert.deepStrictEqual(yield* pipelineEnds, [])
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(yield* endNext(completed), "c")
        assert.strictEqual(yield* statusesOf(id), "completed: a completed, b completed, c completed")
        assert.deepStrictEqual(yield* pipelineEnds, [{ id, status: "completed", cause: null, at: 3000 }])
        const { endedAt, startedAt } = yield* (yield* Pipelines).get(id)
        assert.deepStrictEqual([startedAt, endedAt], [0, 3000])
      })
    )

    test(
      "are failed where a step has failed, and the steps behind it are skipped",
      Effect.gen(function* () {
        const { id } = yield* create([{}, {}, {}])
        yield* endNext(failed)
        assert.strictEqual(yield* statusesOf(id), "failed: a failed, b skipped, c skipped")
        assert.deepStrictEqual(
          (yield* pipelineEnds).map(({ status }) => status),
          ["failed"]
        )
      })
    )

    test(
      "are completed where a step for the case of failure was not needed",
      Effect.gen(function* () {
        const { id } = yield* create([{}, { policy: "failure" }, { after: [0] }])
        yield* endNext(completed)
        assert.strictEqual(yield* statusesOf(id), "running: a completed, b skipped, c queued")
        assert.strictEqual(yield* endNext(completed), "c")
        assert.strictEqual(yield* statusesOf(id), "completed: a completed, b skipped, c completed")
      })
    )

    test(
      "run the step for the case of failure, and are failed all the same",
      Effect.gen(function* () {
        const { id } = yield* create([{}, { policy: "failure" }, { policy: "finished" }])
        assert.strictEqual(yield* endNext(failed), "a")
        assert.strictEqual(yield* endNext(completed), "b")
        assert.strictEqual(yield* endNext(completed), "c")
        assert.strictEqual(yield* statusesOf(id), "failed: a failed, b completed, c completed")
      })
    )

    test(
      "wait for the automatic retry of a step",
      Effect.gen(function* () {
        const queue = yield* Queue
        const { id } = yield* create([{ task: { maxRetries: 1 } }, {}])
        const { task, claim } = yield* claimNext()
        const again = newTask({ prompt: "again", retryOf: task.id, continuation: "retry" })
        yield* queue.finish(task.id, failed, claim, again)
        assert.strictEqual(yield* statusesOf(id), "running: a queued, b queued")
        assert.deepStrictEqual(yield* pipelineEnds, [])
        const next = yield* (yield* Pipelines).get(id)
        assert.strictEqual(next.steps[0]?.task.pipelineId, id)
        assert.strictEqual(yield* endNext(completed), "again")
        assert.strictEqual(yield* endNext(completed), "b")
        assert.strictEqual(yield* statusesOf(id), "completed: a completed, b completed")
        assert.lengthOf(yield* pipelineEnds, 1)
      })
    )

    test(
      "pause before a step for as long as it says",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* create([{}, { delayMs: 5000 }])
        yield* TestClock.adjust("1 second")
        yield* endNext(completed)
        assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
        yield* TestClock.adjust("4999 millis")
        assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* endNext(completed), "b")
      })
    )

    test(
      "begin a pause again that began while the clock was ahead",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* TestClock.setTime(hour)
        yield* create([{}, { delayMs: 5000 }])
        yield* TestClock.setTime(3 * hour)
        yield* endNext(completed)
        const pauses = Effect.flatMap(PutRight, ({ all }) => Effect.map(all, (righted) => righted.pauses))
        assert.strictEqual(yield* pauses, 0)
        yield* TestClock.setTime(hour)
        assert.strictEqual(yield* pauses, 1)
        assert.strictEqual(yield* pauses, 0)
        yield* TestClock.adjust("4999 millis")
        assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* endNext(completed), "b")
      })
    )

    test(
      "are cancelled from the last step to the first",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        // b would be let go by the end of a, and d by that of c, which stands behind it in the file only.
        const { id, steps } = yield* create([
          {},
          { policy: "finished" },
          { after: [] },
          { after: [4], policy: "finished" },
          { after: [0] }
        ])
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* pipelines.cancel(id, asked), "ended")
        const after = yield* pipelines.get(id)
        assert.strictEqual(after.status, "cancelled")
        assert.deepStrictEqual(
          [after.cancelRequestedAt, after.cancelReason, after.cancelledBy],
          [2000, "not needed", "tester"]
        )
        for (const { task } of after.steps) {
          assert.deepStrictEqual([task.status, task.cause, task.cancelledBy], ["cancelled", "cancelled", "tester"])
        }
        const order = (yield* (yield* Tasks).events(0, 10)).map((event) => event.id)
        const named = order.flatMap((one) => steps.find(({ task }) => task.id === one)?.name ?? [])
        assert.isBelow(named.indexOf("b"), named.indexOf("a"))
        assert.isBelow(named.indexOf("d"), named.indexOf("e"))
        assert.isBelow(named.indexOf("e"), named.indexOf("a"))
        assert.strictEqual(order.at(-1), id)
        assert.strictEqual(yield* pipelines.cancel(id, asked), "over")
        assert.lengthOf(yield* pipelineEnds, 1)
      })
    )

    test(
      "ask running steps to end, and what ended before stays as it is",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const queue = yield* Queue
        const { id } = yield* create([{}, {}, {}])
        yield* endNext(completed)
        const { task, claim } = yield* claimNext()
        assert.strictEqual(yield* pipelines.cancel(id, asked), "requested")
        assert.strictEqual(yield* statusesOf(id), "running: a completed, b running, c cancelled")
        assert.deepStrictEqual(yield* (yield* Tasks).cancelRequested, [task.id])
        assert.strictEqual(yield* pipelines.cancel(id, { reason: "again", by: "other" }), "requested")
        assert.strictEqual((yield* pipelines.get(id)).cancelledBy, "tester")
        yield* queue.finish(task.id, ended, claim)
        assert.strictEqual(yield* statusesOf(id), "cancelled: a completed, b cancelled, c cancelled")
        const missing = yield* Effect.flip(pipelines.cancel(PipelineId.make("zzzzzzzzzzzz"), asked))
        assert.strictEqual(missing._tag, "PipelineNotFound")
      })
    )

    test(
      "keep what another one has completed",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const first = yield* create([{}, {}, { policy: "failure" }])
        yield* endNext(completed)
        yield* endNext(failed)
        yield* endNext(completed)
        const kept = first.steps[0]?.task.id
        if (kept === undefined) return assert.fail("no step")
        yield* TestClock.adjust("1 second")
        const again = yield* create([{ kept }, {}, { policy: "failure" }], { retryOf: first.id })
        assert.strictEqual(again.retryOf, first.id)
        assert.deepStrictEqual(
          again.steps.map((step) => step.kept),
          [true, false, false]
        )
        assert.strictEqual(yield* statusesOf(again.id), "queued: a completed, b queued, c queued")
        assert.strictEqual(again.startedAt, null)
        assert.strictEqual(yield* endNext(completed), "b")
        assert.strictEqual(yield* statusesOf(again.id), "completed: a completed, b completed, c skipped")
        assert.strictEqual(yield* statusesOf(first.id), "failed: a completed, b failed, c completed")
        assert.deepStrictEqual(
          (yield* pipelineEnds).map(({ id }) => id),
          [first.id, again.id]
        )
        assert.strictEqual((yield* pipelines.get(again.id)).startedAt, 1000)
      })
    )

    test(
      "try another one again one at a time",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const first = yield* create([{}])
        yield* endNext(failed)
        const second = yield* create([{}], { retryOf: first.id })
        const twice = newPipeline([{}], { retryOf: first.id })
        const refused = yield* Effect.flip(pipelines.create(twice, { maxDepth: 10 }))
        if (refused._tag !== "PipelineRetryConflict") return assert.fail(refused._tag)
        assert.deepStrictEqual([refused.id, refused.by], [first.id, second.id])
        assert.lengthOf((yield* pipelines.list({ status: [], limit: 10, before: null })).pipelines, 2)
        yield* endNext(failed)
        yield* create([{}], { retryOf: first.id })
      })
    )

    test(
      "may be over as soon as they are stored",
      Effect.gen(function* () {
        const done = yield* submit()
        yield* endNext(completed)
        const made = yield* create([{ kept: done.id }, { policy: "failure" }])
        assert.strictEqual(yield* statusesOf(made.id), "completed: a completed, b skipped")
        assert.strictEqual(made.status, "completed")
        assert.lengthOf(yield* pipelineEnds, 1)
      })
    )

    test(
      "are listed newest first, page by page, by status",
      Effect.gen(function* () {
        const pipelines = yield* Pipelines
        const ids: Array<PipelineId> = []
        for (let count = 0; count < 5; count += 1) ids.push((yield* create([{}])).id)
        yield* endNext(completed)
        yield* endNext(failed)
        const first = yield* pipelines.list({ status: [], limit: 2, before: null })
        assert.deepStrictEqual(
          first.pipelines.map(({ id }) => id),
          [ids[4], ids[3]]
        )
        assert.isTrue(first.more)
        const rest = yield* pipelines.list({ status: [], limit: 3, before: first.pipelines[1]?.seq ?? 0 })
        assert.deepStrictEqual(
          rest.pipelines.map(({ id, status }) => [id, status]),
          [
            [ids[2], "queued"],
            [ids[1], "failed"],
            [ids[0], "completed"]
          ]
        )
        assert.isFalse(rest.more)
        const over = yield* pipelines.list({ status: ["failed", "completed"], limit: 1, before: null })
        assert.deepStrictEqual([over.pipelines.map(({ id }) => id), over.more], [[ids[1]], true])
      })
    )

    test(
      "are forgotten whole, and only when all of their steps are old",
      Effect.gen(function* () {
        const queue = yield* Queue
        const pipelines = yield* Pipelines
        const { id } = yield* create([{}, {}])
        yield* endNext(completed)
        yield* TestClock.adjust("10 seconds")
        const old = { endedBefore: 5000, limit: 10, dryRun: false }
        assert.deepStrictEqual(yield* queue.prune(old), [])
        yield* endNext(outcome({ status: "failed", cause: "timeout" }))
        assert.deepStrictEqual(yield* queue.prune(old), [])
        assert.strictEqual(yield* statusesOf(id), "failed: a completed, b failed")
        assert.lengthOf(yield* queue.prune({ ...old, endedBefore: 20_000 }), 2)
        assert.deepStrictEqual((yield* pipelines.list({ status: [], limit: 10, before: null })).pipelines, [])
        assert.deepStrictEqual(yield* pipelineEnds, [])
      })
    )
  })
}
