/** What every store promises of spare tasks: they start only with room of their account that would go unused. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import type { Seen } from "../../src/domain/limits/Signal.ts"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import { Limits } from "../../src/services/Limits.ts"
import { type ClaimedTask, Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, claimOptions, parked, submit } from "../support/tasks.ts"

const claude = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const begin = TestClock.setTime(30 * day)
const now = Effect.clockWith((clock) => clock.currentTimeMillis)

const of = (more: Partial<NewTask> = {}) => submit({ agent: "claude", account: claude, ...more })
const spareOf = (more: Partial<NewTask> = {}) => of({ spare: true, ...more })

const claimAll = Effect.gen(function* () {
  const queue = yield* Queue
  const claimed: Array<ClaimedTask> = []
  while (true) {
    const next = yield* queue.claim(claimOptions({ maxConcurrency: 100 }))
    if (Option.isNone(next)) return claimed
    claimed.push(next.value)
  }
})

const ids = (claimed: ReadonlyArray<ClaimedTask>) => claimed.map(({ task }) => task.id)

const startsNone = (words: string) => Effect.map(claimAll, (claimed) => assert.deepStrictEqual(ids(claimed), [], words))

const seen = (window: string, used: number, resetsAt: number): Seen => ({
  _tag: "Seen",
  window,
  family: "",
  used,
  closed: false,
  resetsAt
})

const observe = (...signals: ReadonlyArray<Seen>) =>
  Effect.flatMap(Limits, (limits) => limits.observe(claude.key, signals))

/** Both readers of it have to agree. */
const waitOf = (task: { readonly id: ClaimedTask["task"]["id"] }) =>
  Effect.gen(function* () {
    const tasks = yield* Tasks
    const wait = yield* tasks.limitWait(task.id)
    const halts = yield* tasks.haltsOf([task.id, task.id])
    const expected = Option.match(wait, { onNone: () => [], onSome: ({ opensAt }) => [opensAt, opensAt] })
    const found = halts.flatMap(({ opensAt }) => opensAt ?? [])
    assert.deepStrictEqual(found, expected)
    return Option.map(wait, ({ opensAt, window }) => [window, opensAt])
  })

const accountNow = Effect.flatMap(Limits, (limits) =>
  Effect.flatMap(limits.list, (all) => Effect.fromNullable(all.find(({ account }) => account === claude.key)))
)

