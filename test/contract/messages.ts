/** What every store promises of messages: none is lost, none is said again after its receipt, and each end is on record. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { MessageId, mostWaiting } from "../../src/domain/message/Message.ts"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { Messages, type NewMessage } from "../../src/services/Messages.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { Queue } from "../../src/services/Queue.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, newTask, submit } from "../support/tasks.ts"

const idOf = (number: number) => MessageId.make(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`)

const say = (taskId: TaskId, number: number, fields: Partial<NewMessage> = {}): NewMessage => ({
  id: idOf(number),
  taskId,
  kind: "say",
  body: `say ${number}`,
  sender: "anna",
  ...fields
})

const steered: Partial<NewTask> = {
  agent: "claude",
  launch: { file: "/bin/claude", args: [], promptAt: [], stdin: "stream-json" }
}

const states = (taskId: TaskId) =>
  Effect.flatMap(Messages, (messages) =>
    Effect.map(messages.list(taskId, 100), (found) => found.map(({ body, state }) => `${body}: ${state}`))
  )

/** A running task whose agent takes messages, with its holder. */
const running = Effect.gen(function* () {
  const { id } = yield* submit(steered)
  const { claim } = yield* claimNext()
  return { id, holder: { claimId: claim.claimId, workerId: claim.workerId } }
})

/** The agent prints something that proves messages to be taken. */
const confirm = (taskId: TaskId, offset: number, taken: ReadonlyArray<MessageId>) =>
  Effect.flatMap(OutputStore, (store) =>
    store.append({ taskId, stream: "stdout", offset, bytes: new Uint8Array([46]), taken }, { cap: 1000 })
  )

