/** Holds the tries of one piece of work against each other: each follows a failure, none is missing, none too many. */
import type { TaskRow } from "./Store.ts"

type Report = (task: string, invariant: string, detail: string) => void

/** What another try cannot change, or nobody wants tried again. */
const final = new Set(["cancelled", "dependency-failed", "output-limit", "spawn-failed"])

const invariant = "failed work is tried again"

/** `tries` are all tasks of one submission; `retries` is how often it may be tried again. */
export const checkTries = (tries: ReadonlyArray<TaskRow>, retries: number, report: Report): void => {
  const ordered = Array.from(tries).sort((one, other) => one.attempt - other.attempt)
  for (const [index, row] of ordered.entries()) {
    const next = ordered[index + 1]
    if (row.attempt !== index + 1) report(row.id, invariant, `try ${row.attempt} stands at place ${index + 1}`)
    if (row.max_retries !== retries - index)
      report(row.id, invariant, `${row.max_retries} tries are left after ${index + 1}`)
    if (next === undefined) {
      const may = row.status === "failed" && row.max_retries > 0 && !final.has(row.cause ?? "")
      const explained = row.cancel_requested_at !== null || (row.error ?? "").includes("Not tried again")
      if (may && !explained)
        report(row.id, invariant, `it failed with ${row.max_retries} tries left, and there is no next one`)
      if (row.retried_by !== null) report(row.id, invariant, `its next try ${row.retried_by} is not stored`)
      continue
    }
    if (row.status !== "failed") report(row.id, invariant, `it is ${row.status}, and was tried again`)
    if (row.retried_by !== next.id || next.retry_of !== row.id) {
      report(
        row.id,
        invariant,
        `it names ${row.retried_by} as its next try, which is ${next.id} after ${next.retry_of}`
      )
    }
    if (next.root_id !== ordered[0]?.id) report(next.id, invariant, `its first try is said to be ${next.root_id}`)
    if (next.not_before === null) report(next.id, invariant, "there is no pause before it")
  }
}
