/** Schedules whose rows were damaged, and firings that the store breaks off. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Schedules } from "../../../../src/services/Schedules.ts"
import { createSchedule, fireDue, fireInAMinute, minute, storyOf } from "../../../support/schedules.ts"
import { testSql } from "../../../support/stores.ts"

describe("a schedule that cannot be read any more", () => {
  for (const [what, damage] of [
    ["holds what no version wrote", "UPDATE schedule_tasks SET task = '{}' WHERE schedule_id = "],
    ["has lost what it starts", "DELETE FROM schedule_tasks WHERE schedule_id = "]
  ] as const) {
    it.effect(`is paused with the reason where it ${what}, and keeps no other from being fired`, () =>
      Effect.gen(function* () {
        const schedules = yield* Schedules
        const sql = yield* SqlClient.SqlClient
        const broken = yield* createSchedule()
        const sound = yield* createSchedule()
        yield* sql.unsafe(`${damage}'${broken.id}'`)
        yield* fireInAMinute
        assert.deepStrictEqual(yield* storyOf(sound), [[minute, "running"]])
        const paused = yield* schedules.get(broken.id)
        assert.strictEqual(paused.status, "paused")
        assert.include(paused.reason ?? "", "cannot be read")
      }).pipe(Effect.provide(testSql))
    )
  }
})

describe("a schedule that could not be started for a reason that may pass", () => {
  it.effect("says why it waits, is tried again, and runs once that has passed", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const sql = yield* SqlClient.SqlClient
      const made = yield* createSchedule({ timing: { kind: "at", at: minute, timezone: "UTC" } })
      yield* sql`CREATE TRIGGER broken BEFORE INSERT ON schedule_executions BEGIN SELECT RAISE(IGNORE); END`
      yield* fireInAMinute
      const waiting = yield* schedules.get(made.id)
      assert.deepInclude(waiting, { status: "active", nextDueAt: minute, nextFireAt: 2 * minute })
      assert.include(waiting.reason ?? "", "tried again")
      yield* sql`DROP TRIGGER broken`
      yield* fireInAMinute
      assert.deepStrictEqual(yield* storyOf(made), [[minute, "running"]])
      assert.deepInclude(yield* schedules.get(made.id), { status: "completed", reason: null })
    }).pipe(Effect.provide(testSql))
  )
})

describe("a schedule whose own row cannot be read", () => {
  it.effect("keeps no other from being fired, and none from being listed", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const sql = yield* SqlClient.SqlClient
      const broken = yield* createSchedule()
      const sound = yield* createSchedule()
      yield* sql`UPDATE schedules SET timing = '{}' WHERE id = ${broken.id}`
      yield* fireInAMinute
      assert.deepStrictEqual(yield* storyOf(sound), [[minute, "running"]])
      const [row] = yield* sql`SELECT status, reason FROM schedules WHERE id = ${broken.id}`
      assert.strictEqual(row?.status, "paused")
      const listed = yield* schedules.list({ status: [], limit: 10, before: null })
      assert.deepStrictEqual(
        listed.map(({ id }) => id),
        [sound.id]
      )
      assert.deepInclude(yield* schedules.cancel(broken.id), {
        status: "cancelled",
        reason: "its times could not be read"
      })
      const all = yield* schedules.list({ status: [], limit: 10, before: null })
      assert.sameMembers(
        all.map(({ id }) => id),
        [broken.id, sound.id]
      )
    }).pipe(Effect.provide(testSql))
  )
})

describe("a firing", () => {
  it.effect("leaves nothing behind where the run before it cannot be cancelled", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const made = yield* createSchedule({ overlap: "cancel-previous" })
      yield* fireInAMinute
      yield* sql`
        CREATE TRIGGER full_disk BEFORE UPDATE OF cancel_requested_at ON tasks BEGIN
          SELECT RAISE(ABORT, 'the disk is full');
        END
      `
      yield* TestClock.adjust(minute)
      assert.strictEqual((yield* Effect.flip(fireDue))._tag, "StorageError")
      assert.deepStrictEqual(yield* storyOf(made), [[minute, "running"]])

      yield* sql`DROP TRIGGER full_disk`
      yield* fireDue
      assert.deepStrictEqual(yield* storyOf(made), [
        [minute, "cancelled"],
        [2 * minute, "running"]
      ])
    }).pipe(Effect.provide(testSql))
  )
})
