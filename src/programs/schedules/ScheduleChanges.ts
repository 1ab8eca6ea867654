/** Creates, changes and runs schedules, and then makes sure that a worker is running to fire them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { DepthExceeded, InvalidInput, type StorageError, type WorkerUnavailable } from "../../domain/Errors.ts"
import type { NewPipeline } from "../../domain/pipeline/Pipeline.ts"
import {
  defaultGraceMs,
  type MissedPolicy,
  type OverlapPolicy,
  type Schedule,
  ScheduleName,
  tasksOf,
  type Work
} from "../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import type { NewTask } from "../../domain/task/NewTask.ts"
import { type ScheduleEdit, Schedules } from "../../services/Schedules.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { readTime, readTiming, type WrittenTiming } from "./readTiming.ts"
import { readZone } from "./readZone.ts"
import { reportOn, type ScheduleReport } from "./scheduleReport.ts"

/** Whether a worker is running to fire it. */
export interface Served {
  readonly launched: boolean
  /** The schedule is stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

/** The rules of a schedule as they are given; null is "not given". */
export interface WrittenRules extends WrittenTiming {
  readonly name: string | null
  readonly missed: MissedPolicy | null
  readonly graceMs: number | null
  readonly overlap: OverlapPolicy | null
  readonly jitterMs: number | null
  readonly maxRuns: number | null
  readonly expires: string | null
  /** Id, unique beginning of one, or name of a schedule. */
  readonly after: string | null
}

const served = Effect.map(
  Effect.either(ensureWorker()),
  (result): Served => ({
    launched: result._tag === "Right" && result.right,
    problem: result._tag === "Left" ? Option.some(result.left) : Option.none()
  })
)

/** The change is stored: an error of the report would make the caller repeat it. */
const reported = (schedule: Schedule) =>
  Effect.catchTag(reportOn(schedule), "StorageError", () => {
    const times = schedule.nextFireAt === null ? [] : [schedule.nextFireAt]
    return Effect.succeed<ScheduleReport>({ ...schedule, times, last: null, open: 0, problem: null })
  })

const checkName = (name: string | null) =>
  name === null || Schema.is(ScheduleName)(name)
    ? Effect.void
    : new InvalidInput({
        field: "name",
        problem: `'${name}' is not a valid name: use a letter, then letters, digits and . _ -, at most 64 characters`,
        example: "nightly-tests"
      })

const resolveAfter = (reference: string | null) =>
  Effect.gen(function* () {
    if (reference === null) return null
    const schedules = yield* Schedules
    return yield* schedules.resolve(reference)
  })

/** A run has no parent task and is in no trace: the creator of the schedule may be long gone. The depth is kept, so that
 * agents cannot delegate without limit. */
const ofItself = ({ traceparent: _, ...task }: NewTask): NewTask => ({
  ...task,
  parentId: null,
  idempotencyKey: null,
  notBefore: null
})

export const taskWork = (task: NewTask): Work => ({ kind: "task", task: ofItself(task) })

export const pipelineWork = (pipeline: NewPipeline): Work => ({
  kind: "pipeline",
  pipeline: {
    ...pipeline,
    steps: pipeline.steps.map((step) => ("kept" in step.work ? step : { ...step, work: ofItself(step.work) })),
    retryOf: null,
    idempotencyKey: null
  }
})

export interface Changed {
  readonly schedule: ScheduleReport
  readonly served: Served
}

const checkDepth = Effect.fn("schedule.depth")(function* (work: Work) {
  const { maxDepth } = yield* (yield* SettingsStore).get
  const depth = Math.max(0, ...tasksOf(work).map((task) => task.depth))
  if (depth > maxDepth) return yield* new DepthExceeded({ depth, limit: maxDepth })
})

export const createSchedule = Effect.fn("createSchedule")(function* (
  rules: WrittenRules,
  work: Work,
  createdBy: string
) {
  const schedules = yield* Schedules
  yield* checkName(rules.name)
  yield* checkDepth(work)
  const timing = yield* readTiming(rules)
  const { zone } = yield* readZone(timing.timezone)
  const missed = rules.missed ?? (timing.kind === "at" ? "run-once" : "skip")
  const expiresAt = rules.expires === null ? null : yield* readTime("expires", rules.expires, zone)
  const given = {
    name: rules.name,
    work,
    createdBy,
    timing,
    missed,
    graceMs: rules.graceMs ?? defaultGraceMs,
    overlap: rules.overlap ?? (missed === "run-all" ? "queue" : "skip"),
    jitterMs: rules.jitterMs ?? 0,
    maxRuns: rules.maxRuns,
    expiresAt,
    follows: yield* resolveAfter(rules.after)
  }
  const schedule = yield* schedules.create(given)
  const result: Changed = { schedule: yield* reported(schedule), served: yield* served }
  return result
})

/** What a schedule may be without. */
export const unsettable = ["name", "expires", "max-runs", "after"] as const
type Unset = (typeof unsettable)[number]

/** Changes only what is given. Clears the settings in `unset`. */
export const editSchedule = Effect.fn("editSchedule")(function* (
  id: ScheduleId,
  rules: WrittenRules,
  unset: ReadonlyArray<Unset>,
  work: Work | null,
  revision: number
) {
  const schedules = yield* Schedules
  const given = { name: rules.name, expires: rules.expires, "max-runs": rules.maxRuns, after: rules.after }
  const both = unset.find((field) => given[field] !== null)
  if (both !== undefined) {
    return yield* new InvalidInput({ field: "unset", problem: `${both} is given as well`, example: null })
  }
  const before = yield* schedules.get(id)
  yield* checkName(rules.name)
  if (work !== null) yield* checkDepth(work)
  const retimed = [rules.cron, rules.every, rules.at].some((one) => one !== null)
  const timezone = rules.timezone ?? before.timing.timezone
  const { zone } = yield* readZone(timezone)
  const timing = retimed ? yield* readTiming({ ...rules, timezone }) : { ...before.timing, timezone }
  const edit: ScheduleEdit = {
    ...(rules.name === null ? {} : { name: rules.name }),
    ...(retimed || rules.timezone !== null ? { timing } : {}),
    ...(rules.missed === null ? {} : { missed: rules.missed }),
    ...(rules.graceMs === null ? {} : { graceMs: rules.graceMs }),
    ...(rules.overlap === null ? {} : { overlap: rules.overlap }),
    ...(rules.jitterMs === null ? {} : { jitterMs: rules.jitterMs }),
    ...(rules.maxRuns === null ? {} : { maxRuns: rules.maxRuns }),
    ...(rules.expires === null ? {} : { expiresAt: yield* readTime("expires", rules.expires, zone) }),
    ...(rules.after === null ? {} : { follows: yield* resolveAfter(rules.after) }),
    ...(unset.includes("name") ? { name: null } : {}),
    ...(unset.includes("expires") ? { expiresAt: null } : {}),
    ...(unset.includes("max-runs") ? { maxRuns: null } : {}),
    ...(unset.includes("after") ? { follows: null } : {}),
    ...(work === null ? {} : { work })
  }
  if (Object.keys(edit).length === 0) {
    return yield* new InvalidInput({
      field: "edit",
      problem: "no change was given",
      example: "--cron '0 9 * * *'"
    })
  }
  const schedule = yield* schedules.edit(id, edit, revision)
  const result: Changed = { schedule: yield* reported(schedule), served: yield* served }
  return result
})

export const resumeSchedule = Effect.fn("resumeSchedule")(function* (id: ScheduleId) {
  const schedules = yield* Schedules
  const schedule = yield* schedules.resume(id)
  const result: Changed = { schedule: yield* reported(schedule), served: yield* served }
  return result
})

/** The execution, and whether a worker is running to run it. */
export const runSchedule = Effect.fn("runSchedule")(function* (id: ScheduleId) {
  const schedules = yield* Schedules
  const execution = yield* schedules.runNow(id)
  return { execution, served: yield* served }
})
