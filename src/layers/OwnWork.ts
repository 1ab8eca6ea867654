/** The signal from the transactions of this process to its worker: however many were sent, the next look sees all. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { OwnWork } from "../services/OwnWork.ts"

export const layer = Layer.effect(
  OwnWork,
  Effect.map(Queue.sliding<void>(1), (signals) => ({
    send: Effect.asVoid(Queue.offer(signals, undefined)),
    received: Queue.take(signals)
  }))
)
