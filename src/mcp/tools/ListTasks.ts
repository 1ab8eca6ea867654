/** Finds tasks by their fields. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { named } from "../../domain/Named.ts"
import { TaskStatus } from "../../domain/task/Task.ts"
import { TaskPage, taskPage } from "../../programs/reports/taskPage.ts"
import { Directories } from "../../services/Directories.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Reference, whole, withDefault } from "../fields/Fields.ts"
import { moment } from "../fields/moment.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const listTasks = tool({
  name: "ListTasks",
  title: "List tasks",
  description: "List tasks that match all filters, newest first, with the total and the next page's cursor.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    status: Schema.optional(Schema.Array(TaskStatus)),
    agent: Schema.optional(Schema.NonEmptyString),
    labels: Schema.optional(named(Schema.String, Schema.String)),
    directory: Schema.optional(Schema.NonEmptyString),
    parent: Schema.optional(Reference),
    since: Schema.optional(moment("past").annotations({ description: "Created since: ISO 8601 or '2h' ago" })),
    limit: withDefault(whole(1, 100, ""), 10),
    cursor: Schema.optional(whole(0, Number.MAX_SAFE_INTEGER, "'next' of the previous page"))
  }),
  output: TaskPage,
  example: {
    status: ["failed"],
    agent: "claude",
    labels: { team: "web" },
    directory: "/home/me/project",
    parent: "k3v9x2m7q4ab",
    since: "2h",
    limit: 10,
    cursor: 120
  },
  handle: Effect.fn("ListTasks")(function* (input) {
    const directories = yield* Directories
    const session = yield* Session
    const tasks = yield* Tasks
    return yield* taskPage({
      status: input.status ?? [],
      agent: input.agent ?? null,
      labels: input.labels ?? {},
      directory: input.directory === undefined ? null : yield* directories.resolve(input.directory, session.directory),
      parentId: input.parent === undefined ? null : yield* tasks.resolve(input.parent),
      since: input.since ?? null,
      limit: input.limit,
      before: input.cursor ?? null
    })
  })
})
