/** Recomputes each loop from its tasks: verdicts, scores, what was kept, where each round started, and how the loop ended. */

import type { LoopPlan } from "../load/LoopPlan.ts"
import { countedFile, git } from "../load/Repository.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"
import type { World } from "../World.ts"
import { readJournal } from "./AgentJournal.ts"

const loopInvariant = "a loop is what its rounds say"

export interface LoopRow {
  readonly id: string
  readonly status: string
  readonly round: number
  readonly best_round: number | null
  readonly best_score: number | null
  readonly cancel_requested_at: number | null
}

export interface Round {
  readonly round: number
  readonly verdict: string | null
  readonly score: number | null
  readonly kept: number
  readonly start_commit: string | null
  readonly commit: string | null
  readonly files: number | null
  readonly feedback: string | null
  readonly work_error: string | null
}

/** The tasks of a round in order: the work, and the evaluation with the last line that it printed. */
interface RoundTasks {
  readonly work: Pick<TaskRow, "id" | "status">
  readonly evaluation: Pick<TaskRow, "id" | "status" | "cause">
  readonly printed: string
}

type Judged = Round & RoundTasks

/** What the evaluation says, by how it ended and what it printed. */
const verdictOf = ({ kind }: LoopPlan, { evaluation: { cause, status }, printed }: RoundTasks) => {
  if (kind === "until") {
    const saysNo = status === "failed" && cause === "exit"
    return { verdict: status === "completed" ? "pass" : saysNo ? "fail" : "error", score: null }
  }
  const score = status === "completed" && /^\d+$/.test(printed) ? Number(printed) : null
  return { verdict: score === null ? "error" : "pass", score }
}

const isSame = (rounds: ReadonlyArray<Judged>, count: number, test: (round: Judged) => boolean): boolean =>
  rounds.length >= count && rounds.slice(-count).every(test)

/** How the loop ends after these rounds; null where another one follows. */
const endAfter = (plan: LoopPlan, rounds: ReadonlyArray<Judged>, newest: Judged, kept: boolean): string | null => {
  if (plan.kind === "until" && newest.verdict === "pass") return "passed"
  if (plan.kind === "score" && kept && (newest.score ?? 0) >= plan.lines) return "target"
  if (isSame(rounds, 3, ({ work_error }) => work_error !== null)) return "failed"
  if (newest.round >= plan.maxRounds) return "exhausted"
  if (isSame(rounds, 2, ({ files }) => files === 0)) return "stale"
  const isRepeated = ({ feedback, verdict }: Judged) =>
    verdict !== "pass" && (feedback ?? "").trim() !== "" && feedback === newest.feedback
  return isSame(rounds, 3, isRepeated) ? "stale" : null
}

/** Everything that the rows alone contradict. */
export const loopProblems = (plan: LoopPlan, loop: LoopRow, rounds: ReadonlyArray<Judged>): ReadonlyArray<string> => {
  const problems: Array<string> = []
  let best: Judged | null = null
  for (const [index, round] of rounds.entries()) {
    const named = `round ${index + 1}`
    const before = rounds.slice(0, index + 1)
    if (round.round !== index + 1) problems.push(`${named} has the number ${round.round}`)
    const start: string | null = index === 0 ? null : (best?.commit ?? rounds[0]?.start_commit ?? null)
    if (round.start_commit !== start) problems.push(`${named} starts from ${round.start_commit}, not from ${start}`)
    const { score, verdict } = verdictOf(plan, round)
    if (round.verdict !== verdict || round.score !== score) {
      problems.push(`${named} is ${round.verdict} with ${round.score}; its evaluation says ${verdict} with ${score}`)
    }
    const failed = round.work.status !== "completed"
    if (failed !== (round.work_error !== null))
      problems.push(`${named}: the work is ${round.work.status}, noted is ${round.work_error}`)
    const isBetter = plan.kind === "until" || (score !== null && score > (best?.score ?? -1))
    const kept = round.commit !== null && isBetter
    if ((round.kept === 1) !== kept) problems.push(`${named} is ${kept ? "to be kept, and is not" : "kept"}`)
    if (kept) best = round
    const cancelled = loop.cancel_requested_at !== null
    const end = endAfter(plan, before, round, kept)
    const isLast = index === rounds.length - 1
    if (!isLast && end !== null) problems.push(`it is ${end} after ${named}, and there is another`)
    if (isLast && !cancelled && loop.status !== (end ?? "running")) {
      problems.push(`it is ${loop.status}; after ${named} it is ${end ?? "running"}`)
    }
    if (isLast && cancelled && loop.status !== "cancelled" && loop.status !== end) {
      problems.push(`it is ${loop.status}, and was cancelled`)
    }
  }
  if (loop.round !== rounds.length) problems.push(`${rounds.length} rounds are stored of ${loop.round}`)
  if (loop.best_round !== (best?.round ?? null))
    problems.push(`its best round is ${loop.best_round}, not ${best?.round ?? null}`)
  return problems
}

