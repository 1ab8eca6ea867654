/** What every store promises of budgets: reserved at the claim, settled at the end, and nothing starts that has no room. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { type Budget, BudgetName } from "../../src/domain/budgets/Budget.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import type { PricedUse, Spending } from "../../src/domain/usage/ModelUse.ts"
import { noTokens } from "../../src/domain/usage/TokenCounts.ts"
import { Budgets } from "../../src/services/Budgets.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { PutRight } from "../../src/services/PutRight.ts"
import { type ClaimedTask, Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { anyTask, claimOptions, completed, failed, submit } from "../support/tasks.ts"

const day = 86_400_000
const dollar = 1_000_000

const budget = (name: string, fields: Partial<Budget> = {}): Budget => ({
  name: BudgetName.make(name),
  scope: "all",
  value: "",
  period: "day",
  metric: "usd",
  amount: dollar,
  warnPercent: 80,
  action: "pause",
  timezone: "UTC",
  ...fields
})

const set = (name: string, fields: Partial<Budget> = {}) =>
  Effect.flatMap(Budgets, (budgets) => budgets.set(budget(name, fields)))

const standing = (name: string) =>
  Effect.flatMap(Budgets, (budgets) => Effect.map(budgets.find(BudgetName.make(name)), Option.getOrThrow))

const tryClaim = Effect.flatMap(Queue, (queue) => queue.claim(claimOptions({ maxConcurrency: 100 })))

/** Claims all that may start now. */
const claimAll = Effect.gen(function* () {
  const claimed: Array<ClaimedTask> = []
  while (true) {
    const next = yield* tryClaim
    if (Option.isNone(next)) return claimed
    claimed.push(next.value)
  }
})

const prompts = (claimed: ReadonlyArray<ClaimedTask>) => claimed.map(({ task }) => task.prompt).sort()

const use = (costMicro: number | null, more: Partial<PricedUse> = {}): PricedUse => ({
  ...noTokens,
  model: "opus",
  inputTokens: 100,
  costMicro,
  costBy: costMicro === null ? "unpriced" : "reported",
  ...more
})

const spending = (...uses: ReadonlyArray<PricedUse>): Spending => ({ sessionId: null, cumulative: false, uses })

const end = ({ claim, task }: ClaimedTask, ...uses: ReadonlyArray<PricedUse>) =>
  Effect.flatMap(Queue, (queue) => queue.finish(task.id, { ...completed, spending: spending(...uses) }, claim))

const submitSome = (count: number, fields: Parameters<typeof submit>[0] = {}) =>
  Effect.forEach(
    Array.from({ length: count }, (_, at) => at),
    (at) => submit({ agent: "claude", prompt: `task ${at}`, ...fields })
  )

const report = (taskId: TaskId, offset: number, micro: number) =>
  Effect.flatMap(OutputStore, (store) =>
    store.append(
      {
        taskId,
        stream: "stdout",
        offset,
        bytes: new Uint8Array(10),
        use: { uses: [use(micro)], cost: { micro, tokens: 100 } }
      },
      { cap: 1000 }
    )
  )

const holds = (id: TaskId) => Effect.flatMap(Budgets, (budgets) => Effect.map(budgets.holds(id), Option.getOrNull))

/** Scopes of budgets, with the tasks of the test that each covers. */
const scopes = [
  ["agent", "codex", ["agent"]],
  ["directory", "/work/api", ["below", "directory"]],
  ["label", "team=web", ["label"]],
  ["label", "team", ["label", "other label"]],
  ["task", "", ["root"]],
  ["tree", "", ["child", "grandchild", "root"]],
  ["all", "", ["agent", "beside", "below", "child", "directory", "grandchild", "label", "other label", "root"]]
] as const

