/** Budgets over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Budget, type BudgetHold, type BudgetStanding, mostBudgets } from "../../../domain/budgets/Budget.ts"
import { TooManyBudgets } from "../../../domain/budgets/BudgetErrors.ts"
import { periodAt } from "../../../domain/budgets/Period.ts"
import { costOf, inMetric, noCost, remarked } from "../../../domain/budgets/Spend.ts"
import { isTerminal } from "../../../domain/task/Task.ts"
import { Budgets } from "../../../services/Budgets.ts"
import { coversIn, holdsIn, standingIn, withBudget } from "./BudgetState.ts"
import { type State, Store, taskIn, without } from "./Store.ts"

const spentSince = (state: State, budget: Budget, from: number): number => {
  const entries = state.ledger.filter((entry) => {
    const task = state.tasks.get(entry.task.id)?.task
    return entry.at >= from && task !== undefined && coversIn(state, budget, task)
  })
  return inMetric(budget.metric, costOf(entries, noCost))
}

const fields = ["scope", "value", "period", "metric", "timezone"] as const

const changed = (state: State, budget: Budget, now: number): BudgetStanding => {
  const before = state.budgets.get(budget.name)
  const same = before !== undefined && fields.every((field) => before[field] === budget[field])
  const period = periodAt(budget, now)
  const count = same ? standingIn(state, before, now) : { ...period, spent: spentSince(state, budget, period.from) }
  const { from, spent, to } = count
  const marks = { warnedAt: before?.warnedAt ?? null, trippedAt: before?.trippedAt ?? null }
  const standing = { ...budget, from, to, spent, used: 0, reserved: 0, ...marks }
  return remarked(standingIn(state, standing, now), now)
}

const opensLast = (holds: ReadonlyArray<BudgetHold>): Option.Option<BudgetHold> => {
  const end = ({ budget }: BudgetHold) => budget.to ?? Number.POSITIVE_INFINITY
  return Option.fromNullable([...holds].sort((one, other) => end(other) - end(one))[0])
}

const make = Effect.gen(function* () {
  const store = yield* Store

  return Budgets.of({
    set: (budget) =>
      store.write((state, now) => {
        const named = Array.from(state.budgets.values()).filter(({ name, value }) => name !== value)
        if (!state.budgets.has(budget.name) && named.length >= mostBudgets) {
          return Either.left(new TooManyBudgets({ name: budget.name }))
        }
        const standing = changed(state, budget, now)
        return Either.right([standing, withBudget(state, budget.name, standing)])
      }),

    remove: (name) =>
      store.write((state) => {
        const found = state.budgets.has(name)
        return Either.right([found, found ? { ...state, budgets: without(state.budgets, name) } : state])
      }),

    find: (name) =>
      store.read((state, now) =>
        Option.map(Option.fromNullable(state.budgets.get(name)), (budget) => standingIn(state, budget, now))
      ),

    list: store.read((state, now) =>
      Array.from(state.budgets.values())
        .filter(({ name, value }) => {
          const attempts = Array.from(state.tasks.values(), (stored) => stored.task).filter(
            ({ id, rootId }) => id === value || rootId === value
          )
          return name !== value || attempts.some(({ status }) => !isTerminal(status))
        })
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .map((budget) => standingIn(state, budget, now))
    ),

    holding: store.read((state, now) => {
      const waiting = Array.from(state.tasks.values(), ({ task }) => task).filter(
        ({ status, waitingOn }) => status === "queued" && waitingOn === 0
      )
      const byName = new Map(
        waiting.flatMap((task) => holdsIn(state, task, now)).map((hold) => [hold.budget.name, hold] as const)
      )
      return Array.from(byName.values())
    }),

    holds: (id) =>
      store.read((state, now) => {
        const task = taskIn(state, id)
        return task?.status === "queued" ? opensLast(holdsIn(state, task, now)) : Option.none()
      }),

    holdsOf: (ids) =>
      store.read(
        (state, now) =>
          new Map(
            ids.flatMap((id) => {
              const task = taskIn(state, id)
              const hold = task?.status === "queued" ? opensLast(holdsIn(state, task, now)) : Option.none()
              return Option.isSome(hold) ? [[id, hold.value] as const] : []
            })
          )
      ),

    nextOpening: store.read((state, now) => {
      const times = Array.from(state.budgets.values()).flatMap(({ to }) => (to !== null && to > now ? [to] : []))
      return times.length === 0 ? Option.none() : Option.some(Math.min(...times))
    }),

    stopping: store.read((state, now) => {
      const stops = Array.from(state.budgets.values())
        .filter(({ action }) => action === "stop")
        .map((budget) => standingIn(state, budget, now))
        .filter(({ amount, spent, used }) => spent + used >= amount)
      return Array.from(state.live.keys()).filter((id) => {
        const task = state.tasks.get(id)?.task
        return task !== undefined && stops.some((budget) => coversIn(state, budget, task))
      })
    })
  })
})

export const layer = Layer.effect(Budgets, make)
