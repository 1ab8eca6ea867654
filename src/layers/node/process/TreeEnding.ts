/** Ends a task's processes: TERM, time to obey, KILL, and again until really nothing is left. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import type { ProcessEntry, ProcessReader } from "./ProcessEntry.ts"
import { keyOf, living } from "./ProcessReader.ts"
import { type Tree, type TreeRequest, treeOf } from "./ProcessTree.ts"

/** The task whose processes are ended, and the processes that must be spared. */
export interface Scope extends Omit<TreeRequest, "entries" | "known" | "marks" | "order" | "agentEnded"> {
  readonly agentEnded: Effect.Effect<boolean>
}

/** How long KILL is repeated, and how long a shim that has nothing left to wait for may take, in milliseconds. */
const bounds = { kill: 5000, shim: 1000 } as const

/**
 * One look at the task's processes. A step of the shim carries its mark only once it has become another program, but the
 * shim reports the agent's end before its first step: a caller that asks for the end after the look recognises the step.
 */
export const look = Effect.fn("TreeEnding.look")(function* (
  reader: ProcessReader,
  scope: Scope,
  known: ReadonlySet<string>
) {
  const before = yield* scope.agentEnded
  const first = yield* reader.all
  const agentEnded = before || (yield* scope.agentEnded)
  // The first look may show the agent and not the step: as a child of the shim it would pass for one.
  const entries = agentEnded === before ? first : yield* reader.all
  return treeOf({ ...scope, agentEnded, entries, known, marks: reader.marks, order: reader.order })
})

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // Gone meanwhile, or another user's by now (sudo): the next look shows which.
  }
}

/** Sends a signal to exactly this process, if it is still the one that was looked at. */
const send = Effect.fn("TreeEnding.send")(function* (reader: ProcessReader, entry: ProcessEntry, name: NodeJS.Signals) {
  if (entry.pid <= 1 || entry.pid === process.pid) return
  if ((yield* living(reader, entry)) === null) return
  signal(entry.pid, name)
})

/** TERM to everything that has not had it: to the group, which no fork can escape, where no other process is in it. */
const terminate = Effect.fn("TreeEnding.terminate")(function* (reader: ProcessReader, tree: Tree, had: Set<string>) {
  const { shim } = tree
  const whole = shim === null ? tree.members : [shim, ...tree.members]
  const fresh = whole.filter((entry) => !had.has(keyOf(entry)))
  const byGroup = shim !== null && tree.ownsGroup && fresh.includes(shim) && (yield* living(reader, shim)) !== null
  if (byGroup) signal(-shim.pid, "SIGTERM")
  for (const entry of fresh) {
    had.add(keyOf(entry))
    if (!byGroup || entry.group !== shim.pid) yield* send(reader, entry, "SIGTERM")
    // A stopped process would keep the TERM for later.
    if (entry.stopped) yield* send(reader, entry, "SIGCONT")
  }
})

/**
 * Ends everything in scope. `ended` counts processes other than the shim; `left` those that still exist after the bound.
 * The shim ends last, and may exit without a signal where it can, because it has an exit status to write.
 */
export const endTree = Effect.fn("TreeEnding.endTree")(function* (
  reader: ProcessReader,
  scope: Scope,
  graceMs: number
) {
  const known = new Set<string>()
  const terminated = new Set<string>()
  const again = Effect.tap(
    Effect.suspend(() => look(reader, scope, known)),
    (tree) =>
      Effect.sync(() => {
        for (const entry of tree.members) known.add(keyOf(entry))
      })
  )

  let tree = yield* again
  const begin = yield* elapsedMs
  let now = begin
  let wait = 2
  while (tree.members.length > 0 || tree.shim !== null) {
    yield* terminate(reader, tree, terminated)
    if (now - begin >= graceMs) break
    yield* Effect.sleep(Math.min(wait, graceMs))
    wait = Math.min(50, wait * 2)
    tree = yield* again
    now = yield* elapsedMs
  }

  const killing = now
  let alone: number | null = null
  wait = 2
  while ((tree.members.length > 0 || tree.shim !== null) && now - killing < bounds.kill) {
    for (const entry of tree.members) yield* send(reader, entry, "SIGKILL")
    alone = tree.members.length > 0 ? null : (alone ?? now)
    if (tree.shim !== null && alone !== null && now - alone >= bounds.shim) yield* send(reader, tree.shim, "SIGKILL")
    yield* Effect.sleep(wait)
    wait = Math.min(50, wait * 2)
    tree = yield* again
    now = yield* elapsedMs
  }

  if (known.size === 0) return { ended: 0, left: tree.shim === null ? 0 : 1 }
  // Not simply the known ones: one of them may have turned into a worker or another task's process since.
  const alive = new Set((yield* reader.all).filter((entry) => !entry.ended).map(keyOf))
  const ended = Array.from(known).filter((key) => !alive.has(key)).length
  return { ended, left: tree.members.length + (tree.shim === null ? 0 : 1) }
})
