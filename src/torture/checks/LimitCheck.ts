/** Compares tasks of accounts with what their agents noted: a limit parks and fails nothing, no step is done or counted twice. */
import { readFileSync } from "node:fs"
import type { Hurt } from "../Chronicle.ts"
import { cappedAmount, isCapped, type LimitPlan, limitedPayers, tokenMicro, tokensOf } from "../load/LimitPlan.ts"
import type { Store, TaskRow } from "../Store.ts"
import type { World } from "../World.ts"
import { budgetInvariant, closedInvariant, placesInvariant, strayLanes } from "./AccountCheck.ts"
import { journalLines } from "./AgentJournal.ts"
import { overtaken, type Park, type Turn, turnInvariant } from "./TurnCheck.ts"

/** A refused task is put back into the queue, and no attempt of it is used up. */
const parkInvariant = "a limit parks, it does not fail"
/** What was done before the limit is not done again after it. */
const stepInvariant = "no step is done twice"
/** What the agents used is in the ledger, whatever was killed. */
const ledgerInvariant = "the ledger has what was used, once"

/** One answer, by the time since the boot of the machine in seconds. */
export interface Step {
  readonly at: number
  readonly number: number
  readonly claim: string
}

/** What the agent of one task noted. */
interface LimitJournal {
  readonly starts: ReadonlyArray<string>
  readonly refused: ReadonlyArray<string>
  readonly steps: ReadonlyArray<Step>
  readonly ended: boolean
}

/** What the ledger has of one task. */
export interface Counted {
  readonly tokens: number
  readonly micro: number
}

export interface LimitedTask {
  readonly plan: LimitPlan
  readonly row: Pick<TaskRow, "id" | "status" | "cause" | "attempt" | "retried_by"> & { readonly parks: number }
  readonly claims: ReadonlyArray<Turn>
  readonly parks: ReadonlyArray<Park>
  readonly journal: LimitJournal
  readonly counted: Counted
  readonly hurts: ReadonlySet<Hurt>
  /** Its agent may have been started under a limit on the size of files. */
  readonly limited: boolean
}

type Problem = readonly [invariant: string, detail: string]

const explained = ({ hurts, limited }: LimitedTask): ReadonlyArray<string> => [
  ...(hurts.has("agent") || limited ? ["failed signal"] : []),
  ...(hurts.has("shim") || hurts.has("reboot") ? ["failed owner-lost"] : [])
]

/** The last answer of an agent that was killed may have been noted and not printed. */
const ledgerProblems = ({ counted, hurts, journal, limited, plan }: LimitedTask): ReadonlyArray<Problem> => {
  const each = tokensOf(plan)
  const used = journal.steps.length * each
  const missing = used - counted.tokens
  const mayMiss = hurts.size > 0 || limited
  const isRight = missing === 0 || (missing === each && mayMiss)
  return isRight && counted.micro === counted.tokens * tokenMicro
    ? []
    : [
        [
          ledgerInvariant,
          `its agent used ${used} tokens, the ledger has ${counted.tokens} at ${counted.micro} millionths of a dollar`
        ]
      ]
}

export const limitProblems = (task: LimitedTask): ReadonlyArray<Problem> => {
  const { claims, journal, parks, plan, row } = task
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
  const released = (how: Turn["released"]) => claims.filter((claim) => claim.released === how).map(({ id }) => id)
  const parked = new Set(parks.map(({ claim_id }) => claim_id))
  if (released("parked").length !== parked.size || !released("parked").every((id) => parked.has(id))) {
    problems.push([
      parkInvariant,
      `claims ${released("parked").join(", ")} were parked, ${[...parked].join(", ")} are on record`
    ])
  }
  for (const id of journal.starts.filter((start) => !claims.some((claim) => claim.id === start))) {
    problems.push(["a claim comes before the process", `its agent ran under claim ${id}`])
  }
  for (const id of released("requeued").filter((claim) => journal.starts.includes(claim))) {
    problems.push(["what was started is never put back", `claim ${id} was put back after its agent had started`])
  }
  if (journal.starts.length > 1 + parks.length || new Set(journal.starts).size !== journal.starts.length) {
    problems.push(["an agent starts at most once", `${journal.starts.length} starts after ${parks.length} parks`])
  }
  const steps = journal.steps.map(({ number }) => number)
  if (new Set(steps).size !== steps.length) problems.push([stepInvariant, `its steps were ${steps.join(", ")}`])
  if (row.status === "completed" && (!journal.ended || journal.steps.length !== plan.steps)) {
    problems.push(["success is proven", `completed after ${journal.steps.length} of ${plan.steps} steps`])
  }
  return [...problems, ...ledgerProblems(task)]
}

