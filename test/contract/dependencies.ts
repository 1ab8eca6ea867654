/** What every queue promises of tasks that wait for one another. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as EffectRuntime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import type { NewDependency, NewTask } from "../../src/domain/task/NewTask.ts"
import type { Outcome } from "../../src/domain/task/Outcome.ts"
import { type DependencyPolicy, isTerminal, TaskId, type TaskStatus } from "../../src/domain/task/Task.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { anyGraph, expected, type Node } from "../support/graphs.ts"
import { hour } from "../support/schedules.ts"
import { type Ports, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, claimOptions, completed, failed, newTask, submit } from "../support/tasks.ts"

const stranger = TaskId.make("zzzzzzzzzzzz")
const asked = { reason: null, by: "me" }

const behind = (...upstream: ReadonlyArray<TaskId>): ReadonlyArray<NewDependency> =>
  upstream.map((id) => ({ upstream: id, policy: "success" as const }))

const edge = (upstream: NewDependency["upstream"], policy: DependencyPolicy = "success"): NewDependency => ({
  upstream,
  policy
})

const enqueue = (...tasks: ReadonlyArray<Partial<NewTask>>) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    return (yield* queue.enqueue(tasks.map(newTask), { maxDepth: 10 })).map(({ task }) => task)
  })

/** Claims the next task, which must be this one, and ends it. */
const endNext = (id: TaskId, ending: Outcome = completed) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const { task, claim } = yield* claimNext()
    assert.strictEqual(task.id, id)
    return yield* queue.finish(id, ending, claim)
  })

const standing = (id: TaskId) =>
  Effect.map(
    Effect.flatMap(Tasks, (tasks) => tasks.get(id)),
    ({ cause, status, waitingOn }) => [status, cause, waitingOn]
  )

const doomed = ["cancelled", "dependency-failed", 0] as const

