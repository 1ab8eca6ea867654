/** The state machine: its laws, and random histories in which every store must follow it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { isTerminal, TaskStatus } from "../../../src/domain/task/Task.ts"
import { endStep, type Step, sources, transition } from "../../../src/domain/task/Transition.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../src/services/WorkerRegistry.ts"
import { anyMove, expectedClaim, History, type Move } from "../../support/history.ts"
import { subjects } from "../../support/stores.ts"
import { claimOptions, completed, ended, failed, newTask, workerA, workerB } from "../../support/tasks.ts"

const steps: ReadonlyArray<Step> = ["claim", "requeue", "complete", "fail", "cancel"]

describe("transition", () => {
  it("leads nowhere from an end, and somewhere from everything else", () => {
    for (const status of TaskStatus.literals) {
      const open = steps.filter((step) => transition(status, step) !== null)
      assert.strictEqual(open.length === 0, isTerminal(status), status)
    }
  })

  it("allows exactly these steps", () => {
    const allowed = TaskStatus.literals.flatMap((from) =>
      steps.flatMap((step) => {
        const to = transition(from, step)
        return to === null ? [] : [`${from} -${step}-> ${to}`]
      })
    )
    assert.sameMembers(allowed, [
      "queued -claim-> running",
      "queued -fail-> failed",
      "queued -cancel-> cancelled",
      "running -requeue-> queued",
      "running -complete-> completed",
      "running -fail-> failed",
      "running -cancel-> cancelled"
    ])
  })

  it("knows its sources", () => {
    for (const step of steps) {
      for (const status of TaskStatus.literals) {
        assert.strictEqual(sources(step).includes(status), transition(status, step) !== null)
      }
    }
  })

  it("ends in the status that the step is named for", () => {
    for (const status of ["completed", "failed", "cancelled"] as const) {
      for (const from of sources(endStep[status])) assert.strictEqual(transition(from, endStep[status]), status)
    }
  })
})

const maxConcurrency = 3
const outcomes = [completed, failed, ended] as const

/** Makes one move on the store and checks the answer against what the history so far allows. */
const make = Effect.fn(function* (history: History, move: Move) {
  const queue = yield* Queue
  const registry = yield* WorkerRegistry
  const workerId = move.how % 2 === 0 ? workerA : workerB
  const other = workerId === workerA ? workerB : workerA

  if (move.kind === "submit") {
    const priority = (["P0", "P1", "P2"] as const)[move.how % 3] ?? "P1"
    const [enqueued] = yield* queue.enqueue([newTask({ priority })], { maxDepth: 3 })
    assert(enqueued !== undefined)
    history.submitted(enqueued.task)
    return
  }
  if (move.kind === "claim") {
    const expected = expectedClaim(history, maxConcurrency)
    const claimed = yield* queue.claim(claimOptions({ workerId, maxConcurrency }))
    assert.strictEqual(Option.getOrNull(Option.map(claimed, ({ task }) => task.id)), expected?.id ?? null)
    if (Option.isSome(claimed)) history.claimed(claimed.value.claim)
    return
  }

  const one = history.pick(move.pick)
  if (one === undefined) return
  // Now and then the holder is a wrong one: another worker, an earlier claim, or none.
  const wrong = [one.claim && { ...one.claim, workerId: other }, one.earlier, null][move.how % 3] ?? null
  const holder = move.how < 20 ? one.claim : wrong
  const holds = holder?.claimId === one.claim?.claimId && holder?.workerId === one.claim?.workerId

  if (move.kind === "finish") {
    const ending = outcomes[move.how % 3] ?? completed
    const allowed = holds && transition(one.status, endStep[ending.status]) !== null
    const result = yield* Effect.either(queue.finish(one.id, ending, holder))
    assert.strictEqual(Either.isRight(result), allowed)
    if (allowed) history.over(one, ending.status)
    else if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "TaskStateConflict")
  } else if (move.kind === "requeue" && holder !== null) {
    const result = yield* Effect.either(queue.requeue(holder))
    const allowed = holds && transition(one.status, "requeue") !== null
    assert.strictEqual(Either.isRight(result), allowed)
    if (allowed) history.requeued(one)
  } else if (move.kind === "cancel") {
    const answer = yield* queue.cancel(one.id, { reason: null, by: "tester" })
    assert.strictEqual(answer, isTerminal(one.status) ? "over" : one.status === "queued" ? "ended" : "requested")
    if (answer === "ended") history.over(one, "cancelled")
    else one.asked = true
  } else if (move.kind === "adopt" && holder !== null) {
    assert.strictEqual(yield* registry.adopt(holder.claimId, holder.workerId, workerId), holds)
    if (holds && one.claim !== null) one.claim = { ...one.claim, workerId }
  }
})

/** What must hold after every step. */
const check = Effect.fn(function* (history: History) {
  const tasks = yield* Tasks
  for (const one of history.all) {
    const task = yield* tasks.get(one.id)
    assert.strictEqual(task.status, one.status)
    assert.strictEqual(task.endedAt !== null, isTerminal(one.status))
    if (!isTerminal(one.status)) continue
    one.final ??= task
    assert.deepStrictEqual(task, one.final)
  }
  const events = yield* tasks.events(0, 1000)
  assert.deepStrictEqual(
    events.map((event) => `${event.id} ${event.status}`),
    history.ends.map((one) => `${one.id} ${one.status}`)
  )
  const claims = yield* (yield* WorkerRegistry).claims
  assert.sameDeepMembers(
    claims.map(({ claimId, workerId, taskId }) => ({ taskId, claimId, workerId })),
    history.all.flatMap((one) => (one.claim === null ? [] : [{ taskId: one.id, ...one.claim }]))
  )
  const counts = yield* tasks.counts
  for (const status of TaskStatus.literals) assert.strictEqual(counts[status], history.count(status), status)
})

describe("random histories", () => {
  for (const subject of subjects) {
    it.effect.prop(
      `follow the state machine over ${subject.name}`,
      [FastCheck.array(anyMove, { maxLength: 40, size: "max" })],
      ([moves]) =>
        Effect.gen(function* () {
          const history = new History()
          for (const move of moves) {
            yield* make(history, move)
            yield* check(history)
          }
        }).pipe(Effect.provide(subject.layer)),
      { fastCheck: { numRuns: subject.name === "memory" ? 50 : 15 } }
    )
  }
})
