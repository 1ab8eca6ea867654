/** Holds one task against its plan, its agent's journal and what was done to it. */

import type { Hurt } from "../Chronicle.ts"
import { expectedBytes } from "../load/Script.ts"
import type { TaskPlan } from "../load/TaskPlan.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"
import { submitUmask } from "../World.ts"
import type { AgentJournal } from "./AgentJournal.ts"
import type { Edge } from "./EdgeCheck.ts"
import { editInvariant } from "./EditCheck.ts"
import { type Emptied, emptiedProblem, printedBefore } from "./EmptiedCheck.ts"

interface Subject {
  /** As it is stored: edits are in it. */
  readonly plan: TaskPlan
  readonly row: TaskRow
  readonly journal: AgentJournal
  readonly hurts: ReadonlySet<Hurt>
  readonly edges: ReadonlyArray<Edge>
  /** Its claims, in order. */
  readonly claims: ReadonlyArray<Claimed>
  /** Where the file behind its stdout was emptied. */
  readonly emptied: Emptied | undefined
}

interface Claimed {
  readonly id: string
  readonly at: number
}

type Report = (invariant: string, detail: string) => void

/** How an agent of this kind ends when nothing is done to it. */
const naturalEnds = ({ plan }: Subject): ReadonlyArray<string> => {
  switch (plan.behaviour) {
    case "suicide":
      return ["failed signal"]
    case "sleeper":
    case "stubborn":
      return ["failed timeout"]
    case "silent":
      return ["failed stalled", "failed timeout"]
    case "listener":
      return [plan.exitCode === 0 ? "completed exit" : "failed exit", "failed timeout"]
    case "claude-ok":
      return ["completed exit"]
    case "claude-error":
    case "claude-cut":
      return ["failed agent-error"]
    default:
      return [plan.exitCode === 0 ? "completed exit" : "failed exit"]
  }
}

/** The ends that what was done to it can explain. */
const explainedEnds = ({ edges, hurts, journal, plan }: Subject): ReadonlyArray<string> => [
  // A stopped worker enforces no timeout: the agent may end before it.
  ...(hurts.has("stop") ? [plan.exitCode === 0 ? "completed exit" : "failed exit"] : []),
  ...(hurts.has("agent") || journal.starts.some(({ limited }) => limited) ? ["failed signal"] : []),
  ...(hurts.has("shim") || hurts.has("reboot") ? ["failed owner-lost"] : []),
  ...(hurts.has("cancel") ? ["cancelled cancelled"] : []),
  ...(edges.some(({ state }) => state === "unmet") ? ["cancelled dependency-failed"] : [])
]

/** The agent may have begun so long before its start was on record, in milliseconds. */
const earlyMs = 500

const checkEnd = (subject: Subject, report: Report): void => {
  const { journal, plan, row } = subject
  const found = `${row.status} ${row.cause}`
  const allowed = [...naturalEnds(subject), ...explainedEnds(subject)]
  if (!allowed.includes(found)) {
    report("the end agrees with what happened", `it is '${found}'; what happened allows ${allowed.join(", ")}`)
  }
  const code = journal.ends[0]
  if (row.cause === "exit" && row.exit_code !== plan.exitCode) {
    report("the end agrees with what happened", `exit code ${row.exit_code}, the agent left with ${plan.exitCode}`)
  }
  if ((row.cause === "exit" || row.cause === "agent-error") && code !== plan.exitCode) {
    report("success is proven", `it exited as '${found}', its journal has no such end`)
  }
  if (
    row.status === "completed" &&
    (code !== 0 || plan.behaviour === "claude-error" || plan.behaviour === "claude-cut")
  ) {
    report(
      "success is proven",
      `completed, but the agent left with ${code ?? "nothing"} and speaks '${plan.behaviour}'`
    )
  }
  const least = row.cause === "timeout" ? plan.timeoutMs : row.cause === "stalled" ? plan.stallMs : null
  const had = (row.ended_at ?? 0) - (row.started_at ?? 0)
  if (least !== null && had < least - earlyMs) {
    report("nothing ends before its time", `it is '${found}' after ${had} ms, it may take ${least}`)
  }
  if (row.cause === "cancelled" && row.cancel_requested_at === null) {
    report("the end agrees with what happened", "cancelled without a request on record")
  }
}

