/** The checker of the torture run: what it lets pass, and what it reports of edits and of work that is taken up again. */
import { assert, describe, it } from "vitest"
import type { ChangeOutcome } from "../../src/torture/Chronicle.ts"
import { checkEdit, type Stored, versionOf } from "../../src/torture/checks/EditCheck.ts"
import { attemptsAmong, checkAttempts, checkResubmit } from "../../src/torture/checks/RetryCheck.ts"
import { promptOf, wordsIn, wordsOf } from "../../src/torture/load/Script.ts"
import { edited, type TaskPlan } from "../../src/torture/load/TaskPlan.ts"
import { makePlan } from "../../src/torture/Plan.ts"
import type { TaskRow } from "../../src/torture/Store.ts"

const planned = makePlan(1, 60_000).tasks.find(({ edit }) => edit !== null)
if (planned === undefined || planned.edit === null) throw new Error("no edit is planned")
const plan: TaskPlan = planned
const after = edited(plan, planned.edit)

const row = (id: string, more: Partial<TaskRow> = {}): TaskRow => ({
  seq: 1,
  id,
  status: "failed",
  cause: "exit",
  exit_code: 1,
  signal: null,
  idempotency_key: null,
  priority: plan.priority,
  labels: "{}",
  max_output_bytes: 1,
  started_at: 1,
  ended_at: 2,
  cancel_requested_at: null,
  not_before: null,
  error: null,
  attempt: 1,
  retry_of: null,
  retried_by: null,
  root_id: null,
  continuation: null,
  continue_from: null,
  max_retries: 0,
  backoff_ms: 0,
  waiting_on: 0,
  created_at: 0,
  ...more
})

const first = (id: string, more: Partial<TaskRow> = {}): Stored => ({
  row: row(id, more),
  words: wordsOf(plan),
  labelled: false
})

const changed = (id: string, more: Partial<TaskRow> = {}): Stored => ({
  row: row(id, { priority: after.priority, labels: '{"edited":"yes"}', ...more }),
  words: wordsOf(after),
  labelled: true
})

const told = (outcome: ChangeOutcome["outcome"], id: string | null = null): ChangeOutcome => ({ outcome, id })

const reportsOf = (answer: ChangeOutcome | undefined, tasks: ReadonlyArray<Stored>): ReadonlyArray<string> => {
  const reports: Array<string> = []
  checkEdit(plan, answer, tasks, (task, detail) => reports.push(`${task}: ${detail}`))
  return reports
}

describe("the check of edits", () => {
  it("passes what was answered, refused, or killed with or without a trace", () => {
    assert.isEmpty(reportsOf(undefined, [first("a")]))
    assert.isEmpty(reportsOf(told("done", "a"), [changed("a")]))
    assert.isEmpty(reportsOf(told("refused"), [first("a")]))
    assert.isEmpty(reportsOf(told("unsure"), [first("a")]))
    assert.isEmpty(reportsOf(told("unsure"), [changed("a")]))
  })

  it("lets an edit of a later attempt pass, and what follows from it", () => {
    assert.isEmpty(reportsOf(told("done", "b"), [first("a"), changed("b", { retry_of: "a" })]))
    assert.isEmpty(reportsOf(told("done", "a"), [changed("a"), changed("b", { retry_of: "a" })]))
  })

  it("reports one that was confirmed and is not there, refused and there, or there unasked", () => {
    assert.lengthOf(reportsOf(told("done", "a"), [first("a")]), 1)
    assert.lengthOf(reportsOf(told("done", "a"), [first("a"), changed("b", { retry_of: "a" })]), 1)
    assert.lengthOf(reportsOf(told("refused"), [changed("a")]), 1)
    assert.lengthOf(reportsOf(undefined, [changed("a")]), 1)
  })

  it("reports half an edit, one that a retry has lost, and words that no request asked for", () => {
    assert.lengthOf(reportsOf(told("unsure"), [changed("a", { priority: plan.priority })]), 1)
    assert.lengthOf(reportsOf(told("unsure"), [changed("a", { labels: "{}" })]), 1)
    assert.lengthOf(reportsOf(told("unsure"), [{ ...changed("a"), labelled: false }]), 1)
    assert.lengthOf(reportsOf(told("refused"), [{ ...first("a"), labelled: true }]), 1)
    assert.lengthOf(reportsOf(told("done", "a"), [changed("a"), first("b", { retry_of: "a" })]), 1)
    assert.include(reportsOf(undefined, [{ ...first("a"), words: `${plan.key} lines 1 0 99` }])[0] ?? "", "no request")
  })

  it("finds the words of a prompt among context from other tasks", () => {
    const prompt = promptOf(plan, "/scratch")
    assert.strictEqual(wordsIn(prompt), wordsOf(plan))
    assert.strictEqual(wordsIn(`# ${prompt}\n# t99 lines 1 0 0 it printed\n${prompt}`), wordsOf(plan))
    assert.isNull(wordsIn("Go on with this work"))
    assert.strictEqual(versionOf(plan, wordsOf(after))?.exitCode, after.exitCode)
  })
})

