/** What every read model of tasks promises: lists, counts and looks ahead. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { TaskId } from "../../src/domain/task/Task.ts"
import { Queue } from "../../src/services/Queue.ts"
import { type ListFilter, Tasks } from "../../src/services/Tasks.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { anyTask, claimNext, completed, failed, newTask, submit, submitAndClaim } from "../support/tasks.ts"

const stranger = TaskId.make("zzzzzzzzzzzz")

/** The prompts of a page, newest first. */
const listed = (filter: Partial<ListFilter>) =>
  Effect.gen(function* () {
    const page = yield* (yield* Tasks).list({ ...anyTask, ...filter })
    return page.tasks.map((task) => task.title)
  })

export const listContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Tasks.list over ${subject.name}`, () => {
    test(
      "filters by each field and by all of them, newest first",
      Effect.gen(function* () {
        const queue = yield* Queue
        const parent = yield* submit({ prompt: "one", agent: "claude", labels: { team: "core", size: "s" } })
        const running = yield* claimNext()
        yield* TestClock.adjust("1 second")
        yield* submit({ prompt: "two", agent: "claude", directory: "/srv", labels: { team: "core", size: "l" } })
        yield* TestClock.adjust("1 second")
        const three = yield* submit({ prompt: "three", parentId: parent.id, labels: { team: "web" } })
        yield* queue.cancel(three.id, { reason: null, by: "tester" })

        assert.deepStrictEqual(yield* listed({}), ["three", "two", "one"])
        assert.deepStrictEqual(yield* listed({ status: ["queued"] }), ["two"])
        assert.deepStrictEqual(yield* listed({ status: ["running", "cancelled"] }), ["three", "one"])
        assert.deepStrictEqual(yield* listed({ status: ["failed"] }), [])
        assert.deepStrictEqual(yield* listed({ agent: "claude" }), ["two", "one"])
        assert.deepStrictEqual(yield* listed({ directory: "/srv" }), ["two"])
        assert.deepStrictEqual(yield* listed({ directory: "/sr" }), [])
        assert.deepStrictEqual(yield* listed({ labels: { team: "core" } }), ["two", "one"])
        assert.deepStrictEqual(yield* listed({ labels: { team: "core", size: "s" } }), ["one"])
        assert.deepStrictEqual(yield* listed({ labels: { team: "s" } }), [])
        assert.deepStrictEqual(yield* listed({ parentId: parent.id }), ["three"])
        assert.deepStrictEqual(yield* listed({ since: 1000 }), ["three", "two"])
        assert.deepStrictEqual(yield* listed({ since: 1001 }), ["three"])
        assert.deepStrictEqual(
          yield* listed({ status: ["queued"], agent: "claude", directory: "/srv", labels: { size: "l" }, since: 500 }),
          ["two"]
        )
        assert.strictEqual(running.task.id, parent.id)
      })
    )

    test(
      "pages, and says how many more there are",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        for (let index = 1; index <= 5; index += 1) yield* submit({ prompt: `task ${index}` })
        const first = yield* tasks.list({ ...anyTask, limit: 2 })
        assert.deepStrictEqual(
          first.tasks.map((task) => task.title),
          ["task 5", "task 4"]
        )
        assert.strictEqual(first.more, 3)
        const last = first.tasks[1]
        assert(last !== undefined)
        const second = yield* tasks.list({ ...anyTask, limit: 3, before: last.seq })
        assert.deepStrictEqual(
          second.tasks.map((task) => task.title),
          ["task 3", "task 2", "task 1"]
        )
        assert.strictEqual(second.more, 0)
        assert.strictEqual((yield* tasks.list({ ...anyTask, limit: 5 })).more, 0)
      })
    )

    test(
      "counts what is beyond the page up to 1000",
      Effect.gen(function* () {
        const many = Array.from({ length: 1003 }, (_, index) => newTask({ agent: index < 2 ? "rare" : "shell" }))
        yield* (yield* Queue).enqueue(many, { maxDepth: 3 })
        const tasks = yield* Tasks
        assert.strictEqual((yield* tasks.list({ ...anyTask, limit: 1 })).more, 1000)
        assert.strictEqual((yield* tasks.list({ ...anyTask, limit: 4 })).more, 999)
        assert.strictEqual((yield* tasks.list({ ...anyTask, agent: "rare", limit: 1 })).more, 1)
        const newest = yield* tasks.resolve("@last")
        assert.deepStrictEqual(yield* tasks.ahead(newest), Option.some(1000))
      })
    )

    test(
      "shows all but the long texts",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const claimed = yield* submitAndClaim({ prompt: "first\nsecond", systemPrompt: "s", labels: { a: "b" } })
        yield* (yield* Queue).finish(claimed.task.id, { ...completed, answer: "done" }, claimed.claim)
        const { answer, dependsOn: _edges, prompt, systemPrompt, ...summary } = yield* tasks.get(claimed.task.id)
        assert.deepStrictEqual([answer, prompt, systemPrompt], ["done", "first\nsecond", "s"])
        assert.deepStrictEqual(yield* tasks.summary(claimed.task.id), summary)
        assert.deepStrictEqual(yield* tasks.list(anyTask), { tasks: [summary], more: 0 })
        const { agent, createdAt, endedAt, id, status, title } = summary
        assert.deepStrictEqual(yield* tasks.newest(1), [{ id, title, status, agent, createdAt, endedAt }])
        const later = yield* submit()
        assert.deepStrictEqual(
          (yield* tasks.newest(2)).map((task) => task.id),
          [later.id, id]
        )
        assert.lengthOf(yield* tasks.newest(1), 1)
        assert.strictEqual((yield* Effect.flip(tasks.summary(stranger)))._tag, "TaskNotFound")
        assert.strictEqual((yield* Effect.flip(tasks.get(stranger)))._tag, "TaskNotFound")
      })
    )
  })
}

export const outlookContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Tasks over ${subject.name}`, () => {
    test(
      "finds what ran in a span of time, and what is open",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const queue = yield* Queue
        const during = (from: number, until: number | null, limit = 9) =>
          Effect.map(tasks.during(from, until, limit), (found) => found.map(({ title }) => title))
        const one = yield* submitAndClaim({ prompt: "one", directory: "/a" })
        yield* TestClock.adjust("10 millis")
        yield* queue.finish(one.task.id, completed, one.claim)
        yield* TestClock.adjust("10 millis")
        const two = yield* submitAndClaim({ prompt: "two", directory: "/b" })
        yield* submit({ prompt: "ready" })
        yield* submit({ prompt: "later", notBefore: 5000 })
        yield* submit({ prompt: "blocked", dependsOn: [{ upstream: two.task.id, policy: "success" }] })
        const never = yield* submit({ prompt: "never" })
        yield* queue.cancel(never.id, { reason: null, by: "tester" })
        assert.deepStrictEqual(yield* during(0, 9), ["one"])
        assert.deepStrictEqual(yield* during(0, 20), ["one", "two"])
        assert.deepStrictEqual(yield* during(10, 20), ["one", "two"])
        assert.deepStrictEqual(yield* during(11, 20), ["two"])
        assert.deepStrictEqual(yield* during(0, 20, 1), ["one"])
        assert.deepStrictEqual(yield* during(20, null), ["two", "ready"])
        assert.deepStrictEqual(yield* during(6000, null), ["two", "ready", "later"])
        assert.deepStrictEqual((yield* tasks.during(0, 9, 9))[0], {
          id: one.task.id,
          title: "one",
          status: "completed",
          directory: "/a",
          workspaceId: null
        })
      })
    )

    test(
      "counts by status",
      Effect.gen(function* () {
        const queue = yield* Queue
        const first = yield* submitAndClaim()
        yield* queue.finish(first.task.id, completed, first.claim)
        const second = yield* submitAndClaim()
        yield* queue.finish(second.task.id, failed, second.claim)
        yield* queue.cancel((yield* submit()).id, { reason: null, by: "tester" })
        const back = yield* submitAndClaim()
        yield* queue.requeue(back.claim)
        yield* claimNext()
        yield* submit()
        yield* submit()
        assert.deepStrictEqual(yield* (yield* Tasks).counts, {
          queued: 2,
          running: 1,
          completed: 1,
          failed: 1,
          cancelled: 1
        })
      })
    )

    test(
      "counts the queued tasks that would be claimed first",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const low = yield* submit({ priority: "P2" })
        const mid = yield* submit({ priority: "P1" })
        const high = yield* submit({ priority: "P0" })
        const lower = yield* submit({ priority: "P2" })
        for (const [task, ahead] of [
          [high, 0],
          [mid, 1],
          [low, 2],
          [lower, 3]
        ] as const) {
          assert.deepStrictEqual(yield* tasks.ahead(task.id), Option.some(ahead))
        }
        yield* claimNext()
        assert.deepStrictEqual(yield* tasks.ahead(low.id), Option.some(1))
        assert.deepStrictEqual(yield* tasks.ahead(high.id), Option.none())
        assert.deepStrictEqual(yield* tasks.ahead(stranger), Option.none())
      })
    )

    test(
      "lists direct children, oldest first",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const parent = yield* submit()
        const first = yield* submit({ parentId: parent.id })
        const second = yield* submit({ parentId: parent.id })
        yield* submit({ parentId: first.id })
        assert.deepStrictEqual(yield* tasks.children(parent.id), [first.id, second.id])
        assert.deepStrictEqual(yield* tasks.children(second.id), [])
      })
    )

    test(
      "knows the next not-before time of a queued task",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        assert.deepStrictEqual(yield* tasks.nextDue(0), Option.none())
        const soon = yield* submit({ notBefore: 500 })
        yield* submit({ notBefore: 900 })
        yield* submit()
        assert.deepStrictEqual(yield* tasks.nextDue(0), Option.some(500))
        assert.deepStrictEqual(yield* tasks.nextDue(500), Option.some(900))
        assert.deepStrictEqual(yield* tasks.nextDue(900), Option.none())
        yield* (yield* Queue).cancel(soon.id, { reason: null, by: "tester" })
        assert.deepStrictEqual(yield* tasks.nextDue(0), Option.some(900))
      })
    )

    test(
      "numbers the events in order and pages through them",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        assert.strictEqual(yield* tasks.lastEvent, 0)
        assert.deepStrictEqual(yield* tasks.events(0, 10), [])
        const all = yield* Effect.forEach([completed, failed, completed], (end) =>
          Effect.flatMap(submitAndClaim(), (claimed) => queue.finish(claimed.task.id, end, claimed.claim))
        )
        const seqs = all.map((event) => event.seq)
        assert.isTrue(seqs.every((seq, index) => seq > (seqs[index - 1] ?? 0)))
        assert.deepStrictEqual(yield* tasks.events(0, 10), all)
        assert.deepStrictEqual(yield* tasks.events(0, 2), all.slice(0, 2))
        assert.deepStrictEqual(yield* tasks.events(seqs[0] ?? 0, 10), all.slice(1))
        assert.deepStrictEqual(yield* tasks.events(seqs[2] ?? 0, 10), [])
        assert.strictEqual(yield* tasks.lastEvent, seqs[2])
        const waiting = yield* submit()
        const [first, second, third] = all.map((event) => event.id)
        if (first === undefined || second === undefined || third === undefined) return assert.fail("three have ended")
        assert.deepStrictEqual(
          yield* tasks.endsOf([third, waiting.id, first, stranger]),
          all.filter((_, index) => index !== 1)
        )
        assert.deepStrictEqual(yield* tasks.endsOf([waiting.id]), [])
        assert.deepStrictEqual(yield* tasks.endsOf([]), [])
        const halt = { id: first, status: "completed", asks: 0, retriedBy: null, opensAt: null } as const
        assert.deepStrictEqual(yield* tasks.haltsOf([waiting.id, first, stranger]), [halt])
        assert.deepStrictEqual(yield* tasks.haltsOf([]), [])
        const version = yield* tasks.version
        assert.isAtLeast(yield* tasks.version, version)
      })
    )
  })
}
