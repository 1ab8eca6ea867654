/** Finds a process to kill for each kind of fault, among those that exist at that moment, and kills it. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { from } from "../Dice.ts"
import type { Load } from "../load/Load.ts"
import type { FaultKind, Kill } from "./FaultPlan.ts"
import { childrenOf, lives, processesOf, signal, signalGroup } from "./SystemProcesses.ts"

interface WorkerRow {
  readonly task_id: string
  readonly pid: number
}

const shims = ({ store }: Load) =>
  store.rows<WorkerRow>("SELECT task_id, pid FROM claims WHERE pid IS NOT NULL ORDER BY claimed_at")

export const workers = ({ store, world }: Load): ReadonlyArray<number> =>
  store
    .rows<{ pid: number }>("SELECT pid FROM workers ORDER BY started_at")
    .map(({ pid }) => pid)
    .filter((pid) => lives(pid, world.root))

/** The workers that could be stopped, the one with the fewest tasks first: what it holds keeps its place meanwhile. */
export const stoppable = ({
  server,
  store,
  world
}: Load): ReadonlyArray<{ readonly id: string; readonly pid: number }> =>
  store
    .rows<{ id: string; pid: number }>(`
      SELECT id, pid FROM workers
      ORDER BY (SELECT count(*) FROM claims WHERE claims.worker_id = workers.id), started_at DESC
    `)
    .filter(({ pid }) => pid !== server?.running.child.pid && lives(pid, world.root))

/** Choices above this hit whatever has come of the ones before. */
const mercy = 0.9

/** Ends there should have been since a worker was killed last: those that always die before they have done anything show nothing. */
const endsBetween = 3

/** How many of all tasks should not be let alone: the others show that work gets done. */
const hurtShare = 0.55
export const ends = ({ store }: Load): number =>
  store.one<{ seq: number | null }>("SELECT max(seq) AS seq FROM outbox")?.seq ?? 0

/** Whether a fault of this kind has come in this run. The first of each kind spares no process: without it the run is not a proof. */
export const hasCome = ({ world }: Load, kind: FaultKind): boolean => (world.chronicle.faults[kind] ?? 0) > 0

const isSparing = (load: Load, kind: Kill, pick: number): boolean => pick < mercy && hasCome(load, kind)

const killWorker = (load: Load, pick: number): boolean => {
  const last = ends(load)
  if (last < load.lastEnd + endsBetween && isSparing(load, "kill-worker", pick)) return false
  return from(workers(load), pick).some((victim) => {
    if (!signal(victim, load.world.root, "SIGKILL")) return false
    load.lastEnd = last
    load.world.chronicle.note(null, `kill worker ${victim}`)
    return true
  })
}

const isEnough = (load: Load, kind: Kill, pick: number): boolean =>
  isSparing(load, kind, pick) && load.world.chronicle.hurts.size > 5 + ends(load) * hurtShare

const killAgent = (load: Load, pick: number): boolean =>
  !isEnough(load, "kill-agent", pick) &&
  from(shims(load), pick).some(({ pid, task_id }) => {
    const agent = childrenOf(pid)[0]
    if (agent === undefined || !lives(agent, load.world.root)) return false
    load.world.chronicle.hurt(task_id, "agent")
    return signal(agent, load.world.root, "SIGKILL")
  })

const killShim = (load: Load, kind: "kill-shim" | "kill-tree", pick: number): boolean =>
  !isEnough(load, kind, pick) &&
  from(shims(load), pick).some(({ pid, task_id }) => {
    const withAgent = kind === "kill-tree"
    if (!lives(pid, load.world.root)) return false
    load.world.chronicle.hurt(task_id, "shim")
    if (withAgent) load.world.chronicle.hurt(task_id, "agent")
    return (withAgent ? signalGroup : signal)(pid, load.world.root, "SIGKILL")
  })

const killCommand = ({ world }: Load, pick: number): boolean =>
  from(
    Array.from(world.commands).filter(({ child }) => !/ (worker|mcp) /.test(`${child.spawnargs.join(" ")} `)),
    pick
  ).some(({ child }) => child.kill("SIGKILL"))

const names = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** Waits for a shim that has the start token and has not yet reported its identity. */
const killStarting = (load: Load): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const { chronicle, home, root } = load.world
    const spool = join(home, "spool")
    const before = new Set(names(spool))
    for (let look = 0; look < 400; look++) {
      const claim = names(spool).find((name) => !before.has(name))
      if (claim === undefined || !names(join(spool, claim)).includes("started")) {
        yield* Effect.sleep(2)
        continue
      }
      const shim = processesOf(root).find(({ claims }) => claims.includes(claim))
      const task = load.store.one<{ task_id: string }>(
        "SELECT task_id FROM claim_history WHERE claim_id = ?",
        claim
      )?.task_id
      if (shim === undefined || task === undefined) return false
      chronicle.hurt(task, "shim")
      chronicle.hurt(task, "agent")
      return signal(shim.pid, root, "SIGKILL")
    }
    return false
  })

/** Kills the target at this fraction of the list, or the next one that can be killed. Returns whether any was. */
export const killOne = (load: Load, kind: Kill, pick: number): Effect.Effect<boolean> => {
  switch (kind) {
    case "kill-worker":
      return Effect.sync(() => killWorker(load, pick))
    case "kill-agent":
      return Effect.sync(() => killAgent(load, pick))
    case "kill-shim":
    case "kill-tree":
      return Effect.sync(() => killShim(load, kind, pick))
    case "kill-starting":
      return killStarting(load)
    case "kill-command":
      return Effect.sync(() => killCommand(load, pick))
  }
}
