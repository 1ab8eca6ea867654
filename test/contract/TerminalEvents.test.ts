/** The contract of terminal events: a wake-up for who listens, beside the outbox, which is the record. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { TaskId } from "../../src/domain/task/Task.ts"
import type { TerminalEvent } from "../../src/domain/task/TerminalEvent.ts"
import * as TerminalEventsPubSub from "../../src/layers/TerminalEvents.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { TerminalEvents } from "../../src/services/TerminalEvents.ts"
import { subjects } from "../support/stores.ts"
import { completed, submitAndClaim } from "../support/tasks.ts"

const event = (seq: number): TerminalEvent => ({
  seq,
  kind: "task",
  id: TaskId.make("000000000000"),
  status: "completed",
  cause: "exit",
  at: seq,
  retriedBy: null
})

const seqs = (stream: Stream.Stream<TerminalEvent>, count: number) =>
  Effect.map(Stream.runCollect(Stream.take(stream, count)), (events) => Chunk.toArray(events).map(({ seq }) => seq))

describe("TerminalEvents", () => {
  it.scoped("reach every earlier subscriber, and no other", () =>
    Effect.gen(function* () {
      const events = yield* TerminalEvents
      yield* events.publish(event(1))
      const first = yield* events.subscribe
      yield* events.publish(event(2))
      const second = yield* events.subscribe
      yield* events.publish(event(3))
      assert.deepStrictEqual(yield* seqs(first, 2), [2, 3])
      assert.deepStrictEqual(yield* seqs(second, 1), [3])
    }).pipe(Effect.provide(TerminalEventsPubSub.layer))
  )

  it.scoped("never hold up the publisher: a slow subscriber loses the oldest", () =>
    Effect.gen(function* () {
      const events = yield* TerminalEvents
      const slow = yield* events.subscribe
      for (let seq = 1; seq <= 2000; seq += 1) yield* events.publish(event(seq))
      const kept = yield* seqs(slow, 64)
      const [oldest = 0] = kept
      assert.isAbove(oldest, 1)
      assert.deepStrictEqual(
        kept,
        Array.from({ length: 64 }, (_, index) => oldest + index)
      )
    }).pipe(Effect.provide(TerminalEventsPubSub.layer))
  )

  it.effect("end with the scope of the subscriber, and the publisher continues", () =>
    Effect.gen(function* () {
      const events = yield* TerminalEvents
      const scope = yield* Scope.make()
      const stream = yield* Scope.extend(events.subscribe, scope)
      const reading = yield* Effect.fork(Stream.runDrain(stream))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.await(reading)
      yield* events.publish(event(1))
    }).pipe(Effect.provide(TerminalEventsPubSub.layer))
  )

  for (const subject of subjects) {
    it.scoped(`stand for a row of the outbox that is there by then, over ${subject.name}`, () =>
      Effect.gen(function* () {
        const events = yield* TerminalEvents
        const queue = yield* Queue
        const tasks = yield* Tasks
        const ends = yield* events.subscribe
        const waiting = yield* Effect.fork(
          Stream.runHead(Stream.mapEffect(ends, ({ seq }) => tasks.events(seq - 1, 10)))
        )
        const claimed = yield* submitAndClaim()
        const ended = yield* queue.finish(claimed.task.id, completed, claimed.claim)
        yield* events.publish(ended)
        const seen = yield* yield* Fiber.join(waiting)
        assert.deepStrictEqual(seen, [ended])
      }).pipe(Effect.provide(TerminalEventsPubSub.layer), Effect.provide(subject.layer))
    )
  }
})
