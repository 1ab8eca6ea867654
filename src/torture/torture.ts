/** One torture run: load and faults for a while, then quiet, then the check. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type { ChangeOutcome } from "./Chronicle.ts"
import { check, type Verdict } from "./checks/Checker.ts"
import { type Coverage, coverageOf, furtherFaults } from "./Floors.ts"
import type { Fault } from "./faults/FaultPlan.ts"
import { runFaults } from "./faults/Faults.ts"
import { killAll, processesOf } from "./faults/SystemProcesses.ts"
import { ends } from "./faults/Victims.ts"
import { type Focus, isCapped, windowsOf } from "./load/LimitPlan.ts"
import { raiseBudget } from "./load/Limits.ts"
import type { Load } from "./load/Load.ts"
import { endSchedules } from "./load/Submitters.ts"
import { startLoad } from "./load/startLoad.ts"
import { makePlan, type Plan } from "./Plan.ts"
import type { TortureReport } from "./Report.ts"
import { runSampler } from "./Sampler.ts"
import { Store } from "./Store.ts"
import { World } from "./World.ts"

interface TortureOptions {
  readonly durationMs: number
  readonly seed: number
  readonly focus: Focus
  /** The command that starts the program under test. */
  readonly beat: ReadonlyArray<string>
  /** How far it is, every second. */
  readonly onProgress: (line: string) => Effect.Effect<void>
  /** Called with each violation within a second after it was found, so that a run that is killed has reported it. */
  readonly onViolation: (line: string) => Effect.Effect<void>
}

/** How long the rest may take once the faults are over, in milliseconds. */
const bounds = { commands: 30_000, quiet: 15_000 } as const

/**
 * How long no task may end before the rest counts as stuck. A shim that died before it reported its identity is given up after ten
 * seconds. The whole may take longer on a machine under load, up to `mostMs`.
 */
const settleMs = (durationMs: number): number => Math.min(90_000, 30_000 + durationMs)
const mostMs = 600_000

/** The longest that one command waits, in milliseconds. */
const waitMs = 10_000

const scratch = Effect.acquireRelease(
  Effect.sync(() => realpathSync(mkdtempSync(join(tmpdir(), "beat-torture-")))),
  (root) => Effect.sync(() => killAll(root))
)

