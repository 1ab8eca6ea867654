/** Checks the whole history of a torture run against the invariants, from the database and the journals alone. */
import type { Breach } from "../Chronicle.ts"
import { processesOf } from "../faults/SystemProcesses.ts"
import { childrenOf } from "../load/LeadPlan.ts"
import { checkCommand } from "../load/Merges.ts"
import { keyIn, wordsIn } from "../load/Script.ts"
import type { TaskPlan } from "../load/TaskPlan.ts"
import type { Plan } from "../Plan.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"
import type { World } from "../World.ts"
import { journalLines, readJournal } from "./AgentJournal.ts"
import { checkAnswer } from "./AnswerCheck.ts"
import { checkCheckpoints, checkpointInvariant } from "./CheckpointCheck.ts"
import { checkContinued, checkEdges, edgesOf } from "./EdgeCheck.ts"
import { checkEdit, editInvariant, versionOf } from "./EditCheck.ts"
import { checkHooks } from "./HookCheck.ts"
import { checkLeads } from "./LeadCheck.ts"
import { checkLimits } from "./LimitCheck.ts"
import { checkLoops } from "./LoopCheck.ts"
import { logLines } from "./logLines.ts"
import { type MessageRow, messageInvariant, messageProblems } from "./MessageCheck.ts"
import { checkPipelines } from "./PipelineCheck.ts"
import { attemptsAmong, checkAttempts, checkResubmit } from "./RetryCheck.ts"
import { checkSchedule } from "./ScheduleCheck.ts"
import { checkShop } from "./ShopCheck.ts"
import { checkTask } from "./TaskCheck.ts"
import { timelineOf } from "./timelineOf.ts"
import { checkFile, checkHome, checkOutbox, checkRepository } from "./WorldCheck.ts"

interface Violation extends Breach {
  /** The events that led to it. */
  readonly timeline: ReadonlyArray<string>
}

export interface Verdict {
  readonly violations: ReadonlyArray<Violation>
  readonly tasks: {
    readonly submitted: number
    readonly completed: number
    readonly failed: number
    readonly cancelled: number
  }
  readonly pipelines: number
  readonly scheduled: number
  /** Loops, and their rounds. */
  readonly loops: number
  readonly rounds: number
  readonly messages: number
  readonly wakes: number
  readonly parks: number
  /** Commands of the hook. */
  readonly told: number
  readonly bytes: number
}

/** The words in the prompt of each task. */
const wordsOfAll = (store: Store): ReadonlyMap<string, string> =>
  new Map(
    store
      .rows<{ task_id: string; prompt: string }>("SELECT task_id, prompt FROM task_inputs")
      .flatMap(({ prompt, task_id }) => {
        const words = wordsIn(prompt)
        return words === null ? [] : [[task_id, words] as const]
      })
  )

/** All tasks of one submission, held against each other. */
const checkWork = (
  plan: TaskPlan,
  found: ReadonlyArray<TaskRow>,
  words: ReadonlyMap<string, string>,
  byId: ReadonlyMap<string, TaskRow>,
  store: Store,
  { chronicle }: World
): void => {
  const report = (id: string, invariant: string, detail: string) => chronicle.breach(invariant, id, detail)
  const all = attemptsAmong(found)
  for (const attempts of all) {
    const before = attempts[0].retry_of === null ? undefined : byId.get(attempts[0].retry_of)
    checkAttempts(attempts, before, before === undefined ? plan.retries : before.max_retries, report)
  }
  const byHand = all.flatMap(([first]) => (first.retry_of === null ? [] : [first]))
  checkResubmit(plan.again, chronicle.resubmits.get(plan.key), byHand, report)
  const stored = found.map((row) => ({
    row,
    words: words.get(row.id) ?? null,
    labelled: store.one("SELECT value FROM task_labels WHERE task_seq = ? AND key = 'edited'", row.seq) !== undefined
  }))
  checkEdit(plan, chronicle.edits.get(plan.key), stored, (id, detail) => report(id, editInvariant, detail))
}

