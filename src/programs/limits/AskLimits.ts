/** Asks for the limits of accounts whose agent can be asked without a request to a model. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AccountKey } from "../../domain/limits/Account.ts"
import type { AccountLimits } from "../../domain/limits/AccountLimits.ts"
import { LimitReader } from "../../services/LimitReader.ts"
import { Limits } from "../../services/Limits.ts"
import { Queue } from "../../services/Queue.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import { judged } from "./judged.ts"

/** Between two questions about one account, in milliseconds. */
const askEveryMs = 120_000

/** A key has no windows. */
const isLogin = (account: AccountKey): boolean => account.split("/")[1] === "login"

/** Its login has windows, and a task of it runs or waits, whose program and environment are used. */
export const canBeAsked = ({ account, running, spare, waiting }: AccountLimits): boolean =>
  isLogin(account) && running + waiting + (spare?.waiting ?? 0) > 0

/** Tasks that are looked through for one that uses the account. */
const mostTasks = 200

/** The program and the environment of a task that uses the account: the newest that runs or waits. */
const startOf = Effect.fn("askLimits.startOf")(function* ({ account, agent }: AccountLimits) {
  const tasks = yield* Tasks
  const queue = yield* Queue
  const filter = { status: ["running", "queued"] as const, agent, labels: {}, directory: null, parentId: null }
  const page = yield* tasks.list({ ...filter, since: null, limit: mostTasks, before: null })
  const found = page.tasks.find((task) => task.account === account)
  if (found === undefined) return null
  const { environment, launch } = yield* queue.captured(found.id)
  return { agent, program: launch.file, environment, directory: found.directory }
})

/** Whether an answer was stored. */
export const askAccount = Effect.fn("askAccount")(function* (account: AccountLimits) {
  const reader = yield* LimitReader
  const limits = yield* Limits
  const settings = yield* (yield* SettingsStore).get
  if (!reader.agents.includes(account.agent)) return false
  const start = yield* startOf(account)
  if (start === null) return false
  const answer = yield* reader.read(start)
  if (Option.isNone(answer)) return false
  const { stored } = judged(answer.value, settings, yield* Clock.currentTimeMillis)
  yield* limits.observe(account.account, stored)
  return true
})

/** Asks for each account that is in use, now and then. What did not answer is asked as rarely as what did. */
export const makeAskLimits = () => {
  const askedAt = new Map<AccountKey, number>()
  return Effect.fn("askLimits")(function* () {
    const reader = yield* LimitReader
    const limits = yield* Limits
    const now = yield* Clock.currentTimeMillis
    const isDue = (limits: AccountLimits) =>
      reader.agents.includes(limits.agent) &&
      canBeAsked(limits) &&
      Math.abs(now - (askedAt.get(limits.account) ?? 0)) >= askEveryMs
    for (const account of (yield* limits.list).filter(isDue)) {
      askedAt.set(account.account, now)
      yield* Effect.ignore(askAccount(account))
    }
  })
}
