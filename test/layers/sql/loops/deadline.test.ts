/** The time of a loop is a bound: whatever its work waits for, and whatever stands still, nothing of it runs longer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { BudgetName } from "../../../../src/domain/budgets/Budget.ts"
import type { GateScope } from "../../../../src/domain/gates/Gate.ts"
import { GroupName } from "../../../../src/domain/gates/GroupName.ts"
import { AccountKey } from "../../../../src/domain/limits/Account.ts"
import type { LoopId } from "../../../../src/domain/loop/LoopId.ts"
import { noTokens } from "../../../../src/domain/usage/TokenCounts.ts"
import type { Claim } from "../../../../src/domain/worker/Claim.ts"
import { Budgets } from "../../../../src/services/Budgets.ts"
import { Gates } from "../../../../src/services/Gates.ts"
import { LateRounds } from "../../../../src/services/LateRounds.ts"
import { Loops } from "../../../../src/services/Loops.ts"
import { Questions } from "../../../../src/services/Questions.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../../src/services/WorkerRegistry.ts"
import { loopRules } from "../../../support/loopRules.ts"
import { createLoop, endNextTask, timedOut } from "../../../support/loops.ts"
import { testSql } from "../../../support/stores.ts"
import { claimNext, claimOptions, completed, failed, newTask, parked, submit } from "../../../support/tasks.ts"

const test = (name: string, effect: Effect.Effect<unknown, unknown, Layer.Layer.Success<typeof testSql>>) =>
  it.effect(name, () => Effect.provide(effect, testSql))

const begin = 24 * 3_600_000
const minute = 60_000
const deadline = begin + 10 * minute

const steps = ["plan", "do", "review"].map((name) => ({
  name,
  task: newTask({ prompt: name, agent: "claude", timeoutMs: 8 * minute })
}))

const parking = parked({ timeLeftMs: 3 * minute })

const late = Effect.flatMap(LateRounds, ({ end }) => end)
const tryClaim = Effect.flatMap(Queue, (queue) => queue.claim(claimOptions()))
const statusOf = (id: LoopId) => Effect.flatMap(Loops, (loops) => Effect.map(loops.get(id), ({ status }) => status))

/** The loop is judged by what its work left, and ends. */
const concludes = (id: LoopId, status: string) =>
  Effect.gen(function* () {
    const evaluation = yield* endNextTask(failed, "not yet")
    assert.strictEqual(evaluation.agent, "shell")
    assert.strictEqual(yield* statusOf(id), status)
    assert.isTrue(Option.isNone(yield* tryClaim))
  })

/** A loop of three steps and an evaluation. */
const open = Effect.zipRight(TestClock.setTime(begin), createLoop(loopRules({ deadline }), steps))

const waits: ReadonlyArray<{
  readonly name: string
  readonly arrange: Effect.Effect<unknown, unknown, Layer.Layer.Success<typeof testSql>>
  /** Tasks that end. Four are all of the round: its evaluation too. */
  readonly ended: number
}> = [
  { name: "has never started", arrange: Effect.void, ended: 4 },
  {
    name: "is behind a step that has ended",
    arrange: Effect.zipRight(endNextTask(completed, ""), endNextTask(completed, "")),
    ended: 1
  },
  {
    name: "is parked at a usage limit",
    arrange: Effect.flatMap(claimNext(), ({ claim }) => Effect.flatMap(Queue, (queue) => queue.park(claim, parking))),
    ended: 3
  },
  {
    name: "is parked at a spent budget",
    arrange: Effect.flatMap(claimNext(), ({ claim }) =>
      Effect.flatMap(Queue, (queue) => queue.park(claim, { ...parking, limit: false, budget: true }))
    ),
    ended: 3
  },
  {
    name: "is paused by a person",
    arrange: Effect.flatMap(Gates, (gates) =>
      gates.close({ scope: "agent", name: "claude", until: null, reason: null, by: "anna", freeze: false })
    ),
    ended: 4
  },
  {
    name: "was edited to start later",
    arrange: Effect.gen(function* () {
      const loops = yield* Loops
      const first = (yield* loops.get(yield* loops.resolve("@last"))).rounds[0]?.workTask
      assert(first !== undefined)
      yield* (yield* Queue).edit(first, { notBefore: deadline + minute, timeoutMs: null }, 0)
    }),
    ended: 4
  },
  {
    name: "was put back before its agent started",
    arrange: Effect.flatMap(claimNext(), ({ claim }) => Effect.flatMap(Queue, (queue) => queue.requeue(claim))),
    ended: 4
  }
]

const group = GroupName.make("slow")

const close = (scope: GateScope, name: string) =>
  Effect.flatMap(Gates, (gates) => gates.close({ scope, name, until: null, reason: null, by: "anna", freeze: false }))

