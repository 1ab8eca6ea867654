/** What every store promises of limits: parking, places, release, and what a person decides. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import type { Seen } from "../../src/domain/limits/Signal.ts"
import type { NewTask } from "../../src/domain/task/NewTask.ts"
import { type LanePlace, Limits } from "../../src/services/Limits.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { PutRight } from "../../src/services/PutRight.ts"
import { type ClaimedTask, type Parking, Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, claimOptions, completed, failed, parked, submit } from "../support/tasks.ts"

const claude = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
const codex = { key: AccountKey.make("openai/login/8w1p5c0xnd"), agent: "codex" }
const hour = 3_600_000
const minute = 60_000

/** Tests begin a day after 1970, so that a time before now is still a time. */
const begin = TestClock.setTime(24 * hour)
const now = Effect.clockWith((clock) => clock.currentTimeMillis)

const of = (account: typeof claude, more: Partial<NewTask> = {}) => submit({ agent: account.agent, account, ...more })

const park = (claimed: ClaimedTask, more: Partial<Parking> = {}) =>
  Effect.flatMap(Queue, (queue) => queue.park(claimed.claim, parked(more)))

const tryClaim = (maxConcurrency = 100) =>
  Effect.flatMap(Queue, (queue) => queue.claim(claimOptions({ maxConcurrency })))

/** Claims all that may start now; their ids. */
const claimAll = Effect.gen(function* () {
  const claimed: Array<ClaimedTask> = []
  while (true) {
    const next = yield* tryClaim()
    if (Option.isNone(next)) return claimed
    claimed.push(next.value)
  }
})

const idsOf = (claimed: ReadonlyArray<ClaimedTask>) => claimed.map(({ task }) => task.id)

const idsIn = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id)

const fiveHours = (fields: Partial<Seen> = {}): Seen => ({
  _tag: "Seen",
  window: "five_hour",
  family: "",
  used: 1,
  closed: true,
  resetsAt: null,
  ...fields
})

const print = (
  claimed: ClaimedTask,
  offset: number,
  signals: Parameters<OutputStore["Type"]["append"]>[0]["signals"]
) =>
  Effect.flatMap(OutputStore, (output) =>
    output.append(
      {
        taskId: claimed.task.id,
        stream: "stdout",
        offset,
        bytes: new TextEncoder().encode("a line\n"),
        signals: signals ?? []
      },
      { cap: 10_000 }
    )
  )

const accountOf = (key: AccountKey) =>
  Effect.flatMap(Limits, (limits) =>
    Effect.flatMap(limits.list, (all) => Effect.fromNullable(all.find(({ account }) => account === key)))
  )

