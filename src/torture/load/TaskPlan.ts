/** The tasks of a torture run: what each agent will do, and what happens to the processes that submit, cancel and watch it. */
import type { Dice } from "../Dice.ts"

/**
 * `lines` prints slowly and exits; `flood` prints a lot without a pause; `sleeper` prints and hangs; `stubborn` does so and
 * ignores TERM; `silent` stops printing; `leftover` leaves a process in another session behind; `suicide` dies by a
 * signal; `emptier` empties its own output half-way; `listener` notes what it is told until it is told to close; `claude-*` print a stream whose verdict counts in addition to the exit code of 0.
 */
export type Behaviour =
  | "lines"
  | "flood"
  | "sleeper"
  | "stubborn"
  | "silent"
  | "leftover"
  | "suicide"
  | "emptier"
  | "listener"
  | "claude-ok"
  | "claude-error"
  | "claude-cut"

/** What happens to a command: killed after a while, or at a failpoint. */
export type Trouble = { readonly killAfterMs: number } | { readonly failpoint: string } | null

/** Changes everything that can be checked afterwards: one line more, another exit code, another priority, a label. */
export interface EditPlan {
  readonly afterMs: number
  /** The exit code, which counts only for some behaviours. */
  readonly exitCode: number
  readonly trouble: Trouble
}

/** A retry or resume by hand, after the work has ended. */
export interface ResubmitPlan {
  readonly how: "retry" | "resume" | "fresh"
  readonly trouble: Trouble
}

/** Something that is said to an agent while it runs. The last message closes it. */
export interface MessagePlan {
  readonly afterMs: number
  readonly trouble: Trouble
}

type Policy = "success" | "finished" | "failure"

export interface TaskPlan {
  /** Idempotency key and name in the journals. */
  readonly key: string
  readonly behaviour: Behaviour
  readonly lines: number
  /** Between two lines, in milliseconds. */
  readonly pauseMs: number
  readonly exitCode: number
  readonly timeoutMs: number | null
  readonly stallMs: number | null
  readonly maxOutputBytes: number
  readonly priority: "P0" | "P1" | "P2"
  readonly notBeforeMs: number | null
  /** What it waits for: the task that was planned this many places before it, where that was accepted by then. */
  readonly after: ReadonlyArray<{ readonly back: number; readonly policy: Policy }>
  /** It continues from the first task whose success it waits for. */
  readonly continues: boolean
  readonly retries: number
  readonly backoffMs: number
  readonly via: "command" | "mcp"
  /** Without a key a submission that was killed is not repeated: the task is there once or not at all. */
  readonly keyed: boolean
  readonly submitTrouble: Trouble
  readonly cancel: { readonly afterMs: number; readonly trouble: Trouble } | null
  readonly watch: { readonly by: "wait" | "logs"; readonly trouble: Trouble } | null
  readonly edit: EditPlan | null
  readonly again: ResubmitPlan | null
  readonly messages: ReadonlyArray<MessagePlan>
}

/** Steps one after the other, submitted as one pipeline. */
export interface PipelinePlan {
  readonly key: string
  readonly steps: ReadonlyArray<TaskPlan>
  readonly submitTrouble: Trouble
  readonly cancelAfterMs: number | null
}

/** Work that comes again and again. */
export interface SchedulePlan {
  readonly key: string
  readonly everyMs: number
  readonly missed: "run-all" | "run-once"
  readonly overlap: "allow" | "skip" | "queue"
  readonly task: TaskPlan
  readonly createTrouble: Trouble
}

/** More than can be submitted in the time. */
const perSecond = 14

/** The same of pipelines. */
const pipelinesPerSecond = 1

export const commandTrouble = (dice: Dice, points: ReadonlyArray<string>, probability: number): Trouble =>
  !dice.chance(probability)
    ? null
    : dice.chance(0.5)
      ? { killAfterMs: dice.between(20, 400) }
      : { failpoint: dice.pick(points) }

const lengthOf = (dice: Dice, behaviour: Behaviour): { readonly lines: number; readonly pauseMs: number } => {
  switch (behaviour) {
    case "flood":
      return { lines: dice.between(500, 12_000), pauseMs: 0 }
    case "sleeper":
    case "stubborn":
    case "silent":
      return { lines: dice.between(0, 4), pauseMs: 20 }
    case "listener":
      return { lines: dice.between(0, 3), pauseMs: 20 }
    case "emptier":
      return { lines: dice.between(2, 6), pauseMs: dice.pick([0, 60, 200]) }
    default:
      // Few: each line with a pause is a separate process, and a commit that wakes all workers.
      return { lines: dice.between(0, 6), pauseMs: dice.pick([0, 20, 60, 150, 300]) }
  }
}

const edges = (dice: Dice): TaskPlan["after"] =>
  Array.from(
    {
      length: dice.weighted([
        [70, 0],
        [20, 1],
        [10, 2]
      ])
    },
    (_, index) => ({
      back: dice.between(1, 4) + index * 4,
      policy: dice.weighted<Policy>([
        [5, "success"],
        [3, "finished"],
        [2, "failure"]
      ])
    })
  )

const planEdit = (dice: Dice): EditPlan => ({
  afterMs: dice.between(0, 1200),
  exitCode: dice.chance(0.75) ? 0 : dice.pick([2, 5]),
  trouble: commandTrouble(dice, ["edit.commit", "edit.committed"], 0.2)
})

const planMessages = (dice: Dice): ReadonlyArray<MessagePlan> =>
  Array.from({ length: dice.between(2, 4) }, () => ({
    afterMs: dice.between(0, 400),
    trouble: commandTrouble(dice, ["send.commit", "send.committed", "send.stored"], 0.3)
  }))

