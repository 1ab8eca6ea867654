/** After a change that may have made a task ready: sees to it that a worker runs. The change is stored, so trouble is only told. */
import * as Effect from "effect/Effect"
import { ensureWorker } from "../../programs/worker/ensureWorker.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Terminal } from "../framework/Terminal.ts"

export const serveQueued = Effect.gen(function* () {
  const { queued } = yield* (yield* Tasks).counts
  if (queued > 0) yield* ensureWorker()
}).pipe(
  Effect.catchAll(({ message }) =>
    Effect.flatMap(Terminal, (terminal) => terminal.say(`beat: no worker could be started: ${message}`))
  )
)
