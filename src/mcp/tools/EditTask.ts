/** Changes a task that has not started. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { parseDependency } from "../../domain/task/Dependency.ts"
import { taskState } from "../../programs/reports/taskState.ts"
import { type Changes, edit } from "../../programs/tasks/edit.ts"
import { latestAttempt } from "../../programs/tasks/latestAttempt.ts"
import { requireOwn } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Directories } from "../../services/Directories.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Reference } from "../fields/Fields.ts"
import { editableFields } from "../fields/TaskFields.ts"
import { Session } from "../protocol/Session.ts"
import { linksOf, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

const Input = Schema.Struct({ id: Reference, ...editableFields })

const edges = Effect.fn("edges")(function* (written: ReadonlyArray<string>) {
  const tasks = yield* Tasks
  return yield* Effect.forEach(written, (one) =>
    Effect.gen(function* () {
      const parsed = parseDependency(one)
      if (Either.isLeft(parsed)) {
        return yield* new InvalidInput({ field: "dependsOn", problem: parsed.left, example: null })
      }
      return { upstream: yield* tasks.resolve(parsed.right.reference), policy: parsed.right.policy }
    })
  )
})

export const editTask = tool({
  name: "EditTask",
  title: "Edit a task",
  description: "Change fields of DelegateTask on a task that has not started; labels and dependsOn are replaced.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: Input,
  output: TaskStates,
  example: {
    id: "k3v9x2m7q4ab",
    prompt: "Fix the failing test, and nothing else",
    agent: "claude",
    model: "sonnet",
    priority: "P0",
    directory: "/home/me/project",
    notBefore: "2027-03-01T09:00:00Z",
    spare: false,
    labels: { team: "web" },
    dependsOn: ["x2m7q4abk3v9:finished"]
  },
  handle: Effect.fn("EditTask")(function* ({ id, ...given }) {
    const session = yield* Session
    const tasks = yield* Tasks
    const directories = yield* Directories
    const { directory, labels, dependsOn: written, ...plain } = given
    const { id: taskId } = yield* latestAttempt(yield* tasks.resolve(id))
    const drawn = written === undefined ? null : yield* edges(written)
    const changes: Changes = {
      ...plain,
      ...(directory === undefined ? {} : { directory: yield* directories.resolve(directory, session.directory) }),
      ...(labels === undefined ? {} : { labels: () => labels }),
      ...(drawn === null ? {} : { dependsOn: () => drawn })
    }
    if (Object.keys(changes).length === 0) {
      return yield* new InvalidInput({
        field: "EditTask",
        problem: "no change was given",
        example: '"priority": "P0"'
      })
    }
    const submitter = submitterOf(session.environment)
    yield* requireOwn(submitter, [taskId], "edit")
    yield* Effect.uninterruptible(edit(taskId, changes, submitter))
    const state = yield* taskState(taskId)
    return { tasks: [state], groups: null, pending: [taskId], cursor: 0, more: false, timedOut: false, warnings: [] }
  }),
  links: linksOf
})
