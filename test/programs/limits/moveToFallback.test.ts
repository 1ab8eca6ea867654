/** Tasks whose limit lasts are looked at in turn, so that those whose fallback cannot take them keep no other back. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import type { NewTask } from "../../../src/domain/task/NewTask.ts"
import { makeMoveToFallback, mostMoved } from "../../../src/programs/limits/moveToFallback.ts"
import { Limits } from "../../../src/services/Limits.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { submit } from "../../support/tasks.ts"
import { layer as world } from "../world.ts"

const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
const hour = 3_600_000

const of = (more: Partial<NewTask> = {}) => submit({ agent: "claude", account, ...more })

/** No agent has this name. */
const missing = { fallback: ["codex"] }
const takes = { fallback: ["codex", "shell"] }

const begin = TestClock.setTime(24 * hour)

/** The account stays closed for hours. */
const close = Effect.flatMap(Limits, (limits) => limits.close(account.key, 30 * hour, null))

const agentOf = (id: Parameters<typeof Tasks.Service.summary>[0]) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.summary(id), ({ agent }) => agent))

describe("a fallback", () => {
  it.effect("is reached behind any number of tasks that stay, by the looks that follow", () =>
    Effect.gen(function* () {
      yield* begin
      yield* Effect.replicateEffect(of({ ...missing, model: "opus" }), mostMoved)
      yield* Effect.replicateEffect(of({ ...missing, model: "sonnet" }), mostMoved)
      const last = yield* of({ ...takes, model: "sonnet" })
      const other = yield* of({ ...takes, model: "opus" })
      yield* close
      const look = makeMoveToFallback()
      const agents = Effect.all([agentOf(other.id), agentOf(last.id)])
      yield* look()
      assert.deepStrictEqual(yield* agents, ["claude", "claude"])
      yield* look()
      assert.deepStrictEqual(yield* agents, ["shell", "claude"])
      yield* look()
      assert.deepStrictEqual(yield* agents, ["shell", "shell"])
      const { fallback } = yield* (yield* Tasks).get(last.id)
      assert.deepStrictEqual(fallback, [])
    }).pipe(Effect.provide(world()))
  )

  it.effect("is reached again from the first task on, once the last was looked at", () =>
    Effect.gen(function* () {
      yield* begin
      yield* Effect.replicateEffect(of(missing), mostMoved)
      yield* close
      const look = makeMoveToFallback()
      // A page that is full, and the empty one behind it.
      yield* look()
      yield* look()
      const sql = yield* SqlClient.SqlClient
      const [first] = yield* sql<{ id: NewTask["retryOf"] & string }>`SELECT id FROM tasks ORDER BY seq LIMIT 1`
      assert(first !== undefined)
      yield* sql`UPDATE tasks SET fallback = '["shell"]' WHERE id = ${first.id}`
      yield* look()
      assert.strictEqual(yield* agentOf(first.id), "shell")
    }).pipe(Effect.provide(world()))
  )

  it.effect("is reached behind tasks that cannot be read", () =>
    Effect.gen(function* () {
      yield* begin
      const sql = yield* SqlClient.SqlClient
      yield* Effect.replicateEffect(of(takes), 3)
      const whole = yield* of(takes)
      yield* sql`UPDATE tasks SET labels = 'no labels' WHERE id <> ${whole.id}`
      yield* close
      yield* makeMoveToFallback()()
      assert.strictEqual(yield* agentOf(whole.id), "shell")
    }).pipe(Effect.provide(world()))
  )

  it.effect("is not asked for tasks whose limit ends soon", () =>
    Effect.gen(function* () {
      yield* begin
      const task = yield* of(takes)
      yield* (yield* Limits).close(account.key, 24 * hour + 60_000, null)
      yield* makeMoveToFallback()()
      assert.strictEqual(yield* agentOf(task.id), "claude")
    }).pipe(Effect.provide(world()))
  )
})