/** Waits until all tasks have ended, as a person would: a command that waits keeps a worker running. */
const drain = (load: Load, withinMs: number) =>
  Effect.gen(function* () {
    const { store, world } = load
    const last = world.chronicle.elapsed + mostMs
    let progress = { ends: ends(load), at: world.chronicle.elapsed }
    while (store.unfinished.length > 0 && world.chronicle.elapsed < Math.min(last, progress.at + withinMs)) {
      const running = world.start(["wait", "--timeout", `${waitMs}ms`, ...store.unfinished.slice(0, 50)])
      yield* Effect.promise(() => running.finished)
      if (ends(load) > progress.ends) progress = { ends: ends(load), at: world.chronicle.elapsed }
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

/** Waits until no process of the run lives. */
const quiet = ({ world }: Load) =>
  Effect.gen(function* () {
    const end = world.chronicle.elapsed + bounds.quiet
    const busy = () => world.commands.size > 0 || processesOf(world.root).length > 0
    while (busy() && world.chronicle.elapsed < end) yield* Effect.sleep(50)
  })

/** Lets everything come to rest. What does not is a broken promise too. */
const settle = (load: Load, plan: Plan, withinMs: number) =>
  Effect.gen(function* () {
    const { world } = load
    world.openAccounts()
    yield* left(load, load.submitting)
    if (plan.limits.flat().some(isCapped)) yield* raiseBudget(load)
    yield* endSchedules(load)
    yield* drain(load, withinMs)
    yield* left(load, load.fibers)
    yield* quiet(load)
    // Look now: a process that was left behind may exit before the check.
    for (const { command, pid, task } of processesOf(world.root)) {
      world.chronicle.breach("nothing remains", task, `process ${pid} lives after all has ended: ${command}`)
    }
    // A single worker does immediately what a killed worker left undone.
    world.start(["worker"], { log: "worker" })
    yield* quiet(load)
  })

const changesOf = ({ chronicle }: World): Readonly<Record<string, number>> => {
  const count = (all: ReadonlyMap<string, ChangeOutcome>, outcome: ChangeOutcome["outcome"]) =>
    Array.from(all.values()).filter((told) => told.outcome === outcome).length
  return {
    edited: count(chronicle.edits, "done"),
    "edit refused": count(chronicle.edits, "refused"),
    "edit killed": count(chronicle.edits, "unsure"),
    "taken up": count(chronicle.resubmits, "done"),
    "taking up refused": count(chronicle.resubmits, "refused"),
    "taking up killed": count(chronicle.resubmits, "unsure"),
    continued: chronicle.continued.size
  }
}

const summarize = (
  world: World,
  verdict: Verdict,
  options: TortureOptions,
  digest: string,
  coverage: Coverage
): TortureReport => ({
  ok: verdict.violations.length === 0,
  proven: coverage.shortfalls.length === 0,
  missed: coverage.missed,
  shortfalls: coverage.shortfalls,
  notRun: Object.fromEntries(world.chronicle.unable),
  seed: options.seed,
  plan: digest,
  seconds: Math.round(world.chronicle.elapsed / 1000),
  kills: world.chronicle.kills,
  tasks: verdict.tasks,
  pipelines: verdict.pipelines,
  scheduled: verdict.scheduled,
  loops: { submitted: verdict.loops, rounds: verdict.rounds },
  messages: verdict.messages,
  wakes: verdict.wakes,
  parks: verdict.parks,
  told: verdict.told,
  changes: changesOf(world),
  work: world.chronicle.work,
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
  return seconds * 1000 < durationMs ? `${seconds} s of ${durationMs / 1000}: ${state}` : `${seconds} s: ${state}`
}

/** Where a run has not reached its floors it continues, up to this many times the time that was asked for. */
const mostRounds = 4

const coverage = (plan: Plan, load: Load): Coverage => {
  const { chronicle } = load.world
  return coverageOf(plan, {
    kills: chronicle.kills,
    ends: ends(load),
    parks: load.store.one<{ count: number }>("SELECT count(*) AS count FROM parks")?.count ?? 0,
    faults: chronicle.faults,
    failpoints: chronicle.failpoints,
    work: chronicle.work,
    unable: chronicle.unable
  })
}

/** These faults, each at its time, and the whole time that is left. */
const runRound = (load: Load, plan: Plan, round: number, faults: ReadonlyArray<Fault>) =>
  runFaults(
    load,
    faults.map((fault) => ({ ...fault, at: fault.at + round * plan.durationMs }))
  ).pipe(
    Effect.zipRight(
      Effect.suspend(() => Effect.sleep(Math.max(0, (round + 1) * plan.durationMs - load.world.chronicle.elapsed)))
    )
  )

/** What is missing again, until the floors are reached. A machine under load needs more time for the same proof. */
const continueToFloors = (load: Load, plan: Plan) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    const enough = () => chronicle.breaches.length > 0 || coverage(plan, load).shortfalls.length === 0
    const reached = Effect.repeat(Effect.sleep(500), { until: enough })
    for (let round = 1; round < mostRounds && !enough(); round++) {
      const found = coverage(plan, load)
      load.wantsFailpoints = found.wants.failpoints
      chronicle.note(null, `below the floors: ${found.shortfalls.join("; ")}`)
      yield* Effect.raceFirst(runRound(load, plan, round, furtherFaults(plan, found)), reached)
    }
  })

/** Runs it in a new directory, which is kept when a promise was broken. */
export const torture = (options: TortureOptions): Effect.Effect<TortureReport> =>
  Effect.gen(function* () {
    const plan = makePlan(options.seed, options.durationMs, options.focus)
    const root = yield* scratch
    const world = new World(root, options.beat, windowsOf(options.focus))
    const store = new Store(world.database)
    yield* Effect.addFinalizer(() => Effect.sync(() => store.close()))
    const progress = Effect.suspend(() => options.onProgress(progressOf(world, options)))
    let told = 0
    const tell = Effect.suspend(() => {
      const fresh = world.chronicle.breaches.slice(told)
      told += fresh.length
      return Effect.forEach(fresh, ({ detail, invariant, task }) =>
        options.onViolation(`violation of '${invariant}'${task === null ? "" : ` by task ${task}`}: ${detail}`)
      )
    })
    yield* Effect.zipRight(tell, progress).pipe(Effect.zipRight(Effect.sleep(1000)), Effect.forever, Effect.forkScoped)

    const sampler = yield* Effect.forkScoped(runSampler(world, store))
    const load = yield* startLoad(world, store, plan)
    yield* runRound(load, plan, 0, plan.faults)
    yield* continueToFloors(load, plan)
    load.over = true
    world.chronicle.note(null, "no more faults")
    yield* settle(load, plan, settleMs(options.durationMs))
    yield* Fiber.interrupt(sampler)
    const verdict = check(plan, world, store)
    const report = summarize(world, verdict, options, plan.digest, coverage(plan, load))
    if (report.ok) yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(root, { recursive: true, force: true })))
    return report
  }).pipe(Effect.scoped)