const checkStarts = ({ claims: claimed, journal, plan, row }: Subject, report: Report): void => {
  const claims = claimed.map(({ id }) => id)
  const [start, ...again] = journal.starts
  if (again.length > 0) {
    const named = journal.starts.map(({ claim }) => claim).join(", ")
    report("an agent starts at most once", `${journal.starts.length} starts, of the claims ${named}`)
  }
  if (start === undefined) return
  const asked = `${plan.lines} ${plan.exitCode}`
  if (start.asked !== asked) report(editInvariant, `its agent was asked for '${start.asked}', stored is '${asked}'`)
  if (start.umask !== submitUmask) {
    report("a task runs as it was submitted", `its umask is ${start.umask}, that of the submit is ${submitUmask}`)
  }
  if (!claims.includes(start.claim)) report("a claim comes before the process", `claim ${start.claim} is not on record`)
  else if (row.status !== "queued" && claims.length > 1 && claims.at(-1) !== start.claim) {
    report("what was started is never put back", `claim ${start.claim} had started and is not the last one`)
  }
}

interface Chunk {
  readonly offset: number
  readonly bytes: Buffer
}

interface Stream {
  readonly size: number
  readonly stored: number
  readonly dropped: number
  readonly dropped_at: number | null
}

/** How often the file behind stdout was emptied: by the agent itself, and by others. */
const emptiedIn = ({ emptied, plan }: Subject): (Emptied & { readonly lines: number | null }) | undefined => {
  if (plan.behaviour !== "emptier") return emptied === undefined ? undefined : { ...emptied, lines: null }
  const { times, uptime } = emptied ?? { times: 0, uptime: 0 }
  return { times: times + 1, uptime, lines: times === 0 ? Math.floor(plan.lines / 2) : null }
}

const checkStream = (subject: Subject, stream: "stdout" | "stderr", store: Store, report: Report): number => {
  const { journal, plan, row } = subject
  const invariant = "every byte is stored, in order"
  const state = store.one<Stream>("SELECT * FROM task_streams WHERE task_id = ? AND stream = ?", row.id, stream)
  const size = state?.size ?? 0
  const whole = expectedBytes(plan, stream, plan.lines, true)
  const finished = journal.ends.length > 0 || row.cause === "exit" || row.cause === "agent-error"
  const least = finished ? whole.length : expectedBytes(plan, stream, journal.printed, false).length
  const emptied = stream === "stdout" ? emptiedIn(subject) : undefined
  const limited = journal.starts.some((start) => start.limited)
  if (journal.starts.length === 0 && size > 0) report(invariant, `${size} bytes of ${stream}, and it never started`)
  if (size > whole.length) report(invariant, `${stream} has ${size} bytes, the agent prints ${whole.length}`)
  // Under a limit on the size of files the agent itself is cut off.
  if (journal.starts.length > 0 && size < least && !limited && emptied === undefined) {
    report(invariant, `${stream} has ${size} bytes, the agent had printed at least ${least}`)
  }
  if (state === undefined) return 0
  if (state.stored > row.max_output_bytes) report(invariant, `${stream} keeps ${state.stored}, over the limit`)

  const from = state.dropped_at ?? 0
  const to = from + state.dropped
  let reached = 0
  const stored: Array<Buffer> = []
  for (const chunk of store.rows<Chunk>(
    'SELECT "offset", bytes FROM task_output WHERE task_id = ? AND stream = ? ORDER BY seq',
    row.id,
    stream
  )) {
    if (state.dropped > 0 && reached === from) reached = to
    const begin = Math.max(chunk.offset, state.dropped > 0 && chunk.offset >= from && chunk.offset < to ? to : 0)
    const bytes = chunk.bytes.subarray(begin - chunk.offset)
    if (begin !== reached) report(invariant, `${stream}: after byte ${reached} comes byte ${begin}`)
    stored.push(bytes)
    if (emptied === undefined && !whole.subarray(begin, begin + bytes.length).equals(bytes)) {
      report(invariant, `${stream}: the ${bytes.length} bytes from ${begin} are not what was printed`)
    }
    reached = begin + bytes.length
  }
  if (state.dropped > 0 && reached === from) reached = to
  if (reached !== size) report(invariant, `${stream}: ${reached} of ${size} bytes are there`)
  if (emptied !== undefined && state.dropped === 0 && !limited) {
    const before = emptied.lines ?? printedBefore(journal.progress, emptied)
    const problem = emptiedProblem({
      stored: Buffer.concat(stored),
      whole,
      after: before === null ? 0 : whole.length - expectedBytes(plan, stream, before, false).length,
      finished: journal.ends.length > 0,
      times: emptied.times
    })
    if (problem !== null) report(invariant, `${stream}: ${problem}`)
  }
  return state.stored
}

/** Everything that concerns this one task; how many bytes were compared. */
export const checkTask = (subject: Subject, store: Store, report: Report): number => {
  const { row } = subject
  if (!ended(row)) report("every task ends", `it is ${row.status}`)
  else checkEnd(subject, report)
  checkStarts(subject, report)
  return checkStream(subject, "stdout", store, report) + checkStream(subject, "stderr", store, report)
}