/** Claims of the account in a time in which it was known to be closed. */
export const closedStarts = (
  claims: ReadonlyArray<{ readonly id: string; readonly at: number }>,
  parks: ReadonlyArray<Park>
): ReadonlyArray<string> =>
  claims
    .filter(({ at }) => parks.some((park) => park.resets_at !== null && at > park.at && at < park.resets_at))
    .map(({ id }) => id)

/** A claim of an account: from when to when it was held. */
type HeldClaim = Pick<Turn, "id" | "at" | "until">

/** What two clocks may differ by, in milliseconds. */
const clockMs = 50

/**
 * Claims that were made next to another one since a limit had ended, and before any answer. `served` are the answers. A park that
 * was recorded only after the limit had ended closed nothing. What was running when the limit was met does not ask.
 */
export const earlyClaims = (
  claims: ReadonlyArray<HeldClaim>,
  parks: ReadonlyArray<Park>,
  served: ReadonlyArray<{ readonly at: number; readonly claim: string }>
): ReadonlyArray<string> => {
  const madeAt = new Map(claims.map(({ at, id }) => [id, at]))
  return parks.flatMap((park) => {
    const opens = park.resets_at
    if (opens === null || park.at >= opens) return []
    const first = Math.min(...served.filter(({ claim }) => (madeAt.get(claim) ?? 0) >= park.at).map(({ at }) => at))
    return claims
      .filter(({ at }) => at >= opens && at < first - clockMs)
      .filter(({ at, id }) =>
        claims.some((one) => one.id !== id && one.at >= park.at && one.at <= at && one.until !== null && one.until > at)
      )
      .map(({ id }) => id)
  })
}

/** A claim that counts against the budget: what it cost, and what was seen to be reserved for it. */
interface CappedCost {
  readonly cost: number
  readonly reserve: number
}

/** A running task is not ended: it may exceed what was reserved for it. */
export const overspent = (claims: ReadonlyArray<CappedCost>): string | null => {
  const spent = claims.reduce((sum, { cost }) => sum + cost, 0)
  const most = cappedAmount + claims.reduce((sum, { cost, reserve }) => sum + Math.max(0, cost - reserve), 0)
  return spent <= most ? null : `${spent} tokens were spent of ${cappedAmount}, and at most ${most} can be explained`
}

/** The time since the boot at which the clock on the wall showed 0, in milliseconds. */
const bootTime = (): number => Date.now() - Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000

const journalOf = (root: string, key: string): LimitJournal => {
  const written = journalLines(root, key).map((line) => line.split(" "))
  const lines = written.map((words) => words.slice(2))
  const all = (name: string) => lines.flatMap(([word, given]) => (word === name && given !== undefined ? [given] : []))
  return {
    starts: all("start"),
    refused: all("refused"),
    steps: written.flatMap(([at, , word, number, claim]) =>
      word === "step" && claim !== undefined ? [{ at: Number(at), number: Number(number), claim }] : []
    ),
    ended: all("end").length > 0
  }
}

