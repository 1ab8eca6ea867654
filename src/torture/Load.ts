/** The people of a torture run: they submit, cancel and watch tasks, are killed at it, and write down what they were told. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type { AskedEdge } from "./Chronicle.ts"
import { McpClient } from "./McpClient.ts"
import type { Plan } from "./Plan.ts"
import { isClaude, promptOf } from "./Script.ts"
import { ended, type Store, type TaskRow } from "./Store.ts"
import { processesOf } from "./SystemProcesses.ts"
import type { PipelinePlan, SchedulePlan, TaskPlan, Trouble } from "./TaskPlan.ts"
import type { Finished, World } from "./World.ts"

/** Nobody submits while this many tasks have not ended. */
const mostUnfinished = 14

const submitters = 2

/** Where the run stands with its plan. */
export interface Load {
  readonly world: World
  readonly store: Store
  readonly byCommand: Array<TaskPlan>
  readonly byMcp: Array<TaskPlan>
  readonly pipelines: Array<PipelinePlan>
  /** Those who hand over tasks: none comes after they have left. */
  readonly submitting: FiberSet.FiberSet
  /** Everything else that was begun. */
  readonly fibers: FiberSet.FiberSet
  /** The server that tasks are handed to at present. */
  server: McpClient | null
  over: boolean
}

/** Runs `beat` to its end, with the trouble that was planned for it. */
const runCommand = (load: Load, args: ReadonlyArray<string>, trouble: Trouble): Effect.Effect<Finished> =>
  Effect.gen(function* () {
    yield* load.world.up.await
    const failpoints = trouble !== null && "failpoint" in trouble ? `${trouble.failpoint}:kill` : undefined
    const running = load.world.start(args, { failpoints })
    if (trouble !== null && "killAfterMs" in trouble) {
      const timer = setTimeout(() => {
        if (running.child.kill("SIGKILL")) load.world.chronicle.fault("kill-command", 1)
      }, trouble.killAfterMs)
      void running.finished.then(() => clearTimeout(timer))
    }
    return yield* Effect.promise(() => running.finished)
  })

/** What follows from an answer: the task must be there from this moment on. */
const accept = (load: Load, plan: TaskPlan, id: string, by: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    chronicle.note(plan.key, `accepted as ${id} by ${by}`)
    const before = chronicle.accepted.get(plan.key)
    if (before !== undefined && before !== id) {
      chronicle.breach("one key, one task", id, `key ${plan.key} was ${before} before`)
    }
    chronicle.accepted.set(plan.key, id)
    if (load.store.task(id) === undefined) {
      chronicle.breach("an answer comes after the commit", id, `${by} told the id of ${plan.key}, which is not stored`)
    }
    if (plan.cancel !== null) yield* FiberSet.run(load.fibers, cancelLater(load, plan, plan.cancel, id))
    if (plan.watch !== null) yield* FiberSet.run(load.fibers, watch(load, plan.watch, id))
  })

const cancelLater = (load: Load, plan: TaskPlan, cancel: NonNullable<TaskPlan["cancel"]>, id: string) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    yield* Effect.sleep(cancel.afterMs)
    if (plan.via === "mcp" && load.server?.alive === true && cancel.trouble === null) {
      const { server } = load
      chronicle.hurt(id, "cancel")
      const answer = yield* Effect.promise(() => server.call("CancelTask", { ids: [id] }).catch(() => null))
      if (answer !== null && answer.isError !== true) cancelled(load, id, "CancelTask")
      return
    }
    chronicle.hurt(id, "cancel")
    const finished = yield* runCommand(load, ["cancel", id], cancel.trouble)
    if (finished.code !== null) chronicle.note(id, `beat cancel: exit ${finished.code}`)
    if (finished.code === 0) cancelled(load, id, "beat cancel")
  })

/** A task and the automatic retries of it, which a cancel and a wait mean too. */
const triesOf = (store: Store, id: string): ReadonlyArray<TaskRow> => {
  const row = store.task(id)
  return row === undefined ? [] : [row, ...(row.retried_by === null ? [] : triesOf(store, row.retried_by))]
}

/** Whoever is told that a task is cancelled may rely on it: it has ended, and so have its processes. */
const cancelled = (load: Load, id: string, by: string): void => {
  const { chronicle } = load.world
  const tries = triesOf(load.store, id)
  const open = tries.find((row) => !ended(row))
  if (open !== undefined) {
    chronicle.breach("an answer comes after the commit", open.id, `${by} returned while the task was ${open.status}`)
  }
  const left = processesOf(load.world.root).filter(({ task }) => tries.some((row) => row.id === task))
  if (left.length > 0) {
    const named = left.map(({ command, pid }) => `${pid} ${command}`).join("; ")
    chronicle.breach("cancelled means gone", id, `${by} returned while there was ${named}`)
  }
}

