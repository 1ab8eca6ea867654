/** Open waits of one process: one look serves all of them, each gets its own news, and none leaves anything behind. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import type { NewTask } from "../../../src/domain/task/NewTask.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { askPerson } from "../../../src/programs/questions/askPerson.ts"
import { shareWatch } from "../../../src/programs/serving/shareWatch.ts"
import { awaitEnds, onlyTasks } from "../../../src/programs/tasks/awaitEnds.ts"
import { EndWatch } from "../../../src/services/EndWatch.ts"
import { Questions } from "../../../src/services/Questions.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { claimNext, completed, failed, newTask, parked, submit } from "../../support/tasks.ts"
import { finish, layer } from "../world.ts"

class Asked extends Context.Tag("backbeat/test/Asked")<Asked, Map<string, number>>() {}

/** Counts what is asked of a port, by name. */
const countedTasks = Layer.effectContext(
  Effect.gen(function* () {
    const tasks = yield* Tasks
    const asked = new Map<string, number>()
    const count = (name: string) => Effect.sync(() => asked.set(name, (asked.get(name) ?? 0) + 1))
    const version = Effect.zipRight(count("version"), tasks.version)
    const ownChanges = Effect.zipRight(count("ownChanges"), tasks.ownChanges)
    const counted = Tasks.of({
      ...tasks,
      version,
      ownChanges,
      haltsOf: (ids) => Effect.zipRight(count("haltsOf"), tasks.haltsOf(ids)),
      endsOf: (ids) => Effect.zipRight(count("endsOf"), tasks.endsOf(ids)),
      summary: (id) => Effect.zipRight(count("summary"), tasks.summary(id)),
      limitWait: (id) => Effect.zipRight(count("limitWait"), tasks.limitWait(id)),
      lastEvent: Effect.zipRight(count("lastEvent"), tasks.lastEvent)
    })
    return Context.make(Tasks, counted).pipe(Context.add(Asked, asked))
  })
)

const countedQuestions = Layer.effect(
  Questions,
  Effect.gen(function* () {
    const questions = yield* Questions
    const asked = yield* Asked
    const count = (name: string) => Effect.sync(() => asked.set(name, (asked.get(name) ?? 0) + 1))
    return Questions.of({
      ...questions,
      get: (id) => Effect.zipRight(count("question"), questions.get(id)),
      openOf: (ids) => Effect.zipRight(count("openOf"), questions.openOf(ids))
    })
  })
)

const world = Layer.scoped(EndWatch, shareWatch).pipe(
  Layer.provideMerge(countedQuestions),
  Layer.provideMerge(countedTasks),
  Layer.provideMerge(layer())
)

const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
const minute = 60_000

const wait = (ids: ReadonlyArray<TaskId>, more: Partial<Parameters<typeof awaitEnds>[1]> = {}) =>
  awaitEnds(onlyTasks(ids), {
    cursor: 0,
    all: false,
    timeoutMs: 50_000,
    enough: Effect.never,
    untilHeld: true,
    onTrouble: () => Effect.void,
    ...more
  })

const open = (count: number, one: (index: number) => ReturnType<typeof wait>) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) => Effect.fork(one(index))
  )

const running = (more: Partial<NewTask> = {}) => Effect.zipRight(submit(more), claimNext({ maxConcurrency: 1000 }))

/** The same but for the round in which the measuring began. */
const assertSame = (found: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>) => {
  assert.deepStrictEqual(Object.keys(found), Object.keys(expected))
  for (const [name, count] of Object.entries(expected)) assert.approximately(found[name] ?? 0, count, 3, name)
}

const isOpen = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => Effect.map(Fiber.poll(fiber), Option.isNone)

/** What the store is asked in some seconds, once the waits are open. */
const costOf = (count: number, ids: ReadonlyArray<TaskId>, busy: Effect.Effect<unknown, unknown, Queue>) =>
  Effect.gen(function* () {
    const asked = yield* Asked
    const waits = yield* open(count, (index) => wait([ids[index % ids.length] as TaskId]))
    yield* TestClock.adjust("1 second")
    asked.clear()
    for (let second = 0; second < 6; second++) {
      yield* busy
      yield* TestClock.adjust("1 second")
    }
    const cost = Object.fromEntries(Array.from(asked).toSorted())
    for (const each of waits) assert.isTrue(yield* isOpen(each))
    yield* Fiber.interruptAll(waits)
    asked.clear()
    yield* TestClock.adjust("10 seconds")
    return { cost, after: Object.fromEntries(asked) }
  })

