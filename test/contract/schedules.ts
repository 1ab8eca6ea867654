/** What every store promises of schedules. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { keptExecutions } from "../../src/domain/schedule/Schedule.ts"
import { ScheduleId } from "../../src/domain/schedule/ScheduleId.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Schedules } from "../../src/services/Schedules.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { newPipeline } from "../support/pipelines.ts"
import {
  createSchedule,
  fireDue,
  fireInAMinute,
  historyOf,
  minute,
  newSchedule,
  storyOf
} from "../support/schedules.ts"
import { type AllPorts, Probe, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, failed, newTask, workerA, workerWith } from "../support/tasks.ts"

const nobody = ScheduleId.make("zzzzzzzzzzzz")

export const schedulesContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`Schedules over ${subject.name}`, () => {
    test(
      "keep every field of a schedule and of what it starts",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const given = newSchedule({
          name: "nightly",
          timing: { kind: "cron", expression: "0 2 * * *", timezone: "Europe/Berlin" },
          missed: "run-once",
          overlap: "queue",
          maxRuns: 3,
          expiresAt: 1e12,
          work: {
            kind: "task",
            task: newTask({ prompt: "tidy up\nwell", agent: "claude", labels: { a: "b" }, environment: { TOKEN: "x" } })
          }
        })
        const made = yield* schedules.create(given)
        const { createdBy: _by, work, ...rules } = given
        assert.deepInclude(made, rules)
        assert.deepInclude(made, {
          kind: "task",
          title: "tidy up",
          agent: "claude",
          directory: "/tmp",
          status: "active",
          nextDueAt: 3_600_000,
          nextFireAt: 3_600_000,
          runs: 0,
          createdAt: 0,
          revision: 0
        })
        assert.deepStrictEqual(yield* schedules.get(made.id), made)
        assert.deepStrictEqual(yield* schedules.work(made.id), work)
        assert.strictEqual((yield* Effect.flip(schedules.get(nobody)))._tag, "ScheduleNotFound")
      })
    )

    test(
      "are not made where they would never fire, and nothing of them is stored",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        for (const rules of [
          { timing: { kind: "cron", expression: "0 0 30 2 *", timezone: "UTC" } },
          { expiresAt: minute - 1 }
        ] as const) {
          const refused = yield* Effect.flip(createSchedule({ name: "never", ...rules }))
          assert.deepInclude(refused, { _tag: "InvalidInput", field: "schedule" })
        }
        assert.deepStrictEqual(yield* schedules.list({ status: [], limit: 10, before: null }), [])
        yield* createSchedule({ name: "never" })
      })
    )

    test(
      "fire a time once, and store what was captured",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const tasks = yield* Tasks
        const made = yield* createSchedule()
        assert.deepStrictEqual(yield* schedules.nextFire, Option.some(minute))
        assert.deepStrictEqual(yield* schedules.due(minute - 1, 10), [])
        yield* TestClock.adjust(minute)
        const [due] = yield* schedules.due(minute, 10)
        if (due === undefined) return assert.fail("nothing is due")
        const [first] = yield* schedules.fire([due])
        assert.strictEqual(first?._tag, "Fired")
        assert.deepStrictEqual(yield* schedules.fire([due]), [{ _tag: "Lost" }])
        const { tasks: stored } = yield* tasks.list({
          status: [],
          agent: null,
          labels: {},
          directory: null,
          parentId: null,
          since: null,
          limit: 10,
          before: null
        })
        assert.lengthOf(stored, 1)
        const [execution] = yield* historyOf(made)
        assert.deepInclude(
          { ...execution },
          {
            dueAt: minute,
            at: minute,
            origin: "time",
            status: "running",
            taskId: stored[0]?.id ?? null,
            count: 1
          }
        )
        assert.deepInclude(yield* schedules.get(made.id), { nextDueAt: 2 * minute, runs: 1, revision: 0 })
      })
    )

    test(
      "give each run its own session",
      Effect.gen(function* () {
        const queue = yield* Queue
        const task = newTask({
          sessionId: "s-1",
          launch: { file: "/bin/a", args: ["--session-id", "s-1", "about s-1"], promptAt: [2], stdin: "none" }
        })
        yield* createSchedule({ work: { kind: "task", task } })
        yield* fireInAMinute
        const claimed = yield* claimNext()
        const session = claimed.task.sessionId ?? ""
        assert.notStrictEqual(session, "s-1")
        assert.deepStrictEqual(claimed.launch.args, ["--session-id", session, "about s-1"])
        assert.deepStrictEqual((yield* queue.captured(claimed.task.id)).environment, task.environment)
      })
    )

    test(
      "end an execution with what it started, in the same step",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const queue = yield* Queue
        const made = yield* createSchedule()
        const outcomes = [completed, failed]
        for (const outcome of outcomes) {
          yield* fireInAMinute
          const { task, claim } = yield* claimNext()
          assert.lengthOf(yield* schedules.open(made.id), 1)
          yield* queue.finish(task.id, outcome, claim)
          assert.deepStrictEqual(yield* schedules.open(made.id), [])
        }
        yield* fireInAMinute
        const [open] = yield* schedules.open(made.id)
        if (open?.taskId == null) return assert.fail("nothing runs")
        yield* queue.cancel(open.taskId, { reason: null, by: "tester" })
        assert.deepStrictEqual(yield* storyOf(made), [
          [minute, "completed"],
          [2 * minute, "failed"],
          [3 * minute, "cancelled"]
        ])
        assert.deepStrictEqual(
          (yield* historyOf(made)).map(({ endedAt }) => endedAt),
          [minute, 2 * minute, 3 * minute]
        )
      })
    )

    test(
      "continue with the automatic retry of what they started",
      Effect.gen(function* () {
        const queue = yield* Queue
        const made = yield* createSchedule()
        yield* fireInAMinute
        const first = yield* claimNext()
        const retry = newTask({ retryOf: first.task.id, continuation: "retry" })
        const { retriedBy } = yield* queue.finish(first.task.id, failed, first.claim, retry)
        const [execution] = yield* historyOf(made)
        assert.deepInclude(execution, { status: "running", taskId: retriedBy })
        const second = yield* claimNext()
        yield* queue.finish(second.task.id, completed, second.claim)
        assert.deepInclude((yield* historyOf(made))[0], { status: "completed", taskId: retriedBy })
      })
    )

    test(
      "fire at their times whatever the clock does: one time each, however late",
      Effect.gen(function* () {
        const made = yield* createSchedule({
          graceMs: 0,
          missed: "skip",
          timing: { kind: "every", everyMs: minute, anchor: 0, timezone: "UTC" }
        })
        yield* TestClock.adjust(10.5 * minute)
        yield* fireDue
        const [missed] = yield* historyOf(made)
        assert.deepInclude(missed, { dueAt: minute, untilAt: 10 * minute, count: 10, status: "missed", taskId: null })
        // Set back by an hour: nothing comes twice.
        yield* TestClock.setTime(0)
        assert.deepStrictEqual(yield* fireDue, [])
        yield* TestClock.setTime(11 * minute)
        yield* fireDue
        assert.deepStrictEqual(yield* storyOf(made), [
          [minute, "missed"],
          [11 * minute, "running"]
        ])
      })
    )

    test(
      "never give a time two executions, even if a change leads back to it",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        yield* fireInAMinute
        yield* TestClock.setTime(minute / 2)
        const timing = { kind: "every", everyMs: minute, anchor: 0, timezone: "UTC" } as const
        assert.deepInclude(yield* schedules.edit(made.id, { timing }, 0), { nextDueAt: minute, revision: 1 })
        yield* TestClock.setTime(minute)
        const answers = yield* fireDue
        assert.deepStrictEqual(answers, [{ _tag: "Recorded", executions: [] }])
        assert.deepInclude(yield* schedules.get(made.id), { runs: 1, nextDueAt: 2 * minute })
      })
    )

    test(
      "stop at their last run, at their last day, and when their one time has come",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const twice = yield* createSchedule({ maxRuns: 2 })
        const short = yield* createSchedule({ expiresAt: 3 * minute })
        const single = yield* createSchedule({ timing: { kind: "at", at: minute, timezone: "UTC" } })
        for (let round = 0; round < 5; round += 1) {
          yield* fireInAMinute
        }
        assert.deepInclude(yield* schedules.get(twice.id), { status: "completed", runs: 2, nextFireAt: null })
        assert.deepInclude(yield* schedules.get(short.id), { status: "expired", runs: 3, nextDueAt: null })
        assert.deepInclude(yield* schedules.get(single.id), { status: "completed", runs: 1 })
        assert.deepStrictEqual(yield* schedules.nextFire, Option.none())
      })
    )

    test(
      "skip a time while the previous run is still running",
      Effect.gen(function* () {
        const queue = yield* Queue
        const made = yield* createSchedule({ overlap: "skip" })
        yield* fireInAMinute
        const { task, claim } = yield* claimNext()
        yield* fireInAMinute
        yield* queue.finish(task.id, completed, claim)
        yield* fireInAMinute
        assert.deepStrictEqual(yield* storyOf(made), [
          [minute, "completed"],
          [2 * minute, "skipped"],
          [3 * minute, "running"]
        ])
        assert.include((yield* historyOf(made))[1]?.reason ?? "", "still running")
      })
    )

    test(
      "queue a time behind the run before, however that ends",
      Effect.gen(function* () {
        const queue = yield* Queue
        const made = yield* createSchedule({ overlap: "queue" })
        yield* fireInAMinute
        const first = yield* claimNext()
        yield* fireInAMinute
        const [, second] = yield* historyOf(made)
        if (second?.taskId == null) return assert.fail("the second run is missing")
        const tasks = yield* Tasks
        assert.deepInclude(yield* tasks.summary(second.taskId), { status: "queued", waitingOn: 1 })
        yield* queue.finish(first.task.id, failed, first.claim)
        assert.strictEqual((yield* claimNext()).task.id, second.taskId)
      })
    )

    test(
      "end the run before where they are told to, and start when it is gone",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const made = yield* createSchedule({ overlap: "cancel-previous" })
        yield* fireInAMinute
        const first = yield* claimNext()
        yield* fireInAMinute
        assert.deepStrictEqual(yield* tasks.cancelRequested, [first.task.id])
        yield* fireInAMinute
        const [, second, third] = yield* historyOf(made)
        assert.strictEqual(second?.status, "cancelled")
        if (third?.taskId == null) return assert.fail("the third run is missing")
        assert.strictEqual((yield* tasks.summary(third.taskId)).status, "queued")
        yield* queue.finish(first.task.id, failed, first.claim)
      })
    )

    test(
      "follow the run of another schedule, which fires first, and not if that failed",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const schedules = yield* Schedules
        const leader = yield* createSchedule({ name: "leader" })
        const follower = yield* createSchedule({
          follows: leader.id,
          work: { kind: "task", task: newTask({ priority: "P0" }) }
        })
        yield* TestClock.adjust(minute)
        const due = yield* schedules.due(minute, 10)
        const early = due.find(({ schedule }) => schedule.id === follower.id)
        if (early === undefined) return assert.fail("the follower is not due")
        assert.deepStrictEqual(yield* schedules.fire([early]), [{ _tag: "Behind", first: leader.id }])
        yield* fireDue
        const [waiting] = yield* historyOf(follower)
        if (waiting?.taskId == null) return assert.fail("the follower has no run")
        assert.strictEqual((yield* tasks.summary(waiting.taskId)).waitingOn, 1)
        const first = yield* claimNext()
        assert.strictEqual(first.task.priority, "P1")
        yield* queue.finish(first.task.id, failed, first.claim)
        assert.deepStrictEqual(yield* storyOf(follower), [[minute, "cancelled"]])
        // The leader's next run has failed already when the follower's time comes.
        yield* TestClock.adjust(minute)
        const [again] = yield* schedules.due(2 * minute, 1)
        if (again === undefined) return assert.fail("the leader is not due")
        yield* schedules.fire([again])
        const second = yield* claimNext()
        yield* queue.finish(second.task.id, failed, second.claim)
        yield* fireDue
        const [, refused] = yield* historyOf(follower)
        assert.deepInclude(refused, { status: "skipped", reason: "the run of leader before it failed" })
      })
    )

    test(
      "refuse names that are taken and circles",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const a = yield* createSchedule({ name: "nightly" })
        const b = yield* createSchedule({ follows: a.id })
        const taken = yield* Effect.flip(createSchedule({ name: "nightly" }))
        assert.deepInclude(taken, { _tag: "InvalidInput", field: "name" })
        const circle = yield* Effect.flip(schedules.edit(a.id, { follows: b.id }, 0))
        assert.deepInclude(circle, { _tag: "InvalidInput", field: "after" })
        assert.deepInclude(yield* Effect.flip(createSchedule({ follows: nobody })), { field: "after" })
        yield* schedules.cancel(a.id)
        assert.strictEqual((yield* createSchedule({ name: "nightly" })).name, "nightly")
      })
    )

    test(
      "pause, resume without catching up, and end permanently",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        const paused = yield* schedules.pause(made.id, { reason: "holidays", revision: null })
        assert.deepInclude(paused, { status: "paused", reason: "holidays", nextFireAt: null, revision: 1 })
        assert.strictEqual(
          (yield* Effect.flip(schedules.pause(made.id, { reason: null, revision: null })))._tag,
          "ScheduleStateConflict"
        )
        yield* TestClock.adjust(10.5 * minute)
        assert.deepStrictEqual(yield* fireDue, [])
        assert.deepInclude(yield* schedules.resume(made.id), { status: "active", reason: null, nextDueAt: 11 * minute })
        assert.include((yield* Effect.flip(schedules.resume(made.id))).message, "is active: it cannot be resumed now")
        assert.deepStrictEqual(yield* storyOf(made), [])
        assert.deepInclude(yield* schedules.cancel(made.id), { status: "cancelled", nextDueAt: null })
        const refused = yield* Effect.forEach(
          [
            Effect.asVoid(schedules.cancel(made.id)),
            Effect.asVoid(schedules.resume(made.id)),
            Effect.asVoid(schedules.runNow(made.id))
          ],
          (step) => Effect.map(Effect.flip(step), ({ _tag }) => _tag)
        )
        assert.deepStrictEqual(
          refused,
          Array.from({ length: 3 }, () => "ScheduleStateConflict")
        )
      })
    )

    test(
      "say why a step is refused: by its status, or by a change that came between",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        const resumed = yield* Effect.flip(schedules.resume(made.id))
        assert.strictEqual(resumed.message, `Schedule ${made.id} is active: it cannot be resumed now.`)
        yield* schedules.pause(made.id, { reason: null, revision: null })
        const paused = yield* Effect.flip(schedules.pause(made.id, { reason: null, revision: 0 }))
        assert.strictEqual(paused.message, `Schedule ${made.id} is paused: it cannot be paused now.`)
        const edited = yield* Effect.flip(schedules.edit(made.id, { graceMs: 1 }, 0))
        assert.include(edited.message, "was changed by another command in the meantime")
      })
    )

    test(
      "keep their times where an edit gives a rule that never fires",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        const never = { kind: "cron", expression: "0 0 30 2 *", timezone: "UTC" } as const
        const refused = yield* Effect.flip(schedules.edit(made.id, { timing: never }, 0))
        assert.include(refused.message, "there is no such time")
        assert.deepStrictEqual(yield* schedules.get(made.id), made)
        yield* schedules.pause(made.id, { reason: null, revision: null })
        assert.strictEqual((yield* Effect.flip(schedules.edit(made.id, { timing: never }, 1)))._tag, "InvalidInput")
        const daily = { kind: "cron", expression: "@daily", timezone: "UTC" } as const
        assert.deepInclude(yield* schedules.edit(made.id, { timing: daily }, 1), { status: "paused", timing: daily })
      })
    )

    test(
      "take another rule although their runs are used up",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule({ maxRuns: 1 })
        yield* TestClock.adjust(minute)
        yield* fireDue
        const daily = { kind: "cron", expression: "@daily", timezone: "UTC" } as const
        const { revision } = yield* schedules.get(made.id)
        assert.deepInclude(yield* schedules.edit(made.id, { timing: daily }, revision), { status: "completed" })
      })
    )

    test(
      "lose cleanly against a change: neither a stale fire nor a stale edit does anything",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        yield* TestClock.adjust(minute)
        const [due] = yield* schedules.due(minute, 10)
        if (due === undefined) return assert.fail("nothing is due")
        const work = { kind: "task", task: newTask({ prompt: "something else", environment: { A: "2" } }) } as const
        const edited = yield* schedules.edit(made.id, { work }, 0)
        assert.deepInclude(edited, { title: "something else", revision: 1, nextDueAt: minute })
        assert.deepStrictEqual(yield* schedules.fire([due]), [{ _tag: "Lost" }])
        const stale = yield* Effect.flip(schedules.edit(made.id, { graceMs: 1 }, 0))
        assert.include(stale.message, "was changed by another command in the meantime")
        const late = yield* Effect.flip(schedules.pause(made.id, { reason: null, revision: 0 }))
        assert.include(late.message, "was changed by another command in the meantime")
        yield* fireDue
        assert.strictEqual((yield* claimNext()).task.prompt, "something else")
      })
    )

    test(
      "run in addition to their times",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        yield* TestClock.adjust(1000)
        const first = yield* schedules.runNow(made.id)
        const second = yield* schedules.runNow(made.id)
        assert.deepStrictEqual([first.dueAt, second.dueAt], [1000, 1001])
        assert.deepInclude(first, { origin: "manual", status: "running" })
        assert.deepInclude(yield* schedules.get(made.id), { runs: 0, nextDueAt: minute })
      })
    )

    test(
      "keep a bounded history",
      Effect.gen(function* () {
        const made = yield* createSchedule({ overlap: "skip" })
        for (let round = 0; round < keptExecutions + 10; round += 1) {
          yield* fireInAMinute
        }
        const history = yield* historyOf(made)
        // The oldest still goes on.
        assert.deepStrictEqual(
          [history.length, history[0]?.status, history[1]?.dueAt],
          [keptExecutions + 1, "running", 11 * minute]
        )
      })
    )

    test(
      "keep the newest run that started something, however many times were skipped since",
      Effect.gen(function* () {
        const queue = yield* Queue
        const schedules = yield* Schedules
        const leader = yield* createSchedule({ timing: { kind: "at", at: minute, timezone: "UTC" } })
        const middle = yield* createSchedule({ follows: leader.id })
        yield* schedules.runNow(middle.id)
        const own = yield* claimNext()
        yield* queue.finish(own.task.id, failed, own.claim)
        yield* fireInAMinute
        const led = yield* claimNext()
        yield* queue.finish(led.task.id, failed, led.claim)
        for (let round = 0; round < keptExecutions + 5; round += 1) yield* fireInAMinute
        const started = (yield* historyOf(middle)).filter(({ taskId }) => taskId !== null)
        assert.lengthOf(started, 1)
        const last = yield* createSchedule({ follows: middle.id })
        yield* fireInAMinute
        assert.deepStrictEqual(
          (yield* storyOf(last)).map(([, status]) => status),
          ["skipped"]
        )
      })
    )

    test(
      "are put right once after a clock that was set back, with a row that says so",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        yield* TestClock.setTime(1000 * minute)
        const each = yield* createSchedule({ maxRuns: 4 })
        const once = yield* createSchedule({ timing: { kind: "at", at: 5000 * minute, timezone: "UTC" } })
        yield* TestClock.setTime(1120 * minute)
        yield* fireDue
        yield* TestClock.setTime(1000.5 * minute)
        assert.deepStrictEqual(yield* schedules.putRight, [each.id])
        assert.deepStrictEqual(yield* schedules.putRight, [])
        assert.deepInclude(yield* schedules.get(each.id), { nextDueAt: 1001 * minute, nextFireAt: 1001 * minute })
        assert.deepInclude(yield* schedules.get(once.id), { nextDueAt: 5000 * minute })
        const told = (yield* historyOf(each)).filter(({ reason }) => reason === "the clock was set back")
        assert.deepStrictEqual(
          told.map(({ count, status, taskId }) => [status, count, taskId]),
          [["missed", 1, null]]
        )
        // The time of the first missed row was dealt with; the ones behind it have not been run.
        yield* TestClock.setTime(1001 * minute)
        yield* fireDue
        yield* TestClock.setTime(1002 * minute)
        yield* fireDue
        const times = (yield* historyOf(each)).map(({ dueAt }) => dueAt)
        assert.strictEqual(new Set(times).size, times.length)
        assert.include(times, 1002 * minute)
        assert.deepInclude(yield* schedules.get(each.id), { status: "active", runs: 2 })
      })
    )

    test(
      "that a clock ahead has let expire are active again when it is put right, once, unless their name is taken",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const day = 1440 * minute
        yield* TestClock.setTime(10 * day)
        const expiring = (name: string | null, expiresAt: number) =>
          createSchedule({ name, expiresAt, timing: { kind: "every", everyMs: day, anchor: 0, timezone: "UTC" } })
        const plain = yield* expiring(null, 15 * day)
        const lost = yield* expiring("nightly", 15 * day)
        // It has no time before its expiry but the first.
        const over = yield* expiring(null, 11.5 * day)
        yield* TestClock.setTime(18 * day)
        yield* fireDue
        for (const { id } of [plain, lost, over]) {
          assert.strictEqual((yield* schedules.get(id)).status, "expired")
        }
        assert.deepStrictEqual(yield* schedules.putRight, [])
        yield* expiring("nightly", 40 * day)
        yield* TestClock.setTime(11 * day + minute)
        assert.deepStrictEqual((yield* schedules.putRight).slice(0, 1), [plain.id])
        assert.deepStrictEqual(yield* schedules.putRight, [])
        assert.deepInclude(yield* schedules.get(plain.id), { status: "active", nextDueAt: 12 * day })
        assert.strictEqual((yield* schedules.get(lost.id)).status, "expired")
        assert.strictEqual((yield* schedules.get(over.id)).status, "expired")
        yield* TestClock.setTime(12 * day)
        yield* fireDue
        assert.include(
          (yield* historyOf(plain)).map(({ status }) => status),
          "running"
        )
        yield* TestClock.setTime(16 * day)
        yield* fireDue
        assert.deepStrictEqual(yield* schedules.putRight, [])
        assert.strictEqual((yield* schedules.get(plain.id)).status, "expired")
      })
    )

    test(
      "are kept while one that may still run follows them",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const prune = { limit: 10, dryRun: false }
        for (const stay of ["active", "paused", "later"] as const) {
          const leader = yield* createSchedule()
          const follower = yield* createSchedule({
            follows: leader.id,
            timing: { kind: "at", at: stay === "later" ? minute : 1000 * minute, timezone: "UTC" }
          })
          if (stay === "paused") yield* schedules.pause(follower.id, { reason: null, revision: null })
          yield* schedules.cancel(leader.id)
          if (stay === "later") yield* fireInAMinute
          assert.deepStrictEqual(yield* schedules.prune({ ...prune, endedBefore: 1 }), [], stay)
          assert.strictEqual((yield* schedules.get(follower.id)).follows, leader.id)
          yield* schedules.cancel(follower.id)
          yield* TestClock.adjust(1)
          assert.include(yield* schedules.prune({ ...prune, endedBefore: 1e9 }), leader.id)
          yield* TestClock.setTime(0)
        }
      })
    )

    test(
      "are found by id, beginning, name and age",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        assert.strictEqual((yield* Effect.flip(schedules.resolve("@last")))._tag, "ScheduleNotFound")
        const a = yield* createSchedule({ name: "nightly" })
        const b = yield* createSchedule()
        assert.strictEqual(yield* schedules.resolve("nightly"), a.id)
        assert.strictEqual(yield* schedules.resolve("@last"), b.id)
        assert.strictEqual(yield* schedules.resolve(b.id.slice(0, 8)), b.id)
        assert.strictEqual((yield* Effect.flip(schedules.resolve("")))._tag, "ScheduleNotFound")
        yield* schedules.cancel(b.id)
        const ids = (status: "active" | "cancelled") =>
          Effect.map(schedules.list({ status: [status], limit: 10, before: null }), (all) => all.map(({ id }) => id))
        assert.deepStrictEqual([yield* ids("active"), yield* ids("cancelled")], [[a.id], [b.id]])
        assert.deepStrictEqual(
          (yield* schedules.list({ status: [], limit: 10, before: b.seq })).map(({ id }) => id),
          [a.id]
        )
      })
    )

    test(
      "keep the last worker from leaving, and what they captured from being forgotten",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const registry = yield* WorkerRegistry
        const queue = yield* Queue
        const probe = yield* Probe
        const process = { pid: 7, startTime: "1", bootId: "boot-1" }
        yield* registry.register(workerWith({ id: workerA, kind: "on-demand", process }))
        const made = yield* createSchedule({ timing: { kind: "at", at: minute, timezone: "UTC" } })
        assert.isFalse(yield* registry.leave(workerA, "idle"))
        yield* fireInAMinute
        const { task, claim } = yield* claimNext()
        yield* queue.finish(task.id, completed, claim)
        const prune = { endedBefore: 2 * minute, limit: 10, dryRun: false }
        assert.deepStrictEqual(yield* queue.prune(prune), [task.id])
        yield* schedules.runNow(made.id)
        const again = yield* claimNext()
        assert.deepStrictEqual(again.environment, newTask().environment)
        yield* queue.finish(again.task.id, completed, again.claim)
        yield* queue.prune(prune)
        assert.deepStrictEqual(yield* schedules.prune({ ...prune, dryRun: true }), [made.id])
        assert.deepStrictEqual(yield* schedules.prune(prune), [made.id])
        assert.strictEqual(yield* probe.environments, 0)
        assert.isTrue(yield* registry.leave(workerA, "idle"))
      })
    )

    test(
      "are kept, once over, for as long as asked from their end on, not from when they were made",
      Effect.gen(function* () {
        const queue = yield* Queue
        const schedules = yield* Schedules
        const made = yield* createSchedule({ maxRuns: 1, timing: { kind: "at", at: 60 * minute, timezone: "UTC" } })
        yield* TestClock.adjust(60 * minute)
        yield* fireDue
        const { task, claim } = yield* claimNext()
        yield* queue.finish(task.id, completed, claim)
        assert.strictEqual((yield* schedules.get(made.id)).status, "completed")
        const prune = { limit: 10, dryRun: false }
        assert.deepStrictEqual(yield* schedules.prune({ ...prune, endedBefore: 60 * minute }), [])
        assert.deepStrictEqual(yield* schedules.prune({ ...prune, endedBefore: 61 * minute }), [made.id])
      })
    )

    test(
      "are forgotten also where one that was cancelled follows them",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const leader = yield* createSchedule()
        const follower = yield* createSchedule({ follows: leader.id })
        yield* schedules.cancel(follower.id)
        yield* schedules.cancel(leader.id)
        const prune = { endedBefore: minute, limit: 1, dryRun: false }
        assert.deepStrictEqual(yield* schedules.prune(prune), [leader.id])
        assert.deepInclude(yield* schedules.get(follower.id), { status: "cancelled", follows: null })
        assert.deepStrictEqual(yield* schedules.prune(prune), [follower.id])
      })
    )

    test(
      "start no run while one that they ended is not gone yet, however many came between",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const made = yield* createSchedule({ overlap: "cancel-previous" })
        yield* fireInAMinute
        const first = yield* claimNext()
        yield* fireInAMinute
        yield* fireInAMinute
        const [, second, third] = yield* historyOf(made)
        assert.strictEqual(second?.status, "cancelled")
        if (third?.taskId == null) return assert.fail("the third run is missing")
        assert.strictEqual((yield* tasks.summary(third.taskId)).waitingOn, 1)
        yield* queue.finish(first.task.id, failed, first.claim)
        assert.strictEqual((yield* claimNext()).task.id, third.taskId)
      })
    )

    test(
      "queue behind the previous run also where a person ran them by hand in between",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const schedules = yield* Schedules
        const made = yield* createSchedule({ overlap: "queue" })
        yield* fireInAMinute
        const first = yield* claimNext()
        yield* TestClock.adjust(1000)
        yield* schedules.runNow(made.id)
        const byHand = yield* claimNext()
        yield* fireInAMinute
        const [, , third] = yield* historyOf(made)
        if (third?.taskId == null) return assert.fail("the queued run is missing")
        assert.strictEqual((yield* tasks.summary(third.taskId)).waitingOn, 2)
        yield* queue.finish(byHand.task.id, completed, byHand.claim)
        assert.strictEqual((yield* tasks.summary(third.taskId)).waitingOn, 1)
        yield* queue.finish(first.task.id, completed, first.claim)
        assert.strictEqual((yield* claimNext()).task.id, third.taskId)
      })
    )

    test(
      "fire a time in whose millisecond a person ran them by hand",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const made = yield* createSchedule()
        yield* TestClock.adjust(minute)
        const byHand = yield* schedules.runNow(made.id)
        assert.notStrictEqual(byHand.dueAt, minute)
        yield* fireDue
        assert.sameDeepMembers(
          (yield* historyOf(made)).map(({ dueAt, origin }) => [dueAt, origin]),
          [
            [minute, "time"],
            [byHand.dueAt, "manual"]
          ]
        )
        assert.strictEqual((yield* schedules.get(made.id)).runs, 1)
      })
    )

    test(
      "skip a time whose run would wait behind more tasks than may wait for one another, and continue",
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const pipeline = newPipeline(Array.from({ length: 40 }, (_, at) => ({ name: `s${at}` })))
        const made = yield* createSchedule({ overlap: "queue", work: { kind: "pipeline", pipeline } })
        for (let round = 0; round < 4; round += 1) yield* fireInAMinute
        assert.deepStrictEqual(yield* storyOf(made), [
          [minute, "running"],
          [2 * minute, "running"],
          [3 * minute, "skipped"],
          [4 * minute, "skipped"]
        ])
        assert.deepInclude(yield* schedules.get(made.id), { status: "active", reason: null, runs: 2 })
      })
    )
  })
}
