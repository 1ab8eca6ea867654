/** An empty `Wakes` for tests without wakes. Real wakes are tested over SQLite, whose transactions carry them out. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { WakeRefused } from "../../../domain/wake/Wake.ts"
import { Wakes } from "../../../services/Wakes.ts"

export const layerTest = Layer.succeed(Wakes, {
  ask: ({ taskId }) => Effect.fail(new WakeRefused({ id: taskId, problem: "not-running", detail: "" })),
  askedIn: () => Effect.succeed(Option.none()),
  wokenIn: () => Effect.succeed(Option.none()),
  sessionOf: () => Effect.succeed(null)
})
