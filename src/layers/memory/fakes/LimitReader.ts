/** A reader of limits that can ask no agent. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LimitReader } from "../../../services/LimitReader.ts"

export const layer = Layer.succeed(LimitReader, { agents: [], read: () => Effect.succeedNone })
