/** The fields with which an agent says when something runs, and the fields of a schedule in answers. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { MissedPolicy, OverlapPolicy, Schedule, type Work } from "../../domain/schedule/Schedule.ts"
import { writtenTiming } from "../../programs/schedules/readTiming.ts"
import { createSchedule, taskWork } from "../../programs/schedules/ScheduleChanges.ts"
import { prepareTask } from "../../programs/tasks/prepareTask.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { Session } from "../protocol/Session.ts"
import type { Call } from "../Tool.ts"
import { whole } from "./Fields.ts"
import { submissionOf } from "./TaskFields.ts"

const Text = Schema.optional(Schema.NonEmptyString)

export const whenFields = {
  when: Schema.NonEmptyString.annotations({ description: "Cron, 'every 15m' or a time: 'tomorrow 9am'" }),
  timezone: Schema.optional(Schema.NonEmptyString.annotations({ description: "e.g. Europe/Berlin" })),
  name: Text,
  maxRuns: Schema.optional(whole(1, 1_000_000_000, "")),
  overlap: Schema.optional(OverlapPolicy.annotations({ description: "While the last run runs (default: skip)" })),
  missed: Schema.optional(MissedPolicy.annotations({ description: "Times while no worker ran (default: run-once)" }))
}

type When = Schema.Struct.Type<typeof whenFields>

export const ScheduleReference = Schema.NonEmptyString.pipe(Schema.maxLength(64, { jsonSchema: {} }))

/** ISO 8601, which models read best. */
const Time = Schema.String

export const ScheduleState = Schema.Struct({
  ...Schedule.pick("id", "name", "kind", "title", "status", "reason", "runs", "timing").fields,
  /** The next fire times. */
  next: Schema.Array(Time)
})
export type ScheduleState = typeof ScheduleState.Type

export const isoTime = (at: number): string => new Date(at).toISOString()

export const scheduleState = (schedule: Schedule, times: ReadonlyArray<number>): ScheduleState => {
  const { id, kind, name, reason, runs, status, timing, title } = schedule
  return { id, name, kind, title, status, reason, runs, timing, next: times.map(isoTime) }
}

export const Scheduled = Schema.Struct({ ...ScheduleState.fields, warnings: Schema.Array(Schema.String) })

/** The person or task that makes the request, for the record. */
export const askedBy = Effect.fn("mcp.askedBy")(function* (call: Call) {
  const session = yield* Session
  const submitter = submitterOf(session.environment)
  return submitter.taskId === null && call.client !== null ? call.client : yield* nameOf(submitter)
})

/** Stores the schedule; a client that gives up in the meantime does not leave half of it. */
export const schedule = Effect.fn("mcp.schedule")(function* (
  when: When,
  captured: { readonly work: Work; readonly warnings: ReadonlyArray<string> },
  call: Call
) {
  const session = yield* Session
  yield* session.serving
  const rules = {
    ...writtenTiming(when.when, when.timezone ?? null),
    name: when.name ?? null,
    missed: when.missed ?? null,
    graceMs: null,
    overlap: when.overlap ?? null,
    jitterMs: null,
    maxRuns: when.maxRuns ?? null,
    expires: null,
    after: null
  }
  const by = yield* askedBy(call)
  const { schedule, served } = yield* Effect.uninterruptible(createSchedule(rules, captured.work, by)).pipe(
    // The tool has one argument for the three.
    Effect.catchTag("InvalidInput", ({ example, field, problem }) => {
      const inWhen = field === "cron" || field === "every" || field === "at"
      const unread = field === "at" && problem.includes("is not a time")
      return new InvalidInput({
        field: inWhen ? "when" : field,
        problem: unread ? `${problem}. What recurs is written 'every 1d' or '0 9 * * 1-5' (cron)` : problem,
        example
      })
    })
  )
  const problem = Option.match(served.problem, {
    onNone: () => [],
    onSome: ({ message }) => [`the schedule is stored, but no worker could be started: ${message}`]
  })
  return { ...scheduleState(schedule, schedule.times), warnings: [...captured.warnings, ...problem] }
})

interface Described {
  readonly prompt: string
  readonly agent?: string | undefined
  readonly model?: string | undefined
  readonly directory?: string | undefined
}

/** The task that a schedule starts, prepared with the environment of the session. */
export const scheduledTask = Effect.fn("scheduledTask")(function* ({ agent, directory, model, prompt }: Described) {
  const session = yield* Session
  const described = {
    prompt,
    ...(agent === undefined ? {} : { agent }),
    ...(model === undefined ? {} : { model }),
    ...(directory === undefined ? {} : { directory })
  }
  const submission = yield* submissionOf(described, new Map())
  const { task, warnings } = yield* prepareTask(submission, submitterOf(session.environment))
  return { work: taskWork(task), warnings }
})
