/** What every store promises of gates and groups: what is behind one is never claimed, and everything else is. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { Gate } from "../../src/domain/gates/Gate.ts"
import { GroupName } from "../../src/domain/gates/GroupName.ts"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import { Gates } from "../../src/services/Gates.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { create } from "../support/pipelines.ts"
import { createSchedule, fireInAMinute, historyOf } from "../support/schedules.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, claimOptions, completed, newTask, submit } from "../support/tasks.ts"

const review = GroupName.make("review")
const claude = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }

const gate = (scope: Gate["scope"], name = "", more: Partial<Gate> = {}) => ({
  scope,
  name,
  until: null,
  reason: null,
  by: "anna",
  freeze: false,
  ...more
})

const tryClaim = Effect.flatMap(Queue, (queue) => queue.claim(claimOptions({ maxConcurrency: 100 })))

/** Claims all that may start now; the names of their prompts. */
const claimAll = Effect.gen(function* () {
  const prompts: Array<string> = []
  while (true) {
    const next = yield* tryClaim
    if (Option.isNone(next)) return prompts.sort()
    prompts.push(next.value.task.prompt)
  }
})

const hold = (id: Parameters<Gates["Type"]["holding"]>[0]) =>
  Effect.flatMap(Gates, (gates) => Effect.map(gates.holding(id), Option.getOrNull))

