/** Messages to the hooks: made from the notices once, and tried until they are accepted or given up. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { StorageError } from "../domain/Errors.ts"
import type { After, Delivery, DeliveryState, Sending, Taken } from "../domain/hooks/Delivery.ts"
import type { Hook } from "../domain/hooks/Hook.ts"
import type { WorkerId } from "../domain/worker/Worker.ts"

interface DeliveryCount {
  readonly hook: string
  readonly state: DeliveryState
  readonly count: number
  /** The earliest next attempt among them; null where there is none. */
  readonly nextAt: number | null
}

export class Deliveries extends Context.Tag("backbeat/Deliveries")<
  Deliveries,
  {
    /**
     * Stores a delivery for each notice that a hook selects, and remembers in the same transaction how far each hook has read:
     * none is decided twice, none is left out. A hook that is seen for the first time begins with the next notice. Reads at
     * most 200 notices; true: there are more.
     */
    readonly decide: (hooks: ReadonlyArray<Hook>) => Effect.Effect<boolean, StorageError>
    /** The names of the hooks that have read notices. */
    readonly known: Effect.Effect<ReadonlyArray<string>, StorageError>
    /** Forgets how far a hook has read, and ends what is on its way to it. */
    readonly forget: (hook: string) => Effect.Effect<void, StorageError>
    /**
     * Hands the delivery that has been due longest to exactly one worker. Where its hook sums, all that was not tried yet
     * goes with it as one message.
     */
    readonly claim: (
      hooks: ReadonlyArray<Hook>,
      sender: WorkerId
    ) => Effect.Effect<Option.Option<Sending>, StorageError>
    /** Replaces the message before its first attempt sends it. False: the worker has lost it, and it is not changed. */
    readonly complete: (
      key: Pick<Sending, "hook" | "seq">,
      sender: WorkerId,
      body: string
    ) => Effect.Effect<boolean, StorageError>
    /** Stores how an attempt ended. False: the worker has lost it, and it is not changed. */
    readonly settle: (
      key: Pick<Sending, "hook" | "seq">,
      sender: WorkerId,
      after: After
    ) => Effect.Effect<boolean, StorageError>
    /** What workers send now. */
    readonly taken: Effect.Effect<ReadonlyArray<Taken>, StorageError>
    /** Takes a delivery from a worker that has died: it is due again, with the same id. */
    readonly release: (taken: Taken) => Effect.Effect<boolean, StorageError>
    /**
     * After a clock that was set back: messages wait for as long again as they were to wait, from now on, and those that were given up
     * for their age while it was ahead are due again.
     */
    readonly putRight: Effect.Effect<void, StorageError>
    /** The next attempt for one of these hooks. */
    readonly nextDue: (hooks: ReadonlyArray<string>) => Effect.Effect<Option.Option<number>, StorageError>
    /** Newest first. */
    readonly list: (options: {
      readonly hook: string | null
      /** None: all. */
      readonly states: ReadonlyArray<DeliveryState>
      readonly limit: number
    }) => Effect.Effect<ReadonlyArray<Delivery>, StorageError>
    /** Makes a delivery due now, with its id; one that never was is stored from its notice. None: the notice is gone. */
    readonly redeliver: (hook: Hook, seq: number) => Effect.Effect<Option.Option<Delivery>, StorageError>
    /** By hook and state: what is on its way, and what was given up after `since`. */
    readonly counts: (since: number) => Effect.Effect<ReadonlyArray<DeliveryCount>, StorageError>
  }
>() {}
