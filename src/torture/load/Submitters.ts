/** The commands that hand work over: tasks, pipelines and schedules, again after each death until there is an answer. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { AskedEdge } from "../Chronicle.ts"
import { accept } from "./Answers.ts"
import { edgesOf, type Load, next, runCommand } from "./Load.ts"
import { isClaude, promptOf } from "./Script.ts"
import type { PipelinePlan, SchedulePlan, TaskPlan } from "./TaskPlan.ts"

const flags = (
  plan: TaskPlan,
  edges: ReadonlyArray<AskedEdge>,
  continued: string | undefined
): ReadonlyArray<string> => [
  "-a",
  isClaude(plan.behaviour) ? "claude" : "shell",
  "-p",
  plan.priority,
  "--label",
  `torture=${plan.key}`,
  "--max-output",
  String(plan.maxOutputBytes),
  ...(plan.keyed ? ["--key", plan.key] : []),
  ...(plan.behaviour === "listener" ? ["--steer"] : []),
  ...(plan.retries === 0 ? [] : ["--retries", String(plan.retries), "--backoff", `${plan.backoffMs}ms`]),
  ...(continued === undefined ? [] : ["--continue-from", continued]),
  // A task that continues from another waits for its success.
  ...edges
    .filter(({ policy, upstream }) => policy !== "success" || upstream !== continued)
    .flatMap(({ policy, upstream }) => ["--after", policy === "success" ? upstream : `${upstream}:${policy}`]),
  ...(plan.timeoutMs === null ? [] : ["--timeout", `${plan.timeoutMs}ms`]),
  ...(plan.stallMs === null ? [] : ["--stall", `${plan.stallMs}ms`]),
  ...(plan.notBeforeMs === null ? [] : ["--not-before", `${plan.notBeforeMs}ms`])
]

/** Again and again under the same key until there is an answer; only once without one. */
const submit = (load: Load, plan: TaskPlan) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    for (let attempt = 1; ; attempt++) {
      chronicle.note(plan.key, `beat run, attempt ${attempt}`)
      const edges = edgesOf(load, plan)
      const args = ["run", ...flags(plan, edges, chronicle.continued.get(plan.key)), "--", promptOf(plan, root)]
      const finished = yield* runCommand(load, args, attempt === 1 ? plan.submitTrouble : null)
      if (finished.code === 0) return yield* accept(load, plan, finished.stdout.toString().trim(), "beat run")
      chronicle.note(plan.key, `no answer: ${finished.code ?? finished.signal} ${finished.stderr.trim().slice(0, 300)}`)
      if (!plan.keyed) return void chronicle.unsure.add(plan.key)
      // The store may be locked for a while; nothing else is a reason to refuse.
      if (finished.code !== null && finished.code !== 74) {
        return chronicle.breach("a task is accepted", plan.key, `exit ${finished.code}: ${finished.stderr.trim()}`)
      }
      yield* Effect.sleep(100)
    }
  })

/** The same for a pipeline, whose steps are stored with it or not at all. */
const submitPipeline = (load: Load, plan: PipelinePlan) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    const steps = plan.steps.flatMap((step) => ["--step", promptOf(step, root)])
    const args = ["pipeline", "run", "-a", "shell", "--retries", "1", "--backoff", "100ms", "--key", plan.key, ...steps]
    for (let attempt = 1; ; attempt++) {
      const finished = yield* runCommand(load, args, attempt === 1 ? plan.submitTrouble : null)
      if (finished.code === 0) {
        const id = finished.stdout.toString().trim()
        chronicle.note(plan.key, `accepted as ${id} by beat pipeline run`)
        chronicle.acceptedPipelines.set(plan.key, id)
        if (load.store.one("SELECT id FROM pipelines WHERE id = ?", id) === undefined) {
          chronicle.breach("an answer comes after the commit", plan.key, `pipeline ${id} is not stored`)
        }
        if (plan.cancelAfterMs !== null) yield* FiberSet.run(load.fibers, cancelPipeline(load, id, plan.cancelAfterMs))
        return
      }
      chronicle.note(plan.key, `no answer: ${finished.code ?? finished.signal} ${finished.stderr.trim().slice(0, 300)}`)
      if (finished.code !== null && finished.code !== 74) {
        return chronicle.breach("a task is accepted", plan.key, `exit ${finished.code}: ${finished.stderr.trim()}`)
      }
      yield* Effect.sleep(100)
    }
  })

/** A name can be taken once: a submitter that was killed after the commit finds it taken, and has what it asked for. */
export const createSchedule = (load: Load, plan: SchedulePlan) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    const rules = ["--missed", plan.missed, "--overlap", plan.overlap, "--name", plan.key]
    const args = ["schedule", "create", "--every", `${plan.everyMs}ms`, ...rules, "-a", "shell", "--"]
    for (let attempt = 1; !load.over; attempt++) {
      const trouble = attempt === 1 ? plan.createTrouble : null
      const finished = yield* runCommand(load, [...args, promptOf(plan.task, root)], trouble)
      const there = load.store.one("SELECT id FROM schedules WHERE name = ?", plan.key) !== undefined
      chronicle.note(plan.key, `beat schedule create: ${finished.code ?? finished.signal} ${finished.stderr.trim()}`)
      if (finished.code === 0 && !there) {
        return chronicle.breach("an answer comes after the commit", plan.key, "the schedule is not stored")
      }
      if (there) return void chronicle.schedules.add(plan.key)
      if (finished.code !== null && finished.code !== 74) {
        return chronicle.breach("a task is accepted", plan.key, `exit ${finished.code}: ${finished.stderr.trim()}`)
      }
      yield* Effect.sleep(100)
    }
  })

/** Workers stay for as long as a schedule is active. A fault that was on its way may still hit the first command. */
export const endSchedules = (load: Load) =>
  Effect.forEach(load.world.chronicle.schedules, (name) =>
    Effect.repeat(runCommand(load, ["schedule", "cancel", name], null), { while: ({ code }) => code !== 0, times: 4 })
  )

const cancelPipeline = (load: Load, id: string, afterMs: number) =>
  Effect.gen(function* () {
    yield* Effect.sleep(afterMs)
    const steps = load.store.rows<{ id: string }>("SELECT id FROM tasks WHERE pipeline_id = ?", id)
    for (const step of steps) load.world.chronicle.hurt(step.id, "cancel")
    yield* runCommand(load, ["pipeline", "cancel", id], null)
  })

/** A process for each task costs more than all else: most of the load comes from the clients of MCP servers. */
const pauseMs = 500

export const submitter = (load: Load) =>
  Effect.gen(function* () {
    for (let count = 1; ; count++) {
      const pipeline = count % 3 === 1 ? yield* next(load, load.pipelines) : null
      if (pipeline !== null) yield* submitPipeline(load, pipeline)
      const plan = yield* next(load, load.byCommand)
      if (plan === null) return
      yield* submit(load, plan)
      yield* Effect.sleep(pauseMs)
    }
  })