/** A loop whose rounds an agent judges, in a group. */
const createJudged = Effect.gen(function* () {
  const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
  const judge = { role: "judge" as const, task: newTask({ agent: "claude", group, account }) }
  return yield* (yield* Loops).create(
    { rules: loopRules({ deadline }), goal: null, stepTask: null, work: steps, evaluations: [judge] },
    { maxDepth: 10 }
  )
})

const park = (claim: Claim, how: Partial<typeof parking> = {}) =>
  Effect.flatMap(Queue, (queue) => queue.park(claim, { ...parking, ...how }))

/** What an evaluation may wait for, without knowing for how long. It has run until now. */
const evaluationWaits: ReadonlyArray<{
  readonly name: string
  readonly arrange: (claim: Claim) => Effect.Effect<unknown, unknown, Layer.Layer.Success<typeof testSql>>
}> = [
  { name: "a limit", arrange: (claim) => park(claim) },
  ...(["all", "agent", "group", "task"] as const).map((scope) => ({
    name: `the end of a pause (${scope})`,
    arrange: (claim: Claim) =>
      Effect.gen(function* () {
        yield* close(scope, { all: "", agent: "claude", group, task: claim.taskId }[scope])
        yield* (yield* Queue).requeue(claim)
      })
  })),
  {
    name: "a budget",
    arrange: (claim) =>
      Effect.gen(function* () {
        yield* (yield* Budgets).set({
          name: BudgetName.make("daily"),
          scope: "all",
          value: "",
          period: "day",
          metric: "tokens",
          amount: 100,
          warnPercent: 80,
          action: "stop",
          timezone: "UTC"
        })
        const use = { ...noTokens, model: "opus", inputTokens: 100, costMicro: 1, costBy: "reported" as const }
        const spending = { sessionId: null, cumulative: false, uses: [use] }
        yield* park(claim, { limit: false, budget: true, spending })
      })
  },
  {
    name: "an answer",
    arrange: (claim) =>
      Effect.gen(function* () {
        yield* (yield* Questions).ask({ taskId: claim.taskId, askedBy: "claude", text: "Which one?", options: [] })
        yield* park(claim, { limit: false })
      })
  }
]

