/** A running task whose budget is spent: it continues in its session, or waits for a person where it would begin again. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { BudgetName } from "../../../src/domain/budgets/Budget.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { noTokens } from "../../../src/domain/usage/TokenCounts.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { why } from "../../../src/programs/why/why.ts"
import { Budgets } from "../../../src/services/Budgets.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { eventually, nextStart, pool, submit, testLayer } from "../pooled.ts"

const dollar = 1_000_000

const spend = (taskId: TaskId) =>
  Effect.flatMap(OutputStore, (store) =>
    store.append(
      {
        taskId,
        stream: "stdout",
        offset: 0,
        bytes: new Uint8Array(10),
        use: {
          uses: [{ ...noTokens, model: "m", inputTokens: 10, costMicro: 2 * dollar, costBy: "reported" }],
          cost: { micro: 2 * dollar, tokens: 10 }
        }
      },
      { cap: 1000 }
    )
  )

/** Starts a task, spends its budget, and waits until it is parked. */
const ended = Effect.fn(function* (agent: string) {
  // Shortly before the end of a day.
  yield* TestClock.setTime(24 * 3_600_000 - 20_000)
  yield* (yield* Budgets).set({
    name: BudgetName.make("daily"),
    scope: "all",
    value: "",
    period: "day",
    metric: "usd",
    amount: dollar,
    warnPercent: 80,
    action: "stop",
    timezone: "UTC"
  })
  yield* pool()
  const id = yield* submit({ agent, sessionId: agent === "claude" ? "s" : null })
  yield* nextStart
  yield* spend(id)
  const tasks = yield* Tasks
  yield* eventually(
    "it is parked",
    Effect.map(tasks.summary(id), ({ status }) => status === "queued")
  )
  return id
})

describe("a running task whose budget is spent", () => {
  it.scoped("waits for a person where its agent has no session, and does not begin again the next day", () =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      const gates = yield* Gates
      const id = yield* ended("mine")
      const found = yield* why(id)
      assert(found.reason === "paused")
      assert.match(found.gate.reason ?? "", /no session to continue in/)
      assert.strictEqual(found.gate.by, "backbeat")
      yield* TestClock.adjust("25 seconds")
      assert.strictEqual(yield* control.starts, 1)
      assert.isTrue(yield* gates.open("task", id))
      assert.strictEqual((yield* nextStart).task.id, id)
    }).pipe(Effect.provide(testLayer()))
  )

  it.scoped("continues the next day where it has a session or has not begun", () =>
    Effect.gen(function* () {
      const id = yield* ended("claude")
      assert.deepStrictEqual(yield* (yield* Gates).list, [])
      assert.strictEqual((yield* why(id)).reason, "budget")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* nextStart).task.id, id)
    }).pipe(Effect.provide(testLayer()))
  )
})
