/** Compares parked tasks with what their agents noted: a limit parks, fails nothing, and no step is done twice. */
import type { Hurt } from "../Chronicle.ts"
import type { LimitPlan } from "../load/LimitPlan.ts"
import type { Store, TaskRow } from "../Store.ts"
import type { World } from "../World.ts"
import { journalLines } from "./AgentJournal.ts"

/** A refused task is put back into the queue, and no attempt of it is used up. */
const parkInvariant = "a limit parks, it does not fail"
/** While an account is known to be closed, nothing of it is started. */
const closedInvariant = "a closed limit starts nothing"
/** What was done before the limit is not done again after it. */
const stepInvariant = "no step is done twice"

export interface Park {
  readonly claim_id: string
  readonly at: number
  readonly resets_at: number | null
}

/** What the agent of one task noted. */
interface LimitJournal {
  readonly starts: ReadonlyArray<string>
  readonly refused: ReadonlyArray<string>
  readonly steps: ReadonlyArray<number>
  readonly ended: boolean
}

export interface LimitedTask {
  readonly plan: LimitPlan
  readonly row: Pick<TaskRow, "id" | "status" | "cause" | "attempt" | "retried_by"> & { readonly parks: number }
  readonly parks: ReadonlyArray<Park>
  readonly journal: LimitJournal
  readonly hurts: ReadonlySet<Hurt>
  /** Its agent may have been started under a limit on the size of files. */
  readonly limited: boolean
}

type Problem = readonly [invariant: string, detail: string]

const explained = ({ hurts, limited }: LimitedTask): ReadonlyArray<string> => [
  ...(hurts.has("agent") || limited ? ["failed signal"] : []),
  ...(hurts.has("shim") || hurts.has("reboot") ? ["failed owner-lost"] : [])
]

export const limitProblems = (task: LimitedTask): ReadonlyArray<Problem> => {
  const { journal, parks, plan, row } = task
  const problems: Array<Problem> = []
  const found = `${row.status} ${row.cause}`
  if (!["completed exit", ...explained(task)].includes(found)) {
    problems.push([parkInvariant, `it is '${found}' after ${journal.refused.length} refusals`])
  }
  if (row.attempt !== 1 || row.retried_by !== null) problems.push([parkInvariant, `it used up an attempt`])
  if (row.parks !== parks.length)
    problems.push([parkInvariant, `it was parked ${row.parks} times, ${parks.length} are on record`])
  for (const { claim_id } of parks) {
    if (!journal.refused.includes(claim_id))
      problems.push([parkInvariant, `claim ${claim_id} was parked and not refused`])
  }
  const lost = journal.refused.filter((claim) => !parks.some(({ claim_id }) => claim_id === claim))
  if (lost.length > (task.hurts.size > 0 ? 1 : 0))
    problems.push([parkInvariant, `refused and not parked: ${lost.join(", ")}`])
  if (journal.starts.length > 1 + parks.length || new Set(journal.starts).size !== journal.starts.length) {
    problems.push(["an agent starts at most once", `${journal.starts.length} starts after ${parks.length} parks`])
  }
  if (new Set(journal.steps).size !== journal.steps.length) {
    problems.push([stepInvariant, `its steps were ${journal.steps.join(", ")}`])
  }
  if (row.status === "completed" && (!journal.ended || journal.steps.length !== plan.steps)) {
    problems.push(["success is proven", `completed after ${journal.steps.length} of ${plan.steps} steps`])
  }
  return problems
}

/** Claims of the account in a time in which it was known to be closed. */
export const closedStarts = (
  claims: ReadonlyArray<{ readonly id: string; readonly at: number }>,
  parks: ReadonlyArray<Park>
): ReadonlyArray<string> =>
  claims
    .filter(({ at }) => parks.some((park) => park.resets_at !== null && at > park.at && at < park.resets_at))
    .map(({ id }) => id)

const journalOf = (root: string, key: string): LimitJournal => {
  const lines = journalLines(root, key).map((line) => line.split(" ").slice(2))
  const all = (name: string) => lines.flatMap(([word, given]) => (word === name && given !== undefined ? [given] : []))
  return {
    starts: all("start"),
    refused: all("refused"),
    steps: all("step").map(Number),
    ended: all("end").length > 0
  }
}

export const checkLimits = (plans: ReadonlyArray<LimitPlan>, store: Store, { chronicle, root }: World): void => {
  const parks: Array<Park> = []
  const claims: Array<{ id: string; at: number }> = []
  for (const plan of plans) {
    const rows = store.rows<TaskRow & { parks: number }>("SELECT * FROM tasks WHERE idempotency_key = ?", plan.key)
    const [row] = rows
    if (rows.length > 1) chronicle.breach("one key, one task", plan.key, `${rows.length} tasks`)
    if (row === undefined) continue
    const own = store.rows<Park>("SELECT claim_id, at, resets_at FROM parks WHERE task_id = ? ORDER BY n", row.id)
    parks.push(...own)
    const held = store.rows<{ claim_id: string; claimed_at: number }>(
      "SELECT claim_id, claimed_at FROM claim_history WHERE task_id = ?",
      row.id
    )
    claims.push(...held.map(({ claim_id, claimed_at }) => ({ id: claim_id, at: claimed_at })))
    const problems = limitProblems({
      plan,
      row,
      parks: own,
      journal: journalOf(root, plan.key),
      hurts: chronicle.hurts.get(row.id) ?? new Set(),
      limited: (chronicle.faults["limited-worker"] ?? 0) > 0
    })
    for (const [invariant, detail] of problems) chronicle.breach(invariant, row.id, detail)
  }
  for (const claim of closedStarts(claims, parks)) {
    chronicle.breach(closedInvariant, null, `claim ${claim} was made while the account was known to be closed`)
  }
  const strays = store.rows<{ id: number }>(`
    SELECT id FROM lanes WHERE opens_at > 0 AND NOT EXISTS (
      SELECT 1 FROM windows WHERE windows.account = lanes.account AND windows.name = lanes."window"
    )
  `)
  for (const { id } of strays) chronicle.breach(closedInvariant, null, `no row says why lane ${id} is closed`)
}