export const budgetsContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`budgets: ${subject.name}`, () => {
    test(
      "eight tasks of 30 cents and a dollar a day: three start, the rest on the days after, and none fails",
      Effect.gen(function* () {
        yield* set("daily")
        yield* submitSome(8)
        const [first, ...none] = yield* claimAll
        assert.deepStrictEqual([first?.task.prompt, none.length], ["task 0", 0])
        if (first !== undefined) yield* end(first, use(300_000))
        // By now it is known what such a task costs: two more fit.
        const next = yield* claimAll
        assert.deepStrictEqual(prompts(next), ["task 1", "task 2"])
        assert.deepInclude(yield* standing("daily"), { spent: 300_000, reserved: 600_000, trippedAt: null })
        yield* Effect.forEach(next, (one) => end(one, use(300_000)))
        assert.deepStrictEqual(yield* claimAll, [])
        const spent = yield* standing("daily")
        assert.deepInclude(spent, { spent: 900_000, reserved: 0, used: 0, from: 0, to: day, warnedAt: 0, trippedAt: 0 })
        yield* TestClock.setTime(day)
        assert.deepInclude(yield* standing("daily"), {
          spent: 0,
          from: day,
          to: 2 * day,
          warnedAt: null,
          trippedAt: null
        })
        const tomorrow = yield* claimAll
        assert.deepStrictEqual(prompts(tomorrow), ["task 3", "task 4", "task 5"])
        yield* Effect.forEach(tomorrow, (one) => end(one, use(300_000)))
        yield* TestClock.setTime(2 * day)
        assert.deepStrictEqual(prompts(yield* claimAll), ["task 6", "task 7"])
      })
    )

    test(
      "an amount below what a task costs lets one start in each period",
      Effect.gen(function* () {
        yield* set("small", { amount: 1000 })
        yield* submitSome(2)
        const [first, ...none] = yield* claimAll
        assert.deepStrictEqual(none, [])
        if (first !== undefined) yield* end(first, use(500_000))
        assert.deepStrictEqual(yield* claimAll, [])
        yield* TestClock.setTime(day)
        assert.strictEqual((yield* claimAll).length, 1)
      })
    )

    for (const before of [true, false]) {
      test(
        `covers the tasks of its scope and no shell command, made ${before ? "before" : "after"} them`,
        Effect.gen(function* () {
          const budgets = yield* Budgets
          for (const [scope, value, covered] of scopes) {
            const at = (prompt: string, fields: Parameters<typeof submit>[0] = {}) =>
              submit({ agent: "claude", prompt, directory: "/elsewhere", ...fields })
            const root = yield* at("root")
            const define = set("one", { scope, value: scope === "task" || scope === "tree" ? root.id : value })
            if (before) yield* define
            const child = yield* at("child", { parentId: root.id })
            yield* at("grandchild", { parentId: child.id })
            yield* at("agent", { agent: "codex" })
            yield* at("directory", { directory: "/work/api" })
            yield* at("below", { directory: "/work/api/src" })
            yield* at("beside", { directory: "/work/api-2" })
            yield* at("label", { labels: { team: "web" } })
            yield* at("other label", { labels: { team: "api" } })
            yield* at("shell", { agent: "shell" })
            if (!before) yield* define
            // One of those that it covers starts and holds the rest, but for what a running agent submitted.
            const claimed = yield* claimAll
            const names: ReadonlyArray<string> = covered
            const counted = prompts(claimed).filter((prompt) => names.includes(prompt))
            const nested = names.filter((prompt) => prompt.endsWith("child")).length
            assert.strictEqual(counted.length, 1 + nested, `${scope} ${value}`)
            assert.strictEqual(claimed.length, 10 - names.length + counted.length, `${scope} ${value}`)
            yield* Effect.forEach(claimed, ({ task }) => report(task.id, 0, 10))
            assert.deepInclude(yield* standing("one"), { used: 10 * counted.length }, `${scope} ${value}`)
            yield* budgets.remove(BudgetName.make("one"))
            const rest = yield* claimAll
            assert.strictEqual(rest.length, names.length - counted.length, `${scope} ${value}`)
            yield* Effect.forEach([...claimed, ...rest], (one) => end(one, use(dollar)))
            // The next budget begins with nothing spent.
            yield* TestClock.adjust("1 day")
          }
        })
      )
    }

    const directories = [
      [
        "/work/\u{1F642}",
        ["/work/\u{1F642}", "/work/\u{1F642}/src"],
        ["/work/\u{1F642}2", "/work", "/work/\u{1F643}/src"]
      ],
      [
        "/\u{1F642}\u{1F680}/\u{10348}/",
        ["/\u{1F642}\u{1F680}/\u{10348}", "/\u{1F642}\u{1F680}/\u{10348}/a"],
        ["/\u{1F642}\u{1F680}"]
      ],
      ["/work/e\u0301", ["/work/e\u0301/\u{1F642}"], ["/work/e", "/work/\u00e9/a"]],
      ["/", ["/", "/work/\u{1F642}", "/work"], []]
    ] as const

    for (const [top, covered, others] of directories) {
      test(
        `a budget for ${top} counts and holds what is at it and below it, made before or after the tasks`,
        Effect.gen(function* () {
          const budgets = yield* Budgets
          const all = [...covered, ...others]
          const start = Effect.forEach(all, (directory) => submit({ agent: "claude", prompt: directory, directory }))
          yield* start
          const before = yield* claimAll
          yield* Effect.forEach(before, (one) => end(one, use(1000)))
          assert.deepInclude(yield* set("late", { scope: "directory", value: top }), { spent: 1000 * covered.length })
          yield* budgets.remove(BudgetName.make("late"))
          for (const early of [true, false]) {
            const define = set("one", { scope: "directory", value: top, amount: 1 })
            if (early) yield* define
            yield* start
            if (!early) yield* define
            const waiting = yield* Effect.flatMap(Tasks, (tasks) => tasks.list({ ...anyTask, status: ["queued"] }))
            for (const { id, title } of waiting.tasks) {
              assert.strictEqual(
                (yield* holds(id)) !== null,
                covered.some((one) => one === title),
                `${early} ${title}`
              )
            }
            assert.strictEqual(waiting.tasks.length, all.length)
            yield* budgets.remove(BudgetName.make("one"))
            yield* Effect.forEach(yield* claimAll, (one) => end(one))
          }
        })
      )
    }

    test(
      "names what holds several tasks as it does for each of them",
      Effect.gen(function* () {
        const budgets = yield* Budgets
        yield* set("nightly", { scope: "label", value: "night" })
        yield* set("all", { amount: 10 * dollar, period: "week" })
        const [running] = yield* submitSome(1, { labels: { night: "1" } })
        yield* claimAll
        const held = yield* submitSome(2, { labels: { night: "1" } })
        const free = yield* submit({ agent: "shell" })
        const ids = [running, ...held, free].flatMap((task) => (task === undefined ? [] : [task.id]))
        const found = yield* budgets.holdsOf(ids)
        assert.sameMembers(
          Array.from(found.keys()),
          held.map(({ id }) => id)
        )
        for (const id of ids) assert.deepStrictEqual(found.get(id) ?? null, yield* holds(id))
        assert.strictEqual((yield* budgets.holdsOf([])).size, 0)
      })
    )

    test(
      "names what holds a task, until the budget is raised or removed",
      Effect.gen(function* () {
        const budgets = yield* Budgets
        yield* set("nightly", { scope: "label", value: "night" })
        const [task] = yield* submitSome(1, { labels: { night: "1" } })
        const [running] = yield* claimAll
        assert.isDefined(running)
        if (running === undefined || task === undefined) return
        yield* end(running, use(2 * dollar))
        const waits = yield* submit({ agent: "claude", labels: { night: "2" } })
        const free = yield* submit({ agent: "claude" })
        assert.isNull(yield* holds(free.id))
        const hold = yield* holds(waits.id)
        assert.deepInclude(hold?.budget, { name: "nightly", spent: 2 * dollar, amount: dollar, to: day })
        assert.strictEqual(hold?.reserve, 2 * dollar)
        assert.deepStrictEqual(
          (yield* budgets.holding).map((one) => one.budget.name),
          ["nightly"]
        )
        const raised = yield* set("nightly", { scope: "label", value: "night", amount: 5 * dollar })
        assert.deepInclude(raised, { spent: 2 * dollar, trippedAt: null, warnedAt: null })
        assert.isNull(yield* holds(waits.id))
        yield* set("nightly", { scope: "label", value: "night", amount: dollar })
        assert.isNotNull(yield* holds(waits.id))
        assert.isTrue(yield* budgets.remove(BudgetName.make("nightly")))
        assert.isFalse(yield* budgets.remove(BudgetName.make("nightly")))
        assert.isNull(yield* holds(waits.id))
        assert.strictEqual((yield* claimAll).length, 2)
      })
    )

    test(
      "counts what was spent in its period before it was made",
      Effect.gen(function* () {
        yield* submitSome(2, { labels: { night: "1" } })
        const claimed = yield* claimAll
        yield* Effect.forEach(claimed, (one) => end(one, use(700_000)))
        const made = yield* set("late", { scope: "label", value: "night" })
        assert.deepInclude(made, { spent: 1_400_000, trippedAt: 0 })
        assert.deepInclude(yield* set("other", { scope: "agent", value: "codex" }), { spent: 0 })
        assert.deepInclude(yield* set("tokens", { metric: "tokens", amount: 1000 }), { spent: 200 })
      })
    )

    for (const period of ["day", "week", "month"] as const) {
      for (const years of [-1, 1]) {
        test(
          `a ${period} counts what was spent in it, also while the clock is a year ${years < 0 ? "behind" : "ahead"}, and again once it is right`,
          Effect.gen(function* () {
            const { all } = yield* PutRight
            const at = 800 * day + 1000
            yield* TestClock.setTime(at)
            yield* set("all", { period, amount: 10 * dollar, warnPercent: 50 })
            const { from, to } = yield* standing("all")
            assert(to !== null)
            const spend = (micro: number) =>
              Effect.gen(function* () {
                yield* submit({ agent: "claude" })
                yield* Effect.forEach(yield* claimAll, (one) => end(one, use(micro)))
              })
            yield* spend(2 * dollar)
            yield* TestClock.setTime(at + years * 365 * day)
            yield* all
            yield* spend(4 * dollar)
            assert.isAtLeast((yield* standing("all")).spent, 4 * dollar)
            yield* TestClock.setTime(at + 2000)
            assert.strictEqual((yield* all).budgets, 1)
            assert.strictEqual((yield* all).budgets, 0)
            const after = yield* standing("all")
            // What was spent by a clock that was behind is of the past by every clock.
            const counted = years > 0 ? 6 * dollar : 2 * dollar
            assert.deepInclude(after, { from, to, spent: counted })
            assert.strictEqual(after.warnedAt, counted > 5 * dollar ? at + 2000 : null)
            yield* spend(3 * dollar)
            assert.deepInclude(yield* standing("all"), { from, spent: counted + 3 * dollar })
            // The next period begins with nothing.
            yield* TestClock.setTime(to + 1)
            yield* all
            assert.deepInclude(yield* standing("all"), { from: to, spent: 0, warnedAt: null, trippedAt: null })
          })
        )
      }
    }

    test(
      "a clock that was behind and is right again finds what its period had spent, whatever comes first",
      Effect.gen(function* () {
        yield* TestClock.setTime(800 * day)
        yield* set("all", { amount: 10 * dollar })
        yield* submitSome(2)
        yield* Effect.forEach(yield* claimAll, (one) => end(one, use(dollar)))
        yield* Effect.forEach(yield* claimAll, (one) => end(one, use(dollar)))
        yield* TestClock.setTime(700 * day)
        yield* (yield* PutRight).all
        yield* TestClock.setTime(800 * day + 1000)
        yield* submitSome(1)
        yield* Effect.forEach(yield* claimAll, (one) => end(one, use(dollar)))
        assert.deepInclude(yield* standing("all"), { from: 800 * day, spent: 3 * dollar })
      })
    )

    test(
      "what was spent by a clock that was ahead counts in no budget that is made later",
      Effect.gen(function* () {
        yield* TestClock.setTime(800 * day)
        yield* submitSome(1)
        yield* Effect.forEach(yield* claimAll, (one) => end(one, use(dollar)))
        yield* TestClock.setTime(10 * day)
        assert.deepInclude(yield* set("daily"), { spent: 0 })
        assert.deepInclude(yield* set("ever", { period: "total" }), { spent: dollar })
      })
    )

    test(
      "what a running agent reports counts immediately, and its end once",
      Effect.gen(function* () {
        const budgets = yield* Budgets
        yield* set("live", { action: "stop" })
        const [task] = yield* submitSome(1)
        const [claimed] = yield* claimAll
        if (claimed === undefined || task === undefined) return yield* Effect.dieMessage("not claimed")
        yield* report(task.id, 0, 400_000)
        assert.deepInclude(yield* standing("live"), { spent: 0, used: 400_000, reserved: 600_000, warnedAt: null })
        assert.deepStrictEqual(yield* budgets.stopping, [])
        // The same bytes again, as an adopter stores them.
        yield* report(task.id, 0, 400_000)
        assert.deepInclude(yield* standing("live"), { used: 400_000 })
        yield* report(task.id, 10, 700_000)
        assert.deepInclude(yield* standing("live"), { used: 1_100_000, reserved: 0, warnedAt: 0, trippedAt: 0 })
        assert.deepStrictEqual(yield* budgets.stopping, [task.id])
        yield* end(claimed, use(1_200_000))
        assert.deepInclude(yield* standing("live"), { spent: 1_200_000, used: 0, reserved: 0 })
        assert.deepStrictEqual(yield* budgets.stopping, [])
      })
    )

    test(
      "a run that was ended without numbers counts as what it reported on the way, in the ledger too",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* set("live")
        const [task] = yield* submitSome(1)
        const [claimed] = yield* claimAll
        if (claimed === undefined || task === undefined) return yield* Effect.dieMessage("not claimed")
        yield* report(task.id, 0, 400_000)
        const silent = use(null, { costBy: "unreported", inputTokens: 0 })
        yield* queue.finish(task.id, { ...failed, spending: spending(silent) }, claimed.claim)
        assert.deepInclude(yield* standing("live"), { spent: 400_000 })
        const ledger = yield* Ledger
        const { total } = yield* ledger.report({ from: 0, to: day, by: [], days: [] })
        assert.deepInclude(total, { runs: 1, costUsd: 0.4, inputTokens: 100, unreported: 0 })
      })
    )

    test(
      "a run whose end could not be judged counts as what it reported on the way",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* set("live")
        const [task] = yield* submitSome(1)
        const [claimed] = yield* claimAll
        if (claimed === undefined || task === undefined) return yield* Effect.dieMessage("not claimed")
        yield* report(task.id, 0, 400_000)
        yield* queue.finish(task.id, { ...failed, spending: null }, claimed.claim)
        assert.deepInclude(yield* standing("live"), { spent: 400_000, used: 0 })
        const { total } = yield* (yield* Ledger).report({ from: 0, to: day, by: [], days: [] })
        assert.deepInclude(total, { runs: 1, costUsd: 0.4, inputTokens: 100 })
      })
    )

    test(
      "a run whose tokens have no price counts as what was reserved for it",
      Effect.gen(function* () {
        yield* set("safe", { amount: 10 * dollar })
        yield* submitSome(1)
        const [claimed] = yield* claimAll
        if (claimed !== undefined) yield* end(claimed, use(null))
        assert.deepInclude(yield* standing("safe"), { spent: dollar })
      })
    )

    test(
      "what a running agent submits starts next to its reserve, for it may wait for it, as long as something is left",
      Effect.gen(function* () {
        yield* submitSome(1, { budgetMicro: 400_000 })
        yield* set("daily")
        const [parent] = yield* claimAll
        if (parent === undefined) return yield* Effect.dieMessage("not claimed")
        yield* submitSome(1)
        const child = yield* submit({ agent: "claude", parentId: parent.task.id, prompt: "child" })
        assert.deepStrictEqual(prompts(yield* claimAll), ["child"])
        const other = yield* submit({ agent: "claude", parentId: child.id, prompt: "grandchild" })
        yield* report(child.id, 0, 400_000)
        assert.strictEqual((yield* holds(other.id))?.budget.name, parent.task.id)
        assert.deepStrictEqual((yield* Effect.flatMap(Budgets, (all) => all.stopping)).length, 2)
      })
    )

    test(
      "what is put back into the queue holds nothing",
      Effect.gen(function* () {
        const queue = yield* Queue
        yield* set("daily")
        yield* submitSome(2)
        const [claimed] = yield* claimAll
        if (claimed === undefined) return yield* Effect.dieMessage("not claimed")
        yield* queue.requeue(claimed.claim)
        assert.deepInclude(yield* standing("daily"), { reserved: 0, spent: 0 })
        assert.strictEqual((yield* claimAll).length, 1)
      })
    )

    test(
      "a retry and an edited task count against what covers them then",
      Effect.gen(function* () {
        const queue = yield* Queue
        const [task] = yield* submitSome(1)
        if (task === undefined) return yield* Effect.dieMessage("not submitted")
        yield* set("task", { scope: "task", value: task.id, period: "total", amount: 100 })
        yield* set("night", { scope: "label", value: "night", amount: 100 })
        const [claimed] = yield* claimAll
        if (claimed !== undefined) yield* end(claimed, use(200))
        const again = yield* submit({ agent: "claude", retryOf: task.id })
        assert.strictEqual((yield* holds(again.id))?.budget.name, "task")
        const plain = yield* submit({ agent: "claude" })
        const [running] = yield* claimAll
        assert.strictEqual(running?.task.id, plain.id)
        const other = yield* submit({ agent: "claude", labels: { night: "1" } })
        const [night] = yield* claimAll
        assert.strictEqual(night?.task.id, other.id)
        const edited = yield* submit({ agent: "claude" })
        const { revision } = yield* queue.captured(edited.id)
        yield* queue.edit(edited.id, { labels: { night: "2" } }, revision)
        assert.strictEqual((yield* holds(edited.id))?.budget.name, "night")
      })
    )
  })
}
