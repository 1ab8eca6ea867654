/** The warning of every waiting command while no worker serves the queue. */
import * as Effect from "effect/Effect"
import type { EnsureWorkerOptions } from "../../programs/worker/ensureWorker.ts"
import { Terminal } from "../framework/Terminal.ts"

export const waiting = (justLaunched: boolean): Effect.Effect<EnsureWorkerOptions, never, Terminal> =>
  Effect.map(Terminal, (terminal) => ({
    justLaunched,
    onTrouble: (problem) => terminal.say(`beat: still waiting: workers keep exiting. ${problem.message}`)
  }))