export const messagesContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`messages: ${subject.name}`, () => {
    test(
      "a message is stored, written to a claim, and taken with the output that proves it",
      Effect.gen(function* () {
        const messages = yield* Messages
        const { holder, id } = yield* running
        const sent = yield* messages.send([say(id, 1), say(id, 2)])
        assert.deepStrictEqual(
          sent.map(({ seq, state }) => [seq, state]),
          [
            [1, "stored"],
            [2, "stored"]
          ]
        )
        assert.deepStrictEqual(yield* messages.waiting, [id])
        yield* messages.written(holder, idOf(1))
        assert.deepStrictEqual(yield* states(id), ["say 1: written", "say 2: stored"])
        yield* confirm(id, 0, [idOf(1)])
        // The same bytes again, as after a crash, say nothing new.
        yield* confirm(id, 0, [idOf(2)])
        assert.deepStrictEqual(yield* states(id), ["say 1: taken", "say 2: stored"])
        const taken = Option.getOrThrow(yield* messages.find(idOf(1)))
        assert.isNotNull(taken.takenAt)
        assert.isNotNull(taken.writtenAt)
        // A receipt may come before the worker has written that it handed the message over.
        yield* confirm(id, 1, [idOf(2)])
        yield* messages.written(holder, idOf(2))
        assert.deepStrictEqual(yield* states(id), ["say 1: taken", "say 2: taken"])
        assert.deepStrictEqual(yield* messages.pending(id), [])
        assert.deepStrictEqual(yield* messages.waiting, [])
      })
    )

    test(
      "the same id sends nothing again; with another text it is a conflict, and nothing of the batch is stored",
      Effect.gen(function* () {
        const messages = yield* Messages
        const { id } = yield* running
        yield* messages.send([say(id, 1)])
        const [again] = yield* messages.send([say(id, 1)])
        assert.strictEqual(again?.seq, 1)
        const failed = yield* Effect.flip(messages.send([say(id, 2), say(id, 1, { body: "something else" })]))
        assert.strictEqual(failed._tag, "MessageConflict")
        assert.deepStrictEqual(yield* states(id), ["say 1: stored"])
        const missing = yield* Effect.flip(messages.send([say(TaskId.make("zzzzzzzzzzzz"), 3)]))
        assert.strictEqual(missing._tag, "TaskNotFound")
      })
    )

    test(
      "a claim that is put back leaves what was not confirmed to the next one, and takes its interrupts along",
      Effect.gen(function* () {
        const messages = yield* Messages
        const queue = yield* Queue
        const { holder, id } = yield* running
        yield* messages.send([say(id, 1), say(id, 2), say(id, 3, { kind: "interrupt", body: "" }), say(id, 4)])
        for (const number of [1, 2, 3]) yield* messages.written(holder, idOf(number))
        yield* confirm(id, 0, [idOf(1)])
        yield* queue.requeue(holder)
        assert.deepStrictEqual(yield* states(id), ["say 1: taken", "say 2: stored", ": dropped", "say 4: stored"])
        const lost = yield* Effect.flip(messages.written(holder, idOf(2)))
        assert.strictEqual(lost._tag, "TaskStateConflict")
        // Written before, and said again: the agent is told so.
        const kept = yield* messages.pending(id)
        assert.deepStrictEqual(
          kept.map(({ writtenAt }) => writtenAt === null),
          [false, true]
        )
      })
    )

    test(
      "an input is closed only when nothing is pending, and then the next message goes to the next turn",
      Effect.gen(function* () {
        const messages = yield* Messages
        const { holder, id } = yield* running
        assert.deepStrictEqual(yield* messages.recipient(id), {
          status: "running",
          format: "stream-json",
          closed: false,
          asks: null
        })
        yield* messages.send([say(id, 1)])
        assert.isFalse(yield* messages.close(holder, { whatever: false }))
        yield* messages.written(holder, idOf(1))
        assert.isFalse(yield* messages.close(holder, { whatever: false }))
        yield* confirm(id, 0, [idOf(1)])
        assert.isTrue(yield* messages.close(holder, { whatever: false }))
        yield* messages.send([say(id, 2)])
        assert.isTrue((yield* messages.recipient(id)).closed)
        assert.isTrue(yield* messages.close(holder, { whatever: false }))
      })
    )

    test(
      "an agent that is out of reach is closed whatever is pending",
      Effect.gen(function* () {
        const messages = yield* Messages
        const { holder, id } = yield* running
        yield* messages.send([say(id, 1)])
        assert.isTrue(yield* messages.close(holder, { whatever: true }))
        assert.isTrue((yield* messages.recipient(id)).closed)
      })
    )

    test(
      "what an ended task did not take waits to be moved, once, in the transaction that stores the next turn",
      Effect.gen(function* () {
        const messages = yield* Messages
        const queue = yield* Queue
        const { holder, id } = yield* running
        yield* messages.send([say(id, 1), say(id, 2)])
        yield* messages.written(holder, idOf(1))
        assert.deepStrictEqual(yield* messages.adrift, [])
        yield* queue.finish(id, completed, holder)
        assert.deepStrictEqual(yield* messages.adrift, [id])
        const both = [idOf(1), idOf(2)]
        const [next] = yield* queue.enqueue([newTask()], { maxDepth: 3, moves: both })
        assert.deepStrictEqual(yield* states(id), ["say 1: moved", "say 2: moved"])
        assert.strictEqual(Option.getOrThrow(yield* messages.find(idOf(2))).movedTo, next?.task.id)
        assert.deepStrictEqual(yield* states(next?.task.id ?? id), ["say 1: moved", "say 2: moved"])
        const second = yield* Effect.flip(queue.enqueue([newTask()], { maxDepth: 3, moves: both }))
        assert.strictEqual(second._tag, "TaskStateConflict")
        assert.deepStrictEqual(yield* messages.adrift, [])
      })
    )

    test(
      "each of 1,000 messages that come while their tasks end is heard once or waits for the next turn",
      Effect.gen(function* () {
        const messages = yield* Messages
        const queue = yield* Queue
        const each = 20
        let lost = 0
        let adrift = 0
        for (let round = 0; round < 50; round++) {
          const { holder, id } = yield* running
          const heard: Array<MessageId> = []
          let sent = 0
          const sender = Effect.gen(function* () {
            for (let number = 1; number <= each; number++) {
              yield* messages.send([say(id, round * each + number)])
              sent = number
              yield* Effect.yieldNow()
            }
          })
          const agent = Effect.gen(function* () {
            // Its input ends after another message in each round.
            while (sent < round % (each + 1)) yield* Effect.yieldNow()
            for (let turn = 0; !(yield* messages.close(holder, { whatever: false })); turn++) {
              const pending = (yield* messages.pending(id)).map((message) => message.id)
              for (const message of pending) yield* messages.written(holder, message)
              yield* confirm(id, turn, pending)
              heard.push(...pending)
            }
            yield* queue.finish(id, completed, holder)
          })
          yield* Effect.all([sender, agent], { concurrency: "unbounded" })
          const found = yield* messages.list(id, 100)
          const waits = found.filter(({ state }) => state === "stored")
          adrift += waits.length
          lost += each - new Set(heard).size - waits.length
          assert.lengthOf(new Set(heard), heard.length, "one was heard twice")
          assert.deepStrictEqual(
            found.filter(({ state }) => state === "taken").map((message) => message.id),
            heard
          )
          assert.strictEqual((yield* messages.adrift).includes(id), waits.length > 0)
        }
        assert.strictEqual(lost, 0)
        assert.isAbove(adrift, 0, "no message came late")
        assert.isBelow(adrift, 1000, "all messages came late")
      })
    )

    test(
      "messages follow an automatic retry, and a cancelled task drops them",
      Effect.gen(function* () {
        const messages = yield* Messages
        const queue = yield* Queue
        const first = yield* running
        yield* messages.send([say(first.id, 1)])
        const failed = { ...completed, status: "failed" as const, cause: "exit" as const, exitCode: 1 }
        const { retriedBy } = yield* queue.finish(first.id, failed, first.holder, newTask(steered))
        if (retriedBy === null) return yield* Effect.dieMessage("no retry")
        assert.deepStrictEqual(yield* states(retriedBy), ["say 1: stored"])
        yield* queue.cancel(retriedBy, { reason: null, by: "anna" })
        const dropped = Option.getOrThrow(yield* messages.find(idOf(1)))
        assert.deepStrictEqual([dropped.state, dropped.reason], ["dropped", "the task was cancelled"])
      })
    )

    test(
      "what a program got as a line is settled when it is written",
      Effect.gen(function* () {
        const messages = yield* Messages
        const queue = yield* Queue
        const { holder, id } = yield* running
        yield* messages.send([say(id, 1, { kind: "line" })])
        yield* messages.written(holder, idOf(1))
        assert.deepStrictEqual(yield* messages.pending(id), [])
        assert.isTrue(yield* messages.close(holder, { whatever: false }))
        yield* queue.finish(id, completed, holder)
        assert.deepStrictEqual(yield* states(id), ["say 1: written"])
      })
    )

    test(
      "stored messages of an ended task can be sent to another task, or given up with a reason",
      Effect.gen(function* () {
        const messages = yield* Messages
        const queue = yield* Queue
        const { holder, id } = yield* running
        yield* queue.finish(id, completed, holder)
        yield* messages.send([say(id, 1)])
        const other = yield* submit(steered)
        yield* messages.redirect(id, other.id)
        assert.deepStrictEqual(yield* states(other.id), ["say 1: stored"])
        yield* messages.send([say(id, 2)])
        yield* messages.drop(id, "no session")
        assert.deepStrictEqual(yield* states(id), ["say 2: dropped"])
      })
    )

    test(
      "a task has a bound on what may wait",
      Effect.gen(function* () {
        const messages = yield* Messages
        const { id } = yield* running
        const all = Array.from({ length: mostWaiting }, (_, at) => say(id, at))
        const [first, ...others] = all
        if (first === undefined) return
        yield* messages.send([first, ...others])
        const refused = yield* Effect.flip(messages.send([say(id, mostWaiting)]))
        assert.strictEqual(refused._tag, "MessageRefused")
      })
    )
  })
}