describe("open waits", () => {
  it.effect("cost the same whether there is one or a hundred, and nothing when they were cancelled", () =>
    Effect.gen(function* () {
      const ids: Array<TaskId> = []
      for (let count = 0; count < 20; count++) ids.push((yield* running()).task.id)
      const one = yield* costOf(1, ids, Effect.void)
      const hundred = yield* costOf(100, ids, Effect.void)
      assertSame(hundred.cost, one.cost)
      assert.isAbove(one.cost.haltsOf ?? 0, 0, "a look comes without a commit")
      assert.isAtMost(one.cost.haltsOf ?? 0, 5, "and rarely")
      assert.deepStrictEqual([one.after, hundred.after], [{}, {}])
    }).pipe(Effect.provide(world))
  )

  it.effect("cost the same also while other tasks come and end", () =>
    Effect.gen(function* () {
      const ids: Array<TaskId> = []
      for (let count = 0; count < 20; count++) ids.push((yield* submit({ priority: "P2" })).id)
      const busy = Effect.gen(function* () {
        const { claim, task } = yield* Effect.zipRight(submit({ priority: "P0" }), claimNext())
        yield* (yield* Queue).finish(task.id, completed, claim)
      })
      const one = yield* costOf(1, ids, busy)
      const hundred = yield* costOf(100, ids, busy)
      assertSame(hundred.cost, one.cost)
      assert.isUndefined(hundred.cost.endsOf, "the ends of other tasks wake no wait")
    }).pipe(Effect.provide(world))
  )

  it.effect("end when their tasks end, each with its own", () =>
    Effect.gen(function* () {
      const ids: Array<TaskId> = []
      for (let count = 0; count < 20; count++) ids.push((yield* running()).task.id)
      const waits = yield* open(100, (index) => wait([ids[index % 20] as TaskId]))
      yield* TestClock.adjust("1 second")
      for (const id of ids.slice(0, 10)) yield* finish(id, completed)
      yield* TestClock.adjust("1 second")
      const later: typeof waits = []
      for (const [index, fiber] of waits.entries()) {
        if (index % 20 >= 10) {
          assert.isTrue(yield* isOpen(fiber))
          later.push(fiber)
          continue
        }
        const { ended, timedOut } = yield* Fiber.join(fiber)
        assert.deepStrictEqual([ended.map(({ id }) => id), timedOut], [[ids[index % 20]], false])
      }
      for (const id of ids.slice(10)) yield* finish(id, failed)
      yield* TestClock.adjust("1 second")
      for (const fiber of later) assert.strictEqual((yield* Fiber.join(fiber)).ended.length, 1)
    }).pipe(Effect.provide(world))
  )

  it.effect("for all tasks end with the last, those for any with the first", () =>
    Effect.gen(function* () {
      const first = (yield* running()).task.id
      const second = (yield* running()).task.id
      const all = yield* open(50, () => wait([first, second], { all: true }))
      const any = yield* open(50, () => wait([first, second]))
      yield* TestClock.adjust("1 second")
      yield* finish(second, completed)
      yield* TestClock.adjust("1 second")
      for (const fiber of any) assert.deepStrictEqual((yield* Fiber.join(fiber)).pending, [first])
      for (const fiber of all) assert.isTrue(yield* isOpen(fiber))
      yield* finish(first, completed)
      yield* TestClock.adjust("1 second")
      for (const fiber of all) {
        assert.deepStrictEqual(
          (yield* Fiber.join(fiber)).ended.map(({ id }) => id),
          [second, first]
        )
      }
    }).pipe(Effect.provide(world))
  )

  it.effect("end when every task that is left asks a person or is parked beyond their time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100 * minute)
      const queue = yield* Queue
      const over = (yield* running()).task.id
      const asking = (yield* running()).task.id
      yield* submit({ agent: account.agent, account })
      const limited = yield* claimNext()
      const ids = [over, asking, limited.task.id]
      const waits = yield* open(100, () => wait(ids, { all: true }))
      const forEnds = yield* Effect.fork(wait(ids, { all: true, untilHeld: false }))
      yield* TestClock.adjust("1 second")
      yield* finish(over, completed)
      yield* (yield* Questions).ask({ taskId: asking, askedBy: `task ${asking}`, text: "Which port?", options: [] })
      yield* TestClock.adjust("1 second")
      for (const fiber of waits) assert.isTrue(yield* isOpen(fiber))
      yield* queue.park(limited.claim, parked({ resetsAt: 200 * minute }))
      yield* TestClock.adjust("1 second")
      for (const fiber of waits) {
        const { ended, held, timedOut } = yield* Fiber.join(fiber)
        assert.deepStrictEqual([ended.map(({ id }) => id), held, timedOut], [[over], [asking, limited.task.id], true])
      }
      assert.isTrue(yield* isOpen(forEnds))
      // One that begins now returns as soon.
      const late = yield* Effect.fork(wait(ids.slice(1)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* Fiber.join(late)).held, ids.slice(1))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* Fiber.join(forEnds)).held, [])
    }).pipe(Effect.provide(world))
  )

  it.effect("continue while a limit ends within their time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(100 * minute)
      yield* submit({ agent: account.agent, account })
      const { claim, task } = yield* claimNext()
      yield* (yield* Queue).park(claim, parked({ resetsAt: 100 * minute + 20_000 }))
      const fiber = yield* Effect.fork(wait([task.id]))
      yield* TestClock.adjust("40 seconds")
      assert.isTrue(yield* isOpen(fiber))
      yield* TestClock.adjust("10 seconds")
      const { held, pending, timedOut } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([held, pending, timedOut], [[], [task.id], true])
    }).pipe(Effect.provide(world))
  )

  it.effect("follow a task to its automatic retry", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const { claim, task } = yield* running({ maxRetries: 1 })
      const waits = yield* open(100, (index) => wait([task.id], { all: index % 2 === 0 }))
      yield* TestClock.adjust("1 second")
      yield* queue.finish(task.id, failed, claim, newTask({ retryOf: task.id, continuation: "retry" }))
      yield* TestClock.adjust("1 second")
      const retry = (yield* (yield* Tasks).summary(task.id)).retriedBy
      if (retry === null) return assert.fail("it was retried")
      for (const fiber of waits) assert.isTrue(yield* isOpen(fiber))
      yield* claimNext({ maxConcurrency: 1000 })
      yield* finish(retry, completed)
      yield* TestClock.adjust("1 second")
      for (const fiber of waits)
        assert.deepStrictEqual(
          (yield* Fiber.join(fiber)).ended.map(({ id }) => id),
          [retry]
        )
    }).pipe(Effect.provide(world))
  )
})

