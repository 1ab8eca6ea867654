/** What the store promises of goals: no bound of a tree can be talked away, and the end of a lead ends its tree. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { type GoalLimits, refusalOf } from "../../../../src/domain/goal/Goal.ts"
import { outcome } from "../../../../src/domain/task/Outcome.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import { Goals } from "../../../../src/services/Goals.ts"
import { Loops } from "../../../../src/services/Loops.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { Wakes } from "../../../../src/services/Wakes.ts"
import { loopRules } from "../../../support/loopRules.ts"
import { testSql } from "../../../support/stores.ts"
import { anyTask, claimNext, claimOptions, completed, newTask } from "../../../support/tasks.ts"

type Services = Goals | Loops | Queue | Tasks | Wakes | SqlClient.SqlClient

const test = (name: string, effect: Effect.Effect<unknown, unknown, Services>) =>
  it.effect(name, () => Effect.provide(effect, testSql))

const limits = (fields: Partial<GoalLimits> = {}): GoalLimits => ({
  maxTasks: 3,
  maxRunning: 2,
  maxDepth: 2,
  maxWakes: 1,
  deadline: null,
  budgetUsd: null,
  ...fields
})

/** A goal whose lead runs. */
const goalWith = (fields: Partial<GoalLimits> = {}) =>
  Effect.gen(function* () {
    const goal = limits(fields)
    const { deadline, budgetUsd } = goal
    const loop = yield* (yield* Loops).create(
      {
        rules: loopRules({ deadline, budgetUsd, maxRounds: 1 }),
        goal,
        stepTask: null,
        work: [{ name: null, task: newTask({ prompt: "lead", agent: "claude" }) }],
        evaluations: [{ role: "until", task: newTask({ prompt: "npm test" }) }]
      },
      { maxDepth: 10 }
    )
    const { claim, task } = yield* claimNext()
    assert.strictEqual(task.goalId, loop.id)
    return { id: loop.id, lead: task.id, claim }
  })

const delegate = (parentId: TaskId, count = 1, fields: Parameters<typeof newTask>[0] = {}) =>
  Effect.flatMap(Queue, (queue) =>
    queue.enqueue(
      Array.from({ length: count }, () => newTask({ parentId, ...fields })),
      { maxDepth: 10 }
    )
  )

const refusal = (effect: ReturnType<typeof delegate>) => Effect.map(Effect.flip(effect), ({ message }) => message)

const spend = (costMicro: number | null) => {
  const counts = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
  const use = {
    model: "opus",
    ...counts,
    costMicro,
    costBy: costMicro === null ? ("unpriced" as const) : ("reported" as const)
  }
  return outcome({
    status: "completed",
    cause: "exit",
    exitCode: 0,
    spending: { sessionId: null, cumulative: false, uses: [use] }
  })
}

