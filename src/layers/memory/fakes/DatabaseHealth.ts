/** A database that is always whole. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DatabaseHealth } from "../../../services/DatabaseHealth.ts"

export const layer = Layer.succeed(
  DatabaseHealth,
  DatabaseHealth.of({
    check: Effect.succeed({ schema: 1, damage: [], danglingRows: 0, strandedTasks: 0 }),
    reclaim: Effect.succeed(0)
  })
)
