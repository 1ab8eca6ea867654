/** Reads the filters of a request. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import type { BoardFilter } from "../../programs/reports/board.ts"

interface Asked {
  readonly agent?: string | undefined
  readonly label?: ReadonlyArray<string> | undefined
  readonly directory?: string | undefined
  readonly since?: number | undefined
}

/** Directories are compared as they are stored: absolute, and not looked up. */
export const filters = (asked: Asked): Effect.Effect<BoardFilter, InvalidInput> =>
  Effect.map(
    Effect.forEach(asked.label ?? [], (text) => {
      const at = text.indexOf("=")
      return at < 1
        ? new InvalidInput({ field: "label", problem: "is not KEY=VALUE", example: "team=web" })
        : Effect.succeed([text.slice(0, at), text.slice(at + 1)] as const)
    }),
    (labels) => ({
      agent: asked.agent ?? null,
      labels: Object.fromEntries(labels),
      directory: asked.directory ?? null,
      since: asked.since ?? null
    })
  )