/** One task, held against its plan and what was done to it; how many bytes were compared. */
const checkOne = (
  plan: TaskPlan,
  row: TaskRow,
  found: ReadonlyArray<TaskRow>,
  words: ReadonlyMap<string, string>,
  byId: ReadonlyMap<string, TaskRow>,
  store: Store,
  world: World
): number => {
  const { chronicle, root } = world
  const report = (invariant: string, detail: string) => chronicle.breach(invariant, row.id, detail)
  const isHurt = ({ id }: TaskRow) => chronicle.hurts.get(id)?.has("cancel") === true
  // A cancel of one attempt means the work.
  const attempts = attemptsAmong(found).find((some) => some.includes(row)) ?? []
  const cancelled = attempts.some(isHurt) ? (["cancel"] as const) : []
  const hurts = new Set([...(chronicle.hurts.get(row.id) ?? []), ...cancelled])
  const edges = edgesOf(store, row.id)
  const journal = readJournal(root, plan.key, row.id)
  const asked = row.retry_of === null ? (chronicle.edges.get(plan.key) ?? []) : []
  const claims = store
    .rows<{ claim_id: string; claimed_at: number }>(
      "SELECT claim_id, claimed_at FROM claim_history WHERE task_id = ?",
      row.id
    )
    .map(({ claim_id, claimed_at }) => ({ id: claim_id, at: chronicle.timeOf(claimed_at) }))
    .sort((one, other) => one.at - other.at)
  checkEdges(
    row,
    edges,
    asked,
    byId,
    claims.map(({ at }) => at),
    report
  )
  checkContinued(row, chronicle.continued.get(plan.key), byId, edges, report)
  if (plan.messages.length > 0) {
    const told = store.rows<MessageRow>("SELECT id, seq, state FROM messages WHERE task_id = ? ORDER BY seq", row.id)
    const between = {
      takenOver: logLines(world, row.id).some((line) => line.includes(": taken over")),
      hurt: hurts.size > 0
    }
    for (const problem of messageProblems(plan, row.id, told, journal.heard, between)) {
      report(messageInvariant, problem)
    }
  }
  const version = versionOf(plan, words.get(row.id) ?? null) ?? plan
  const emptied = chronicle.emptied.get(row.id)
  return checkTask({ plan: version, row, journal, hurts, edges, claims, emptied }, store, report)
}