const watch = (load: Load, { by, trouble }: NonNullable<TaskPlan["watch"]>, id: string) =>
  Effect.gen(function* () {
    const args = by === "wait" ? ["wait", id] : ["logs", "-f", "--raw", id]
    const { code, stderr, stdout } = yield* runCommand(load, args, trouble)
    if (code === null) return
    load.world.chronicle.note(id, `beat ${by}: exit ${code} ${stderr.trim().slice(0, 200)}`)
    load.world.chronicle.answers.push({ task: id, by, code, stdout })
  })

/** The tasks it waits for, by the ids that were told so far; the same at each attempt. */
const edgesOf = ({ world: { chronicle } }: Load, plan: TaskPlan): ReadonlyArray<AskedEdge> => {
  const known = chronicle.edges.get(plan.key)
  if (known !== undefined) return known
  const asked = plan.after.flatMap(({ back, policy }) => {
    const upstream = chronicle.accepted.get(`t${Number(plan.key.slice(1)) - back}`)
    return upstream === undefined ? [] : [{ upstream, policy }]
  })
  chronicle.edges.set(plan.key, asked)
  return asked
}

const flags = (plan: TaskPlan, edges: ReadonlyArray<AskedEdge>): ReadonlyArray<string> => [
  "-a",
  isClaude(plan.behaviour) ? "claude" : "shell",
  "-p",
  plan.priority,
  "--label",
  `torture=${plan.key}`,
  "--max-output",
  String(plan.maxOutputBytes),
  ...(plan.keyed ? ["--key", plan.key] : []),
  ...(plan.retries === 0 ? [] : ["--retries", String(plan.retries), "--backoff", `${plan.backoffMs}ms`]),
  ...edges.flatMap(({ policy, upstream }) => ["--after", policy === "success" ? upstream : `${upstream}:${policy}`]),
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
      const args = ["run", ...flags(plan, edgesOf(load, plan)), "--", promptOf(plan, root)]
      const finished = yield* runCommand(load, args, attempt === 1 ? plan.submitTrouble : null)
      if (finished.code === 0) return yield* accept(load, plan, finished.stdout.toString().trim(), "beat run")
      chronicle.note(plan.key, `no answer: ${finished.code ?? finished.signal} ${finished.stderr.trim().slice(0, 300)}`)
      if (!plan.keyed) return void chronicle.unsure.add(plan.key)
      // The store may be locked for a while; anything else is no reason to refuse.
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

/** A name is taken once: who was killed after the commit finds it so, and has what was asked for. */
const createSchedule = (load: Load, plan: SchedulePlan) =>
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

/** Runtimes stay for as long as a schedule is active. */
export const endSchedules = (load: Load) =>
  Effect.forEach(load.world.chronicle.schedules, (name) => runCommand(load, ["schedule", "cancel", name], null))

const cancelPipeline = (load: Load, id: string, afterMs: number) =>
  Effect.gen(function* () {
    yield* Effect.sleep(afterMs)
    const steps = load.store.rows<{ id: string }>("SELECT id FROM tasks WHERE pipeline_id = ?", id)
    for (const step of steps) load.world.chronicle.hurt(step.id, "cancel")
    yield* runCommand(load, ["pipeline", "cancel", id], null)
  })

/** The next task, once there is room for it; null when no more are wanted. */
const next = <A>(load: Load, from: Array<A>): Effect.Effect<A | null> =>
  Effect.gen(function* () {
    while (!load.over) {
      yield* load.world.up.await
      if (load.store.unfinished.length < mostUnfinished) return from.shift() ?? null
      yield* Effect.sleep(50)
    }
    return null
  })

const submitter = (load: Load) =>
  Effect.gen(function* () {
    for (let count = 1; ; count++) {
      const pipeline = count % 5 === 0 ? yield* next(load, load.pipelines) : null
      if (pipeline !== null) yield* submitPipeline(load, pipeline)
      const plan = yield* next(load, load.byCommand)
      if (plan === null) return
      yield* submit(load, plan)
    }
  })

const asDelegated = (plan: TaskPlan, root: string, edges: ReadonlyArray<AskedEdge>) => ({
  agent: isClaude(plan.behaviour) ? "claude" : "shell",
  prompt: promptOf(plan, root),
  priority: plan.priority,
  labels: { torture: plan.key },
  maxOutputBytes: plan.maxOutputBytes,
  dependsOn: edges.map(({ policy, upstream }) => (policy === "success" ? upstream : `${upstream}:${policy}`)),
  ...(plan.retries === 0 ? {} : { retries: plan.retries, backoffMs: plan.backoffMs }),
  ...(plan.keyed ? { key: plan.key } : {}),
  ...(plan.timeoutMs === null ? {} : { timeoutMs: plan.timeoutMs }),
  ...(plan.stallMs === null ? {} : { stallMs: plan.stallMs }),
  ...(plan.notBeforeMs === null ? {} : { notBefore: new Date(Date.now() + plan.notBeforeMs).toISOString() })
})

const idsOf = (structured: unknown): ReadonlyArray<string> => {
  if (typeof structured !== "object" || structured === null || !("tasks" in structured)) return []
  const { tasks } = structured
  return Array.isArray(tasks)
    ? tasks.flatMap((task: unknown) =>
        typeof task === "object" && task !== null && "id" in task && typeof task.id === "string" ? [task.id] : []
      )
    : []
}

/** Hands a few tasks to a server at once. Those with a key come again where the server died; true while it lives. */
const delegate = (load: Load, server: McpClient, plans: ReadonlyArray<TaskPlan>) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    for (const plan of plans) chronicle.note(plan.key, "DelegateTask")
    const asked = { tasks: plans.map((plan) => asDelegated(plan, root, edgesOf(load, plan))) }
    const answer = yield* Effect.promise(() => server.call("DelegateTask", asked).catch(String))
    if (answer === null) {
      for (const plan of plans) {
        if (plan.keyed) load.byMcp.unshift(plan)
        else chronicle.unsure.add(plan.key)
      }
      return false
    }
    const ids = typeof answer === "string" || answer.isError === true ? [] : idsOf(answer.structuredContent)
    const said = typeof answer === "string" ? answer : (answer.content?.[0]?.text ?? "")
    for (const [index, plan] of plans.entries()) {
      const id = ids[index]
      if (id !== undefined) yield* accept(load, plan, id, "DelegateTask")
      else if (plan.keyed && /locked|busy/i.test(said)) load.byMcp.unshift(plan)
      else chronicle.breach("a task is accepted", plan.key, `DelegateTask: ${said}`)
    }
    return true
  })

