/** Compares the journal of the hook with the notices: each end reaches it at least once, under one id, and nothing else does. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hookName } from "../load/Hooks.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"
import type { World } from "../World.ts"

/** A command has exited with 0 for each end, whichever worker was killed meanwhile. */
export const toldInvariant = "each end reaches its hook"
/** All attempts have the same id and the same bytes, and no other message has them. */
export const idInvariant = "a message to a hook keeps its id"
/** A message reports only ends that are stored, and none before it is stored. */
export const onlyInvariant = "a message reports only an end"

/** One attempt, as the hook noted it. */
export interface Attempt {
  readonly id: string
  readonly seq: number
  readonly kind: string
  readonly task: string
  readonly status: string
  /** The digest and size of the whole message; 0 bytes: its worker was killed before it had written it. */
  readonly sum: string
  readonly bytes: number
}

interface HookJournal {
  readonly attempts: ReadonlyArray<Attempt>
  /** Ids of messages whose command has exited with 0. */
  readonly accepted: ReadonlySet<string>
}

export interface EndNotice {
  readonly seq: number
  readonly kind: string
  readonly task_id: string
  readonly status: string
}

/** A line is one write to a file opened for appending. */
export const readHookLines = (lines: ReadonlyArray<string>): HookJournal => {
  const words = lines.map((line) => line.split(" "))
  return {
    attempts: words.flatMap(([id = "", seq, word, kind = "", task = "", status = "", sum = "", bytes]) =>
      word === "begin" ? [{ id, seq: Number(seq), kind, task, status, sum, bytes: Number(bytes) }] : []
    ),
    accepted: new Set(words.flatMap(([id = "", , word, code]) => (word === "end" && code === "0" ? [id] : [])))
  }
}

const filesOf = (root: string): ReadonlyArray<string> =>
  readdirSync(join(root, "journal"))
    .filter((name) => /^hook\.\d+$/.test(name))
    .map((name) => join(root, "journal", name))

const journalOf = (root: string): HookJournal =>
  readHookLines(filesOf(root).flatMap((file) => readFileSync(file, "utf8").split("\n").filter(Boolean)))

export type Problem = readonly [invariant: string, task: string, detail: string]

/** `stored` is the size of each message by its number, as far as it is kept. */
export const hookProblems = (
  notices: ReadonlyArray<EndNotice>,
  { accepted, attempts }: HookJournal,
  stored: ReadonlyMap<number, number>
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const bySeq = new Map<number, Array<Attempt>>()
  for (const attempt of attempts) bySeq.set(attempt.seq, [...(bySeq.get(attempt.seq) ?? []), attempt])
  const known = new Map(notices.map((notice) => [notice.seq, notice]))
  for (const { seq, status, task_id } of notices) {
    const found = bySeq.get(seq) ?? []
    if (!found.some(({ id }) => accepted.has(id))) {
      problems.push([toldInvariant, task_id, `its end as ${status} (notice ${seq}) was tried ${found.length} times`])
    }
  }
  const owners = new Map<string, number>()
  for (const [seq, found] of bySeq) {
    const notice = known.get(seq)
    const whole = found.filter(({ bytes }) => bytes > 0)
    const ids = new Set(found.map(({ id }) => id))
    const task = found[0]?.task ?? ""
    if (ids.size > 1) problems.push([idInvariant, task, `notice ${seq} came as ${Array.from(ids).join(" and ")}`])
    for (const id of ids) {
      const other = owners.get(id)
      if (other !== undefined) problems.push([idInvariant, task, `notices ${other} and ${seq} came as ${id}`])
      owners.set(id, seq)
    }
    if (new Set(whole.map(({ bytes, sum }) => `${sum} ${bytes}`)).size > 1) {
      problems.push([idInvariant, task, `the attempts at notice ${seq} had different bytes`])
    }
    const size = stored.get(seq)
    if (size !== undefined && whole.some(({ bytes }) => bytes !== size)) {
      problems.push([
        idInvariant,
        task,
        `notice ${seq} came with another number of bytes than the ${size} that are stored`
      ])
    }
    for (const { kind, status, task } of found) {
      if (notice?.kind !== kind || notice.task_id !== task || notice.status !== status) {
        problems.push([onlyInvariant, task, `${kind} as ${status} (notice ${seq}) was told, and is not on record`])
      }
    }
  }
  return problems
}

export const checkHooks = (rows: ReadonlyArray<TaskRow>, store: Store, { chronicle, root }: World): number => {
  const notices = store.rows<EndNotice>(`
    SELECT seq, kind, task_id, json_extract(data, '$.status') AS status FROM notices WHERE kind IN ('ended', 'retried')
  `)
  const noticed = new Map(notices.map(({ status, task_id }) => [task_id, status]))
  for (const row of rows) {
    if (ended(row) && noticed.get(row.id) !== row.status) {
      chronicle.breach(toldInvariant, row.id, `it is ${row.status}, and the notices say ${noticed.get(row.id)}`)
    }
  }
  const sizes = store.rows<{ seq: number; size: number }>(
    "SELECT seq, length(CAST(body AS BLOB)) AS size FROM deliveries WHERE hook = ?",
    hookName
  )
  const journal = journalOf(root)
  const stored = new Map(sizes.map(({ seq, size }) => [seq, size]))
  for (const [invariant, task, detail] of hookProblems(notices, journal, stored)) {
    chronicle.breach(invariant, task, detail)
  }
  return journal.attempts.length
}

/** Follows the journal while the run lasts: an end that is reported is stored at that moment. */
export class HookFollower {
  readonly #read = new Map<string, number>()

  look({ chronicle, root }: World, store: Store): void {
    for (const file of filesOf(root)) {
      const text = readFileSync(file, "utf8")
      const from = this.#read.get(file) ?? 0
      if (text.length <= from) continue
      const whole = text.lastIndexOf("\n") + 1
      this.#read.set(file, whole)
      for (const { kind, task } of readHookLines(text.slice(from, whole).split("\n")).attempts) {
        const row = store.task(task)
        if (row === undefined || !ended(row)) {
          chronicle.breach(onlyInvariant, task, `${kind} was told while it was ${row?.status ?? "not stored"}`)
        }
      }
    }
  }
}