/** The claims of one task in order, each with the time at which it was given up, where that is on record. */
const turnsOf = (store: Store, row: TaskRow): ReadonlyArray<Turn> => {
  const held = store.rows<Turn>(
    "SELECT claim_id AS id, claimed_at AS at, released_at AS until, released FROM claim_history WHERE task_id = ? ORDER BY n",
    row.id
  )
  return held.map((turn, index) => ({
    ...turn,
    until: turn.until ?? (index === held.length - 1 ? row.ended_at : null)
  }))
}

interface Found {
  readonly plan: LimitPlan
  readonly row: TaskRow
  readonly parks: ReadonlyArray<Park>
  readonly claims: ReadonlyArray<Turn>
  readonly journal: LimitJournal
}

const checkTask = (plan: LimitPlan, row: TaskRow & { parks: number }, store: Store, world: World): Found => {
  const { chronicle, root } = world
  const parks = store.rows<Park>("SELECT claim_id, at, resets_at FROM parks WHERE task_id = ? ORDER BY n", row.id)
  const journal = journalOf(root, plan.key)
  const counted = store.one<Counted>(
    "SELECT coalesce(sum(input_tokens), 0) AS tokens, coalesce(sum(cost_micro), 0) AS micro FROM ledger WHERE task_id = ?",
    row.id
  )
  const claims = turnsOf(store, row)
  const problems = limitProblems({
    plan,
    row,
    claims,
    parks,
    journal,
    counted: counted ?? { tokens: 0, micro: 0 },
    hurts: chronicle.hurts.get(row.id) ?? new Set(),
    limited: (chronicle.faults["limited-worker"] ?? 0) > 0
  })
  for (const [invariant, detail] of problems) chronicle.breach(invariant, row.id, detail)
  return { plan, row, parks, claims, journal }
}

export const checkLimits = (plans: ReadonlyArray<LimitPlan>, store: Store, world: World): void => {
  const { chronicle } = world
  const found: Array<Found> = []
  for (const plan of plans) {
    const rows = store.rows<TaskRow & { parks: number }>("SELECT * FROM tasks WHERE idempotency_key = ?", plan.key)
    const [row] = rows
    if (rows.length > 1) chronicle.breach("one key, one task", plan.key, `${rows.length} tasks`)
    if (row !== undefined) found.push(checkTask(plan, row, store, world))
  }
  const queued = found
    .filter(({ plan }) => !isCapped(plan))
    .map(({ claims, parks, plan, row }) => ({
      task: row.id,
      seq: row.seq,
      account: plan.payer,
      endedAt: row.ended_at,
      failed: row.status === "failed",
      turns: claims,
      parks
    }))
  for (const problem of overtaken(queued)) chronicle.breach(turnInvariant, null, problem)
  const boot = bootTime()
  for (const payer of limitedPayers) {
    const own = found.filter(({ plan }) => plan.payer === payer)
    const parks = own.flatMap((one) => one.parks)
    const claims = own.flatMap((one) => one.claims)
    const served = own.flatMap(({ journal }) => journal.steps.map(({ at, claim }) => ({ at: boot + at * 1000, claim })))
    for (const claim of closedStarts(claims, parks)) {
      chronicle.breach(closedInvariant, null, `claim ${claim} was made while account ${payer} was known to be closed`)
    }
    for (const claim of new Set(earlyClaims(claims, parks, served))) {
      chronicle.breach(placesInvariant, null, `claim ${claim} of account ${payer} was made before the first answer`)
    }
  }
  const capped = found
    .filter(({ plan }) => isCapped(plan))
    .flatMap(({ claims, journal, plan }) =>
      claims
        .filter(({ at }) => chronicle.raisedAt === null || at < chronicle.raisedAt)
        .map(({ id }) => ({
          cost: journal.steps.filter(({ claim }) => claim === id).length * tokensOf(plan),
          reserve: chronicle.reserves.get(id) ?? 0
        }))
    )
  const over = overspent(capped)
  if (over !== null) chronicle.breach(budgetInvariant, null, over)
  for (const problem of strayLanes(store)) chronicle.breach(closedInvariant, null, problem)
}