/** To be called when no process of the run is expected to be alive. */
export const check = (plan: Plan, world: World, store: Store): Verdict => {
  const { chronicle } = world
  const rows = store.rows<TaskRow>("SELECT * FROM tasks ORDER BY seq").map((row) => ({
    ...row,
    created_at: chronicle.timeOf(row.created_at),
    started_at: row.started_at === null ? null : chronicle.timeOf(row.started_at),
    ended_at: row.ended_at === null ? null : chronicle.timeOf(row.ended_at)
  }))
  const words = wordsOfAll(store)
  const byId = new Map(rows.map((row) => [row.id, row]))
  const byKey = new Map<string, Array<TaskRow>>()
  // Their agents are programs of their kind, with journals that only their checks read.
  const special = new Set([...plan.limits.flat(), ...plan.leads].map(({ key }) => key))
  // Those of loops and merges are commands of the user, without an agent of ours.
  const evaluations = new Set(
    store
      .rows<{ task_id: string }>(
        "SELECT task_id FROM loop_round_tasks WHERE position > 0 UNION SELECT task_id FROM task_inputs WHERE prompt = ?",
        checkCommand
      )
      .map(({ task_id }) => task_id)
  )
  for (const loop of chronicle.cancelledLoops) {
    for (const { task_id } of store.rows<{ task_id: string }>(
      "SELECT task_id FROM loop_round_tasks WHERE loop_id = ?",
      loop
    )) {
      chronicle.hurt(task_id, "cancel")
    }
  }
  for (const row of rows) {
    if (evaluations.has(row.id)) {
      if (!ended(row)) chronicle.breach("every task ends", row.id, `it is ${row.status}`)
      continue
    }
    if (special.has(row.idempotency_key ?? "")) continue
    const said = words.get(row.id)
    const key = said === undefined ? null : keyIn(said)
    if (key === null) chronicle.breach("one key, one task", row.id, "no submission names it")
    else byKey.set(key, [...(byKey.get(key) ?? []), row])
  }

  for (const [key, id] of chronicle.accepted) {
    if (!byId.has(id))
      chronicle.breach("what was accepted is there", id, `the id was returned for ${key}, and it is not stored`)
  }
  let bytes = 0
  // Each run of a schedule and each round of a loop is a task with the words of its plan.
  const scheduled = new Set([...plan.schedules, ...plan.loops].map(({ key }) => key))
  const steps = plan.pipelines.flatMap((pipeline) => pipeline.steps)
  for (const task of [
    ...plan.tasks,
    ...steps,
    ...plan.leads.flatMap(childrenOf),
    ...plan.merges.tasks.map(({ task }) => task),
    ...[...plan.schedules, ...plan.loops].map(({ task }) => task)
  ]) {
    const found = byKey.get(task.key) ?? []
    const first = found.filter(({ retry_of }) => retry_of === null)
    if (first.length > 1 && !scheduled.has(task.key)) {
      chronicle.breach("one key, one task", first[1]?.id ?? null, `${first.length} tasks of ${task.key}`)
    }
    if (found.length === 0 && journalLines(world.root, task.key).length > 0) {
      chronicle.breach("what was accepted is there", task.key, "its agent ran, and it is not stored")
    }
    checkWork(task, found, words, byId, store, world)
    for (const row of found) bytes += checkOne(task, row, found, words, byId, store, world)
  }
  for (const [id, then] of chronicle.endings) {
    const now = JSON.stringify(store.task(id))
    if (now !== then) chronicle.breach("an end never changes", id, `it was ${then}, it is ${now}`)
  }
  checkOutbox(rows, store, world)
  const told = checkHooks(rows, store, world)
  checkCheckpoints(rows, store, (id, detail) => chronicle.breach(checkpointInvariant, id, detail))
  checkPipelines(plan.pipelines, byId, store, world)
  const runsOf = (key: string) => (byKey.get(key) ?? []).filter(({ retry_of }) => retry_of === null)
  for (const schedule of plan.schedules) checkSchedule(schedule, runsOf(schedule.key), store, world)
  for (const loop of plan.loops) checkLoops(loop, byKey.get(loop.key) ?? [], store, world)
  checkRepository(world)
  checkShop(plan.merges.tasks, (key) => byKey.get(key) ?? [], store, world)
  checkLimits(plan.limits.flat(), store, world)
  checkLeads(plan.leads, store, world)
  for (const answer of chronicle.answers) checkAnswer(answer, store, world)
  for (const { command, pid, task } of processesOf(world.root)) {
    chronicle.breach("nothing remains", task, `process ${pid} still lives: ${command}`)
  }
  checkFile(store, world)
  checkHome(world)

  const count = (status: string) => rows.filter((row) => row.status === status).length
  return {
    violations: chronicle.breaches.map((breach) => ({ ...breach, timeline: timelineOf(breach, world, store, words) })),
    tasks: {
      submitted: rows.length,
      completed: count("completed"),
      failed: count("failed"),
      cancelled: count("cancelled")
    },
    pipelines: store.rows("SELECT id FROM pipelines").length,
    scheduled: store.rows("SELECT due_at FROM schedule_executions WHERE task_id IS NOT NULL").length,
    loops: store.rows("SELECT id FROM loops").length,
    rounds: store.rows("SELECT round FROM loop_rounds").length,
    wakes: store.rows("SELECT n FROM wakes WHERE woken_at IS NOT NULL").length,
    parks: store.rows("SELECT n FROM parks").length,
    messages: store.rows("SELECT id FROM messages").length,
    told,
    bytes
  }
}
