/** Which processes belong to a task: found by descent, session, process group and marker, with others' work left out. */
import type { TaskId } from "../../../domain/task/Task.ts"
import type { Marks, ProcessEntry } from "./ProcessEntry.ts"
import { keyOf } from "./ProcessReader.ts"

export interface TreeRequest {
  /** Everything that runs now. */
  readonly entries: ReadonlyArray<ProcessEntry>
  readonly marks: (pid: number) => Marks
  readonly order: (startTime: string) => number
  readonly taskId: TaskId
  /** The shim as it was recorded under this boot, alive or not. */
  readonly shim: { readonly pid: number; readonly startTime: string } | null
  /** Keys of workers and of this process itself: never touched, wherever they are in the tree. */
  readonly spared: ReadonlySet<string>
  /** Keys of processes that were seen to belong to the task before: they stay part of it when their parents end. */
  readonly known: ReadonlySet<string>
  /** The agent has ended, so what the shim has for children is its own doing: finishing, or calling for a worker. */
  readonly agentEnded: boolean
  /** The shim itself is left alone. */
  readonly withoutShim: boolean
}

export interface Tree {
  /** The living shim, where it counts. */
  readonly shim: ProcessEntry | null
  /** Everything else of the task that lives. */
  readonly members: ReadonlyArray<ProcessEntry>
  /** Only the shim and members are in the shim's process group: a signal to the group hits no other process. */
  readonly ownsGroup: boolean
}

const childrenOf = (entries: ReadonlyArray<ProcessEntry>): ReadonlyMap<number, ReadonlyArray<ProcessEntry>> => {
  const children = new Map<number, Array<ProcessEntry>>()
  for (const entry of entries) {
    const siblings = children.get(entry.parent)
    if (siblings === undefined) children.set(entry.parent, [entry])
    else siblings.push(entry)
  }
  return children
}

/** Works out the tree of one task from one look at all processes. */
export const treeOf = (request: TreeRequest): Tree => {
  const { shim: recorded, taskId } = request
  const shimKey = recorded === null ? null : keyOf(recorded)
  const since = recorded === null ? Number.NEGATIVE_INFINITY : request.order(recorded.startTime)
  const children = childrenOf(request.entries)
  const holder = recorded === null ? undefined : request.entries.find((entry) => entry.pid === recorded.pid)
  const shim = holder !== undefined && keyOf(holder) === shimKey && !holder.ended ? holder : null
  // The number names the shim's group and session until both are empty, unless another process has got it since.
  const group = recorded !== null && (holder === undefined || keyOf(holder) === shimKey) ? recorded.pid : null

  const seen = new Map<number, Marks>()
  const marksOf = (entry: ProcessEntry): Marks => {
    const marks = seen.get(entry.pid) ?? request.marks(entry.pid)
    seen.set(entry.pid, marks)
    return marks
  }
  /** Processes that must not be touched, and whose children must not be touched either. */
  const isForeign = (entry: ProcessEntry): boolean => {
    if (entry.pid <= 1 || request.spared.has(keyOf(entry))) return true
    if (request.withoutShim && entry === shim) return true
    if (request.agentEnded && shim !== null && entry.parent === shim.pid) return true
    const marks = marksOf(entry)
    return marks.worker || (marks.taskId !== null && marks.taskId !== taskId)
  }
  // No process of a task is older than its shim, so the environments of older processes need not be read.
  const candidates = request.entries.filter((entry) => !entry.ended && request.order(entry.startTime) >= since)
  const foreign = new Set(candidates.filter(isForeign).map((entry) => entry.pid))

  // What a worker or another task's process started is not ours because it shares our group. Only a marker says so.
  const sheltered = new Set<number>()
  const shelter = (parent: number): void => {
    for (const child of children.get(parent) ?? []) {
      if (sheltered.has(child.pid)) continue
      sheltered.add(child.pid)
      shelter(child.pid)
    }
  }
  for (const pid of foreign) shelter(pid)

  const members = new Map<number, ProcessEntry>()
  const add = (entry: ProcessEntry): void => {
    if (foreign.has(entry.pid) || members.has(entry.pid) || entry.ended) return
    members.set(entry.pid, entry)
    descend(entry.pid)
  }
  const descend = (parent: number): void => {
    for (const child of children.get(parent) ?? []) add(child)
  }
  if (shim !== null && !request.withoutShim) add(shim)
  for (const entry of candidates) {
    const together = group !== null && (entry.group === group || entry.session === group)
    const marked = marksOf(entry).taskId === taskId
    if (marked || request.known.has(keyOf(entry)) || (together && !sheltered.has(entry.pid))) add(entry)
  }

  const inGroup = candidates.filter((entry) => entry.group === group)
  return {
    shim: request.withoutShim ? null : shim,
    members: Array.from(members.values()).filter((entry) => entry !== shim),
    ownsGroup: shim !== null && inGroup.every((entry) => members.has(entry.pid))
  }
}