export const gatesContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`gates: ${subject.name}`, () => {
    test(
      "a gate for everything holds all, also what is submitted later; opened, all start",
      Effect.gen(function* () {
        const gates = yield* Gates
        yield* submit({ prompt: "a" })
        yield* gates.close(gate("all", "", { reason: "demo" }))
        const { id } = yield* submit({ prompt: "b" })
        assert.deepStrictEqual(yield* claimAll, [])
        const found = yield* hold(id)
        assert.deepStrictEqual(found, { gate: { ...gate("all", "", { reason: "demo" }), at: 0 } })
        assert.isTrue(yield* gates.open("all", ""))
        assert.isFalse(yield* gates.open("all", ""))
        assert.isNull(yield* hold(id))
        assert.deepStrictEqual(yield* claimAll, ["a", "b"])
      })
    )

    test(
      "a pause that freezes holds a queued task, and names a running one until it is opened or parks it instead",
      Effect.gen(function* () {
        const gates = yield* Gates
        const { id } = yield* submit({ prompt: "a" })
        yield* gates.close(gate("task", id, { freeze: true, until: 1000 }))
        assert.deepStrictEqual([yield* claimAll, yield* gates.freezing], [[], []])
        yield* gates.open("task", id)
        assert.deepStrictEqual(yield* claimAll, ["a"])
        yield* gates.close(gate("task", id, { freeze: true, until: 1000 }))
        assert.deepStrictEqual([yield* gates.freezing, yield* gates.pausing], [[id], []])
        assert.deepStrictEqual(yield* gates.list, [{ ...gate("task", id, { freeze: true, until: 1000 }), at: 0 }])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* gates.freezing, [])
        yield* gates.close(gate("task", id))
        assert.deepStrictEqual([yield* gates.freezing, yield* gates.pausing], [[], [id]])
      })
    )

    test(
      "a gate holds its agent, its group or its pipeline, and nothing else",
      Effect.gen(function* () {
        const gates = yield* Gates
        const pipeline = yield* create([{}])
        yield* submit({ prompt: "plain" })
        yield* submit({ prompt: "grouped", group: review })
        yield* submit({ prompt: "claude", agent: "claude" })
        yield* submit({ prompt: "account", agent: "claude", account: claude })
        yield* gates.close(gate("agent", "claude"))
        yield* gates.close(gate("group", "review"))
        yield* gates.close(gate("pipeline", pipeline.id))
        assert.deepStrictEqual(yield* claimAll, ["plain"])
        yield* gates.open("pipeline", pipeline.id)
        assert.deepStrictEqual(yield* claimAll, ["a"])
        yield* gates.open("group", "review")
        assert.deepStrictEqual(yield* claimAll, ["grouped"])
        yield* gates.open("agent", "claude")
        assert.deepStrictEqual(yield* claimAll, ["account", "claude"])
      })
    )

    test(
      "the pause of a pipeline or a task ends with it, also where it came after the end",
      Effect.gen(function* () {
        const gates = yield* Gates
        const queue = yield* Queue
        const pipeline = yield* create([{}])
        const claimed = yield* claimNext()
        yield* gates.close(gate("pipeline", pipeline.id))
        yield* gates.close(gate("task", claimed.task.id))
        yield* gates.close(gate("agent", "codex"))
        yield* queue.finish(claimed.task.id, completed, claimed.claim)
        const names = Effect.map(gates.list, (all) => all.map(({ name }) => name))
        assert.deepStrictEqual(yield* names, ["codex"])
        yield* gates.close(gate("pipeline", pipeline.id))
        yield* gates.close(gate("task", claimed.task.id))
        yield* gates.tidy
        assert.deepStrictEqual(yield* names, ["codex"])
      })
    )

    test(
      "the pauses of what has not ended stay",
      Effect.gen(function* () {
        const gates = yield* Gates
        const pipeline = yield* create([{}])
        const { id } = yield* submit()
        yield* gates.close(gate("pipeline", pipeline.id))
        yield* gates.close(gate("task", id))
        yield* gates.tidy
        assert.lengthOf(yield* gates.list, 2)
      })
    )

    test(
      "a schedule whose time comes while its group is paused submits its task, on record, and the task starts afterwards",
      Effect.gen(function* () {
        const gates = yield* Gates
        yield* gates.close(gate("group", "review"))
        const schedule = yield* createSchedule({
          work: { kind: "task", task: newTask({ prompt: "nightly", group: review }) }
        })
        yield* fireInAMinute
        assert.deepStrictEqual(
          (yield* historyOf(schedule)).map(({ status }) => status),
          ["running"]
        )
        assert.deepStrictEqual(yield* claimAll, [])
        yield* gates.open("group", "review")
        assert.deepStrictEqual(yield* claimAll, ["nightly"])
      })
    )

    test(
      "a gate with a time opens at that time, and the time can be changed",
      Effect.gen(function* () {
        const gates = yield* Gates
        yield* TestClock.setTime(1000)
        const { id } = yield* submit({ prompt: "a" })
        yield* gates.close(gate("all", "", { until: 5000 }))
        yield* gates.close(gate("agent", "shell", { until: 3000 }))
        yield* TestClock.setTime(3000)
        assert.deepStrictEqual(yield* claimAll, [])
        yield* gates.close(gate("all", "", { until: 9000 }))
        yield* TestClock.setTime(8999)
        assert.deepStrictEqual(yield* claimAll, [])
        assert.lengthOf(yield* gates.list, 1)
        yield* TestClock.setTime(9000)
        assert.isNull(yield* hold(id))
        assert.deepStrictEqual(yield* gates.list, [])
        yield* gates.tidy
        assert.isFalse(yield* gates.open("all", ""))
        assert.deepStrictEqual(yield* claimAll, ["a"])
      })
    )

    test(
      "a gate whose time a clock that was ahead has passed is there again when the clock is put right",
      Effect.gen(function* () {
        const gates = yield* Gates
        const day = 24 * 3_600_000
        const { id } = yield* submit({ prompt: "a" })
        const closed = [gate("all"), gate("agent", "shell"), gate("group", "review"), gate("task", id)]
        for (const one of closed) yield* gates.close({ ...one, until: 7_200_000 })
        yield* TestClock.setTime(day)
        assert.deepStrictEqual(yield* gates.list, [])
        yield* gates.tidy
        yield* TestClock.setTime(10_000)
        assert.lengthOf(yield* gates.list, 4)
        assert.deepStrictEqual(yield* claimAll, [])
        assert.isTrue(yield* gates.open("agent", "shell"))
        yield* TestClock.setTime(day)
        assert.isFalse(yield* gates.open("all", ""))
        assert.deepStrictEqual(yield* claimAll, ["a"])
      })
    )

    test(
      "the limit of a group counts its running tasks, and a new limit counts at the next claim",
      Effect.gen(function* () {
        const gates = yield* Gates
        const queue = yield* Queue
        yield* gates.setGroup(review, 1)
        const first = yield* submit({ prompt: "a", group: review })
        const second = yield* submit({ prompt: "b", group: review })
        yield* submit({ prompt: "c", group: review })
        yield* submit({ prompt: "free" })
        const claimed = yield* claimNext()
        assert.strictEqual(claimed.task.id, first.id)
        assert.strictEqual(claimed.task.group, review)
        assert.deepStrictEqual(yield* claimAll, ["free"])
        assert.deepStrictEqual(yield* hold(second.id), { group: review, running: 1, limit: 1 })
        assert.isNull(yield* hold(first.id))
        assert.deepStrictEqual(yield* gates.groups, [{ name: review, limit: 1, running: 1, waiting: 2 }])
        yield* queue.finish(claimed.task.id, completed, claimed.claim)
        assert.deepStrictEqual(yield* claimAll, ["b"])
        yield* gates.setGroup(review, 2)
        assert.deepStrictEqual(yield* claimAll, ["c"])
        yield* submit({ prompt: "d", group: review })
        assert.deepStrictEqual(yield* claimAll, [])
        yield* gates.setGroup(review, null)
        assert.deepStrictEqual(yield* claimAll, ["d"])
      })
    )

    test(
      "a group is removed when no task of it is left, with its gate",
      Effect.gen(function* () {
        const gates = yield* Gates
        const queue = yield* Queue
        assert.isFalse(yield* gates.hasGroup(review))
        assert.strictEqual(yield* gates.removeGroup(review), "missing")
        yield* gates.setGroup(review, 3)
        assert.isTrue(yield* gates.hasGroup(review))
        yield* submit({ group: review })
        assert.strictEqual(yield* gates.removeGroup(review), "busy")
        const { claim, task } = yield* claimNext()
        assert.strictEqual(yield* gates.removeGroup(review), "busy")
        yield* queue.finish(task.id, completed, claim)
        yield* gates.close(gate("group", "review"))
        assert.strictEqual(yield* gates.removeGroup(review), "removed")
        assert.deepStrictEqual([yield* gates.list, yield* gates.groups], [[], []])
      })
    )

    test(
      "a task that another agent takes over is behind the gates of that agent",
      Effect.gen(function* () {
        const gates = yield* Gates
        const queue = yield* Queue
        const { id } = yield* submit({ prompt: "a", agent: "claude", account: claude, group: review })
        const { revision } = yield* queue.captured(id)
        yield* gates.close(gate("agent", "shell"))
        yield* queue.edit(id, { agent: "shell", account: null, model: null }, revision)
        assert.deepStrictEqual(yield* claimAll, [])
        yield* gates.open("agent", "shell")
        yield* gates.close(gate("agent", "claude"))
        yield* gates.setGroup(review, 1)
        assert.deepStrictEqual(yield* claimAll, ["a"])
        const { group } = yield* (yield* Tasks).summary(id)
        assert.strictEqual(group, review)
      })
    )
  })
}
