/** Carries out the planned faults, each at its time, on whoever is there then. */
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { at } from "./Dice.ts"
import type { Fault } from "./FaultPlan.ts"
import type { Load } from "./Load.ts"
import { childrenOf, killAll, lives, processesOf, signal, signalGroup } from "./SystemProcesses.ts"

interface WorkerRow {
  readonly task_id: string
  readonly claim_id: string
  readonly pid: number
}

/** Workers that the run itself starts, at once. */
const mostWorkers = 3

const workers = ({ store }: Load) =>
  store.rows<WorkerRow>("SELECT task_id, claim_id, pid FROM workers WHERE pid IS NOT NULL ORDER BY claimed_at")

const runtimes = ({ store, world }: Load) =>
  store
    .rows<{ pid: number }>("SELECT pid FROM runtimes ORDER BY started_at")
    .map(({ pid }) => pid)
    .filter((pid) => lives(pid, world.root))

const killAgent = (load: Load, pick: number): boolean => {
  const worker = at(workers(load), pick)
  const agent = worker === undefined ? undefined : childrenOf(worker.pid)[0]
  if (worker === undefined || agent === undefined) return false
  load.world.chronicle.hurt(worker.task_id, "agent")
  return signal(agent, load.world.root, "SIGKILL")
}

const killShim = (load: Load, pick: number, withAgent: boolean): boolean => {
  const worker = at(workers(load), pick)
  if (worker === undefined) return false
  load.world.chronicle.hurt(worker.task_id, "shim")
  if (withAgent) load.world.chronicle.hurt(worker.task_id, "agent")
  return (withAgent ? signalGroup : signal)(worker.pid, load.world.root, "SIGKILL")
}

/** Lies in wait for a shim that has the start token and has not told yet who it is. */
const killStarting = (load: Load): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const { chronicle, home, root } = load.world
    const spool = join(home, "spool")
    const names = (directory: string): ReadonlyArray<string> => {
      try {
        return readdirSync(directory)
      } catch {
        return []
      }
    }
    const before = new Set(names(spool))
    for (let look = 0; look < 400; look++) {
      const claim = names(spool).find((name) => !before.has(name))
      if (claim === undefined || !names(join(spool, claim)).includes("started")) {
        yield* Effect.sleep(1)
        continue
      }
      const shim = processesOf(root).find(({ claims }) => claims.includes(claim))
      const task = load.store.one<{ task_id: string }>("SELECT task_id FROM claims WHERE claim_id = ?", claim)?.task_id
      if (shim === undefined || task === undefined) return false
      chronicle.hurt(task, "shim")
      chronicle.hurt(task, "agent")
      return signal(shim.pid, root, "SIGKILL")
    }
    return false
  })

/** The power goes: everything dies at once, and what comes up finds another boot id. */
const reboot = (load: Load) =>
  Effect.gen(function* () {
    const { store, world } = load
    yield* world.up.close
    const killed = killAll(world.root)
    world.reboot()
    const running = store.rows<{ id: string }>("SELECT id FROM tasks WHERE status = 'running'")
    for (const { id } of running) world.chronicle.hurt(id, "reboot")
    world.chronicle.note(null, `reboot: ${killed} processes killed, ${running.length} tasks were running`)
    yield* world.up.open
    return killed
  })

const startWorker = (load: Load, fault: Extract<Fault, { readonly kind: "worker" | "limited-worker" }>) =>
  Effect.gen(function* () {
    const own = Array.from(load.world.commands).filter(({ child }) => child.spawnargs.includes("worker"))
    if (own.length >= mostWorkers) return false
    const { chronicle } = load.world
    if (fault.kind === "worker") {
      load.world.start(["worker"], { failpoints: fault.failpoints, log: "worker" })
      chronicle.note(null, `a worker with ${fault.failpoints}`)
      return true
    }
    const { child } = load.world.start(["worker"], { fileLimit: fault.blocks, log: "limited" })
    chronicle.note(null, `a worker with files of ${fault.blocks} blocks`)
    yield* FiberSet.run(
      load.fibers,
      Effect.sync(() => {
        if (child.kill("SIGKILL")) chronicle.fault("kill-limited", 1)
      }).pipe(Effect.delay(fault.forMs))
    )
    return true
  })

/** Whether it was done, and how many it killed. */
const carryOut = (load: Load, fault: Fault): Effect.Effect<number | null> =>
  Effect.gen(function* () {
    const { store, world } = load
    const once = (done: boolean) => (done ? 1 : null)
    switch (fault.kind) {
      case "kill-runtime": {
        const victim = at(runtimes(load), fault.pick)
        if (victim !== undefined) world.chronicle.note(null, `kill runtime ${victim}`)
        return once(victim !== undefined && signal(victim, world.root, "SIGKILL"))
      }
      case "kill-agent":
        return once(killAgent(load, fault.pick))
      case "kill-shim":
        return once(killShim(load, fault.pick, false))
      case "kill-tree":
        return once(killShim(load, fault.pick, true))
      case "kill-starting":
        return once(yield* killStarting(load))
      case "kill-command": {
        const light = Array.from(world.commands).filter(
          ({ child }) => !/ (worker|mcp) /.test(`${child.spawnargs.join(" ")} `)
        )
        return once(at(light, fault.pick)?.child.kill("SIGKILL") === true)
      }
      case "freeze": {
        const victim = at(runtimes(load), fault.pick)
        if (victim === undefined || !signal(victim, world.root, "SIGSTOP")) return null
        world.chronicle.note(null, `freeze runtime ${victim} for ${fault.forMs} ms`)
        const thaw = Effect.sync(() => signal(victim, world.root, "SIGCONT"))
        yield* FiberSet.run(load.fibers, Effect.ensuring(Effect.sleep(fault.forMs), thaw))
        return 0
      }
      case "lock": {
        const release = store.lock()
        if (release === null) return null
        world.chronicle.note(null, `hold the write lock for ${fault.forMs} ms`)
        yield* FiberSet.run(load.fibers, Effect.ensuring(Effect.sleep(fault.forMs), Effect.sync(release)))
        return 0
      }
      case "worker":
      case "limited-worker":
        return (yield* startWorker(load, fault)) ? 0 : null
      case "reboot":
        return yield* reboot(load)
    }
  })

/** All faults of the plan, in order. One without a victim is left out. */
export const runFaults = (load: Load, faults: ReadonlyArray<Fault>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    for (const fault of faults) {
      yield* Effect.sleep(Math.max(0, fault.at - chronicle.elapsed))
      const kills = yield* carryOut(load, fault)
      if (kills !== null) chronicle.fault(fault.kind, kills)
    }
  })
