/** One torture run: load and faults for a while, then quiet, then the check. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import { check, type Verdict } from "./Checker.ts"
import type { Told } from "./Chronicle.ts"
import { runFaults } from "./Faults.ts"
import type { Load } from "./Load.ts"
import { makePlan } from "./Plan.ts"
import type { TortureReport } from "./Report.ts"
import { runSampler } from "./Sampler.ts"
import { startLoad } from "./StartLoad.ts"
import { Store } from "./Store.ts"
import { endSchedules } from "./Submitters.ts"
import { killAll, processesOf } from "./SystemProcesses.ts"
import { World } from "./World.ts"

export interface TortureOptions {
  readonly durationMs: number
  readonly seed: number
  /** The command that starts the program under test. */
  readonly beat: ReadonlyArray<string>
  /** How far it is, every second. */
  readonly onProgress: (line: string) => Effect.Effect<void>
}

/** How long the rest may take once the faults are over, in milliseconds. */
const bounds = { commands: 30_000, quiet: 9_000 } as const

/** Until the last task has ended. A shim that died before it told who it was is given up after ten seconds. */
const settleMs = (durationMs: number): number => Math.min(90_000, 30_000 + durationMs)

const scratch = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "beat-torture-")))),
  (root) => Effect.sync(() => killAll(root))
)

/** Waits until all tasks have ended, as a person would: a command that waits sees to it that the queue is served. */
const drain = (load: Load, withinMs: number) =>
  Effect.gen(function* () {
    const { store, world } = load
    const end = world.chronicle.elapsed + withinMs
    while (store.unfinished.length > 0 && world.chronicle.elapsed < end) {
      const left = Math.max(1000, end - world.chronicle.elapsed)
      const running = world.start(["wait", "--timeout", `${left}ms`, ...store.unfinished.slice(0, 50)])
      yield* Effect.promise(() => running.finished)
    }
  })

/** Waits for commands that are under way. */
const left = ({ world }: Load, fibers: FiberSet.FiberSet) =>
  Effect.gen(function* () {
    const waited = yield* Effect.timeoutOption(FiberSet.awaitEmpty(fibers), bounds.commands)
    if (waited._tag === "Some") return
    const names = Array.from(world.commands).map(({ child }) => child.spawnargs.slice(2, 6).join(" "))
    world.chronicle.breach("commands return", null, `still there when they should not be: ${names.join("; ")}`)
  })

/** Waits until nothing of the run lives any more. */
const quiet = ({ world }: Load) =>
  Effect.gen(function* () {
    const end = world.chronicle.elapsed + bounds.quiet
    const busy = () => world.commands.size > 0 || processesOf(world.root).length > 0
    while (busy() && world.chronicle.elapsed < end) yield* Effect.sleep(50)
  })

/** Lets everything come to rest. What does not is a broken promise too. */
const settle = (load: Load, withinMs: number) =>
  Effect.gen(function* () {
    const { world } = load
    yield* left(load, load.submitting)
    yield* endSchedules(load)
    yield* drain(load, withinMs)
    yield* left(load, load.fibers)
    yield* quiet(load)
    // Now, for what was left behind may end by itself before the check.
    for (const { command, pid, task } of processesOf(world.root)) {
      world.chronicle.breach("nothing remains", task, `process ${pid} lives after all has ended: ${command}`)
    }
    // What a killed runtime owes, the next one does at once when it is alone.
    world.start(["worker"], { log: "worker" })
    yield* quiet(load)
  })

const changesOf = ({ chronicle }: World): Readonly<Record<string, number>> => {
  const count = (all: ReadonlyMap<string, Told>, outcome: Told["outcome"]) =>
    Array.from(all.values()).filter((told) => told.outcome === outcome).length
  return {
    edited: count(chronicle.edits, "done"),
    "edit refused": count(chronicle.edits, "refused"),
    "edit killed": count(chronicle.edits, "unsure"),
    "taken up": count(chronicle.agains, "done"),
    "taking up refused": count(chronicle.agains, "refused"),
    "taking up killed": count(chronicle.agains, "unsure"),
    continued: chronicle.continued.size
  }
}

const summarize = (world: World, verdict: Verdict, options: TortureOptions, digest: string): TortureReport => ({
  ok: verdict.violations.length === 0,
  seed: options.seed,
  plan: digest,
  seconds: Math.round(world.chronicle.elapsed / 1000),
  kills: world.chronicle.kills,
  tasks: verdict.tasks,
  pipelines: verdict.pipelines,
  scheduled: verdict.scheduled,
  changes: changesOf(world),
  faults: world.chronicle.faults,
  failpoints: world.chronicle.failpoints,
  bytes: verdict.bytes,
  samples: world.chronicle.samples,
  violations: verdict.violations,
  kept: verdict.violations.length === 0 ? null : world.root
})

const progressOf = ({ chronicle }: World, { durationMs }: TortureOptions): string => {
  const seconds = Math.floor(chronicle.elapsed / 1000)
  const state = `${chronicle.accepted.size} tasks, ${chronicle.kills} kills, ${chronicle.breaches.length} violations`
  return seconds * 1000 < durationMs ? `${seconds} s of ${durationMs / 1000}: ${state}` : `settling: ${state}`
}

/** Runs it in a directory of its own, which stays when something was found. */
export const torture = (options: TortureOptions): Effect.Effect<TortureReport> =>
  Effect.gen(function* () {
    const plan = makePlan(options.seed, options.durationMs)
    const root = yield* scratch
    const world = new World(root, options.beat)
    const store = new Store(world.database)
    yield* Effect.addFinalizer(() => Effect.sync(() => store.close()))
    const progress = Effect.suspend(() => options.onProgress(progressOf(world, options)))
    yield* progress.pipe(Effect.zipRight(Effect.sleep(1000)), Effect.forever, Effect.forkScoped)

    const sampler = yield* Effect.forkScoped(runSampler(world, store))
    const load = yield* startLoad(world, store, plan)
    yield* runFaults(load, plan.faults).pipe(
      Effect.zipRight(Effect.suspend(() => Effect.sleep(Math.max(0, options.durationMs - world.chronicle.elapsed))))
    )
    load.over = true
    world.chronicle.note(null, "no more faults")
    yield* settle(load, settleMs(options.durationMs))
    yield* Fiber.interrupt(sampler)
    const verdict = check(plan, world, store)
    const report = summarize(world, verdict, options, plan.digest)
    if (report.ok) yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(root, { recursive: true, force: true })))
    return report
  }).pipe(Effect.scoped)
