/** A target that accepts everything. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HookSender } from "../../../services/HookSender.ts"

export const layerTest = Layer.succeed(HookSender, {
  send: () => Effect.succeed({ _tag: "Accepted" as const, detail: "accepted" })
})