export const limitsContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`Queue.park over ${subject.name}`, () => {
    test(
      "puts the task back with its session, and uses up no attempt",
      Effect.gen(function* () {
        yield* begin
        const tasks = yield* Tasks
        const task = yield* of(claude, { timeoutMs: 60_000, maxRetries: 2 })
        const claimed = yield* claimNext({ uptimeMs: 1000 })
        const at = yield* now
        const over = yield* park(claimed, { resetsAt: at + hour, sessionId: "session-1", timeLeftMs: 20_000 })
        assert.isTrue(Option.isNone(over))
        const after = yield* (yield* Tasks).get(task.id)
        assert.deepStrictEqual(
          [after.status, after.attempt, after.maxRetries, after.parks, after.parkedAt, after.sessionId],
          ["queued", 1, 2, 1, at, "session-1"]
        )
        assert.deepStrictEqual(yield* (yield* WorkerRegistry).claims, [])
        assert.deepStrictEqual(yield* (yield* Tasks).events(0, 10), [])
        assert.isTrue(Option.isNone(yield* tryClaim()))

        yield* TestClock.adjust("2 hours")
        const again = yield* claimNext({ uptimeMs: 5000 })
        assert.deepStrictEqual(
          [again.task.id, again.resumeSession, again.task.parkedAt, again.task.startedAt, again.claim.deadlineUptime],
          [task.id, "session-1", null, at, 25_000]
        )
        const [first, ...others] = yield* tasks.parks(task.id)
        assert.deepStrictEqual(others, [])
        assert.deepStrictEqual(
          [first?.n, first?.at, first?.account, first?.window, first?.sessionId, first?.releasedAt],
          [1, at, claude.key, "limit", "session-1", at + 2 * hour]
        )
      })
    )

    test(
      "waits for seconds where the limit was over by the time that it was put back",
      Effect.gen(function* () {
        yield* begin
        const task = yield* of(claude)
        const claimed = yield* claimNext()
        const resetsAt = (yield* now) + minute
        yield* print(claimed, 0, [fiveHours({ resetsAt })])
        yield* TestClock.adjust("2 minutes")
        yield* park(claimed, { resetsAt })
        assert.isEmpty(yield* claimAll)
        yield* TestClock.adjust("6 seconds")
        assert.deepStrictEqual(idsOf(yield* claimAll), [task.id])
      })
    )

    test(
      "resolves no edge: what waits for the task still waits",
      Effect.gen(function* () {
        yield* begin
        const task = yield* of(claude)
        const dependent = yield* submit({ dependsOn: [{ upstream: task.id, policy: "finished" }] })
        yield* park(yield* claimNext())
        assert.strictEqual((yield* (yield* Tasks).get(dependent.id)).waitingOn, 1)
        assert.isTrue(Option.isNone(yield* tryClaim()))
      })
    )

    test(
      "is refused to a worker that does not hold the claim, and changes nothing then",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        yield* of(claude)
        const claimed = yield* claimNext()
        yield* queue.finish(claimed.task.id, failed, claimed.claim)
        const late = yield* Effect.flip(park(claimed))
        assert.strictEqual(late._tag, "TaskStateConflict")
        assert.deepStrictEqual(yield* (yield* Tasks).parks(claimed.task.id), [])
        assert.isNull((yield* accountOf(claude.key)).opensAt)
      })
    )

    test(
      "ends a task as cancelled that was asked to stop meanwhile",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        const task = yield* of(claude)
        const claimed = yield* claimNext()
        yield* queue.cancel(task.id, { reason: null, by: "tester" })
        const ended = Option.getOrThrow(yield* park(claimed))
        assert.deepStrictEqual([ended.id, ended.status], [task.id, "cancelled"])
        assert.strictEqual((yield* (yield* Tasks).get(task.id)).status, "cancelled")
      })
    )

    test(
      "starts again from the beginning what has no session to continue in, with the launch that it is given",
      Effect.gen(function* () {
        yield* begin
        const task = yield* of(claude, { sessionId: "session-1" })
        const claimed = yield* claimNext()
        const launch = { ...claimed.launch, args: ["--session-id", "session-2"], promptAt: [] }
        yield* park(claimed, { sessionId: "session-2", launch, resetsAt: (yield* now) + minute })
        yield* TestClock.adjust("1 hour")
        const again = yield* claimNext()
        assert.deepStrictEqual(
          [again.task.id, again.task.sessionId, again.resumeSession, again.launch.args],
          [task.id, "session-2", null, launch.args]
        )
      })
    )

    test(
      "starts again from the beginning, once, what was to continue in a session that is gone: no limit was met by that",
      Effect.gen(function* () {
        yield* begin
        const tasks = yield* Tasks
        const task = yield* of(claude, { sessionId: "session-1" })
        yield* park(yield* claimNext(), { sessionId: "session-1", resetsAt: (yield* now) + minute })
        yield* TestClock.adjust("1 hour")
        const resumed = yield* claimNext()
        assert.strictEqual(resumed.resumeSession, "session-1")
        yield* park(resumed, { limit: false, prompt: "all of it", sessionId: "session-2", launch: resumed.launch })
        const after = yield* tasks.get(task.id)
        assert.deepStrictEqual(
          [after.status, after.parks, after.parkedAt, after.prompt, after.attempt],
          ["queued", 1, null, "all of it", 1]
        )
        assert.deepStrictEqual(
          (yield* tasks.parks(task.id)).map(({ n, sessionId }) => [n, sessionId]),
          [[1, null]]
        )
        const anew = yield* claimNext()
        assert.deepStrictEqual([anew.resumeSession, anew.task.sessionId], [null, "session-2"])
      })
    )

    test(
      "lets the output of the next claim follow, and says where it begins",
      Effect.gen(function* () {
        yield* begin
        const output = yield* OutputStore
        yield* of(claude)
        const claimed = yield* claimNext()
        yield* print(claimed, 0, [])
        yield* park(claimed, { resetsAt: (yield* now) + minute })
        const [stream] = yield* output.streams(claimed.task.id)
        assert.deepStrictEqual([stream?.size, stream?.base, stream?.since], [7, 7, 7])
      })
    )
  })

  describe(`limits over ${subject.name}`, () => {
    test(
      "of one account hold back all its tasks and no others",
      Effect.gen(function* () {
        yield* begin
        const first = yield* of(claude)
        const claimed = yield* claimNext()
        yield* of(claude, { priority: "P0" })
        const script = yield* submit()
        const other = yield* of(codex)
        yield* park(claimed, { resetsAt: (yield* now) + hour })
        assert.deepStrictEqual(idsOf(yield* claimAll), [script.id, other.id])
        const limits = yield* accountOf(claude.key)
        assert.deepStrictEqual(
          [limits.opensAt, limits.window, limits.waiting, limits.windows[0]?.source],
          [(yield* now) + hour + 5000, "limit", 2, first.id]
        )
        const wait = Option.getOrThrow(yield* (yield* Tasks).limitWait(first.id))
        assert.deepStrictEqual([wait.account, wait.window, wait.opensAt], [claude.key, "limit", limits.opensAt])
        assert.isTrue(Option.isNone(yield* (yield* Tasks).limitWait(other.id)))
        const halts = yield* (yield* Tasks).haltsOf([other.id, first.id])
        const { opensAt } = limits
        assert.deepStrictEqual(halts, [{ id: first.id, status: "queued", asks: 0, retriedBy: null, opensAt }])
        yield* TestClock.adjust("2 hours")
        assert.deepStrictEqual(yield* (yield* Tasks).haltsOf([other.id, first.id]), [])
      })
    )

    test(
      "are closed by a signal in the transaction that stores the output, and a task in the lane waits from then on",
      Effect.gen(function* () {
        yield* begin
        yield* of(claude)
        const claimed = yield* claimNext()
        yield* of(claude)
        const resetsAt = (yield* now) + 2 * hour
        yield* print(claimed, 0, [fiveHours({ resetsAt })])
        assert.isTrue(Option.isNone(yield* tryClaim()))
        assert.strictEqual((yield* accountOf(claude.key)).opensAt, resetsAt + 5000)
        // The same bytes again, as after a crash: nothing changes.
        yield* print(claimed, 0, [{ _tag: "Served" }, fiveHours({ closed: false })])
        assert.strictEqual((yield* accountOf(claude.key)).opensAt, resetsAt + 5000)
      })
    )

    test(
      "let one task ask whether they are over, then 2, 4, 8, and all",
      Effect.gen(function* () {
        yield* begin
        const tasks = yield* Effect.replicateEffect(of(claude), 40)
        const claimed = yield* claimNext()
        yield* park(claimed, { resetsAt: (yield* now) + hour })
        yield* TestClock.adjust("61 minutes")
        const [probe, ...more] = yield* claimAll
        assert(probe !== undefined)
        assert.deepStrictEqual([probe.task.id, more.length], [tasks[0]?.id, 0])
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* claimAll, [])
        yield* print(probe, 0, [{ _tag: "Served" }])
        const counts: Array<number> = []
        for (const _ of [1, 2, 3, 4, 5]) {
          counts.push((yield* claimAll).length)
          yield* TestClock.adjust("20 seconds")
        }
        assert.deepStrictEqual(counts, [1, 2, 4, 8, 16])
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual((yield* claimAll).length, 8)
      })
    )

    test(
      "let a task ask next to those that were running when it was met, however it ends",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        const tasks = yield* Tasks
        const long = yield* Effect.replicateEffect(of(claude), 3)
        const running = yield* Effect.replicateEffect(claimNext(), 3)
        const ends = [
          { end: TestClock.adjust("2 hours"), until: hour },
          { end: limits.open(claude.key), until: hour }
        ]
        for (const { end, until } of ends) {
          yield* of(claude)
          const refused = yield* claimNext()
          yield* TestClock.adjust("1 second")
          yield* park(refused, { resetsAt: (yield* now) + until })
          const waiting = yield* of(claude)
          yield* end
          const [probe, ...more] = yield* claimAll
          assert(probe !== undefined)
          assert.deepStrictEqual([probe.task.id, more.length], [refused.task.id, 0])
          assert.deepStrictEqual(
            yield* tasks.placeWait(waiting.id),
            Option.some({ account: claude.key, running: 1, limit: 1, asking: probe.task.id })
          )
          // What one says that began before the limit is not the answer.
          for (const one of running) yield* print(one, 0, [{ _tag: "Served" }])
          assert.isEmpty(yield* claimAll)
          yield* print(probe, 0, [{ _tag: "Served" }])
          assert.deepStrictEqual(idsOf(yield* claimAll), [waiting.id])
          assert.isTrue(Option.isNone(yield* tasks.placeWait(waiting.id)))
          yield* TestClock.adjust("3 minutes")
        }
        assert.strictEqual((yield* accountOf(claude.key)).running, long.length + 4)
      })
    )

    test(
      "are asked about by another task where the one that asks is frozen",
      Effect.gen(function* () {
        yield* begin
        const registry = yield* WorkerRegistry
        const [first, second, third] = yield* Effect.replicateEffect(of(claude), 3)
        yield* park(yield* claimNext(), { resetsAt: (yield* now) + minute })
        yield* TestClock.adjust("2 minutes")
        const [probe] = yield* claimAll
        assert(probe !== undefined && first !== undefined && second !== undefined && third !== undefined)
        assert.strictEqual(probe.task.id, first.id)
        yield* registry.freezing(probe.claim, 5000)
        assert.deepStrictEqual(idsOf(yield* claimAll), [second.id])
        const wait = Option.getOrThrow(yield* (yield* Tasks).placeWait(third.id))
        assert.deepStrictEqual([wait.running, wait.limit, wait.asking], [1, 1, second.id])
      })
    )

    test(
      "name how many tasks may start after an answer, and that more may later",
      Effect.gen(function* () {
        yield* begin
        const tasks = yield* Tasks
        const all = yield* Effect.replicateEffect(of(claude), 8)
        const last = all[7]
        assert(last !== undefined)
        const wait = tasks.placeWait(last.id)
        assert.isTrue(Option.isNone(yield* wait))
        yield* park(yield* claimNext(), { resetsAt: (yield* now) + minute })
        yield* TestClock.adjust("2 minutes")
        assert.isTrue(Option.isNone(yield* wait))
        const [probe] = yield* claimAll
        assert(probe !== undefined)
        yield* print(probe, 0, [{ _tag: "Served" }])
        assert.isTrue(Option.isNone(yield* wait))
        const seen: Array<unknown> = []
        for (const _ of [1, 2]) {
          yield* claimAll
          seen.push(Option.getOrNull(yield* wait))
          yield* TestClock.adjust("20 seconds")
        }
        const common = { account: claude.key, asking: null }
        assert.deepStrictEqual(seen, [
          { ...common, running: 2, limit: 2 },
          { ...common, running: 4, limit: 4 }
        ])
        yield* claimAll
        assert.isTrue(Option.isNone(yield* wait))
        const other = yield* of(codex)
        assert.isTrue(Option.isNone(yield* tasks.placeWait(other.id)))
        assert.isTrue(Option.isNone(yield* tasks.placeWait((yield* submit()).id)))
      })
    )

    test(
      "of one family of models let one task of that family ask, and take no place of the others",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        const queue = yield* Queue
        const opus = yield* Effect.replicateEffect(of(claude, { model: "opus" }), 9)
        for (const end of [TestClock.adjust("2 hours"), limits.open(claude.key)]) {
          const claimed = yield* claimNext()
          yield* TestClock.adjust("1 second")
          const resetsAt = (yield* now) + hour
          yield* print(claimed, 0, [fiveHours({ window: "seven_day_opus", family: "opus", resetsAt })])
          yield* park(claimed)
          yield* Effect.replicateEffect(of(claude, { model: "sonnet" }), 4)
          const others = yield* claimAll
          assert.strictEqual(others.length, 4)
          yield* end
          yield* TestClock.adjust("1 second")
          for (const one of others) yield* print(one, 0, [{ _tag: "Served" }])
          const [probe, ...more] = yield* claimAll
          assert(probe !== undefined)
          assert.deepStrictEqual([probe.task.model, more.length], ["opus", 0])
          const wait = yield* (yield* Tasks).placeWait(opus[8]?.id ?? claimed.task.id)
          assert.deepStrictEqual(
            wait,
            Option.some({ account: claude.key, running: 1, limit: 1, asking: probe.task.id })
          )
          const another = yield* of(claude, { model: "sonnet" })
          assert.deepStrictEqual(idsOf(yield* claimAll), [another.id])
          // Not every agent says that it is answered while it runs: a task that is completed was.
          yield* TestClock.adjust("1 second")
          yield* queue.finish(probe.task.id, completed, probe.claim)
          const counts: Array<number> = []
          for (const _ of [1, 2]) {
            counts.push((yield* claimAll).length)
            yield* TestClock.adjust("20 seconds")
          }
          assert.deepStrictEqual(counts, [2, 2])
          for (const { claimId, taskId, workerId } of yield* (yield* WorkerRegistry).claims)
            yield* queue.finish(taskId, failed, { claimId, workerId })
          yield* Effect.replicateEffect(of(claude, { model: "opus" }), 5)
          yield* TestClock.adjust("3 minutes")
        }
      })
    )

    test(
      "close again when the task that asks is refused, and the others never moved",
      Effect.gen(function* () {
        yield* begin
        yield* Effect.replicateEffect(of(claude), 3)
        yield* park(yield* claimNext())
        const opens: Array<number> = []
        for (const _ of [1, 2, 3, 4, 5]) {
          const { opensAt } = yield* accountOf(claude.key)
          const at = yield* now
          opens.push(((opensAt ?? 0) - at - 5000) / minute)
          yield* TestClock.adjust((opensAt ?? 0) - at)
          const all = yield* claimAll
          assert.strictEqual(all.length, 1)
          for (const probe of all) yield* park(probe)
        }
        assert.deepStrictEqual(opens, [15, 30, 60, 120, 120])
        const tasks = yield* Tasks
        const parks = yield* Effect.forEach(yield* tasks.newest(10), ({ id }) =>
          Effect.map(tasks.parks(id), (all) => all.length)
        )
        assert.deepStrictEqual([...parks].sort(), [0, 0, 6])
      })
    )

    test(
      "are opened by work that is completed, where an agent says nothing while it runs",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        yield* Effect.replicateEffect(of(codex), 3)
        yield* park(yield* claimNext(), { resetsAt: (yield* now) + minute })
        yield* TestClock.adjust("2 minutes")
        const [probe, ...more] = yield* claimAll
        assert(probe !== undefined)
        assert.strictEqual(more.length, 0)
        yield* queue.finish(probe.task.id, completed, probe.claim)
        assert.strictEqual((yield* claimAll).length, 2)
      })
    )

    test(
      "are not opened by the answer to a request that began before the refusal",
      Effect.gen(function* () {
        yield* begin
        yield* of(claude)
        yield* of(claude)
        yield* of(claude)
        const early = yield* claimNext()
        const refused = yield* claimNext()
        yield* TestClock.adjust("1 second")
        yield* park(refused, { resetsAt: (yield* now) + hour })
        yield* TestClock.adjust("1 second")
        yield* print(early, 0, [{ _tag: "Served" }])
        assert.isTrue(Option.isNone(yield* tryClaim()))
      })
    )

    test(
      "of one family of models hold back that family alone",
      Effect.gen(function* () {
        yield* begin
        yield* of(claude, { model: "opus" })
        const claimed = yield* claimNext()
        yield* of(claude, { model: "claude-opus-4-6" })
        const sonnet = yield* of(claude, { model: "sonnet" })
        yield* print(claimed, 0, [
          fiveHours({ window: "seven_day_opus", family: "opus", resetsAt: (yield* now) + hour })
        ])
        yield* park(claimed)
        assert.deepStrictEqual(idsOf(yield* claimAll), [sonnet.id])
      })
    )

    test(
      "of one family stay while models of others are answered, and end with their own answer",
      Effect.gen(function* () {
        yield* begin
        const opus = yield* of(claude, { model: "opus" })
        const claimed = yield* claimNext()
        const resetsAt = (yield* now) + 72 * hour
        yield* print(claimed, 0, [fiveHours({ window: "seven_day_opus", family: "opus", resetsAt })])
        yield* park(claimed)
        const queue = yield* Queue
        for (const model of ["sonnet", "haiku", "sonnet"]) {
          const other = yield* of(claude, { model })
          yield* TestClock.adjust("1 second")
          const [running, ...more] = yield* claimAll
          assert(running !== undefined)
          assert.deepStrictEqual([running.task.id, more.length], [other.id, 0])
          yield* TestClock.adjust("1 second")
          yield* print(running, 0, [{ _tag: "Served" }])
          yield* queue.finish(other.id, completed, running.claim)
        }
        assert.isTrue(Option.isNone(yield* tryClaim()))
        assert.strictEqual((yield* accountOf(claude.key)).opensAt, resetsAt + 5000)
        yield* TestClock.adjust("73 hours")
        assert.deepStrictEqual(idsOf(yield* claimAll), [opus.id])
        assert.strictEqual((yield* (yield* Tasks).parks(opus.id)).length, 1)
      })
    )

    test(
      "hold back the default model where it is refused for a family",
      Effect.gen(function* () {
        yield* begin
        yield* of(claude)
        const claimed = yield* claimNext()
        yield* print(claimed, 0, [
          fiveHours({ window: "seven_day_opus", family: "opus", resetsAt: (yield* now) + hour })
        ])
        yield* park(claimed)
        const sonnet = yield* of(claude, { model: "sonnet" })
        assert.deepStrictEqual(idsOf(yield* claimAll), [sonnet.id])
      })
    )

    test(
      "are known to a task that arrives later, with another model",
      Effect.gen(function* () {
        yield* begin
        yield* of(claude)
        yield* park(yield* claimNext(), { resetsAt: (yield* now) + hour })
        yield* of(claude, { model: "haiku" })
        assert.isTrue(Option.isNone(yield* tryClaim()))
      })
    )

    test(
      "without credit are looked at daily",
      Effect.gen(function* () {
        yield* begin
        yield* of(claude)
        yield* park(yield* claimNext(), { credit: true, resetsAt: (yield* now) + minute })
        const { opensAt, window } = yield* accountOf(claude.key)
        assert.deepStrictEqual([opensAt, window], [(yield* now) + 24 * hour + 5000, "credit"])
      })
    )

    test(
      "are left by a task whose agent is logged in to another account when it starts",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        yield* of(claude)
        const claimed = yield* claimNext()
        const other = { key: AccountKey.make("anthropic/login/zzzzzzzzzz"), agent: "claude" }
        yield* (yield* Limits).close(claude.key, (yield* now) + hour, null)
        yield* queue.requeue(claimed.claim, other)
        const again = yield* claimNext()
        assert.deepStrictEqual([again.task.id, again.task.account], [claimed.task.id, other.key])
      })
    )

    test(
      "are left by a task that is given to another agent",
      Effect.gen(function* () {
        yield* begin
        const queue = yield* Queue
        const task = yield* of(claude)
        yield* park(yield* claimNext(), { sessionId: "session-1", resetsAt: (yield* now) + hour })
        const { launch, revision } = yield* queue.captured(task.id)
        yield* queue.edit(task.id, { agent: "codex", account: codex, model: null, launch }, revision)
        const again = yield* claimNext()
        assert.deepStrictEqual([again.task.id, again.task.account, again.resumeSession], [task.id, codex.key, null])
      })
    )
  })

  describe(`Limits over ${subject.name}`, () => {
    test(
      "close an account until a time, and no answer opens it before",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        yield* of(claude)
        const running = yield* claimNext()
        yield* of(claude)
        yield* limits.close(claude.key, (yield* now) + hour, "I need it myself")
        yield* print(running, 0, [{ _tag: "Served" }])
        assert.isTrue(Option.isNone(yield* tryClaim()))
        const { window, windows } = yield* accountOf(claude.key)
        assert.deepStrictEqual([window, windows[0]?.reason], ["yours", "I need it myself"])
        yield* TestClock.adjust("1 hour")
        assert.isTrue(Option.isSome(yield* tryClaim()))
      })
    )

    test(
      "open an account for one task, whose answer lets the others follow",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        yield* Effect.replicateEffect(of(claude), 5)
        yield* park(yield* claimNext(), { resetsAt: (yield* now) + hour })
        yield* limits.open(claude.key)
        const [probe, ...more] = yield* claimAll
        assert(probe !== undefined)
        assert.strictEqual(more.length, 0)
        yield* print(probe, 0, [{ _tag: "Served" }])
        assert.strictEqual((yield* claimAll).length, 1)
      })
    )

    test(
      "name the tasks whose limit lasts beyond a time and who have a fallback",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        const task = yield* of(claude, { fallback: ["codex"] })
        yield* park(yield* claimNext(), { resetsAt: (yield* now) + hour })
        yield* of(claude)
        const beyond = (time: number, limit = 10, after: LanePlace | null = null) =>
          Effect.flatMap(now, (at) => limits.waitingBeyond(at + time, limit, after))
        assert.deepStrictEqual(idsIn(yield* beyond(minute)), [task.id])
        assert.isEmpty(yield* beyond(2 * hour))
      })
    )

    test(
      "name them page by page, each once, over all lanes",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        const all: Array<string> = []
        for (const model of ["opus", "sonnet", "opus", "haiku", "opus", "sonnet", null]) {
          all.push((yield* of(claude, { model, fallback: ["codex"] })).id)
        }
        yield* limits.close(claude.key, (yield* now) + hour, null)
        const seen: Array<string> = []
        let after: LanePlace | null = null
        for (const expected of [3, 3, 1, 0]) {
          const page: ReadonlyArray<LanePlace & { readonly id: string }> = yield* limits.waitingBeyond(
            (yield* now) + minute,
            3,
            after
          )
          assert.strictEqual(page.length, expected)
          after = page.at(-1) ?? after
          seen.push(...idsIn(page))
        }
        assert.deepStrictEqual([...seen].sort(), [...all].sort())
        // What comes into a lane that was seen already is found by the next pass.
        const late = yield* of(claude, { model: "opus", fallback: ["codex"] })
        assert.isEmpty(yield* limits.waitingBeyond((yield* now) + minute, 10, after))
        assert.include(idsIn(yield* limits.waitingBeyond((yield* now) + minute, 10, null)), late.id)
      })
    )

    for (const [ahead, wait] of [
      [72 * hour, null],
      [72 * hour, 5 * minute],
      [hour, null],
      [1000, 5 * minute]
    ] as const) {
      test(
        `that were seen by a clock ${ahead / 1000} s ahead are seen now, and ${wait === null ? "a guess" : "a reported wait"} begins again`,
        Effect.gen(function* () {
          const { all } = yield* PutRight
          const right = 24 * hour
          yield* TestClock.setTime(right + ahead)
          yield* of(claude)
          yield* of(claude)
          const at = yield* now
          yield* park(yield* claimNext(), { resetsAt: wait === null ? null : at + wait })
          yield* TestClock.setTime(right)
          yield* all
          const opens = right + (wait ?? 15 * minute) + 5000
          assert.strictEqual((yield* accountOf(claude.key)).opensAt, opens)
          assert.strictEqual((yield* all).accounts, 0)
          yield* TestClock.setTime(opens)
          // One asks, and what it shows is believed.
          const [probe, ...more] = yield* claimAll
          assert(probe !== undefined)
          assert.deepStrictEqual(more, [])
          yield* TestClock.adjust("1 second")
          yield* print(probe, 0, [{ _tag: "Served" }])
          assert.strictEqual((yield* claimAll).length, 1)
          assert.isFalse((yield* accountOf(claude.key)).windows.some(({ closed }) => closed))
          yield* print(probe, 7, [fiveHours({ window: "limit", resetsAt: (yield* now) + hour })])
          assert.strictEqual((yield* accountOf(claude.key)).opensAt, (yield* now) + hour + 5000)
        })
      )
    }

    test(
      "keep the time that a service or a person has set, when the clock is set back: as long as a window can be",
      Effect.gen(function* () {
        const { all } = yield* PutRight
        const limits = yield* Limits
        const right = 24 * hour
        yield* TestClock.setTime(right + hour)
        yield* of(claude)
        yield* of(codex)
        yield* limits.observe(claude.key, [fiveHours({ resetsAt: right + 4 * hour })])
        yield* limits.close(codex.key, right + 100 * hour, "mine")
        yield* TestClock.setTime(right)
        assert.strictEqual((yield* all).accounts, 2)
        assert.strictEqual((yield* accountOf(claude.key)).opensAt, right + 4 * hour + 5000)
        assert.strictEqual((yield* accountOf(codex.key)).opensAt, right + 100 * hour)
        yield* TestClock.setTime(right + 72 * hour)
        yield* limits.observe(claude.key, [fiveHours({ resetsAt: right + 76 * hour })])
        yield* TestClock.setTime(right)
        yield* all
        assert.strictEqual((yield* accountOf(claude.key)).opensAt, right + 6 * hour + 5000)
      })
    )

    test(
      "that are closed are closed again when a clock is set back that had passed their end",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        const { all } = yield* PutRight
        const right = yield* now
        yield* of(claude)
        // Another window is seen: the lanes are worked out again, by this clock.
        yield* limits.close(claude.key, right + hour, null)
        yield* TestClock.setTime(right + 2 * hour)
        yield* limits.observe(claude.key, [fiveHours({ used: 0.2, closed: false, resetsAt: right + 5 * hour })])
        assert.isNull((yield* accountOf(claude.key)).opensAt)
        yield* TestClock.setTime(right + minute)
        yield* all
        assert.strictEqual((yield* accountOf(claude.key)).opensAt, right + hour)
      })
    )

    test(
      "take what a service answers: a full window closes the account, and none opens what a refusal closed",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        yield* of(codex)
        const claimed = yield* claimNext()
        yield* of(codex)
        const resetsAt = (yield* now) + hour
        yield* limits.observe(codex.key, [fiveHours({ resetsAt })])
        assert.strictEqual((yield* accountOf(codex.key)).opensAt, resetsAt + 5000)
        yield* limits.observe(codex.key, [fiveHours({ used: 0.2, closed: false, resetsAt })])
        assert.isNull((yield* accountOf(codex.key)).opensAt)
        yield* park(claimed, { resetsAt: (yield* now) + minute })
        yield* limits.observe(codex.key, [fiveHours({ used: 0.98, closed: false, resetsAt })])
        assert.strictEqual((yield* accountOf(codex.key)).window, "limit")
      })
    )

    test(
      "of two joined accounts are one, until they are split",
      Effect.gen(function* () {
        yield* begin
        const limits = yield* Limits
        const other = { key: AccountKey.make("anthropic/token/zzzzzzzzzz"), agent: "claude" }
        yield* of(claude)
        yield* of(other)
        yield* limits.join(other.key, claude.key)
        const claimed = yield* claimNext()
        yield* park(claimed, { resetsAt: (yield* now) + hour })
        assert.isTrue(Option.isNone(yield* tryClaim()))
        assert.strictEqual((yield* accountOf(other.key)).joinedTo, claude.key)
        yield* limits.split(other.key)
        assert.strictEqual((yield* claimAll).length, 1)
      })
    )
  })
}