describe("the work of a round whose loop has a deadline", () => {
  for (const { arrange, ended, name } of waits) {
    test(
      `that ${name} ends when the time is over, and what was done is judged`,
      Effect.gen(function* () {
        const { id } = yield* open
        yield* arrange
        yield* TestClock.setTime(deadline - 1)
        assert.deepStrictEqual(yield* late, [])
        yield* TestClock.setTime(deadline)
        assert.isTrue(Option.isNone(yield* tryClaim))
        assert.lengthOf(yield* late, ended)
        assert.deepStrictEqual(yield* late, [])
        if (ended < 4) yield* concludes(id, "deadline")
        assert.strictEqual(yield* statusOf(id), "deadline")
        assert.isTrue(Option.isNone(yield* tryClaim))
      })
    )
  }

  for (const { arrange, name } of evaluationWaits) {
    test(
      `ends with an evaluation that would wait for ${name}`,
      Effect.gen(function* () {
        yield* TestClock.setTime(begin)
        const { id } = yield* createJudged
        for (const _ of steps) yield* endNextTask(completed, "")
        const evaluation = yield* claimNext()
        yield* TestClock.setTime(deadline)
        assert.deepStrictEqual(yield* late, [])
        yield* arrange(evaluation.claim)
        assert.deepStrictEqual(yield* late, [evaluation.task.id])
        assert.strictEqual(yield* statusOf(id), "deadline")
      })
    )
  }

  test(
    "leaves an evaluation that waits for a place",
    Effect.gen(function* () {
      yield* TestClock.setTime(begin)
      yield* (yield* Gates).setGroup(group, 1)
      yield* createJudged
      for (const _ of steps) yield* endNextTask(completed, "")
      const { claim } = yield* claimNext()
      yield* (yield* Queue).requeue(claim)
      yield* submit({ agent: "shell", group, priority: "P0" })
      assert.strictEqual((yield* claimNext()).task.agent, "shell")
      yield* TestClock.setTime(deadline)
      assert.isTrue(Option.isNone(yield* tryClaim))
      assert.deepStrictEqual(yield* late, [])
      // Nor does a pause of another task, agent or group count.
      for (const [scope, name] of [
        ["agent", "codex"],
        ["group", "other"],
        ["task", claim.claimId]
      ] as const) {
        yield* close(scope, name)
      }
      assert.deepStrictEqual(yield* late, [])
    })
  )

  test(
    "has what is left of the time when each step starts, and its own timeout next to it",
    Effect.gen(function* () {
      yield* open
      const bounds: Array<readonly [number | null, number | null]> = []
      for (const at of [0, 4 * minute, 9 * minute]) {
        yield* TestClock.setTime(begin + at)
        const { claim, task } = yield* claimNext({ uptimeMs: 1000 + at, sinceBootMs: 2000 + at })
        bounds.push([claim.boundUptime, claim.deadlineUptime])
        yield* (yield* Queue).finish(task.id, completed, claim)
      }
      assert.deepStrictEqual(bounds, [
        [2000 + 10 * minute, 1000 + 8 * minute],
        [2000 + 10 * minute, 1000 + 12 * minute],
        [2000 + 10 * minute, 1000 + 17 * minute]
      ])
      // Its evaluation has its own time, also after the deadline.
      yield* TestClock.setTime(deadline + minute)
      assert.isNull((yield* claimNext()).claim.boundUptime)
    })
  )

  test(
    "does not get the time back in which it was parked, put back, or edited",
    Effect.gen(function* () {
      yield* open
      const queue = yield* Queue
      const first = yield* claimNext()
      yield* queue.park(first.claim, parking)
      yield* TestClock.setTime(begin + 9 * minute)
      yield* queue.edit(first.task.id, { timeoutMs: 100 * minute }, 0)
      const again = yield* claimNext()
      assert.deepInclude(again.claim, { taskId: first.task.id, boundUptime: minute })
      yield* queue.requeue(again.claim)
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude((yield* claimNext()).claim, { taskId: first.task.id, boundUptime: minute / 2 })
    })
  )

  test(
    "keeps its bound when it is frozen, when the clock is set, and when another worker takes it over",
    Effect.gen(function* () {
      yield* open
      const registry = yield* WorkerRegistry
      const { claim } = yield* claimNext({ uptimeMs: 1000, sinceBootMs: 1000 })
      yield* registry.freezing(claim, 2000)
      yield* TestClock.setTime(begin - 100 * minute)
      yield* registry.thawed(claim, 6000)
      const found = Option.getOrNull(yield* registry.claimOf(claim.taskId))
      assert.deepInclude(found ?? {}, { boundUptime: 1000 + 10 * minute, deadlineUptime: 5000 + 8 * minute })
      assert.deepStrictEqual(yield* late, [])
    })
  )

  for (const ending of [timedOut, completed]) {
    test(
      `that runs when the time is over is left to its worker, and nothing starts next to it, behind it or after it (${ending.status})`,
      Effect.gen(function* () {
        const { id } = yield* open
        const { claim, task } = yield* claimNext()
        yield* TestClock.setTime(deadline)
        assert.deepStrictEqual(yield* late, [])
        assert.deepInclude(yield* (yield* Tasks).get(task.id), { status: "running", cancelRequestedAt: null })
        assert.isTrue(Option.isNone(yield* tryClaim))
        yield* (yield* Queue).finish(task.id, ending, claim)
        assert.lengthOf(yield* late, ending === completed ? 2 : 0)
        yield* concludes(id, "deadline")
      })
    )
  }

  test(
    "holds for a retry in its place",
    Effect.gen(function* () {
      const { id } = yield* open
      const { claim, task } = yield* claimNext()
      yield* TestClock.setTime(begin + 9 * minute)
      const retry = newTask({ agent: "claude", retryOf: task.id, continuation: "retry" })
      yield* (yield* Queue).finish(task.id, failed, claim, retry)
      const next = yield* claimNext()
      assert.deepInclude(next.task, { retryOf: task.id })
      assert.strictEqual(next.claim.boundUptime, minute)
      yield* (yield* Queue).requeue(next.claim)
      yield* TestClock.setTime(deadline)
      assert.lengthOf(yield* late, 3)
      yield* concludes(id, "deadline")
    })
  )

  test(
    "leaves other tasks, other loops and the leads of goals alone",
    Effect.gen(function* () {
      yield* open
      const later = yield* createLoop(loopRules({ deadline: deadline + minute }))
      const unbound = yield* createLoop(loopRules())
      const task = yield* submit({ agent: "claude" })
      const work = [{ name: null, task: newTask({ agent: "claude" }) }]
      const limits = { maxTasks: 3, maxRunning: 2, maxDepth: 2, maxWakes: 1, deadline, budgetUsd: null }
      const loops = yield* Loops
      const goal = yield* loops.create(
        { rules: loopRules({ deadline }), goal: limits, stepTask: null, work, evaluations: [] },
        { maxDepth: 10 }
      )
      yield* TestClock.setTime(deadline)
      assert.lengthOf(yield* late, 4)
      for (const { id } of [later, unbound, goal]) assert.strictEqual(yield* statusOf(id), "running")
      assert.strictEqual((yield* (yield* Tasks).get(task.id)).status, "queued")
      const ready = [yield* claimNext(), yield* claimNext(), yield* claimNext()]
      const bounds = ready.map(({ claim }) => claim.boundUptime)
      assert.deepStrictEqual(
        bounds.filter((bound) => bound !== null),
        [minute]
      )
      assert.isTrue(Option.isNone(yield* tryClaim))
    })
  )
})