export const dependencyContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Queue dependencies over ${subject.name}`, () => {
    test(
      "keep a task from being claimed until what it waits for has succeeded",
      Effect.gen(function* () {
        const queue = yield* Queue
        const first = yield* submit()
        const second = yield* submit({ priority: "P0", dependsOn: behind(first.id) })
        assert.deepStrictEqual(second.dependsOn, [{ taskId: first.id, policy: "success", state: "pending" }])
        assert.strictEqual(second.waitingOn, 1)
        const claimed = yield* claimNext()
        assert.strictEqual(claimed.task.id, first.id)
        assert.deepStrictEqual(yield* queue.claim(claimOptions()), Option.none())
        yield* queue.finish(first.id, completed, claimed.claim)
        const next = yield* claimNext()
        assert.strictEqual(next.task.id, second.id)
        assert.deepStrictEqual(next.task.dependsOn, [{ taskId: first.id, policy: "success", state: "met" }])
      })
    )

    test(
      "cascade once when they can no longer be met, and name the root",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const a = yield* submit()
        const b = yield* submit({ dependsOn: behind(a.id) })
        const c = yield* submit({ dependsOn: behind(b.id) })
        const cleanup = yield* submit({ dependsOn: [edge(b.id, "finished")] })
        const repair = yield* submit({ dependsOn: [edge(c.id, "failure")] })
        yield* endNext(a.id, failed)
        assert.deepStrictEqual(yield* standing(b.id), [...doomed])
        assert.deepStrictEqual(yield* standing(c.id), [...doomed])
        assert.deepStrictEqual(yield* standing(cleanup.id), ["queued", null, 0])
        assert.deepStrictEqual(yield* standing(repair.id), ["queued", null, 0])
        assert.include((yield* tasks.get(c.id)).error, a.id)
        const events = yield* tasks.events(0, 10)
        assert.deepStrictEqual(
          events.map(({ cause, id }) => [id, cause]),
          [
            [a.id, "exit"],
            [b.id, "dependency-failed"],
            [c.id, "dependency-failed"]
          ]
        )
      })
    )

    for (const [policy, ending, then] of [
      ["success", completed, "queued"],
      ["success", failed, "cancelled"],
      ["finished", completed, "queued"],
      ["finished", failed, "queued"],
      ["failure", completed, "cancelled"],
      ["failure", failed, "queued"]
    ] as const) {
      test(
        `with policy ${policy} are resolved by ${ending.status}, before it and after it`,
        Effect.gen(function* () {
          const upstream = yield* submit()
          const early = yield* submit({ dependsOn: [edge(upstream.id, policy)] })
          yield* endNext(upstream.id, ending)
          const late = yield* submit({ dependsOn: [edge(upstream.id, policy)] })
          const last = yield* submit({ dependsOn: behind(late.id) })
          const cause = then === "queued" ? null : "dependency-failed"
          assert.deepStrictEqual(yield* standing(early.id), [then, cause, 0])
          assert.deepStrictEqual(yield* standing(late.id), [then, cause, 0])
          assert.deepStrictEqual([late.status, late.cause], [then, cause])
          assert.deepStrictEqual(yield* standing(last.id), [then, cause, then === "queued" ? 1 : 0])
        })
      )
    }

    test(
      "hold for a cancel: it is an end and no success, but no failure either",
      Effect.gen(function* () {
        const queue = yield* Queue
        const upstream = yield* submit()
        const success = yield* submit({ dependsOn: behind(upstream.id) })
        const finished = yield* submit({ dependsOn: [edge(upstream.id, "finished")] })
        const failure = yield* submit({ dependsOn: [edge(upstream.id, "failure")] })
        assert.strictEqual(yield* queue.cancel(upstream.id, asked), "ended")
        assert.deepStrictEqual(yield* standing(success.id), [...doomed])
        assert.deepStrictEqual(yield* standing(finished.id), ["queued", null, 0])
        assert.deepStrictEqual(yield* standing(failure.id), [...doomed])
      })
    )

    test(
      "join: a diamond starts its end after both sides, once",
      Effect.gen(function* () {
        const queue = yield* Queue
        const [top, left, right, bottom] = yield* enqueue(
          {},
          { dependsOn: [edge({ member: 0 })] },
          { dependsOn: [edge({ member: 0 })] },
          { dependsOn: [edge({ member: 1 }), edge({ member: 2 })] }
        )
        if (!top || !left || !right || !bottom) return assert.fail("four are stored")
        assert.strictEqual(bottom.waitingOn, 2)
        yield* endNext(top.id)
        yield* endNext(left.id)
        const last = yield* claimNext()
        assert.strictEqual(last.task.id, right.id)
        assert.deepStrictEqual(yield* queue.claim(claimOptions()), Option.none())
        yield* queue.finish(right.id, completed, last.claim)
        yield* endNext(bottom.id)
      })
    )

    test(
      "may name later members of the batch, and nothing is stored of a batch that goes in circles",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const [first, second] = yield* enqueue({ dependsOn: [edge({ member: 1 })] }, {})
        assert.deepStrictEqual(
          first?.dependsOn.map(({ taskId }) => taskId),
          [second?.id]
        )
        for (const batch of [
          [{ dependsOn: [edge({ member: 0 })] }],
          [{ dependsOn: [edge({ member: 1 })] }, { dependsOn: [edge({ member: 0 })] }],
          [{}, { dependsOn: [edge({ member: 7 })] }],
          [{}, { dependsOn: [edge({ member: 0 }), edge({ member: 0 }, "failure")] }]
        ]) {
          const error = yield* Effect.flip(queue.enqueue(batch.map(newTask), { maxDepth: 10 }))
          assert.strictEqual(error._tag, "DependencyInvalid")
        }
        const unknown = yield* Effect.flip(
          queue.enqueue([newTask(), newTask({ dependsOn: behind(stranger) })], { maxDepth: 10 })
        )
        assert.strictEqual(unknown._tag, "TaskNotFound")
        assert.strictEqual((yield* tasks.counts).queued, 2)
      })
    )

    test(
      "are at most 100 of a task, and at most 100 in a row",
      Effect.gen(function* () {
        const queue = yield* Queue
        const one = yield* submit()
        const row = yield* enqueue(
          { dependsOn: behind(one.id) },
          ...Array.from({ length: 99 }, (_, member) => ({ dependsOn: [edge({ member })] }))
        )
        const last = row.at(-1)
        if (last === undefined) return assert.fail("a hundred are stored")
        const deep = yield* Effect.flip(queue.enqueue([newTask({ dependsOn: behind(last.id) })], { maxDepth: 10 }))
        assert.deepInclude(deep, { _tag: "DependencyInvalid", problem: "too-deep" })
        const many = yield* enqueue(...Array.from({ length: 101 }, () => ({})))
        const all = behind(...many.map(({ id }) => id))
        const wide = yield* Effect.flip(queue.enqueue([newTask({ dependsOn: all })], { maxDepth: 10 }))
        assert.deepInclude(wide, { _tag: "DependencyInvalid", problem: "too-many" })
        yield* submit({ dependsOn: all.slice(0, 100) })
        // What has ended counts no more: work may go on behind work for ever.
        yield* endNext(one.id)
        yield* submit({ dependsOn: behind(last.id) })
      })
    )

    test(
      "include what a task continues from",
      Effect.gen(function* () {
        const first = yield* submit()
        const second = yield* submit({ continueFrom: first.id })
        assert.strictEqual(second.continueFrom, first.id)
        assert.deepStrictEqual(second.dependsOn, [{ taskId: first.id, policy: "success", state: "pending" }])
        const third = yield* submit({ continueFrom: first.id, dependsOn: [edge(first.id, "finished")] })
        assert.deepStrictEqual(third.dependsOn, [{ taskId: first.id, policy: "finished", state: "pending" }])
      })
    )

    test(
      "wait for the automatic retry of a task in its place",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const first = yield* submit({ maxRetries: 1 })
        const waiter = yield* submit({ dependsOn: behind(first.id) })
        const claimed = yield* claimNext()
        const event = yield* queue.finish(
          first.id,
          failed,
          claimed.claim,
          newTask({ retryOf: first.id, continuation: "retry" })
        )
        const old = yield* tasks.get(first.id)
        const retry = yield* tasks.get(old.retriedBy ?? stranger)
        assert.strictEqual(event.retriedBy, retry.id)
        assert.deepStrictEqual(
          [old.status, retry.status, retry.attempt, retry.retryOf, retry.rootId, retry.continuation],
          ["failed", "queued", 2, first.id, first.id, "retry"]
        )
        assert.deepStrictEqual((yield* tasks.get(waiter.id)).dependsOn, [
          { taskId: retry.id, policy: "success", state: "pending" }
        ])
        const late = yield* submit({ dependsOn: behind(first.id) })
        assert.deepStrictEqual(
          late.dependsOn.map(({ taskId }) => taskId),
          [retry.id]
        )
        yield* endNext(retry.id)
        assert.deepStrictEqual(yield* standing(waiter.id), ["queued", null, 0])
      })
    )

    for (const { edited, moved, name, time } of [
      { name: "lies two hours too far", time: 3 * hour, edited: false, moved: 1 },
      { name: "is as long as it may be", time: hour, edited: false, moved: 0 },
      { name: "was set by a person", time: 3 * hour, edited: true, moved: 0 }
    ]) {
      test(
        `${moved === 1 ? "begin" : "leave"} the pause of a retry ${moved === 1 ? "again" : "as it is"} that ${name}`,
        Effect.gen(function* () {
          const queue = yield* Queue
          const tasks = yield* Tasks
          yield* TestClock.setTime(hour)
          const first = yield* submit({ maxRetries: 1, backoffMs: 10_000 })
          const claimed = yield* claimNext()
          const notBefore = time + 12_500
          const retry = newTask({ retryOf: first.id, continuation: "retry", maxRetries: 0, notBefore })
          const { retriedBy } = yield* queue.finish(first.id, failed, claimed.claim, retry)
          const id = retriedBy ?? stranger
          if (edited) yield* queue.edit(id, { notBefore: notBefore + 1 }, 0)
          assert.strictEqual(yield* queue.putRight, moved)
          assert.strictEqual(yield* queue.putRight, 0)
          const expected = moved === 1 ? hour + 10_000 : edited ? notBefore + 1 : notBefore
          assert.strictEqual((yield* tasks.get(id)).notBefore, expected)
        })
      )
    }

    test(
      "are not retried once a person asked for the end",
      Effect.gen(function* () {
        const queue = yield* Queue
        const { task, claim } = yield* Effect.zipRight(submit(), claimNext())
        yield* queue.cancel(task.id, asked)
        const event = yield* queue.finish(task.id, failed, claim, newTask({ retryOf: task.id }))
        assert.isNull(event.retriedBy)
        assert.strictEqual((yield* (yield* Tasks).counts).queued, 0)
      })
    )

    test(
      "of a retry leave out what was pruned while it was prepared",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const { task, claim } = yield* Effect.zipRight(submit(), claimNext())
        const lost = newTask({ retryOf: task.id, continueFrom: stranger, dependsOn: [edge(stranger, "finished")] })
        const { retriedBy } = yield* queue.finish(task.id, failed, claim, lost)
        const retry = yield* tasks.get(retriedBy ?? stranger)
        assert.deepStrictEqual([retry.continueFrom, retry.dependsOn, retry.waitingOn], [null, [], 0])
        assert.strictEqual((yield* tasks.counts).queued, 1)
      })
    )

    test(
      "can be edited until the task starts; a cycle, or what can never be met, is refused",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const a = yield* submit()
        const b = yield* submit({ dependsOn: behind(a.id) })
        const c = yield* submit({ dependsOn: behind(b.id) })
        const edit = (id: TaskId, dependsOn: ReadonlyArray<TaskId>, revision: number) =>
          queue.edit(
            id,
            { dependsOn: dependsOn.map((upstream) => ({ upstream, policy: "success" as const })) },
            revision
          )
        assert.deepInclude(yield* Effect.flip(edit(a.id, [c.id], 0)), { _tag: "DependencyInvalid", problem: "cycle" })
        assert.deepInclude(yield* Effect.flip(edit(a.id, [a.id], 0)), { _tag: "DependencyInvalid", problem: "self" })
        assert.strictEqual((yield* Effect.flip(edit(a.id, [stranger], 0)))._tag, "TaskNotFound")
        assert.deepStrictEqual((yield* tasks.get(a.id)).dependsOn, [])

        const freed = yield* edit(b.id, [], 0)
        assert.deepStrictEqual([freed.waitingOn, freed.dependsOn], [0, []])
        assert.strictEqual((yield* Effect.flip(edit(b.id, [a.id], 0)))._tag, "TaskStateConflict")
        const turned = yield* edit(a.id, [c.id], 0)
        assert.strictEqual(turned.waitingOn, 1)
        assert.strictEqual((yield* queue.captured(a.id)).revision, 1)
        yield* endNext(b.id, failed)
        assert.deepStrictEqual(yield* standing(a.id), [...doomed])
        const d = yield* submit()
        const hopeless = yield* Effect.flip(edit(d.id, [b.id], 0))
        assert.deepInclude(hopeless, { _tag: "DependencyInvalid", problem: "unmet" })
      })
    )

    test(
      "that are not changed by an edit stay as they are, also when their task is gone",
      Effect.gen(function* () {
        const queue = yield* Queue
        const tasks = yield* Tasks
        const past = yield* submit()
        yield* endNext(past.id)
        const present = yield* submit({ priority: "P2" })
        const task = yield* submit({
          notBefore: 1_000_000,
          dependsOn: [...behind(past.id), edge(present.id, "finished")],
          continueFrom: present.id
        })
        yield* queue.prune({ endedBefore: Number.MAX_SAFE_INTEGER, limit: 10, dryRun: false })
        const other = yield* submit()
        const wanted = [past.id, other.id].map((upstream) => ({ upstream, policy: "success" as const }))
        const edited = yield* queue.edit(task.id, { dependsOn: wanted }, 0)
        assert.sameDeepMembers(Array.from(edited.dependsOn), [
          { taskId: past.id, policy: "success", state: "met" },
          { taskId: present.id, policy: "finished", state: "pending" },
          { taskId: other.id, policy: "success", state: "pending" }
        ])
        assert.strictEqual(edited.waitingOn, 2)
        assert.strictEqual((yield* tasks.get(task.id)).waitingOn, 2)
      })
    )

    test(
      "and the other fields can be edited, but not of a task that runs",
      Effect.gen(function* () {
        const queue = yield* Queue
        const task = yield* submit({ labels: { a: "1" } })
        const launch = { file: "/bin/other", args: [], promptAt: [], stdin: "prompt" as const }
        const edited = yield* queue.edit(
          task.id,
          {
            prompt: "second\nthought",
            priority: "P0",
            model: "m",
            notBefore: 0,
            labels: { b: "2" },
            launch,
            environment: { PATH: "/x" }
          },
          0
        )
        assert.deepStrictEqual(edited, {
          ...task,
          prompt: "second\nthought",
          title: "second",
          priority: "P0",
          model: "m",
          notBefore: 0,
          labels: { b: "2" }
        })
        assert.deepStrictEqual(yield* queue.captured(task.id), {
          launch,
          environment: { PATH: "/x" },
          revision: 1,
          resumeSession: null
        })
        const { claim } = yield* claimNext()
        const running = yield* Effect.flip(queue.edit(task.id, { priority: "P2" }, 1))
        assert.strictEqual(running._tag, "TaskStateConflict")
        yield* queue.finish(task.id, completed, claim)
        assert.strictEqual((yield* Effect.flip(queue.edit(stranger, {}, 0)))._tag, "TaskNotFound")
      })
    )

    test(
      "end every random graph as the policies say",
      Effect.flatMap(Effect.runtime<Ports>(), (runtime) =>
        Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(anyGraph, (graph) => EffectRuntime.runPromise(runtime)(play(graph))),
            { numRuns: 40 }
          )
        )
      )
    )
  })
}

const play = (graph: ReadonlyArray<Node>) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const tasks = yield* Tasks
    const ids: Array<TaskId> = []
    const before = yield* tasks.lastEvent
    const started: Array<number> = []

    const step = Effect.gen(function* () {
      const claimed = yield* queue.claim(claimOptions())
      if (Option.isNone(claimed)) return false
      const index = ids.indexOf(claimed.value.task.id)
      const node = graph[index]
      if (node === undefined) return assert.fail("a task of another graph was claimed")
      started.push(index)
      for (const { to } of node.edges) {
        assert.isTrue(isTerminal((yield* tasks.summary(ids[to] ?? stranger)).status), "nothing starts before its turn")
      }
      if (node.ending === "cancelled") yield* queue.cancel(claimed.value.task.id, asked)
      const cause = node.ending === "cancelled" ? "cancelled" : "exit"
      yield* queue.finish(claimed.value.task.id, { ...completed, status: node.ending, cause }, claimed.value.claim)
      return true
    })

    for (const [index, node] of graph.entries()) {
      const dependsOn = node.edges.map(({ policy, to }) => edge(ids[to] ?? stranger, policy))
      const [task] = yield* enqueue({ dependsOn })
      if (task === undefined) return assert.fail(`task ${index} was not stored`)
      ids.push(task.id)
      for (let count = 0; count < node.late; count++) yield* step
    }
    while (yield* step) {}

    const ends = expected(graph)
    const found: Array<string> = []
    for (const id of ids) {
      const { cause, status, waitingOn } = yield* tasks.summary(id)
      assert.strictEqual(waitingOn, 0)
      found.push(cause === "dependency-failed" ? "doomed" : (status satisfies TaskStatus))
    }
    assert.deepStrictEqual(found, [...ends])
    assert.sameMembers(
      started,
      ends.flatMap((end, index) => (end === "doomed" ? [] : [index]))
    )
    const events = (yield* tasks.events(before, 1000)).map(({ id }) => id)
    assert.sameMembers(events, ids, "each ends once")
  })
