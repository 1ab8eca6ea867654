/** Compares leads with what they and the tasks that they delegated noted: each is woken once, and after all it waits for. */
import type { Hurt } from "../Chronicle.ts"
import { childrenOf, type LeadPlan } from "../load/LeadPlan.ts"
import type { Store, TaskRow } from "../Store.ts"
import type { World } from "../World.ts"
import { journalLines } from "./AgentJournal.ts"

/** A lead that ended its turn continues once, when everything that it waits for has ended. */
const wakeInvariant = "a lead is woken once, and not before its tasks have ended"

interface Note {
  /** Seconds since the boot of the machine. */
  readonly at: number
  readonly words: ReadonlyArray<string>
}

export interface Lead {
  readonly plan: LeadPlan
  readonly row: Pick<TaskRow, "status" | "cause" | "attempt" | "retried_by"> & { readonly wakes: number }
  readonly notes: ReadonlyArray<Note>
  /** What each of its wakes waits for, on record. */
  readonly awaited: ReadonlyMap<number, ReadonlySet<string>>
  /** The last note of each task that it delegated, by its key. */
  readonly children: ReadonlyMap<string, { readonly tasks: number; readonly lastAt: number | null }>
  readonly hurts: ReadonlySet<Hurt>
  /** Its agent may have been started under a limit on the size of files. */
  readonly limited: boolean
}

type Problem = readonly [invariant: string, detail: string]

const explained = ({ hurts, limited }: Lead): ReadonlyArray<string> => [
  ...(hurts.has("agent") || limited ? ["failed signal"] : []),
  ...(hurts.has("shim") || hurts.has("reboot") ? ["failed owner-lost"] : [])
]

export const leadProblems = (lead: Lead): ReadonlyArray<Problem> => {
  const { awaited, children, notes, plan, row } = lead
  const problems: Array<Problem> = []
  const found = `${row.status} ${row.cause}`
  const isEnded = found === "completed exit"
  if (!isEnded && !explained(lead).includes(found)) problems.push(["every task ends", `it is '${found}'`])
  if (row.attempt !== 1 || row.retried_by !== null) problems.push([wakeInvariant, "a wake used up an attempt"])

  const starts = notes.flatMap(({ at, words: [word, claim = "", wake] }) =>
    word === "start" ? [{ at, claim, wake: Number(wake) }] : []
  )
  if (new Set(starts.map(({ claim }) => claim)).size !== starts.length) {
    problems.push(["an agent starts at most once", `two starts of one claim: ${starts.map(({ claim }) => claim)}`])
  }
  for (const [wake, rounds] of [...plan.rounds.keys(), plan.rounds.length].map(
    (n) => [n, plan.rounds.slice(0, n)] as const
  )) {
    const some = starts.filter((start) => start.wake === wake)
    if (some.length > 1) problems.push([wakeInvariant, `it started ${some.length} times for wake ${wake}`])
    for (const { at } of some) {
      for (const { key } of rounds.flat()) {
        const lastAt = children.get(key)?.lastAt ?? null
        if (lastAt !== null && lastAt > at) problems.push([wakeInvariant, `wake ${wake} came before ${key} had ended`])
      }
    }
  }
  const said = (name: string) => notes.filter(({ words: [word] }) => word === name)
  // One whose shim was killed may ask after its task has ended.
  for (const { words } of lead.hurts.size > 0 ? [] : said("refused"))
    problems.push(["a task is accepted", words.slice(1).join(" ")])
  for (const {
    words: [, wake, ids = ""]
  } of said("asked")) {
    const onRecord = awaited.get(Number(wake)) ?? new Set()
    const forgotten = ids.split(",").filter((id) => !onRecord.has(id))
    if (forgotten.length > 0) problems.push([wakeInvariant, `wake ${wake} does not wait for ${forgotten.join(", ")}`])
  }
  const asked = said("asked").length
  // A server that died may have stored a request before.
  const unsure = said("asks").length - asked
  if (isEnded && (row.wakes < asked || row.wakes > asked + unsure || starts.length !== row.wakes + 1)) {
    problems.push([wakeInvariant, `${asked} asked for, ${row.wakes} on record, ${starts.length} starts`])
  }
  for (const { key } of childrenOf(plan)) {
    const { tasks } = children.get(key) ?? { tasks: 0 }
    if (tasks > 1) problems.push(["one key, one task", `${tasks} tasks of ${key}`])
  }
  // It asks after the server has answered that all of the turn are stored.
  for (const round of plan.rounds.slice(0, asked).flat()) {
    if ((children.get(round.key)?.tasks ?? 0) === 0) {
      problems.push(["what was accepted is there", `${round.key} was delegated, and it is not stored`])
    }
  }
  return problems
}

const notesOf = (root: string, key: string): ReadonlyArray<Note> =>
  journalLines(root, key).map((line) => {
    const [at = "", , ...words] = line.split(" ")
    return { at: Number(at), words }
  })

const awaitedBy = (store: Store, id: string): ReadonlyMap<number, ReadonlySet<string>> => {
  const awaited = new Map<number, Set<string>>()
  const rows = store.rows<{ n: number; awaited_id: string }>(
    "SELECT n, awaited_id FROM wake_tasks WHERE task_id = ?",
    id
  )
  for (const { awaited_id, n } of rows) awaited.set(n, (awaited.get(n) ?? new Set()).add(awaited_id))
  return awaited
}

export const checkLeads = (plans: ReadonlyArray<LeadPlan>, store: Store, { chronicle, root }: World): void => {
  for (const plan of plans) {
    const rows = store.rows<TaskRow & { wakes: number }>("SELECT * FROM tasks WHERE idempotency_key = ?", plan.key)
    const [row] = rows
    if (rows.length > 1) chronicle.breach("one key, one task", plan.key, `${rows.length} tasks`)
    if (row === undefined) continue
    const children = new Map(
      childrenOf(plan).map(({ key }) => {
        const tasks = store.rows("SELECT id FROM tasks WHERE idempotency_key = ? AND retry_of IS NULL", key).length
        return [key, { tasks, lastAt: notesOf(root, key).at(-1)?.at ?? null }]
      })
    )
    const problems = leadProblems({
      plan,
      row,
      notes: notesOf(root, plan.key),
      awaited: awaitedBy(store, row.id),
      children,
      hurts: chronicle.hurts.get(row.id) ?? new Set(),
      limited: (chronicle.faults["limited-worker"] ?? 0) > 0
    })
    for (const [invariant, detail] of problems) chronicle.breach(invariant, row.id, detail)
  }
}
