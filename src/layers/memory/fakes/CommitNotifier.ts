/** Reports commits as a poll would: by returning every 40 ms. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommitNotifier } from "../../../services/CommitNotifier.ts"

export const layer = Layer.succeed(
  CommitNotifier,
  CommitNotifier.of({ changed: (withinMs) => Effect.sleep(Math.min(withinMs, 40)) })
)
