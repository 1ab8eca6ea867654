/** A worker and the time of a loop: nothing that stops a clock, and no retry, prolongs it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import type { LoopId } from "../../../src/domain/loop/LoopId.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { Loops } from "../../../src/services/Loops.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { loopRules } from "../../support/loopRules.ts"
import { createLoop } from "../../support/loops.ts"
import { newTask } from "../../support/tasks.ts"
import { withWall } from "../../support/wall.ts"
import { ended, eventually, nextStart, pool, sqlLayer } from "../pooled.ts"

const begin = 24 * 3_600_000
const second = 1000

const open = (work: Parameters<typeof newTask>[0], count = 1) =>
  createLoop(
    loopRules({ deadline: begin + 20 * second, maxRounds: 3 }),
    Array.from({ length: count }, (_, at) => ({ name: `step ${at}`, task: newTask({ agent: "claude", ...work }) }))
  )

const workOf = (id: LoopId) =>
  Effect.flatMap(Loops, (loops) =>
    Effect.map(loops.get(id), ({ rounds }) => rounds.flatMap((round) => round.workTasks))
  )

const statusOf = (id: LoopId) => Effect.flatMap(Loops, (loops) => Effect.map(loops.get(id), ({ status }) => status))

/** The evaluation that follows the work starts and fails, and the loop ends. */
const concludes = (id: LoopId) =>
  Effect.gen(function* () {
    const control = yield* SpawnerControl
    const { claim, task } = yield* nextStart
    assert.strictEqual(task.agent, "shell")
    yield* control.end(claim.claimId, { exitCode: 1, signal: null })
    yield* eventually(
      "the loop ends",
      Effect.map(statusOf(id), (status) => status !== "running")
    )
    assert.strictEqual(yield* statusOf(id), "deadline")
  })

describe("the work of a loop when its time is over", () => {
  it.scoped("is ended, and not tried again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(begin)
      const { id } = yield* open({ maxRetries: 2, backoffMs: 0, timeoutMs: 60 * second })
      yield* pool()
      const { task } = yield* nextStart
      const work = yield* ended(task.id)
      assert.deepInclude(work, { status: "failed", cause: "timeout", retriedBy: null })
      assert.match(work.error ?? "", /time of its loop is over.*Not tried again/)
      yield* concludes(id)
      assert.lengthOf(yield* workOf(id), 1)
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("is ended at its own timeout before", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(begin)
      yield* open({ timeoutMs: 12 * second })
      yield* pool()
      const work = yield* ended((yield* nextStart).task.id)
      assert.strictEqual(work.cause, "timeout")
      assert.match(work.error ?? "", /its timeout of 12 s/)
      assert.isBelow(work.endedAt ?? 0, begin + 19 * second)
    }).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("is ended although it is frozen, and whatever the clock on the wall shows", () =>
    withWall((set) =>
      Effect.gen(function* () {
        const control = yield* SpawnerControl
        yield* TestClock.setTime(begin)
        const { id } = yield* open({})
        yield* pool()
        const { claim, task } = yield* nextStart
        yield* (yield* Gates).close({
          scope: "task",
          name: task.id,
          until: null,
          reason: null,
          by: "anna",
          freeze: true
        })
        yield* eventually("it is frozen", control.frozen(claim.claimId))
        yield* set(-3600 * second)
        const work = yield* ended(task.id)
        assert.strictEqual(work.cause, "timeout")
        yield* set(3600 * second)
        yield* concludes(id)
      })
    ).pipe(Effect.provide(sqlLayer()))
  )

  it.scoped("is ended where the next step waits in the queue for a place", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      yield* TestClock.setTime(begin)
      const { id } = yield* open({}, 3)
      yield* pool()
      const { claim } = yield* nextStart
      const gates = yield* Gates
      yield* gates.close({ scope: "agent", name: "claude", until: null, reason: null, by: "anna", freeze: false })
      yield* control.end(claim.claimId, { exitCode: 0, signal: null })
      yield* eventually(
        "the steps end",
        Effect.flatMap(workOf(id), (work) =>
          Effect.flatMap(Tasks, (tasks) =>
            Effect.map(Effect.forEach(work, tasks.get), (all) => all.every(({ endedAt }) => endedAt !== null))
          )
        )
      )
      yield* concludes(id)
    }).pipe(Effect.provide(sqlLayer()))
  )
})
