/** The times of the in-memory store: it knows start times of tasks, and nothing of pauses, limits, budgets and goals. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DueTimes } from "../../../services/DueTimes.ts"
import { Tasks } from "../../../services/Tasks.ts"

export const layer = Layer.effect(
  DueTimes,
  Effect.map(Tasks, ({ nextDue }) => DueTimes.of({ next: nextDue }))
)
