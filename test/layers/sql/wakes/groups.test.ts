/** A task that waits for a pipeline, a loop or a contest waits for its last task, and for no fewer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { GroupId } from "../../../../src/domain/GroupId.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import type { WakeMode } from "../../../../src/domain/wake/Wake.ts"
import { Contests } from "../../../../src/services/Contests.ts"
import { Loops } from "../../../../src/services/Loops.ts"
import { type ClaimedTask, Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { Wakes } from "../../../../src/services/Wakes.ts"
import { loopRules } from "../../../support/loopRules.ts"
import { endRound } from "../../../support/loops.ts"
import { create as createPipeline, endNext } from "../../../support/pipelines.ts"
import { testSql } from "../../../support/stores.ts"
import {
  claimNext,
  claimOptions,
  completed,
  failed,
  newTask,
  parked,
  submit,
  submitAndClaim
} from "../../../support/tasks.ts"

const test = (name: string, effect: Effect.Effect<unknown, unknown, Layer.Layer.Success<typeof testSql>>) =>
  it.effect(name, () => Effect.provide(effect, testSql))

const lead = submitAndClaim({ prompt: "lead", agent: "claude" })

const loopOf = (parentId: TaskId, maxRounds = 2) =>
  Effect.flatMap(Loops, (loops) =>
    loops.create(
      {
        rules: loopRules({ maxRounds }),
        goal: null,
        stepTask: null,
        work: [{ name: null, task: newTask({ prompt: "round", parentId }) }],
        evaluations: [{ role: "until", task: newTask({ prompt: "npm test", parentId }) }]
      },
      { maxDepth: 10 }
    )
  )

const contestOf = (parentId: TaskId) =>
  Effect.flatMap(Contests, (contests) =>
    contests.create(
      {
        rules: { check: "npm test", score: null, better: "lower", protect: [], evaluationMs: 60_000 },
        prompt: "fix it",
        directory: "/home/you/shop",
        candidates: [1, 2].map((number) => [
          { role: "work" as const, task: newTask({ prompt: `fix ${number}`, parentId }) },
          { role: "check" as const, task: newTask({ prompt: `test ${number}`, parentId }) }
        ])
      },
      { maxDepth: 10 }
    )
  )

const ask = (taskId: TaskId, groups: ReadonlyArray<GroupId>, mode: WakeMode = "all", ids: ReadonlyArray<TaskId> = []) =>
  Effect.flatMap(Wakes, (wakes) => wakes.ask({ taskId, ids, groups, mode, askedBy: "agent" }))

/** It asks for these, for all that is open where none is named, and ends its turn. */
const waitsFor = (
  held: ClaimedTask,
  groups: ReadonlyArray<GroupId>,
  mode: WakeMode = "all",
  ids: ReadonlyArray<TaskId> = []
) =>
  Effect.gen(function* () {
    const { awaited } = yield* ask(held.task.id, groups, mode, ids)
    yield* (yield* Queue).park(held.claim, parked({ limit: false, wake: true, sessionId: "s1" }))
    return awaited
  })

/** The next that can be claimed is the lead, in its session, with nothing left to wait for. */
const wakes = (held: ClaimedTask) =>
  Effect.gen(function* () {
    const woken = yield* claimNext()
    assert.deepStrictEqual([woken.task.id, woken.resumeSession, woken.task.dependsOn], [held.task.id, "s1", []])
    return Option.getOrThrow(yield* (yield* Wakes).wokenIn(woken.claim.claimId)).awaited
  })

const waits = (held: ClaimedTask, count: number) =>
  Effect.gen(function* () {
    const { status, waitingOn } = yield* (yield* Tasks).summary(held.task.id)
    assert.deepStrictEqual([status, waitingOn], ["queued", count])
  })

const nothing = Effect.gen(function* () {
  assert.isTrue(Option.isNone(yield* (yield* Queue).claim(claimOptions())))
})

const missed = { evaluations: [[failed, ""]] } as const

