/** What a run of an agent used and what that costs, from its verdict. */
import * as Effect from "effect/Effect"
import { ownOf } from "../../domain/Named.ts"
import type { Verdict } from "../../domain/task/Agent.ts"
import type { Task } from "../../domain/task/Task.ts"
import { type ModelUse, priced, type Spending, unreported, useOf } from "../../domain/usage/ModelUse.ts"
import type * as Price from "../../domain/usage/Price.ts"
import { Prices } from "../../services/Prices.ts"

/** An agent reports this many models at most. */
const mostModels = 20

/** A shell uses no model. */
const usesNone = "shell"

/** An agent that names no model is taken to use the model of its task. */
export const pricedFor = Effect.fn("pricedFor")(function* (
  task: Pick<Task, "model">,
  use: ModelUse,
  own: Price.Prices
) {
  const prices = yield* Prices
  const model = use.model ?? task.model
  const rates = model === null || use.costUsd !== null ? null : (ownOf(own, model) ?? (yield* prices.of(model)))
  return priced({ ...use, model }, rates)
})

/** The settings' price of a model counts before that of the table. */
export const spendingOf = Effect.fn("spendingOf")(function* (
  task: Pick<Task, "agent" | "model">,
  { sessionId, usage, uses }: Pick<Verdict, "sessionId" | "usage" | "uses">,
  own: Price.Prices
) {
  if (task.agent === usesNone) return null
  const reported = uses ?? (usage === null ? [] : [useOf(usage)])
  if (reported.length === 0) {
    return { sessionId, cumulative: false, uses: [unreported(task.model)] } satisfies Spending
  }
  const found = yield* Effect.forEach(reported.slice(0, mostModels), (use) => pricedFor(task, use, own))
  return { sessionId, cumulative: usage?.cumulative ?? false, uses: found } satisfies Spending
})