describe("calls that ask a person", () => {
  it.effect("share the look: a hundred cost what one costs, and each returns with its answer", () =>
    Effect.gen(function* () {
      const asked = yield* Asked
      const questions = yield* Questions
      const ask = (text: string) => Effect.fork(askPerson({ taskId: null, askedBy: "anna", text, options: [] }, 50_000))
      const costs: Array<Readonly<Record<string, number>>> = []
      for (const count of [1, 100]) {
        const calls = yield* Effect.forEach(Array.from({ length: count }), (_, index) =>
          ask(`${count}: question ${index}?`)
        )
        yield* TestClock.adjust("1 second")
        asked.clear()
        yield* TestClock.adjust("10 seconds")
        costs.push(Object.fromEntries(Array.from(asked).toSorted()))
        for (const { id } of yield* questions.open) {
          yield* questions.answer(id, { text: `to ${id}`, denied: false, by: "anna" })
        }
        yield* TestClock.adjust("1 second")
        for (const call of calls) {
          const { answer, id } = yield* Fiber.join(call)
          assert.strictEqual(answer, `to ${id}`)
        }
        asked.clear()
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(Array.from(asked), [])
      }
      assertSame(costs[1] ?? {}, costs[0] ?? {})
    }).pipe(Effect.provide(world))
  )
})