describe("a wake for a group", () => {
  test(
    "waits for every round of a loop, by its id and by default",
    Effect.gen(function* () {
      for (const isNamed of [true, false]) {
        const held = yield* lead
        const loop = yield* loopOf(held.task.id)
        assert.deepStrictEqual(yield* waitsFor(held, isNamed ? [loop.id] : []), [loop.id])
        yield* endRound(missed)
        yield* waits(held, 1)
        yield* endRound(missed)
        assert.deepStrictEqual(yield* wakes(held), [loop.id])
      }
    })
  )

  test(
    "waits for the decision of a contest",
    Effect.gen(function* () {
      for (const isNamed of [true, false]) {
        const held = yield* lead
        const contest = yield* contestOf(held.task.id)
        assert.deepStrictEqual(yield* waitsFor(held, isNamed ? [contest.id] : []), [contest.id])
        for (let task = 1; task < 4; task += 1) {
          yield* endNext(completed)
          yield* waits(held, 1)
        }
        yield* endNext(completed)
        assert.deepStrictEqual(yield* wakes(held), [contest.id])
      }
    })
  )

  test(
    "waits for the last step of a pipeline, also where a failure ends it",
    Effect.gen(function* () {
      for (const [outcome, steps] of [
        [completed, 3],
        [failed, 1]
      ] as const) {
        const held = yield* lead
        const task = { parentId: held.task.id }
        const pipeline = yield* createPipeline([{ task }, { task }, { task }])
        assert.deepStrictEqual(yield* waitsFor(held, [pipeline.id]), [pipeline.id])
        for (let step = 1; step <= steps; step += 1) {
          yield* waits(held, 1)
          yield* endNext(outcome)
        }
        yield* wakes(held)
      }
    })
  )

  test(
    "waits for all of several kinds, or for the first of them",
    Effect.gen(function* () {
      const held = yield* lead
      const loop = yield* loopOf(held.task.id, 1)
      const other = yield* submit({ prompt: "other", parentId: held.task.id })
      assert.deepStrictEqual(yield* waitsFor(held, [loop.id], "all", [other.id]), [other.id, loop.id])
      yield* endRound(missed)
      yield* waits(held, 1)
      yield* endNext(completed)
      const again = yield* claimNext()
      assert.strictEqual(again.task.id, held.task.id)
      const second = yield* loopOf(held.task.id, 1)
      const late = yield* submit({ prompt: "late", parentId: held.task.id, notBefore: 1_000_000 })
      yield* waitsFor(again, [second.id], "any", [late.id])
      yield* endRound(missed)
      yield* wakes(held)
    })
  )

  test(
    "takes what has ended between the request and the end of the turn for ended, and refuses what had ended before",
    Effect.gen(function* () {
      const held = yield* lead
      const loop = yield* loopOf(held.task.id, 1)
      yield* ask(held.task.id, [loop.id])
      yield* endRound(missed)
      yield* (yield* Queue).park(held.claim, parked({ limit: false, wake: true, sessionId: "s1" }))
      yield* wakes(held)
      assert.match((yield* Effect.flip(ask(held.task.id, [loop.id]))).message, /^All of these tasks have ended/)
    })
  )

  test(
    "waits for a loop that a person has paused, and ends with its cancel",
    Effect.gen(function* () {
      const loops = yield* Loops
      const held = yield* lead
      const loop = yield* loopOf(held.task.id, 5)
      yield* loops.pause(loop.id)
      yield* endRound(missed)
      assert.strictEqual((yield* loops.get(loop.id)).status, "paused")
      assert.deepStrictEqual(yield* waitsFor(held, []), [loop.id])
      yield* nothing
      yield* loops.cancel(loop.id, { reason: null, by: "anna" })
      yield* wakes(held)
    })
  )

  test(
    "is refused where a task of the group waits for the one that asks",
    Effect.gen(function* () {
      const held = yield* lead
      const task = { parentId: held.task.id }
      const after = { ...task, dependsOn: [{ upstream: held.task.id, policy: "finished" as const }] }
      const pipeline = yield* createPipeline([{ task }, { task: after, after: [] }])
      assert.match(
        (yield* Effect.flip(ask(held.task.id, [pipeline.id]))).message,
        new RegExp(`^A task of ${pipeline.id} waits for this task itself`)
      )
    })
  )
})
