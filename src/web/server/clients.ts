/** Counts clients, by open streams and the last request, for a server that exits when it has no client. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"

export interface Clients {
  readonly seen: Effect.Effect<void>
  readonly enter: Effect.Effect<void>
  readonly leave: Effect.Effect<void>
  /** Returns once no stream was open and no request came for this long. */
  readonly gone: (idleMs: number) => Effect.Effect<void>
}

export const clients = Effect.gen(function* () {
  let open = 0
  let last = yield* elapsedMs
  const seen = Effect.map(elapsedMs, (now) => {
    last = now
  })
  const count = (by: number) =>
    Effect.map(elapsedMs, (now) => {
      open += by
      last = now
    })
  const made: Clients = {
    seen,
    enter: count(1),
    leave: count(-1),
    gone: (idleMs) =>
      Effect.gen(function* () {
        while (true) {
          const now = yield* elapsedMs
          const left = open > 0 ? idleMs : last + idleMs - now
          if (left <= 0) return
          yield* Effect.sleep(left)
        }
      })
  }
  return made
})
