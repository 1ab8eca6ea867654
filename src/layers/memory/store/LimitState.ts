/** Accounts, their windows and what is parked, on the in-memory state. */
import type { AccountKey } from "../../../domain/limits/Account.ts"
import { opening, refusal, windowsAfter } from "../../../domain/limits/Limit.ts"
import type { Park } from "../../../domain/limits/Park.ts"
import { afterServed, noBound, oneProbe, type Places, placesNow } from "../../../domain/limits/Places.ts"
import type { StoredSignal } from "../../../domain/limits/Signal.ts"
import { spareOpening } from "../../../domain/limits/Spare.ts"
import { budget, type Window } from "../../../domain/limits/Window.ts"
import type { Task, TaskId } from "../../../domain/task/Task.ts"
import type { Claim } from "../../../domain/worker/Claim.ts"
import type { Parking } from "../../../services/Queue.ts"
import { familyOf } from "./familyOf.ts"
import { recorded } from "./LedgerState.ts"
import { givenBack } from "./QuestionState.ts"
import { changed, put, type State, without } from "./Store.ts"

/** The account whose windows count. */
export const gateOf = (state: State, key: AccountKey): AccountKey => state.accounts.get(key)?.joinedTo ?? key

const windowsOf = (state: State, gate: AccountKey): ReadonlyArray<Window> =>
  state.windows.filter(({ account }) => account === gate)

export const withAccount = (state: State, key: AccountKey, agent: string, now: number): State =>
  state.accounts.has(key)
    ? state
    : { ...state, accounts: put(state.accounts, key, { agent, places: noBound, joinedTo: null, seenAt: now }) }

const withPlaces = (state: State, gate: AccountKey, places: Places): State => {
  const account = state.accounts.get(gate)
  return account === undefined ? state : { ...state, accounts: put(state.accounts, gate, { ...account, places }) }
}

/** When a task may start, for the limits of its account. */
export const openingOf = (state: State, task: Pick<Task, "account" | "model" | "spare">, now: number) =>
  task.account === null
    ? { opensAt: 0, window: null }
    : (task.spare ? spareOpening : opening)(windowsOf(state, gateOf(state, task.account)), familyOf(task), now)

/** The families of the tasks of an account: its lanes. */
const families = (state: State, gate: AccountKey): ReadonlyArray<string> =>
  Array.from(
    new Set(
      Array.from(state.tasks.values(), ({ task }) => task)
        .filter(({ account }) => account !== null && gateOf(state, account) === gate)
        .map(familyOf)
    )
  )

/** With other windows. Where they close a lane, one task at a time asks whether the limit is over. */
export const withWindows = (state: State, gate: AccountKey, after: ReadonlyArray<Window>, now: number): State => {
  const before = windowsOf(state, gate)
  const next = { ...state, windows: [...state.windows.filter(({ account }) => account !== gate), ...after] }
  const closes = families(state, gate).some(
    (family) => opening(before, family, now).opensAt === 0 && opening(after, family, now).opensAt > 0
  )
  return closes ? withPlaces(next, gate, oneProbe(now)) : next
}

export const served = (state: State, gate: AccountKey, claimedAt: number, now: number): State => {
  const account = state.accounts.get(gate)
  return account === undefined ? state : withPlaces(state, gate, afterServed(account.places, claimedAt, now))
}

/** What the running claim of a task has shown. */
export const observe = (state: State, id: TaskId, signals: ReadonlyArray<StoredSignal>, now: number): State => {
  const claim = state.claims.get(id)
  const task = state.tasks.get(id)?.task
  if (signals.length === 0 || claim === undefined || task === undefined || task.account === null) return state
  const gate = gateOf(state, task.account)
  const observer = { account: gate, source: id, family: familyOf(task), claimedAt: claim.claimedAt, now }
  const after = signals.reduce<ReadonlyArray<Window>>(
    (windows, signal) => windowsAfter(windows, signal, observer),
    windowsOf(state, gate)
  )
  const next = withWindows(state, gate, after, now)
  return signals.some(({ _tag }) => _tag === "Served") ? served(next, gate, claim.claimedAt, now) : next
}

/** Whether the account of a task has a place for it. */
export const hasPlace = (state: State, { account }: Pick<Task, "account">, now: number): boolean => {
  if (account === null) return true
  const gate = gateOf(state, account)
  const running = Array.from(state.claims.keys()).filter((id) => {
    const key = state.tasks.get(id)?.task.account ?? null
    return key !== null && gateOf(state, key) === gate
  })
  return running.length < placesNow(state.accounts.get(gate)?.places ?? noBound, now)
}

export const park = (state: State, claim: Claim, parking: Parking, now: number): State => {
  const { taskId } = claim
  const stored = state.tasks.get(taskId)
  if (stored === undefined) return state
  const { task } = stored
  const sessionId = parking.sessionId ?? task.sessionId
  const { prompt } = parking
  const byBudget = parking.budget === true
  const limit = parking.limit || byBudget
  const { spending } = parking
  const counted = recorded(state, task, claim, spending, now)
  // A limit may have refused the very turn that the answers were in, and a pause may have ended it before it began.
  const told = limit || parking.unheard === true ? givenBack(counted, claim.claimId) : counted
  const queued = changed(told, taskId, {
    status: "queued",
    frozenAt: null,
    parkedAt: limit ? now : null,
    parks: task.parks + (limit ? 1 : 0),
    sessionId,
    prompt: prompt ?? task.prompt
  })
  const output = queued.output.get(taskId)
  const streams = output?.streams.map((stream) => ({ ...stream, base: stream.size, since: stream.size })) ?? []
  const next: State = {
    ...queued,
    claims: without(state.claims, taskId),
    live: without(queued.live, taskId),
    output: output === undefined ? queued.output : put(queued.output, taskId, { ...output, streams }),
    tasks: put(queued.tasks, taskId, {
      ...(queued.tasks.get(taskId) ?? stored),
      launch: parking.launch ?? stored.launch,
      resumeSession: parking.launch === null ? parking.sessionId : null,
      timeLeftMs: parking.timeLeftMs
    })
  }
  if (!limit) {
    const known = (next.parks.get(taskId) ?? []).map((one) => ({ ...one, sessionId: null }))
    return { ...next, parks: put(next.parks, taskId, known) }
  }
  const times = { n: task.parks + 1, at: now, releasedAt: null }
  const session = parking.launch === null ? parking.sessionId : null
  const withPark = (park: Omit<Park, keyof typeof times | "sessionId">) =>
    put(next.parks, taskId, [...(next.parks.get(taskId) ?? []), { ...park, ...times, sessionId: session }])
  if (byBudget) {
    return { ...next, parks: withPark({ account: null, window: budget, resetsAt: parking.resetsAt }) }
  }
  if (task.account === null) return next
  const gate = gateOf(state, task.account)
  const observer = { account: gate, source: taskId, family: familyOf(task), claimedAt: claim.claimedAt, now }
  const after = refusal(windowsOf(state, gate), observer, parking)
  const { opensAt, window } = opening(after, observer.family, now)
  const parks = withPark({ account: gate, window: window ?? "", resetsAt: opensAt })
  return withWindows({ ...next, parks }, gate, after, now)
}

/** The last park of a task is over. */
export const released = (state: State, id: TaskId, now: number): State => {
  const parks = state.parks.get(id)
  if (parks === undefined) return state
  return {
    ...state,
    parks: put(
      state.parks,
      id,
      parks.map((one) => ({ ...one, releasedAt: one.releasedAt ?? now }))
    )
  }
}
