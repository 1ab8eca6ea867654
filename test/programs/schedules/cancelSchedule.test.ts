/** Ending a schedule, and times that people write. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { StorageError } from "../../../src/domain/Errors.ts"
import { cancelSchedule } from "../../../src/programs/schedules/cancelRuns.ts"
import { readTime } from "../../../src/programs/schedules/readTiming.ts"
import { createSchedule as create, taskWork } from "../../../src/programs/schedules/ScheduleChanges.ts"
import { Schedules } from "../../../src/services/Schedules.ts"
import { createSchedule } from "../../support/schedules.ts"
import { newTask } from "../../support/tasks.ts"
import { sqlLayer } from "../pooled.ts"

describe("a schedule that is ended", () => {
  it.effect("is not an error for a person who asked for its runs to end too, and was interrupted the first time", () =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      const made = yield* createSchedule()
      yield* schedules.cancel(made.id)
      assert.strictEqual((yield* Effect.flip(cancelSchedule(made.id, false)))._tag, "ScheduleStateConflict")
      assert.strictEqual((yield* cancelSchedule(made.id, true)).status, "cancelled")
    }).pipe(Effect.provide(sqlLayer()))
  )
})

describe("a schedule that is created", () => {
  it.effect("is reported also where nothing can be read any more: an error would make the caller create it again", () =>
    Effect.gen(function* () {
      const unreadable = new StorageError({ operation: "read", reason: "unreadable", path: null, cause: null })
      const broken = Effect.map(Schedules, (schedules) =>
        Schedules.of({ ...schedules, history: () => Effect.fail(unreadable), open: () => Effect.fail(unreadable) })
      )
      const rules = { cron: null, every: "1h", at: null, timezone: null, name: "once", missed: null, graceMs: null }
      const none = { overlap: null, jitterMs: null, maxRuns: null, expires: null, after: null }
      const work = taskWork(newTask())
      const made = yield* Effect.provideServiceEffect(create({ ...rules, ...none }, work, "me"), Schedules, broken)
      assert.deepInclude(made.schedule, {
        name: "once",
        status: "active",
        open: 0,
        times: [made.schedule.nextFireAt ?? 0]
      })
    }).pipe(Effect.provide(sqlLayer()))
  )
})

describe("a time", () => {
  it.effect("with a second that no minute has is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(readTime("at", "2030-01-01T09:00:60", DateTime.zoneMakeOffset(0)))
      assert.strictEqual(error._tag, "InvalidInput")
    })
  )
})
