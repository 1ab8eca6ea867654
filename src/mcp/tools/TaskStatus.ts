/** Shows one task, pipeline, loop or contest, or an overview of all tasks. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { named } from "../../domain/Named.ts"
import type { Checkpoint } from "../../domain/task/Checkpoint.ts"
import { TaskStatus as Status, TaskGlance, TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { GroupsOfTask, groupsOfTask, loopOfTask } from "../../programs/groups/groupsOfTask.ts"
import { GroupState, groupState } from "../../programs/reports/groupState.ts"
import { TaskPage, taskPage } from "../../programs/reports/taskPage.ts"
import { TaskReport, taskReport } from "../../programs/reports/taskReport.ts"
import { cutText, stateOf, TaskState } from "../../programs/reports/taskState.ts"
import { Directories } from "../../services/Directories.ts"
import { Tasks } from "../../services/Tasks.ts"
import { cutMiddle } from "../../text/Middle.ts"
import { Reference, whole, withDefault } from "../fields/Fields.ts"
import { outputLink, resultLink, taskLink } from "../protocol/Resources.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

const isTaskId = Schema.is(TaskId)

/** Characters of a prompt or an answer; the rest is behind a link. */
const longestText = 2000

const Glance = Schema.Struct({
  counts: Schema.Record({ key: Status, value: Schema.Int }),
  /** The newest 20. */
  newest: Schema.Array(TaskGlance)
}).annotations({ identifier: "Glance" })

/** What a page says of a task. */
const Line = TaskSummary.pick(
  "id",
  "title",
  "status",
  "agent",
  "directory",
  "labels",
  "createdAt",
  "startedAt",
  "endedAt",
  "cause",
  "error"
)

const shortened = (checkpoint: Checkpoint | null): Checkpoint | null =>
  checkpoint === null
    ? null
    : {
        ...checkpoint,
        answer: checkpoint.answer === null ? null : cutText(checkpoint.answer, longestText),
        tail: cutMiddle(checkpoint.tail, longestText)
      }

const Output = Schema.Struct({
  /** The task with this id in full. Long texts are cut at 2000 characters. */
  task: Schema.NullOr(Schema.Struct({ ...TaskReport.fields, ...GroupsOfTask.fields })),
  /** Its summary, where only that is asked for. */
  summary: Schema.NullOr(Schema.Struct({ ...TaskState.fields, ...GroupsOfTask.fields })),
  ...GroupState.fields,
  /** Null with an id or a filter. */
  all: Schema.NullOr(Glance),
  /** Tasks that match the filters, newest first; their titles are cut at 100 characters. */
  page: Schema.NullOr(Schema.Struct({ ...TaskPage.fields, tasks: Schema.Array(Line) }))
})

const glance = Effect.gen(function* () {
  const tasks = yield* Tasks
  const counts = yield* tasks.counts
  const newest = yield* tasks.newest(20)
  return { counts, newest: newest.map((task) => ({ ...task, title: cutText(task.title, 100) })) }
})

const filters = {
  status: Schema.optional(Schema.Array(Status)),
  agent: Schema.optional(Schema.NonEmptyString),
  labels: Schema.optional(named(Schema.String, Schema.String)),
  directory: Schema.optional(Schema.NonEmptyString),
  limit: Schema.optional(whole(1, 100, "").annotations({ default: 10 })),
  cursor: Schema.optional(whole(0, Number.MAX_SAFE_INTEGER, "'next' of the previous page"))
}

/** Clients that send every argument send empty ones for those that they do not use. */
const isGiven = (value: unknown): boolean =>
  value !== undefined && !(typeof value === "object" && value !== null && Object.keys(value).length === 0)

const pageOf = Effect.fn("TaskStatus.page")(function* (wanted: Schema.Struct.Type<typeof filters>) {
  const directories = yield* Directories
  const session = yield* Session
  const page = yield* taskPage({
    status: wanted.status ?? [],
    agent: wanted.agent ?? null,
    labels: wanted.labels ?? {},
    directory: wanted.directory === undefined ? null : yield* directories.resolve(wanted.directory, session.directory),
    parentId: null,
    since: null,
    limit: wanted.limit ?? 10,
    before: wanted.cursor ?? null
  })
  return { ...page, tasks: page.tasks.map((task) => ({ ...task, title: cutText(task.title, 100) })) }
})

const nothing = { task: null, summary: null, pipeline: null, loop: null, contest: null, all: null, page: null }

/** Frequent callers pass the full id. An id that no task has may be one of another kind: `resolve` says so. */
const summaryOf = Effect.fn("TaskStatus.summary")(function* (reference: string) {
  const tasks = yield* Tasks
  const resolved = Effect.flatMap(tasks.resolve(reference), tasks.summary)
  return yield* isTaskId(reference)
    ? Effect.catchTag(tasks.summary(reference), "TaskNotFound", () => resolved)
    : resolved
})

const taskOf = Effect.fn("TaskStatus.task")(function* (id: string, full: boolean) {
  if (!full) {
    const found = yield* summaryOf(id)
    return { ...nothing, summary: { ...(yield* stateOf(found)), ...(yield* groupsOfTask(found)) } }
  }
  const report = yield* taskReport(id)
  const task = {
    ...report,
    loopId: yield* loopOfTask(report),
    prompt: cutText(report.prompt, longestText),
    systemPrompt: report.systemPrompt === null ? null : cutText(report.systemPrompt, longestText),
    answer: report.answer === null ? null : cutText(report.answer, longestText),
    checkpoint: shortened(report.checkpoint)
  }
  return { ...nothing, task }
})

export const taskStatus = tool({
  name: "TaskStatus",
  title: "Status of tasks",
  description:
    "Show one task: what it waits for, cause, error, cost, limit, workspace (worktree); or a pipeline, loop or contest. Without an id: counts and the newest 20 tasks, or those that match the filters.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    id: Schema.optional(Reference),
    detail: withDefault(Schema.Literal("summary", "full"), "full"),
    ...filters
  }),
  output: Output,
  // Every field, for the errors: a call has an id or filters.
  example: {
    id: "k3v9x2m7q4ab",
    detail: "summary" as const,
    status: ["failed" as const],
    agent: "claude",
    labels: { team: "web" },
    directory: "/home/me/project",
    limit: 10,
    cursor: 120
  },
  handle: Effect.fn("TaskStatus")(function* ({ detail, id, ...wanted }) {
    const [filter] = Object.keys(filters).filter((name) => isGiven(Reflect.get(wanted, name)))
    if (id !== undefined && filter !== undefined)
      return yield* new InvalidInput({ field: filter, problem: "is for a call without 'id'", example: null })
    if (id === undefined && filter !== undefined) {
      return { ...nothing, page: yield* pageOf(wanted) }
    }
    if (id === undefined) return { ...nothing, all: yield* glance }
    const full = detail !== "summary"
    return yield* taskOf(id, full).pipe(
      Effect.catchTag("TaskNotFound", (error) =>
        Effect.flatMap(groupState(id, full), (found) =>
          found === null ? error : Effect.succeed({ ...nothing, ...found })
        )
      )
    )
  }),
  links: ({ task }) =>
    task === null
      ? []
      : [
          ...(task.prompt.length >= longestText ? [taskLink(task.id)] : []),
          ...(task.answer === null ? [] : [resultLink(task.id)]),
          outputLink(task.id)
        ]
})
