/** Stops a task's processes where they are, and lets them continue. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import type { ProcessEntry, ProcessReader } from "./ProcessEntry.ts"
import { keyOf, living } from "./ProcessReader.ts"
import { look, type Scope } from "./TreeEnding.ts"

/** How long it may take until a look finds no process that runs: one in the kernel stops when its call returns. Milliseconds. */
const longestMs = 2000

const none: ReadonlySet<string> = new Set()

/** Parents first. A process whose parent is not among them begins a separate line. */
const fromAbove = (members: ReadonlyArray<ProcessEntry>): ReadonlyArray<ProcessEntry> => {
  const byPid = new Map(members.map((entry) => [entry.pid, entry]))
  const depth = new Map<number, number>()
  const depthOf = (entry: ProcessEntry): number => {
    const known = depth.get(entry.pid)
    if (known !== undefined) return known
    // Against a circle, which a pid that was given again could make.
    depth.set(entry.pid, 0)
    const parent = byPid.get(entry.parent)
    const found = parent === undefined ? 0 : depthOf(parent) + 1
    depth.set(entry.pid, found)
    return found
  }
  return Array.from(members).sort((one, other) => depthOf(one) - depthOf(other))
}

/** True when the signal was sent: to exactly this process, if it is still the one that was looked at. */
const send = Effect.fn("TreeFreezing.send")(function* (
  reader: ProcessReader,
  entry: ProcessEntry,
  name: "SIGSTOP" | "SIGCONT"
) {
  if (entry.pid <= 1 || entry.pid === process.pid || (yield* living(reader, entry)) === null) return false
  try {
    return process.kill(entry.pid, name)
  } catch {
    // Gone meanwhile, or another user's (sudo): the next look shows which.
    return false
  }
})

/**
 * Stops everything in scope but the shim. What runs may start other processes until it is stopped, so it looks until a look
 * finds nothing new. A parent is stopped before its children, so that none sees a child stop and acts on it.
 */
export const freezeTree = Effect.fn("TreeFreezing.freezeTree")(function* (reader: ProcessReader, scope: Scope) {
  const stopped = new Set<string>()
  const begin = yield* elapsedMs
  let wait = 1
  while (true) {
    const { members } = yield* look(reader, scope, none)
    const running = fromAbove(members).filter((entry) => !entry.stopped)
    for (const entry of members) if (entry.stopped) stopped.add(keyOf(entry))
    if (running.length === 0 || (yield* elapsedMs) - begin >= longestMs) {
      return { stopped: stopped.size, left: running.length }
    }
    for (const entry of running) yield* send(reader, entry, "SIGSTOP")
    yield* Effect.sleep(wait)
    wait = Math.min(50, wait * 2)
  }
})

/** Children first: when a parent continues, its children already run. */
export const thawTree = Effect.fn("TreeFreezing.thawTree")(function* (reader: ProcessReader, scope: Scope) {
  const { members } = yield* look(reader, scope, none)
  let continued = 0
  for (const entry of Array.from(fromAbove(members)).reverse()) {
    if (entry.stopped && (yield* send(reader, entry, "SIGCONT"))) continued++
  }
  return continued
})
