/** What happened to a task and its attempts, in order: from the notices, the messages and the questions. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { keptNotices, type Notice } from "../../domain/events/Notice.ts"
import { questionName } from "../../domain/questions/Question.ts"
import { TaskId, type TaskSummary, Timestamp } from "../../domain/task/Task.ts"
import { Messages } from "../../services/Messages.ts"
import { Questions } from "../../services/Questions.ts"
import { Tasks } from "../../services/Tasks.ts"
import { readNotices } from "../events/readNotices.ts"

const TimelineEntry = Schema.Struct({
  at: Timestamp,
  taskId: TaskId,
  /** A kind of notice, or `created`, `agent-started`, `said`, `taken`, `cancel-asked`, `left`. */
  what: Schema.String,
  /** In words; empty where there is nothing to add. */
  details: Schema.String
}).annotations({ identifier: "TimelineEntry" })
type TimelineEntry = typeof TimelineEntry.Type

/** What `beat timeline ID --json` prints. */
export const Timeline = Schema.Struct({
  /** In order of time. */
  entries: Schema.Array(TimelineEntry),
  /** Whether notices of the time before the first one are no longer kept. */
  cut: Schema.Boolean
}).annotations({ identifier: "Timeline" })

/** What the row of a task says, also where its notices are no longer kept. */
const ownEntries = (task: TaskSummary): ReadonlyArray<TimelineEntry> => {
  const entry = (at: number | null, what: string, details: string): ReadonlyArray<TimelineEntry> =>
    at === null ? [] : [{ at, taskId: task.id, what, details }]
  const { cancelledBy, cancelReason, cancelRequestedAt, leftovers } = task
  const asked = `by ${cancelledBy ?? "?"}${cancelReason === null ? "" : `: ${cancelReason}`}`
  return [
    ...entry(task.createdAt, "created", `attempt ${task.attempt}, agent ${task.agent}`),
    ...entry(cancelRequestedAt, "cancel-asked", asked),
    ...(leftovers === 0 ? [] : entry(task.endedAt, "left", `${leftovers} processes outlived the agent and were ended`))
  ]
}

const messageEntries = Effect.fn("timeline.messages")(function* (taskId: TaskId) {
  const sent = yield* (yield* Messages).list(taskId, 1000)
  return sent.flatMap(({ at, body, kind, movedTo, reason, sender, state, takenAt }): ReadonlyArray<TimelineEntry> => {
    const what = kind === "interrupt" ? "interrupt" : "said"
    const text = kind === "interrupt" ? `by ${sender}` : `by ${sender}: ${body.slice(0, 200)}`
    const end = movedTo !== null ? `, moved to ${movedTo}` : reason !== null ? `, dropped: ${reason}` : ""
    return [
      { at, taskId, what, details: `${text}${end}` },
      ...(state === "taken" && takenAt !== null
        ? [{ at: takenAt, taskId, what: "taken", details: body.slice(0, 60) }]
        : [])
    ]
  })
})

const questionEntries = Effect.fn("timeline.questions")(function* (taskId: TaskId) {
  const asked = yield* (yield* Questions).ofTask(taskId)
  return asked.flatMap(
    ({ answer, answeredAt, answeredBy, askedAt, denied, id, text }): ReadonlyArray<TimelineEntry> => [
      { at: askedAt, taskId, what: "asks", details: `${questionName(id)}: ${text.slice(0, 200)}` },
      ...(answeredAt === null
        ? []
        : [
            {
              at: answeredAt,
              taskId,
              what: "answered",
              details: `${questionName(id)} by ${answeredBy}${denied ? ", declined" : ""}: ${(answer ?? "").slice(0, 200)}`
            }
          ])
    ]
  )
})

/** All attempts of the work that the task belongs to. `words` says what a notice adds to its kind. */
export const timeline = Effect.fn("timeline")(function* (id: TaskId, words: (notice: Notice) => string) {
  const tasks = yield* Tasks
  const { rootId } = yield* tasks.summary(id)
  const attempts = yield* tasks.attempts(rootId ?? id)
  const ids = new Set(attempts.map((task) => task.id))
  const first = Math.min(...attempts.map(({ createdAt }) => createdAt))
  let oldest = Number.POSITIVE_INFINITY
  const noticed = yield* readNotices({ after: null, last: keptNotices, follow: false }).pipe(
    Stream.filter((item): item is Notice => item.kind !== "reset"),
    Stream.tap(({ at }) =>
      Effect.sync(() => {
        oldest = Math.min(oldest, at)
      })
    ),
    // The rows say the same, and more.
    Stream.filter(
      ({ kind, taskId }) => taskId !== null && ids.has(taskId) && !["queued", "asks", "answered"].includes(kind)
    ),
    Stream.map(
      (notice): TimelineEntry => ({
        at: notice.at,
        taskId: notice.taskId ?? id,
        what: notice.kind,
        details: words(notice)
      })
    ),
    Stream.runCollect
  )
  const others = yield* Effect.forEach(attempts, (task) =>
    Effect.gen(function* () {
      return [...ownEntries(task), ...(yield* messageEntries(task.id)), ...(yield* questionEntries(task.id))]
    })
  )
  const entries = [...others.flat(), ...noticed].sort((one, other) => one.at - other.at)
  return { entries, cut: oldest > first }
})