export const spareContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`spare tasks over ${subject.name}`, () => {
    test(
      "start in the last hour of a window of five, if less than 80 % of it is used",
      Effect.gen(function* () {
        yield* begin
        yield* of()
        yield* claimNext()
        const resetsAt = (yield* now) + 3 * hour
        yield* observe(seen("five_hour", 0.6, resetsAt))
        const task = yield* spareOf()
        assert.deepStrictEqual(yield* waitOf(task), Option.some(["spare_five_hour", resetsAt - hour]))
        yield* startsNone("three hours before the end")
        // What is known is older by then, and still counts.
        yield* TestClock.adjust("119 minutes")
        yield* startsNone("61 minutes before the end")
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual(yield* waitOf(task), Option.none())
        assert.deepStrictEqual(ids(yield* claimAll), [task.id])
      })
    )

    test(
      "wait for the next window where more is used, also if that is told in the last hour",
      Effect.gen(function* () {
        yield* begin
        yield* of()
        yield* claimNext()
        const resetsAt = (yield* now) + 30 * minute
        yield* observe(seen("five_hour", 0.79, resetsAt))
        const first = yield* spareOf()
        assert.deepStrictEqual(ids(yield* claimAll), [first.id])
        yield* observe(seen("five_hour", 0.85, resetsAt))
        const second = yield* spareOf()
        assert.deepStrictEqual(yield* waitOf(second), Option.some(["spare_five_hour", resetsAt + 4 * hour]))
        yield* startsNone("85 % are used")
      })
    )

    test(
      "do not start once the window is over, whether a worker has looked since or not",
      Effect.gen(function* () {
        yield* begin
        yield* of()
        yield* claimNext()
        const resetsAt = (yield* now) + 3 * hour
        yield* observe(seen("five_hour", 0.1, resetsAt))
        const task = yield* spareOf()
        yield* TestClock.adjust("3 hours")
        yield* startsNone("the window is over")
        assert.deepStrictEqual(yield* waitOf(task), Option.some(["spare_five_hour", resetsAt + 4 * hour]))
        yield* TestClock.adjust("4 hours")
        yield* Effect.flatMap(Limits, (limits) => limits.renewSpare)
        assert.deepStrictEqual(ids(yield* claimAll), [task.id])
      })
    )

    test(
      "need room in all windows: the end of five hours within the last day of the week",
      Effect.gen(function* () {
        yield* begin
        yield* of()
        yield* claimNext()
        const at = yield* now
        yield* observe(seen("five_hour", 0.1, at + hour), seen("seven_day", 0.5, at + 2 * day))
        const task = yield* spareOf()
        // 26 hours from now a window of five hours ends, which has begun in the last day of the week.
        assert.deepStrictEqual(yield* waitOf(task), Option.some(["spare_five_hour", at + 25 * hour]))
        yield* observe(seen("five_hour", 0.1, at + 30 * minute), seen("seven_day", 0.9, at + 10 * hour))
        const wait = yield* waitOf(task)
        assert.isTrue(
          Option.exists(wait, ([, opensAt]) => Number(opensAt) >= at + 10 * hour + 6 * day),
          "the last day of the next week"
        )
      })
    )

    test(
      "start like others where no window is known, and without an account",
      Effect.gen(function* () {
        yield* begin
        const unknown = yield* spareOf()
        const free = yield* submit({ agent: "shell", spare: true })
        assert.deepStrictEqual(ids(yield* claimAll), [free.id, unknown.id])
      })
    )

    test(
      "start after all others, whatever their priority, and count them as ahead",
      Effect.gen(function* () {
        yield* begin
        const tasks = yield* Tasks
        const spare = yield* spareOf({ priority: "P0" })
        const other = yield* of({ priority: "P2" })
        assert.deepStrictEqual(
          [yield* tasks.ahead(spare.id), yield* tasks.ahead(other.id)],
          [Option.some(1), Option.some(0)]
        )
        assert.deepStrictEqual(ids(yield* claimAll), [other.id, spare.id])
      })
    )

    test(
      "do not make their account a closed one, and are told apart in its list",
      Effect.gen(function* () {
        yield* begin
        const resetsAt = (yield* now) + 3 * hour
        yield* of()
        yield* claimNext()
        yield* observe(seen("five_hour", 0.6, resetsAt))
        assert.isNull((yield* accountNow).spare)
        yield* spareOf()
        yield* spareOf()
        const account = yield* accountNow
        assert.deepStrictEqual(
          [account.opensAt, account.places, account.waiting, account.spare],
          [null, null, 0, { waiting: 2, opensAt: resetsAt - hour, window: "spare_five_hour" }]
        )
        const [ordinary] = [yield* of()]
        assert.deepStrictEqual(ids(yield* claimAll), [ordinary.id])
      })
    )

    test(
      "that are refused wait for the room of the next window, and one of them asks first",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        const resetsAt = (yield* now) + 30 * minute
        const first = yield* spareOf()
        yield* spareOf()
        const claimed = yield* claimNext()
        yield* observe(seen("five_hour", 0.85, resetsAt))
        yield* observe({ ...seen("five_hour", 1, resetsAt), closed: true })
        yield* queue.park(claimed.claim, parked({ resetsAt }))
        assert.deepStrictEqual(yield* waitOf(first), Option.some(["spare_five_hour", resetsAt + 4 * hour]))
        yield* TestClock.adjust("270 minutes")
        assert.deepStrictEqual(ids(yield* claimAll), [first.id])
      })
    )

    test(
      "become ordinary by an edit, and the other way round",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        yield* of()
        yield* claimNext()
        yield* observe(seen("five_hour", 0.6, (yield* now) + 3 * hour))
        const task = yield* spareOf()
        yield* startsNone("it is spare")
        const edited = yield* queue.edit(task.id, { spare: false }, 0)
        assert.isFalse(edited.spare)
        assert.deepStrictEqual(ids(yield* claimAll), [task.id])
        const other = yield* of()
        yield* queue.edit(other.id, { spare: true }, 0)
        yield* startsNone("it is spare now")
        assert.isTrue((yield* (yield* Tasks).get(other.id)).spare)
      })
    )

    test(
      "stay spare when their agent turns out to be logged in to another account",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        const other = { key: AccountKey.make("anthropic/login/zzzzzzzzzz"), agent: "claude" }
        yield* submit({ agent: "claude", account: other })
        yield* claimNext()
        yield* (yield* Limits).observe(other.key, [seen("five_hour", 0.2, (yield* now) + 3 * hour)])
        const task = yield* spareOf()
        const claimed = yield* claimNext()
        yield* queue.requeue(claimed.claim, other)
        yield* startsNone("the windows of the other account are known")
        assert.isTrue(Option.isSome(yield* waitOf(task)))
      })
    )
  })
}