const planResubmit = (dice: Dice): ResubmitPlan => ({
  how: dice.pick(["retry", "resume", "fresh"]),
  trouble: commandTrouble(dice, ["enqueue.commit", "enqueue.committed"], 0.3)
})

/** The task as it is once it has been edited. */
export const edited = (plan: TaskPlan, edit: EditPlan): TaskPlan => ({
  ...plan,
  lines: plan.lines + 1,
  exitCode: plan.behaviour.startsWith("claude") ? 0 : edit.exitCode,
  priority: plan.priority === "P0" ? "P2" : "P0"
})

const planTask = (dice: Dice, index: number): TaskPlan => {
  const behaviour = dice.weighted<Behaviour>([
    [44, "lines"],
    [6, "flood"],
    [9, "sleeper"],
    [4, "stubborn"],
    [3, "silent"],
    [7, "leftover"],
    [4, "suicide"],
    [5, "emptier"],
    [4, "listener"],
    [7, "claude-ok"],
    [4, "claude-error"],
    [3, "claude-cut"]
  ])
  const endless = behaviour === "sleeper" || behaviour === "stubborn"
  const patience = behaviour === "listener" ? 15_000 : 8000
  const keyed = !dice.chance(0.1)
  const notBeforeMs = dice.chance(0.08) ? dice.between(200, 2500) : null
  const after = edges(dice)
  return {
    key: `t${index}`,
    behaviour,
    ...lengthOf(dice, behaviour),
    exitCode: behaviour.startsWith("claude") ? 0 : dice.chance(0.75) ? 0 : dice.pick([1, 3, 7, 77]),
    timeoutMs: endless ? dice.between(800, 3000) : behaviour === "silent" || behaviour === "listener" ? patience : null,
    stallMs: behaviour === "silent" ? 1200 : null,
    maxOutputBytes: dice.pick([20_000, 200_000, 10_000_000]),
    priority: dice.pick(["P0", "P1", "P1", "P2"]),
    notBeforeMs,
    after,
    continues: dice.chance(0.5),
    retries: dice.chance(0.2) && behaviour !== "listener" ? dice.between(1, 3) : 0,
    backoffMs: dice.between(50, 600),
    via: dice.chance(0.85) && behaviour !== "listener" ? "mcp" : "command",
    keyed,
    submitTrouble: commandTrouble(dice, ["enqueue.commit", "enqueue.committed"], keyed ? 0.2 : 0.5),
    cancel: dice.chance(endless ? 0.5 : 0.08)
      ? {
          afterMs: dice.between(0, 2500),
          trouble: commandTrouble(dice, ["cancel.commit", "cancel.committed"], 0.25)
        }
      : null,
    watch: dice.chance(0.04)
      ? { by: dice.pick(["wait", "logs"]), trouble: dice.chance(0.3) ? { killAfterMs: dice.between(100, 2000) } : null }
      : null,
    // Some that wait, and some that start at that very moment.
    edit: dice.chance(notBeforeMs !== null || after.length > 0 ? 0.3 : 0.1) ? planEdit(dice) : null,
    again: dice.chance(0.1) ? planResubmit(dice) : null,
    messages: behaviour === "listener" ? planMessages(dice) : []
  }
}

export const planTasks = (dice: Dice, durationMs: number): ReadonlyArray<TaskPlan> =>
  Array.from({ length: Math.ceil((durationMs / 1000) * perSecond) + 10 }, (_, index) => planTask(dice, index))

const nobody = { continues: false, cancel: null, watch: null, edit: null, again: null, messages: [] }

/** A step gets only the faults that hit everything: no trouble on its submit, no cancel, no watcher. */
export const planStep = (dice: Dice, key: string): TaskPlan => {
  const behaviour = dice.weighted<Behaviour>([
    [6, "lines"],
    [1, "flood"],
    [1, "leftover"],
    [1, "suicide"]
  ])
  const common = { timeoutMs: null, stallMs: null, notBeforeMs: null, submitTrouble: null, ...nobody }
  return {
    ...common,
    ...lengthOf(dice, behaviour),
    key,
    behaviour,
    exitCode: dice.pick([0, 0, 0, 0, 0, 5]),
    maxOutputBytes: 10_000_000,
    priority: "P1",
    after: [],
    retries: 1,
    backoffMs: 100,
    via: "command",
    keyed: true
  }
}

const planPipeline = (dice: Dice, index: number): PipelinePlan => ({
  key: `p${index}`,
  steps: Array.from({ length: dice.between(2, 4) }, (_, step) => planStep(dice, `p${index}.${step}`)),
  submitTrouble: commandTrouble(dice, ["create-pipeline.commit", "create-pipeline.committed"], 0.25),
  cancelAfterMs: dice.chance(0.15) ? dice.between(0, 3000) : null
})

export const planPipelines = (dice: Dice, durationMs: number): ReadonlyArray<PipelinePlan> =>
  Array.from({ length: Math.ceil((durationMs / 1000) * pipelinesPerSecond) }, (_, index) => planPipeline(dice, index))

/** Few, because they submit tasks automatically; sometimes none, so that workers exit when there is nothing to do. */
export const planSchedules = (dice: Dice): ReadonlyArray<SchedulePlan> =>
  Array.from({ length: dice.between(0, 2) }, (_, index) => ({
    key: `s${index}`,
    everyMs: dice.between(2, 4) * 1000,
    missed: index === 0 ? "run-all" : "run-once",
    overlap: index === 0 ? "allow" : dice.pick(["skip", "queue"]),
    task: { ...planStep(dice, `s${index}`), retries: 0 },
    createTrouble: commandTrouble(dice, ["createSchedule.commit", "createSchedule.committed"], 0.3)
  }))
