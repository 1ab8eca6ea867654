/** Changes a task that has not started; the arguments of its agent are computed again. */
import * as Effect from "effect/Effect"
import { InvalidInput, TaskStateConflict } from "../../domain/Errors.ts"
import type { Labels, Priority, Task, TaskId } from "../../domain/task/Task.ts"
import type { TaskEdit } from "../../domain/task/TaskEdit.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { promptForAnother } from "../limits/promptForAnother.ts"
import { prepareTask, spareAlone } from "./prepareTask.ts"
import { resubmit } from "./resubmit.ts"
import type { Submitter } from "./Submitter.ts"

/** A field that is left out stays as it is. */
export interface Changes {
  readonly prompt?: string | undefined
  readonly priority?: Priority | undefined
  readonly agent?: string | undefined
  readonly model?: string | null | undefined
  readonly directory?: string | undefined
  readonly notBefore?: number | null | undefined
  readonly spare?: boolean | undefined
  readonly labels?: ((now: Labels) => Labels) | undefined
  /** All of the new dependencies, from those of now. */
  readonly dependsOn?: ((now: Task["dependsOn"]) => NonNullable<TaskEdit["dependsOn"]>) | undefined
}

/** The most attempts while other edits win the race: each lost attempt is another complete edit, so there are few. */
const attempts = 5

const touchesAgent = ({ agent, directory, model, prompt }: Changes): boolean =>
  [agent, directory, model, prompt].some((change) => change !== undefined)

/** The start of the changed task, in the environment captured when it was submitted. */
export const startOf = Effect.fn("edit.startOf")(function* (
  task: Task,
  changes: Changes,
  by: Pick<Submitter, "inside"> = {}
) {
  const tasks = yield* Tasks
  const { environment, submission } = yield* resubmit(task)
  const inSession = task.continuation === "session" && task.retryOf !== null
  if (inSession && (changes.agent !== undefined || changes.directory !== undefined)) {
    return yield* new InvalidInput({
      field: changes.agent === undefined ? "directory" : "agent",
      problem: `task ${task.id} continues a session of ${task.agent} in ${task.directory}; sessions cannot move to another directory`,
      example: null
    })
  }
  const resume = inSession && task.retryOf !== null ? (yield* tasks.summary(task.retryOf)).sessionId : null
  const { agent, directory } = changes
  const another = agent !== undefined && agent !== task.agent && task.parks > 0
  const prompt = changes.prompt ?? (another ? yield* promptForAnother(task) : undefined)
  const { task: prepared } = yield* prepareTask(
    {
      ...submission,
      prompt: prompt ?? task.prompt,
      agent: agent ?? task.agent,
      // A model is named in its agent's words.
      model:
        changes.model === undefined ? (agent === undefined || agent === task.agent ? task.model : null) : changes.model,
      directory: directory ?? task.directory,
      retryOf: null,
      resume: resume ?? undefined
    },
    { ...(by.inside === undefined ? {} : { inside: by.inside }), environment, taskId: task.parentId, depth: task.depth }
  )
  const edit: TaskEdit = {
    agent: prepared.agent,
    model: prepared.model,
    account: prepared.account ?? null,
    directory: prepared.directory,
    launch: prepared.launch,
    environment: prepared.environment,
    sessionId: prepared.sessionId,
    ...(prompt === undefined ? {} : { prompt })
  }
  return edit
})

export const edit = Effect.fn("edit")(function* (id: TaskId, changes: Changes, by: Pick<Submitter, "inside"> = {}) {
  const tasks = yield* Tasks
  const queue = yield* Queue
  const once = Effect.gen(function* () {
    // The revision first: an edit between the two reads is then seen as one.
    const { revision } = yield* queue.captured(id)
    const task = yield* tasks.get(id)
    if (task.status !== "queued") return yield* new TaskStateConflict({ id, step: "be edited", actual: task.status })
    if (changes.spare === true && task.fallback.length > 0) return yield* spareAlone()
    const change: TaskEdit = {
      ...(touchesAgent(changes) ? yield* startOf(task, changes, by) : {}),
      ...(changes.priority === undefined ? {} : { priority: changes.priority }),
      ...(changes.notBefore === undefined ? {} : { notBefore: changes.notBefore }),
      ...(changes.spare === undefined ? {} : { spare: changes.spare }),
      ...(changes.labels === undefined ? {} : { labels: changes.labels(task.labels) }),
      ...(changes.dependsOn === undefined ? {} : { dependsOn: changes.dependsOn(task.dependsOn) })
    }
    return yield* queue.edit(id, change, revision)
  })
  // Still queued after a conflict: another process has edited it in the meantime.
  return yield* Effect.retry(once, {
    times: attempts,
    while: (error) => error._tag === "TaskStateConflict" && error.actual === "queued"
  })
})
