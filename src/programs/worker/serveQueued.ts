/** After a change that may have made a task ready: sees to it that a worker runs. */
import * as Effect from "effect/Effect"
import { Tasks } from "../../services/Tasks.ts"
import { ensureWorker } from "./ensureWorker.ts"

/** The change is stored: where no worker can be started, that is told, and nothing fails. */
export const serveQueued = Effect.fn("serveQueued")(function* (tell: (trouble: string) => Effect.Effect<void>) {
  const serve = Effect.gen(function* () {
    const { queued } = yield* (yield* Tasks).counts
    if (queued > 0) yield* ensureWorker()
  })
  yield* Effect.catchAll(serve, ({ message }) => tell(`no worker could be started: ${message}`))
})
