/** Corrects rows that were written while the clock on the wall was wrong. Not among the light services, which have no use for it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError } from "../domain/Errors.ts"
import type { SeenClock } from "../domain/worker/SeenClock.ts"

/** How many of each were changed. */
interface Righted {
  readonly pauses: number
  readonly accounts: number
  readonly budgets: number
}

export class PutRight extends Context.Tag("backbeat/PutRight")<
  PutRight,
  {
    /**
     * Each pause that is longer than its task has it begins again: the pause before a retry, and before a step. A window that was
     * seen in the future counts as seen now, and what was guessed of its end is guessed from now. A budget that counts in another
     * period moves to the present one, with what the ledger has of that one and what was spent while the clock was ahead. Idempotent.
     */
    readonly all: Effect.Effect<Righted, StorageError>
    /** The clock as a process of this boot saw it last and wrote it down. */
    readonly seen: (bootId: string) => Effect.Effect<Option.Option<SeenClock>, StorageError>
    /** Writes it down for the processes that come later. The newest ten boots are kept. */
    readonly see: (clock: SeenClock) => Effect.Effect<void, StorageError>
  }
>() {}
