/** Holds the attempts of one piece of work against each other: each follows a failure, none is missing, none too many. */
import type { ChangeOutcome } from "../Chronicle.ts"
import type { ResubmitPlan } from "../load/TaskPlan.ts"
import type { TaskRow } from "../Store.ts"

type Report = (task: string, invariant: string, detail: string) => void

/** Causes that another attempt cannot change, or after which a retry is not wanted. */
const final = new Set(["cancelled", "dependency-failed", "output-limit", "rejected", "spawn-failed"])

const invariant = "failed work is tried again"

/** A task that was submitted, or retried or resumed by hand, with its automatic retries, in order. */
type Attempts = readonly [first: TaskRow, ...again: ReadonlyArray<TaskRow>]

/** All tasks of one submission, by the request that made them: each is a first attempt, or follows one. */
export const attemptsAmong = (tasks: ReadonlyArray<TaskRow>): ReadonlyArray<Attempts> => {
  const byId = new Map(tasks.map((row) => [row.id, row]))
  const follow = (row: TaskRow, seen: ReadonlySet<string>): ReadonlyArray<TaskRow> => {
    const next = row.retried_by === null || seen.has(row.retried_by) ? undefined : byId.get(row.retried_by)
    return next === undefined ? [] : [next, ...follow(next, new Set([...seen, next.id]))]
  }
  return tasks
    .filter((row) => row.retry_of === null || byId.get(row.retry_of)?.retried_by !== row.id)
    .map((row) => [row, ...follow(row, new Set([row.id]))] as const)
}

/** `before` is the task that the first one retries by hand; `retries` is how many automatic retries the first one has. */
export const checkAttempts = (
  attempts: Attempts,
  before: TaskRow | undefined,
  retries: number,
  report: Report
): void => {
  const [first] = attempts
  const earlier = before?.attempt ?? 0
  const root = before === undefined ? null : (before.root_id ?? before.id)
  if (first.root_id !== root)
    report(first.id, invariant, `its first attempt is said to be ${first.root_id}, it is ${root}`)
  for (const [index, row] of attempts.entries()) {
    const next = attempts[index + 1]
    if (row.attempt !== earlier + index + 1)
      report(row.id, invariant, `attempt ${row.attempt} is at place ${earlier + index + 1}`)
    if (row.max_retries !== retries - index)
      report(row.id, invariant, `${row.max_retries} attempts are left after ${index + 1}`)
    if (next === undefined) {
      const may = row.status === "failed" && row.max_retries > 0 && !final.has(row.cause ?? "")
      const explained = row.cancel_requested_at !== null || (row.error ?? "").includes("Not tried again")
      if (may && !explained)
        report(row.id, invariant, `it failed with ${row.max_retries} attempts left, and there is no next one`)
      if (row.retried_by !== null) report(row.id, invariant, `its next attempt ${row.retried_by} is not stored`)
      continue
    }
    if (row.status !== "failed") report(row.id, invariant, `it is ${row.status}, and was tried again`)
    if (next.retry_of !== row.id) {
      report(
        row.id,
        invariant,
        `it names ${row.retried_by} as its next attempt, which is ${next.id} after ${next.retry_of}`
      )
    }
    if (next.root_id !== (root ?? first.id))
      report(next.id, invariant, `its first attempt is said to be ${next.root_id}, it is ${root ?? first.id}`)
    if (next.not_before === null) report(next.id, invariant, "there is no pause before it")
  }
}

const continuations: Readonly<Record<ResubmitPlan["how"], ReadonlyArray<string>>> = {
  retry: ["retry", "session"],
  resume: ["session", "checkpoint"],
  fresh: ["checkpoint"]
}

/** `byHand` are the tasks of one submission that retry or resume another because a client asked for it. */
export const checkResubmit = (
  again: ResubmitPlan | null,
  told: ChangeOutcome | undefined,
  byHand: ReadonlyArray<TaskRow>,
  report: Report
): void => {
  const what = "taken up once, or not at all"
  const most = told === undefined || told.outcome === "refused" ? 0 : 1
  if (byHand.length > most) {
    const named = byHand.map(({ id }) => id).join(", ")
    report(byHand[most]?.id ?? "", what, `${named} take it up, and the request was ${told?.outcome ?? "never made"}`)
  }
  if (told?.outcome === "done" && !byHand.some(({ id }) => id === told.id)) {
    report(told.id ?? "", "what was accepted is there", "its id was returned, and it takes up nothing")
  }
  for (const { continuation, id } of byHand) {
    if (again === null || continuation === null || !continuations[again.how].includes(continuation)) {
      report(id, what, `it is a '${continuation}', asked for was ${again?.how ?? "nothing"}`)
    }
  }
}
