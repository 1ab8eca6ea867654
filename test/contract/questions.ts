/** What every store promises of questions, and of tasks that wait for a person. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { questionBounds } from "../../src/domain/questions/Question.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { Gates } from "../../src/services/Gates.ts"
import { type Append, OutputStore } from "../../src/services/OutputStore.ts"
import { Questions } from "../../src/services/Questions.ts"
import { type ClaimedTask, type Parking, Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import {
  claimNext,
  claimOptions,
  completed,
  failed,
  newTask,
  parked,
  submit,
  submitAndClaim,
  workerA
} from "../support/tasks.ts"

const ask = (taskId: TaskId | null, text = "Which database?", options: ReadonlyArray<string> = []) =>
  Effect.flatMap(Questions, (questions) =>
    questions.ask({ taskId, askedBy: taskId === null ? "anna" : `task ${taskId}`, text, options })
  )

const reply = { text: "sqlite", denied: false, by: "anna" }

const tryClaim = Effect.flatMap(Queue, (queue) => queue.claim(claimOptions({ maxConcurrency: 100 })))

const park = (claimed: ClaimedTask, more: Partial<Parking> = {}) =>
  Effect.flatMap(Queue, (queue) => queue.park(claimed.claim, parked({ limit: false, sessionId: "session-1", ...more })))

const pausedBy = (name: string) => ({
  scope: "task" as const,
  name,
  until: null,
  reason: null,
  by: "anna",
  freeze: false
})

export const questionsContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`questions: ${subject.name}`, () => {
    test(
      "what an agent asks over its stream is open with the bytes that ask it, answered once, and known again",
      Effect.gen(function* () {
        const questions = yield* Questions
        const store = yield* OutputStore
        const tasks = yield* Tasks
        const { claim, task } = yield* submitAndClaim()
        let offset = 0
        const print = (more: Partial<Append>) =>
          Effect.tap(
            store.append(
              { taskId: task.id, stream: "stdout", offset, bytes: new Uint8Array(1), ...more },
              { cap: 1000 }
            ),
            () =>
              Effect.sync(() => {
                offset += 1
              })
          )
        const push = { requestId: "r1", tool: "Bash", input: { command: "git push" }, suggestions: [] }
        const denied = { denied: true, text: "no rule" }
        yield* print({
          asked: [
            { request: push, ruled: null },
            { request: { ...push, requestId: "r2" }, ruled: denied }
          ]
        })
        // The same bytes again, as after a kill before the offset was read.
        offset = 0
        yield* print({ asked: [{ request: push, ruled: null }] })
        const [question, ...others] = yield* questions.ofTask(task.id)
        if (question === undefined) return yield* Effect.dieMessage("nothing is asked")
        assert.deepStrictEqual([question.text, question.state, others], ["May I use Bash? git push", "open", []])
        assert.strictEqual((yield* tasks.summary(task.id)).asks, 1)
        const ready = yield* questions.toReply(claim.claimId)
        assert.deepStrictEqual(
          ready.map(({ answers, request }) => [request.requestId, answers]),
          [["r2", [denied]]]
        )
        yield* questions.replied(ready[0]?.seq ?? 0)
        yield* questions.answer(question.id, { ...reply, text: "allow" })
        yield* print({ asked: [{ request: { ...push, requestId: "r3" }, ruled: null }] })
        const both = yield* questions.toReply(claim.claimId)
        const allowed = [{ denied: false, text: "allow" }]
        assert.deepStrictEqual(
          both.map(({ answers, request }) => [request.requestId, answers]),
          [
            ["r1", allowed],
            ["r3", allowed]
          ]
        )
        assert.lengthOf(yield* questions.ofTask(task.id), 1)
        for (const { seq } of both) yield* questions.replied(seq)
        assert.deepStrictEqual(yield* questions.toReply(claim.claimId), [])
        assert.strictEqual((yield* questions.get(question.id)).state, "answered")
        yield* print({ replied: ["r1", "unheard"] })
        assert.strictEqual((yield* questions.get(question.id)).state, "taken")
        yield* (yield* Queue).requeue(claim)
        assert.deepStrictEqual(yield* questions.toReply(claim.claimId), [])
      })
    )

    test(
      "a question is stored once for a task and a text, and counted until it is answered",
      Effect.gen(function* () {
        const questions = yield* Questions
        const tasks = yield* Tasks
        yield* TestClock.setTime(5000)
        const { task } = yield* submitAndClaim()
        const first = yield* ask(task.id, "Which database?", ["sqlite", "postgres"])
        const again = yield* ask(task.id, "Which database?", ["another list"])
        assert.deepStrictEqual(again, first)
        assert.deepStrictEqual([first.state, first.askedAt, first.options], ["open", 5000, ["sqlite", "postgres"]])
        const other = yield* ask(task.id, "Which port?")
        assert.isAbove(other.id, first.id)
        assert.strictEqual((yield* tasks.summary(task.id)).asks, 2)
        assert.deepStrictEqual(yield* tasks.asking, [task.id])
        assert.deepStrictEqual(
          (yield* questions.open).map(({ id }) => id),
          [first.id, other.id]
        )
        assert.deepStrictEqual(yield* questions.openOf([other.id, first.id]), [other.id, first.id])
        assert.deepStrictEqual(yield* questions.openOf([]), [])
        const halt = { id: task.id, status: "running", asks: 2, retriedBy: null, opensAt: null } as const
        assert.deepStrictEqual(yield* tasks.haltsOf([task.id]), [halt])
        yield* TestClock.adjust("2 seconds")
        const answered = yield* questions.answer(first.id, reply)
        assert.deepStrictEqual(
          [answered.state, answered.answer, answered.answeredBy, answered.answeredAt],
          ["answered", "sqlite", "anna", 7000]
        )
        assert.strictEqual((yield* tasks.summary(task.id)).asks, 1)
        assert.deepStrictEqual(yield* ask(task.id), answered)
        yield* questions.take(first.id)
        yield* questions.take(other.id)
        assert.strictEqual((yield* ask(task.id)).state, "taken")
        assert.strictEqual((yield* questions.get(other.id)).state, "open")
      })
    )

    test(
      "of two answers the first counts, and the second is told so",
      Effect.gen(function* () {
        const questions = yield* Questions
        const { task } = yield* submitAndClaim()
        const { id } = yield* ask(task.id)
        yield* questions.answer(id, reply)
        const late = yield* Effect.flip(questions.answer(id, { text: "postgres", denied: false, by: "bert" }))
        assert.deepStrictEqual(late._tag === "QuestionClosed" ? [late.by, late.answer] : late._tag, ["anna", "sqlite"])
        assert.strictEqual((yield* questions.get(id)).answer, "sqlite")
      })
    )

    test(
      "a task is not claimed while a question is open, and its next claim is given the answers",
      Effect.gen(function* () {
        const questions = yield* Questions
        const queue = yield* Queue
        const tasks = yield* Tasks
        const first = yield* submitAndClaim()
        const dependent = yield* submit({ dependsOn: [{ upstream: first.task.id, policy: "success" }] })
        const { id } = yield* ask(first.task.id)
        yield* park(first)
        assert.deepStrictEqual(yield* tryClaim, Option.none())
        assert.isTrue(yield* tasks.awaitAnswers)
        const parked = yield* tasks.get(first.task.id)
        assert.deepStrictEqual([parked.status, parked.asks, parked.parks], ["queued", 1, 0])
        assert.strictEqual((yield* tasks.get(dependent.id)).waitingOn, 1)
        yield* questions.answer(id, reply)
        assert.isFalse(yield* tasks.awaitAnswers)
        const next = yield* claimNext()
        assert.deepStrictEqual([next.task.id, next.resumeSession], [first.task.id, "session-1"])
        assert.deepStrictEqual(
          (yield* questions.ofClaim(next.claim.claimId)).map((one) => [one.id, one.state]),
          [[id, "taken"]]
        )
        // It never started: the claim after it is given the answer again, and the time of its start stays.
        yield* queue.requeue(next.claim)
        const again = yield* claimNext()
        assert.strictEqual((yield* questions.ofClaim(again.claim.claimId)).length, 1)
        assert.strictEqual(again.task.startedAt, first.task.startedAt)
        yield* queue.finish(again.task.id, completed, again.claim)
        assert.strictEqual((yield* claimNext()).task.id, dependent.id)
      })
    )

    test(
      "a limit, or an end before the agent answered at all, gives the answers to the next claim; any other end does not",
      Effect.gen(function* () {
        const questions = yield* Questions
        const first = yield* submitAndClaim()
        const { id } = yield* ask(first.task.id)
        yield* questions.answer(id, reply)
        yield* park(first)
        const second = yield* claimNext()
        assert.strictEqual((yield* questions.ofClaim(second.claim.claimId)).length, 1)
        yield* park(second, { limit: true })
        const third = yield* claimNext()
        assert.strictEqual((yield* questions.ofClaim(third.claim.claimId)).length, 1)
        yield* park(third, { unheard: true })
        const fourth = yield* claimNext()
        assert.strictEqual((yield* questions.ofClaim(fourth.claim.claimId)).length, 1)
        yield* park(fourth)
        const fifth = yield* claimNext()
        assert.deepStrictEqual(yield* questions.ofClaim(fifth.claim.claimId), [])
      })
    )

    test(
      "the end of its task closes an open question, and it can ask no more",
      Effect.gen(function* () {
        const questions = yield* Questions
        const queue = yield* Queue
        const tasks = yield* Tasks
        const first = yield* submitAndClaim()
        const { id } = yield* ask(first.task.id)
        yield* park(first)
        yield* queue.cancel(first.task.id, { reason: null, by: "anna" })
        const over = yield* tasks.get(first.task.id)
        assert.deepStrictEqual([over.status, over.asks], ["cancelled", 0])
        assert.strictEqual((yield* questions.get(id)).state, "gone")
        assert.deepStrictEqual(yield* questions.open, [])
        const late = yield* Effect.flip(questions.answer(id, reply))
        assert.strictEqual(late._tag, "QuestionClosed")
        const refused = yield* Effect.flip(ask(first.task.id, "And now?"))
        assert.strictEqual(refused._tag, "TaskStateConflict")
      })
    )

    test(
      "a task that asks is cancelled when what it was made to wait for fails, and its question is closed",
      Effect.gen(function* () {
        const questions = yield* Questions
        const queue = yield* Queue
        const tasks = yield* Tasks
        const asking = yield* submitAndClaim()
        const { id } = yield* ask(asking.task.id)
        yield* park(asking)
        const upstream = yield* submit()
        const { revision } = yield* queue.captured(asking.task.id)
        yield* queue.edit(asking.task.id, { dependsOn: [{ upstream: upstream.id, policy: "success" }] }, revision)
        const claimed = yield* claimNext()
        yield* queue.finish(upstream.id, failed, claimed.claim)
        const over = yield* tasks.get(asking.task.id)
        assert.deepStrictEqual([over.status, over.cause, over.asks], ["cancelled", "dependency-failed", 0])
        assert.strictEqual((yield* questions.get(id)).state, "gone")
      })
    )

    test(
      "has bounds, and a question outside of any task is asked again once its answer was taken",
      Effect.gen(function* () {
        const questions = yield* Questions
        const { task } = yield* submitAndClaim()
        for (let n = 0; n < questionBounds.openOfTask; n += 1) yield* ask(task.id, `question ${n}`)
        const full = yield* Effect.flip(ask(task.id, "one more"))
        assert.strictEqual(full._tag, "TooManyQuestions")
        const first = yield* ask(null)
        assert.strictEqual((yield* ask(null)).id, first.id)
        yield* questions.answer(first.id, reply)
        assert.strictEqual((yield* ask(null)).answer, "sqlite")
        yield* questions.take(first.id)
        assert.notStrictEqual((yield* ask(null)).id, first.id)
        const missing = yield* Effect.flip(questions.answer(first.id, reply))
        assert.strictEqual(missing._tag, "QuestionClosed")
      })
    )

    test(
      "a worker may leave while all that waits waits for a person",
      Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const questions = yield* Questions
        const first = yield* submitAndClaim()
        yield* submit({ dependsOn: [{ upstream: first.task.id, policy: "success" }] })
        const { id } = yield* ask(first.task.id)
        assert.isFalse(yield* registry.leave(workerA, "idle"))
        yield* park(first)
        const worker = yield* registry.workers
        yield* questions.answer(id, reply)
        assert.isFalse(yield* registry.leave(workerA, "idle"))
        assert.deepStrictEqual(worker, [])
      })
    )

    test(
      "a paused task is not claimed, says so while it runs, and is free when the pause ends",
      Effect.gen(function* () {
        const gates = yield* Gates
        const queue = yield* Queue
        const task = yield* submit()
        const other = yield* submit()
        yield* gates.close(pausedBy(task.id))
        assert.strictEqual((yield* claimNext()).task.id, other.id)
        assert.deepStrictEqual(yield* tryClaim, Option.none())
        const hold = Option.getOrNull(yield* gates.holding(task.id))
        assert.deepStrictEqual(hold, { gate: { ...pausedBy(task.id), at: 0 } })
        assert.deepStrictEqual(yield* gates.pausing, [])
        yield* gates.close(pausedBy(other.id))
        assert.deepStrictEqual(yield* gates.pausing, [other.id])
        // Twice is once.
        yield* gates.close(pausedBy(task.id))
        assert.lengthOf(yield* gates.list, 2)
        yield* gates.open("task", task.id)
        assert.strictEqual((yield* claimNext()).task.id, task.id)
        yield* queue.cancel(task.id, { reason: null, by: "anna" })
      })
    )

    test(
      "the pause ends with its task, and moves to the next attempt of one that is tried again",
      Effect.gen(function* () {
        const gates = yield* Gates
        const queue = yield* Queue
        const first = yield* submitAndClaim({ maxRetries: 1 })
        yield* gates.close(pausedBy(first.task.id))
        const { retriedBy } = yield* queue.finish(
          first.task.id,
          failed,
          first.claim,
          newTask({ retryOf: first.task.id })
        )
        assert.deepStrictEqual(
          (yield* gates.list).map(({ name }) => name),
          [retriedBy ?? ""]
        )
        assert.deepStrictEqual(yield* tryClaim, Option.none())
        if (retriedBy !== null) yield* queue.cancel(retriedBy, { reason: null, by: "anna" })
        assert.deepStrictEqual(yield* gates.list, [])
      })
    )
  })
}
