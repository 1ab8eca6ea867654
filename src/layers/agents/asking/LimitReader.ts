/** Asks agents for their limits: loaded at the first question, for most commands ask none. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LimitReader } from "../../../services/LimitReader.ts"

export const layer = Layer.succeed(LimitReader, {
  agents: ["codex"],
  read: (request) =>
    request.agent === "codex"
      ? Effect.flatMap(
          Effect.promise(() => import("./codexLimits.ts")),
          ({ codexLimits }) => codexLimits(request)
        )
      : Effect.succeedNone
})