describe("a goal", () => {
  test(
    "reaches the bound of its money also with a model that has no price: each run counts as the share of a task",
    Effect.gen(function* () {
      const queue = yield* Queue
      const { claim, id, lead } = yield* goalWith({ budgetUsd: 4 })
      yield* delegate(lead, 3)
      for (let one = 0; one < 3; one += 1) {
        const child = yield* claimNext()
        yield* queue.finish(child.task.id, spend(null), child.claim)
      }
      assert.deepInclude(yield* (yield* Loops).get(id), { unpriced: 3 })
      const goals = yield* Goals
      assert.deepStrictEqual(yield* goals.stopOverdue, [])
      yield* queue.finish(lead, spend(null), claim)
      const evaluation = yield* claimNext()
      yield* queue.finish(
        evaluation.task.id,
        outcome({ status: "failed", cause: "exit", exitCode: 1 }),
        evaluation.claim
      )
      assert.deepInclude(yield* (yield* Loops).get(id), { status: "budget", spentUsd: 4, unpriced: 4 })
    })
  )

  test(
    "refuses tasks past its number, also a batch as a whole, and counts a repeat of a key once",
    Effect.gen(function* () {
      const { lead } = yield* goalWith()
      yield* delegate(lead, 1, { idempotencyKey: "one" })
      yield* delegate(lead, 1, { idempotencyKey: "one" })
      assert.match(yield* refusal(delegate(lead, 3)), /^limit: 1 of 3 tasks used, and these are 3\. /)
      yield* delegate(lead, 2)
      assert.match(yield* refusal(delegate(lead)), /^limit: 3 of 3 tasks used\. /)
      assert.deepInclude((yield* (yield* Loops).list({ status: [], goals: true, limit: 1, before: null })).loops[0], {
        status: "running"
      })
    })
  )

  test(
    "refuses tasks below its depth, and lets only so many run, of which a task with open tasks is none",
    Effect.gen(function* () {
      const queue = yield* Queue
      const { id, lead } = yield* goalWith({ maxTasks: 10, maxRunning: 1 })
      yield* delegate(lead, 2)
      const child = yield* claimNext()
      assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
      const tasks = yield* Tasks
      const [waiting = assert.fail()] = (yield* tasks.list({ ...anyTask, status: ["queued"] })).tasks
      assert.deepStrictEqual(yield* tasks.goalWait(waiting.id), Option.some({ goal: id, running: 1, limit: 1 }))
      assert.deepStrictEqual(yield* tasks.goalWait(lead), Option.none())
      yield* delegate(child.task.id)
      assert.deepStrictEqual(yield* tasks.goalWait(waiting.id), Option.none())
      // The child waits for its own task, so the place is free.
      const next = yield* claimNext()
      const grandchild = next.task.parentId === child.task.id ? next : null
      assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
      const deep = grandchild ?? next
      yield* queue.finish(deep.task.id, completed, deep.claim)
      const last = yield* claimNext()
      const bottom = grandchild === null ? last : deep
      assert.strictEqual(bottom.task.depth, 2)
      assert.match(yield* refusal(delegate(bottom.task.id)), /^limit: depth 3 of at most 2 below the lead\. /)
    })
  )

  test(
    "reserves a share of its money for each open task, and starts nothing once it is spent",
    Effect.gen(function* () {
      const queue = yield* Queue
      const { claim, id, lead } = yield* goalWith({ budgetUsd: 4 })
      yield* delegate(lead, 2)
      const child = yield* claimNext()
      yield* queue.finish(child.task.id, spend(2_500_000), child.claim)
      assert.match(
        yield* refusal(delegate(lead)),
        /^limit: \$2\.50 of \$4\.00 spent, and 1 open tasks reserve \$1\.00\. /
      )
      const other = yield* claimNext()
      yield* queue.finish(other.task.id, spend(1_600_000), other.claim)
      assert.match(yield* refusal(delegate(lead)), /^limit: \$4\.10 of \$4\.00 spent\. /)
      const goals = yield* Goals
      assert.deepStrictEqual(yield* goals.stopOverdue, [{ loopId: id, stop: "budget" }])
      assert.deepStrictEqual(yield* goals.stopOverdue, [])
      assert.isNotNull((yield* (yield* Tasks).get(lead)).cancelRequestedAt)
      yield* queue.finish(lead, outcome({ status: "cancelled", cause: "cancelled" }), claim)
      const evaluation = yield* claimNext()
      yield* queue.finish(
        evaluation.task.id,
        outcome({ status: "failed", cause: "exit", exitCode: 1 }),
        evaluation.claim
      )
      assert.deepInclude(yield* (yield* Loops).get(id), { status: "budget", spentUsd: 4.1 })
    })
  )

  test(
    "ends a lead that waits when its time is over, and with it what it delegated",
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      const { claim, id, lead } = yield* goalWith({ deadline: 1000 })
      const [first, second] = yield* delegate(lead, 2)
      const wake = yield* (yield* Wakes).ask({ taskId: lead, ids: [], groups: [], mode: "all", askedBy: "agent" })
      assert.lengthOf(wake.awaited, 2)
      const again = yield* (yield* Wakes).ask({ taskId: lead, ids: [], groups: [], mode: "all", askedBy: "agent" })
      assert.strictEqual(again.n, 1)
      const parking = { limit: false, wake: true, told: true, prompt: null, resetsAt: null, credit: false }
      yield* queue.park(claim, { ...parking, sessionId: "s1", launch: null, timeLeftMs: null, spending: null })
      assert.deepInclude(yield* tasks.get(lead), { status: "queued", waitingOn: 2, wakes: 1 })
      const running = yield* claimNext()
      yield* TestClock.setTime(1000)
      assert.match(yield* refusal(delegate(running.task.id)), /^limit: the time of the goal is over\. /)
      assert.isTrue(Option.isNone(yield* queue.claim(claimOptions())))
      assert.deepStrictEqual(yield* (yield* Goals).stopOverdue, [{ loopId: id, stop: "deadline" }])
      assert.strictEqual((yield* tasks.get(lead)).status, "cancelled")
      const states = yield* Effect.forEach([first, second], (one) => tasks.get(one?.task.id ?? lead))
      assert.deepStrictEqual(
        states.map(({ cancelReason, cancelRequestedAt, status }) => [status, cancelReason, cancelRequestedAt]).sort(),
        [
          ["cancelled", "its lead has ended", 1000],
          ["running", "its lead has ended", 1000]
        ]
      )
    })
  )

  test(
    "ends its tree whatever waits for what, and stores no further round of a loop in it",
    Effect.gen(function* () {
      const queue = yield* Queue
      const loops = yield* Loops
      const tasks = yield* Tasks
      const { claim, lead } = yield* goalWith({ maxTasks: 10 })
      // The second is stored after the first, which waits for it.
      const chain = yield* queue.enqueue(
        [
          newTask({ parentId: lead, dependsOn: [{ upstream: { member: 1 }, policy: "success" }] }),
          newTask({ parentId: lead })
        ],
        { maxDepth: 10 }
      )
      const inner = yield* loops.create(
        {
          rules: loopRules({ maxRounds: 5 }),
          goal: null,
          stepTask: null,
          work: [{ name: null, task: newTask({ prompt: "inner", parentId: lead }) }],
          evaluations: [{ role: "until", task: newTask({ prompt: "false", parentId: lead }) }]
        },
        { maxDepth: 10 }
      )
      yield* queue.finish(lead, completed, claim)
      const states = yield* Effect.forEach(chain, ({ task }) => tasks.get(task.id))
      assert.deepStrictEqual(
        states.map(({ status }) => status),
        ["cancelled", "cancelled"]
      )
      assert.deepInclude(yield* loops.get(inner.id), { status: "cancelled", round: 1 })
    })
  )

  test(
    "does not bound what a person tries again, and does not end with it",
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      const { claim, lead } = yield* goalWith()
      yield* delegate(lead, 2)
      const child = yield* claimNext()
      yield* queue.finish(child.task.id, outcome({ status: "failed", cause: "exit", exitCode: 1 }), child.claim)
      const again = newTask({ prompt: "again", priority: "P0", retryOf: child.task.id, continuation: "retry" })
      yield* queue.enqueue([again], { maxDepth: 10 })
      const mine = yield* claimNext()
      assert.deepStrictEqual([mine.task.prompt, mine.task.goalId], ["again", null])
      yield* queue.finish(mine.task.id, completed, mine.claim)
      assert.deepInclude(yield* tasks.get(lead), { status: "running", cancelRequestedAt: null })
      // Nor does a goal that is over hold what a person continues.
      yield* queue.finish(lead, completed, claim)
      yield* queue.enqueue([newTask({ prompt: "later", priority: "P0", retryOf: lead, continuation: "retry" })], {
        maxDepth: 10
      })
      assert.strictEqual((yield* claimNext()).task.prompt, "later")
    })
  )

  test(
    "keeps what its tree has cost while it runs: nothing of it is pruned, and what agents report counts",
    Effect.gen(function* () {
      const queue = yield* Queue
      const sql = yield* SqlClient.SqlClient
      const { lead } = yield* goalWith({ budgetUsd: 4 })
      yield* delegate(lead, 2)
      const child = yield* claimNext()
      yield* queue.finish(child.task.id, spend(2_500_000), child.claim)
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* queue.prune({ endedBefore: 60_000_000, limit: 10, dryRun: false }), [])
      const other = yield* claimNext()
      yield* sql`UPDATE claims SET used_micro = 1600000 WHERE task_id = ${other.task.id}`
      assert.match(yield* refusal(delegate(lead)), /^limit: \$4\.10 of \$4\.00 spent\. /)
    })
  )

  test(
    "bounds the wakes of its tree, and wakes a lead that did not ask once alone",
    Effect.gen(function* () {
      const wakes = yield* Wakes
      const queue = yield* Queue
      const { claim, lead } = yield* goalWith({ maxWakes: 5 })
      yield* delegate(lead)
      const ask = (askedBy: "agent" | "backbeat") =>
        wakes.ask({ taskId: lead, ids: [], groups: [], mode: "all", askedBy })
      yield* ask("backbeat")
      const parking = { limit: false, wake: true, told: true, prompt: null, resetsAt: null, credit: false }
      yield* queue.park(claim, { ...parking, sessionId: "s1", launch: null, timeLeftMs: null, spending: null })
      const child = yield* claimNext()
      yield* queue.finish(child.task.id, completed, child.claim)
      const again = yield* claimNext()
      assert.deepStrictEqual([again.task.id, again.resumeSession, again.task.dependsOn], [lead, "s1", []])
      assert.strictEqual(Option.getOrThrow(yield* wakes.wokenIn(again.claim.claimId)).askedBy, "backbeat")
      yield* delegate(lead)
      assert.match((yield* Effect.flip(ask("backbeat"))).message, /^limit: 1 of 1 automatic wakes used/)
      const sql = yield* SqlClient.SqlClient
      yield* sql`UPDATE goals SET wakes = max_wakes`
      assert.match((yield* Effect.flip(ask("agent"))).message, /^limit: 5 of 5 wakes used/)
    })
  )
})

describe("refusalOf", () => {
  it("says nothing of a goal without money and time", () => {
    const goal = { ...limits(), tasks: 0, wakes: 0, stop: null, over: false }
    assert.isNull(refusalOf({ goal, count: 3, depth: 2, open: 0, spentUsd: 100, now: 1 }))
    assert.strictEqual(
      refusalOf({ goal: { ...goal, over: true }, count: 1, depth: 1, open: 0, spentUsd: 0, now: 1 }),
      "the goal is over"
    )
  })
})