const triesReports = (rows: ReadonlyArray<TaskRow>, retries: number, before?: TaskRow): ReadonlyArray<string> => {
  const reports: Array<string> = []
  for (const tries of attemptsAmong(rows).filter(([one]) => before === undefined || one.retry_of === before.id)) {
    checkAttempts(tries, before, retries, (task, _invariant, detail) => reports.push(`${task}: ${detail}`))
  }
  return reports
}

describe("the check of tries", () => {
  const one = row("a", { retried_by: "b", max_retries: 1 })
  const two = row("b", { attempt: 2, retry_of: "a", root_id: "a", not_before: 5 })

  it("tells automatic retries from work that was taken up by hand", () => {
    const byHand = row("c", { attempt: 2, retry_of: "a", root_id: "a", max_retries: 1, continuation: "retry" })
    const found = attemptsAmong([one, two, byHand])
    assert.deepStrictEqual(
      found.map((tries) => tries.map(({ id }) => id)),
      [["a", "b"], ["c"]]
    )
    assert.isEmpty(triesReports([one, two], 1))
    assert.lengthOf(triesReports([one, two, { ...byHand, status: "completed" }], 1, one), 0)
  })

  it("reports a try too few, and a lineage that is wrong", () => {
    assert.isNotEmpty(triesReports([row("a", { max_retries: 1 })], 1))
    assert.isNotEmpty(triesReports([one, { ...two, root_id: "x" }], 1))
    assert.isNotEmpty(triesReports([one, { ...two, attempt: 3 }], 1))
    const byHand = row("c", { attempt: 1, retry_of: "a", root_id: "a", status: "completed", max_retries: 1 })
    assert.isNotEmpty(triesReports([one, two, byHand], 1, one))
    assert.isNotEmpty(triesReports([one, two, { ...byHand, attempt: 2, root_id: null }], 1, one))
  })
})

describe("the check of what is taken up by hand", () => {
  const again = { how: "fresh", trouble: null } as const
  const reports = (answer: ChangeOutcome | undefined, rows: ReadonlyArray<TaskRow>): ReadonlyArray<string> => {
    const found: Array<string> = []
    checkResubmit(again, answer, rows, (task, invariant, detail) => found.push(`${task} ${invariant}: ${detail}`))
    return found
  }
  const taken = row("b", { retry_of: "a", continuation: "checkpoint" })

  it("passes once, and not at all where the answer never came", () => {
    assert.isEmpty(reports(told("done", "b"), [taken]))
    assert.isEmpty(reports(told("unsure"), [taken]))
    assert.isEmpty(reports(told("unsure"), []))
    assert.isEmpty(reports(undefined, []))
  })

  it("reports it twice, unasked, lost, or of another kind", () => {
    assert.isNotEmpty(reports(told("done", "b"), [taken, { ...taken, id: "c" }]))
    assert.isNotEmpty(reports(undefined, [taken]))
    assert.isNotEmpty(reports(told("refused"), [taken]))
    assert.isNotEmpty(reports(told("done", "b"), []))
    assert.isNotEmpty(reports(told("done", "b"), [{ ...taken, continuation: "retry" }]))
  })
})
