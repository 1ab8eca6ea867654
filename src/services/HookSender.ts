/** Sends one message to the target of one hook, once. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Outcome } from "../domain/hooks/Delivery.ts"
import type { Hook } from "../domain/hooks/Hook.ts"

export interface Parcel {
  readonly id: string
  /** A `HookMessage` as JSON. */
  readonly body: string
}

export class HookSender extends Context.Tag("backbeat/HookSender")<
  HookSender,
  {
    /**
     * Answers within the hook's `timeoutMs` and a few seconds, whatever the target does. Interrupting it ends the program that
     * it has started. `detail` names no secret and no part of an address.
     */
    readonly send: (hook: Hook, parcel: Parcel) => Effect.Effect<Outcome>
  }
>() {}
