/** Whether a task that met a limit is parked, and what it resumes with. */
import * as Schema from "effect/Schema"
import { lengthInWords } from "../Duration.ts"
import { type Outcome, outcome } from "../task/Outcome.ts"
import { Task, TaskId, Timestamp } from "../task/Task.ts"

/** The longest time that a task waits for limits in all, in milliseconds: 7 days. */
export const defaultGiveUpMs = 7 * 24 * 3_600_000

/** The agent's own bound on money was reached: waiting changes nothing. */
const ownBudget = /max(?:imum)? budget/i

/** `limit`: a window that ends; `credit`: money that a person adds. Null: no reason to wait. */
export const limitMet = ({ error, failureClass, status }: Outcome): "limit" | "credit" | null => {
  if (status !== "failed") return null
  if (failureClass === "usage-limit") return "limit"
  return failureClass === "budget" && !ownBudget.test(error ?? "") ? "credit" : null
}

interface ParkQuestion {
  readonly task: Pick<Task, "account" | "onLimit" | "parks" | "giveUpMs" | "createdAt">
  readonly maxParks: number
  /** When the task met a limit first; null: now. */
  readonly firstParkedAt: number | null
  readonly now: number
}

type ParkDecision = { readonly _tag: "Park" } | { readonly _tag: "End"; readonly reason: string | null }

const parkedFor = (parks: number, ms: number): string =>
  `It was parked ${parks === 1 ? "once" : `${parks} times`} in ${lengthInWords(ms)}.`

const noLonger = (giveUpMs: number): string =>
  `It waits no longer than ${lengthInWords(giveUpMs)} (beat run --give-up).`

/** Bounded twice: by how often and by how long. `reason` is added to the error of the task. */
export const decidePark = ({ firstParkedAt, maxParks, now, task }: ParkQuestion): ParkDecision => {
  if (task.account === null || task.onLimit === "fail") return { _tag: "End", reason: null }
  const waited = firstParkedAt === null ? 0 : now - firstParkedAt
  const told = parkedFor(task.parks, waited)
  if (task.parks >= maxParks) return { _tag: "End", reason: `${told} More is not allowed (setting limits.maxParks).` }
  if (firstParkedAt !== null && waited >= task.giveUpMs) {
    return { _tag: "End", reason: `${told} ${noLonger(task.giveUpMs)}` }
  }
  return { _tag: "Park" }
}

/** A queued task that has waited as long as it may, and that a limit still keeps. */
export const Overdue = Schema.Struct({
  ...Task.pick("parks", "giveUpMs", "maxRetries").fields,
  id: TaskId,
  /** When a limit kept it first. */
  since: Schema.Int,
  /** When that limit would end. */
  opensAt: Timestamp
})
export type Overdue = typeof Overdue.Type

/** How it ends. */
export const givenUp = (
  { giveUpMs, opensAt, parks, since }: Omit<Overdue, "id" | "maxRetries">,
  now: number
): Outcome => {
  const told =
    parks === 0
      ? `A usage limit kept it from starting for ${lengthInWords(now - since)}.`
      : parkedFor(parks, now - since)
  return outcome({
    status: "failed",
    cause: "agent-error",
    failureClass: "usage-limit",
    failureResetAt: opensAt,
    error: `${told} ${noLonger(giveUpMs)}`
  })
}

/** What is said in the session of a task that continues after a limit. */
export const continuePrompt =
  "Continue where you stopped. A usage limit ended your last turn; nothing else has changed. Do not repeat steps that are done."
