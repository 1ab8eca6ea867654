/** Ending a schedule, and times that people write. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { cancelSchedule } from "../../../src/programs/schedules/cancelRuns.ts"
import { readTime } from "../../../src/programs/schedules/readTiming.ts"
import { Schedules } from "../../../src/services/Schedules.ts"
import { createSchedule } from "../../support/schedules.ts"
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

describe("a time", () => {
  it.effect("with a second that no minute has is refused", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(readTime("at", "2030-01-01T09:00:60", DateTime.zoneMakeOffset(0)))
      assert.strictEqual(error._tag, "InvalidInput")
    })
  )
})
