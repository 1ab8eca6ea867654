/** Whether a task that met a limit is parked, and what it resumes with. */
import type { Outcome } from "../task/Outcome.ts"
import type { Task } from "../task/Task.ts"

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

const hours = (ms: number): string =>
  ms < 48 * 3_600_000 ? `${Math.round(ms / 360_000) / 10} h` : `${Math.round(ms / 8_640_000) / 10} days`

/** Bounded twice: by how often and by how long. `reason` is added to the error of the task. */
export const decidePark = ({ firstParkedAt, maxParks, now, task }: ParkQuestion): ParkDecision => {
  if (task.account === null || task.onLimit === "fail") return { _tag: "End", reason: null }
  const waited = firstParkedAt === null ? 0 : now - firstParkedAt
  const told = `It was parked ${task.parks} times in ${hours(waited)}.`
  if (task.parks >= maxParks) return { _tag: "End", reason: `${told} More is not allowed (setting limits.maxParks).` }
  if (firstParkedAt !== null && waited >= task.giveUpMs) {
    return { _tag: "End", reason: `${told} It waits no longer than ${hours(task.giveUpMs)} (beat run --give-up).` }
  }
  return { _tag: "Park" }
}

/** What is said in the session of a task that continues after a limit. */
export const continuePrompt =
  "Continue where you stopped. A usage limit ended your last turn; nothing else has changed. Do not repeat steps that are done."
