/** Carries out the planned faults, each at its time, on the processes that exist then. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { from } from "../Dice.ts"
import type { Load } from "../load/Load.ts"
import { emptyOutput, lookAsStranger, lookFromElsewhere, setClock } from "./Disturbances.ts"
import type { Fault, Kill } from "./FaultPlan.ts"
import { killAll, lives, signal } from "./SystemProcesses.ts"
import { ends, hasCome, killOne, stoppable, workers } from "./Victims.ts"

/** How long a fault waits for a victim of its kind, the first of its kind, and between two looks, in milliseconds. */
const patienceMs = 800
const firstPatienceMs = 15_000
const lookMs = 40

/**
 * What is killed where there is no victim of the planned kind. Not commands: one that has to start again each time would never
 * submit anything.
 */
const instead: ReadonlyArray<Kill> = ["kill-agent", "kill-worker"]

/** The kind that found a victim; null where no process can be killed. */
const kill = (load: Load, kind: Kill, pick: number): Effect.Effect<Kill | null> =>
  Effect.gen(function* () {
    const { chronicle, up } = load.world
    const since = chronicle.elapsed
    const isFirst = !hasCome(load, kind)
    const patience = () => (hasCome(load, kind) ? patienceMs : firstPatienceMs)
    do {
      yield* up.await
      // The run is ending: all work must come to its end, and no process is started again.
      if (load.over) return null
      if (yield* killOne(load, kind, pick)) return kind
      yield* Effect.sleep(lookMs)
    } while (chronicle.elapsed < since + patience())
    // Many may have waited for the first of their kind: they do not all kill something else now.
    if (load.over || isFirst) return null
    for (const other of instead) if (yield* killOne(load, other, 0)) return other
    return null
  })

/** A power cut: all processes die at the same time, and those started later see another boot id. */
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
  })

/** While a worker is stopped for so long, in milliseconds, other tasks must have ended. */
const stopMs = 20_000

/** A process is stopped again this many times where it held the write lock. */
const mostStops = 20

/** Looks for the write lock while a process is stopped: another one may hold it for a moment. */
const lockLooks = 10

/** Stops a process between two writes: SQLite has no way to take the lock from a process that lives. Returns whether it is stopped. */
const stopBetweenWrites = ({ store, world }: Load, pid: number) =>
  Effect.gen(function* () {
    for (let attempt = 0; attempt < mostStops; attempt++) {
      if (!signal(pid, world.root, "SIGSTOP")) return false
      for (let look = 0; look < lockLooks; look++) {
        const release = store.lock()
        release?.()
        if (release !== null) return true
        yield* Effect.sleep(lookMs)
      }
      signal(pid, world.root, "SIGCONT")
      yield* Effect.sleep(lookMs)
    }
    return false
  }).pipe(Effect.onError(() => Effect.sync(() => signal(pid, world.root, "SIGCONT"))))

/** Stops a worker until there are no more faults. Its tasks stay its own; everything else continues. */
const stop = (load: Load) =>
  Effect.gen(function* () {
    const { store, world } = load
    const { chronicle } = world
    const victim = stoppable(load)[0]
    if (victim === undefined || load.stopped) return
    load.stopped = true
    if (!(yield* stopBetweenWrites(load, victim.pid))) {
      load.stopped = false
      return
    }
    chronicle.fault("stop", 0)
    const held = store.rows<{ task_id: string }>("SELECT task_id FROM claims WHERE worker_id = ?", victim.id)
    for (const { task_id } of held) chronicle.hurt(task_id, "stop")
    chronicle.note(null, `stop worker ${victim.pid} until the end of the faults, with ${held.length} tasks`)
    const since = { at: chronicle.elapsed, ends: ends(load) }
    const wait = Effect.repeat(Effect.sleep(100), { while: () => !load.over && lives(victim.pid, world.root) })
    yield* Effect.ensuring(
      wait,
      Effect.sync(() => signal(victim.pid, world.root, "SIGCONT"))
    )
    load.stopped = false
    if (chronicle.elapsed - since.at > stopMs && ends(load) === since.ends) {
      chronicle.breach(
        "a stopped worker stops nothing else",
        null,
        `no task ended while worker ${victim.pid} was stopped`
      )
    }
  })

/** The client of the server leaves, and the server cannot write while it does. */
const leave = ({ server, store, world }: Load, forMs: number) =>
  Effect.gen(function* () {
    const release = server?.alive === true ? store.lock() : null
    if (server === null || release === null) return
    world.chronicle.fault("leave", 0)
    world.chronicle.note(null, `the client of server ${server.running.child.pid} leaves under a lock of ${forMs} ms`)
    void server.leave()
    yield* Effect.ensuring(Effect.sleep(forMs), Effect.sync(release))
  })

/** Notes the result in the chronicle. A reboot is one kill, however many processes it ends. */
const carryOut = (load: Load, fault: Fault): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { store, world } = load
    const { chronicle } = world
    switch (fault.kind) {
      case "freeze": {
        const victim = from(workers(load), fault.pick).find((pid) => signal(pid, world.root, "SIGSTOP"))
        if (victim === undefined) return
        chronicle.fault("freeze", 0)
        chronicle.note(null, `freeze worker ${victim} for ${fault.forMs} ms`)
        const thaw = Effect.sync(() => signal(victim, world.root, "SIGCONT"))
        return yield* Effect.ensuring(Effect.sleep(fault.forMs), thaw)
      }
      case "lock": {
        const release = store.lock()
        if (release === null) return
        chronicle.fault("lock", 0)
        chronicle.note(null, `hold the write lock for ${fault.forMs} ms`)
        return yield* Effect.ensuring(Effect.sleep(fault.forMs), Effect.sync(release))
      }
      case "stop":
        return yield* stop(load)
      case "leave":
        return yield* leave(load, fault.forMs)
      case "foreign":
        return yield* lookFromElsewhere(load, fault.words)
      case "stranger":
        return yield* lookAsStranger(load, fault.words)
      case "empty":
        return yield* emptyOutput(load, fault.pick)
      case "clock":
        return yield* setClock(load, fault.aheadMs, fault.forMs)
      case "reboot":
        chronicle.fault("reboot", 1)
        return yield* reboot(load)
      default: {
        const kind = yield* kill(load, fault.kind, fault.pick)
        if (kind !== null) chronicle.fault(kind, 1)
      }
    }
  })

/** All faults of the plan, each from its time on: none waits for another. */
export const runFaults = (load: Load, faults: ReadonlyArray<Fault>): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const fault of faults) {
      yield* Effect.sleep(Math.max(0, fault.at - load.world.chronicle.elapsed))
      yield* FiberSet.run(load.fibers, carryOut(load, fault))
    }
  })
