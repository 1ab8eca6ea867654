/** The accounts that tasks use, with their usage limits. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LimitsView } from "../../domain/limits/AccountLimits.ts"
import { Limits } from "../../services/Limits.ts"
import { tool } from "../Tool.ts"

export const limitsTool = tool({
  name: "Limits",
  title: "Usage limits",
  description: "Show the usage limits (quota) of each account: how full, when they open, how many tasks wait for them.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({}),
  output: LimitsView,
  example: {},
  handle: Effect.fn("Limits")(function* () {
    return { accounts: yield* (yield* Limits).list }
  })
})