const linesAt = (repository: string, commit: string): number | null =>
  git(repository, "show", `${commit}:${countedFile}`)?.split("\n").filter(Boolean).length ?? null

type Report = (invariant: string, detail: string) => void

/** What each round left is a commit in the user's repository, with a line more than it started from. */
const checkCommits = (
  repository: string,
  rounds: ReadonlyArray<Judged>,
  started: (task: string) => boolean,
  report: Report
): void => {
  for (const { commit, round, start_commit, work } of rounds) {
    if (commit === null) continue
    const before = linesAt(repository, start_commit ?? "main")
    const after = linesAt(repository, commit)
    if (before === null || after === null) {
      report("what an agent left is sealed", `the commit of round ${round} is not in the repository`)
    } else if (after - before > 1 || after - before < (started(work.id) ? 1 : 0)) {
      report("what an agent left is sealed", `round ${round} has ${after} lines, it started from ${before}`)
    }
  }
}

const loopsOf = (store: Store, id: string): ReadonlyArray<Judged> =>
  store
    .rows<Round>("SELECT * FROM loop_rounds WHERE loop_id = ? ORDER BY round", id)
    .flatMap((round): ReadonlyArray<Judged> => {
      const tasks = store
        .rows<{ task_id: string }>(
          "SELECT task_id FROM loop_round_tasks WHERE loop_id = ? AND round = ? ORDER BY position",
          id,
          round.round
        )
        .flatMap(({ task_id }) => store.task(task_id) ?? [])
      const [work, evaluation] = tasks
      if (work === undefined || evaluation === undefined || tasks.length !== 2) return []
      const printed = store
        .rows<{ bytes: Buffer }>(
          "SELECT bytes FROM task_output WHERE task_id = ? AND stream = 'stdout' ORDER BY seq",
          evaluation.id
        )
        .map(({ bytes }) => bytes.toString())
        .join("")
        .trim()
      return [{ ...round, work, evaluation, printed }]
    })

/** `id` is the loop of this plan. `started` says whether an agent noted its start for a task. */
const checkLoop = (
  plan: LoopPlan,
  loop: LoopRow,
  repository: string,
  store: Store,
  started: (task: string) => boolean,
  report: Report
): void => {
  const rounds = loopsOf(store, loop.id)
  if (loop.status === "running") report("every loop ends", `loop ${loop.id} is running in round ${loop.round}`)
  for (const problem of loopProblems(plan, loop, rounds)) report(loopInvariant, `loop ${loop.id}: ${problem}`)
  for (const { evaluation, work } of rounds) {
    if (!ended(evaluation) || !ended(work)) report("every task ends", `loop ${loop.id} has a task that has not ended`)
  }
  checkCommits(repository, rounds, started, report)
}

/** The loop of this plan, held against its rounds. */
export const checkLoops = (
  plan: LoopPlan,
  works: ReadonlyArray<TaskRow>,
  store: Store,
  { chronicle, repository, root }: World
): void => {
  const found = store.rows<LoopRow>(
    "SELECT DISTINCT loops.* FROM loops JOIN loop_round_tasks ON loop_round_tasks.loop_id = loops.id WHERE task_id IN (SELECT value FROM json_each(?))",
    JSON.stringify(works.map(({ id }) => id))
  )
  const told = chronicle.acceptedLoops.get(plan.key)
  if (told !== undefined && found[0]?.id !== told) {
    chronicle.breach("what was accepted is there", plan.key, `loop ${told} is not stored`)
  }
  if (found.length > 1) chronicle.breach("one key, one task", plan.key, `${found.length} loops`)
  const started = (task: string) => readJournal(root, plan.key, task).starts.length > 0
  for (const loop of repository === null ? [] : found) {
    checkLoop(plan, loop, repository ?? "", store, started, (invariant, detail) =>
      chronicle.breach(invariant, plan.key, detail)
    )
  }
}