/** Up to `count` more that have a key too: one without must not share its fate with others. */
const alike = ({ byMcp }: Load, count: number): ReadonlyArray<TaskPlan> => {
  const keyed = byMcp.slice(0, count)
  const end = keyed.findIndex((plan) => !plan.keyed)
  return byMcp.splice(0, end < 0 ? keyed.length : end)
}

/** One client after another, each with a server of its own that serves the queue meanwhile. */
const client = (load: Load) =>
  Effect.gen(function* () {
    for (let round = 1; !load.over; round++) {
      yield* load.world.up.await
      const server = new McpClient(load.world, round % 4 === 0 ? "append.committed:kill@9" : undefined)
      load.server = server
      if (!(yield* Effect.promise(() => server.initialize().catch(() => false)))) continue
      for (let calls = 0; calls < 8 && !load.over; calls++) {
        const first = yield* next(load, load.byMcp)
        if (first === null) break
        const more = first.keyed ? alike(load, Number(first.key.slice(1)) % 3) : []
        if (!(yield* delegate(load, server, [first, ...more]))) break
        yield* Effect.sleep(150)
      }
      load.server = null
      yield* Effect.promise(() => server.leave())
    }
  })

/** Starts the load. It goes on until `over` is set. */
export const startLoad = (world: World, store: Store, plan: Plan) =>
  Effect.gen(function* () {
    const load: Load = {
      world,
      store,
      byCommand: plan.tasks.filter(({ via }) => via === "command"),
      pipelines: Array.from(plan.pipelines),
      byMcp: plan.tasks.filter(({ via }) => via === "mcp"),
      submitting: yield* FiberSet.make(),
      fibers: yield* FiberSet.make(),
      server: null,
      over: false
    }
    for (let count = 0; count < submitters; count++) yield* FiberSet.run(load.submitting, submitter(load))
    for (const schedule of plan.schedules) yield* FiberSet.run(load.submitting, createSchedule(load, schedule))
    yield* FiberSet.run(load.submitting, client(load))
    return load
  })
