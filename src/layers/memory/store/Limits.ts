/** The limits of accounts over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { AccountKey } from "../../../domain/limits/Account.ts"
import type { AccountLimits } from "../../../domain/limits/AccountLimits.ts"
import { allOpen, asked, closedByHand, type Opening } from "../../../domain/limits/Limit.ts"
import { noBound, oneProbe, placesNow } from "../../../domain/limits/Places.ts"
import { Limits } from "../../../services/Limits.ts"
import { claimOrder, isReady } from "./Lifecycle.ts"
import { gateOf, openingOf, withWindows } from "./LimitState.ts"
import { put, type State, Store, type StoredAccount } from "./Store.ts"

const windowsOf = (state: State, gate: AccountKey) => state.windows.filter(({ account }) => account === gate)

const limitsOf = (state: State, [key, account]: readonly [AccountKey, StoredAccount], now: number): AccountLimits => {
  const tasks = Array.from(state.tasks.values(), ({ task }) => task).filter((task) => task.account === key)
  const held = tasks
    .filter((task) => isReady({ ...task, notBefore: null }, now) && openingOf(state, task, now).opensAt > 0)
    .sort(claimOrder)
  const waiting = held.filter(({ spare }) => !spare)
  const unused = held
    .filter(({ spare }) => spare)
    .map((task) => openingOf(state, task, now))
    .sort((one, other) => one.opensAt - other.opensAt)
  const latest = tasks
    .filter(({ spare }) => !spare)
    .map((task) => openingOf(state, task, now))
    .reduce<Opening>((one, other) => (other.opensAt > one.opensAt ? other : one), { opensAt: 0, window: null })
  const gate = gateOf(state, key)
  const places = placesNow(state.accounts.get(gate)?.places ?? noBound, now)
  return {
    account: key,
    agent: account.agent,
    joinedTo: account.joinedTo,
    opensAt: latest.opensAt === 0 ? null : latest.opensAt,
    window: latest.window,
    places: Number.isFinite(places) ? places : null,
    running: gate === key ? tasks.filter(({ id }) => state.claims.has(id)).length : 0,
    waiting: waiting.length,
    next: waiting[0]?.id ?? null,
    spare:
      unused[0] === undefined
        ? null
        : { waiting: unused.length, opensAt: unused[0].opensAt, window: unused[0].window ?? "" },
    windows: [...windowsOf(state, gate)].sort((one, other) => (one.name < other.name ? -1 : 1))
  }
}

/** The account with other fields; nothing where it is not known. */
const withFields = (state: State, key: AccountKey, fields: Partial<StoredAccount>): State => {
  const account = state.accounts.get(key)
  return account === undefined ? state : { ...state, accounts: put(state.accounts, key, { ...account, ...fields }) }
}

const make = Effect.gen(function* () {
  const store = yield* Store
  const write = (step: (state: State, now: number) => State) =>
    store.write((state, now) => Either.right([undefined, step(state, now)] as const))

  return Limits.of({
    list: store.read((state, now) =>
      Array.from(state.accounts)
        .sort(([one, { agent }], [other, second]) => (`${agent} ${one}` < `${second.agent} ${other}` ? -1 : 1))
        .map((entry) => limitsOf(state, entry, now))
    ),

    waitingBeyond: (until, limit) =>
      store.read((state, now) =>
        Array.from(state.tasks.values(), ({ task }) => task)
          .filter((task) => isReady({ ...task, notBefore: null }, now) && task.fallback.length > 0)
          .filter((task) => openingOf(state, task, now).opensAt > until)
          .slice(0, limit)
          .map(({ id }) => id)
      ),

    // Worked out at each look.
    renewSpare: Effect.void,

    observe: (account, signals) =>
      write((state, now) => {
        const gate = gateOf(state, account)
        return withWindows(state, gate, asked(windowsOf(state, gate), gate, signals, now), now)
      }),

    close: (account, until, reason) =>
      write((state, now) => {
        const gate = gateOf(state, account)
        const window = closedByHand(gate, until, reason, now)
        const others = windowsOf(state, gate).filter(({ name }) => name !== window.name)
        return withWindows(state, gate, [...others, window], now)
      }),

    open: (account) =>
      write((state, now) => {
        const gate = gateOf(state, account)
        const before = windowsOf(state, gate)
        const next = withWindows(state, gate, allOpen(before, now), now)
        return before.some(({ closed }) => closed) ? withFields(next, gate, { places: oneProbe(now) }) : next
      }),

    join: (account, to) =>
      write((state) => {
        const gate = gateOf(state, to)
        if (gate === account) return state
        const followers = Array.from(state.accounts.keys()).filter(
          (key) => key === account || gateOf(state, key) === account
        )
        return followers.reduce((next, key) => withFields(next, key, { joinedTo: gate }), state)
      }),

    split: (account) => write((state) => withFields(state, account, { joinedTo: null, places: noBound }))
  })
})

export const layer = Layer.effect(Limits, make)
