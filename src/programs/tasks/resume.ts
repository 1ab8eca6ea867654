/** Continues an ended task: in its agent session, or in a new session with its results. */
import * as Effect from "effect/Effect"
import { InvalidInput, TaskStateConflict } from "../../domain/Errors.ts"
import type { MessageId } from "../../domain/message/Message.ts"
import { isTerminal, type Task, type TaskId, type TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { isScript, quoteFor } from "../../text/Quote.ts"
import { recordText } from "../../text/Record.ts"
import { takeCheckpoint } from "../checkpoints/takeCheckpoint.ts"
import { neglected, neglectWords, rescue } from "../serving/Neglect.ts"
import { latestAttempt } from "./latestAttempt.ts"
import { resubmit } from "./resubmit.ts"
import type { Submitter } from "./Submitter.ts"
import { submit } from "./submit.ts"

export interface ResumeOptions {
  /** New instructions; null: the earlier prompt. */
  readonly context: string | null
  /** Do not use the agent's session. */
  readonly fresh: boolean
  /** Messages that are in the context: marked as moved to the new task. */
  readonly moves?: ReadonlyArray<MessageId>
}

/** Bytes of the record in a fresh prompt. */
const recordBytes = 24_000

/** Tasks in a row that were continued in one session: what was asked in all of them belongs to the work. */
const longestChain = 100

/** The id of the session that the agent can continue; null if there is none. */
const sessionOf = Effect.fn("resume.session")(function* (task: Task) {
  const agents = yield* Agents
  if (task.sessionId === null) return null
  // An id that was chosen at submit time names nothing before the agent has run.
  const ran = task.startedAt !== null && task.cause !== "spawn-failed"
  if (!ran && task.continuation !== "session") return null
  return (yield* agents.resumes(task.agent, task.sessionId)) ? task.sessionId : null
})

/** The task that uses a session now; null: none does. */
export const sessionHolder = Effect.fn("resume.sessionHolder")(function* (task: Task, sessionId: string) {
  const tasks = yield* Tasks
  const { tasks: active } = yield* tasks.list({
    status: ["queued", "running"],
    agent: task.agent,
    labels: {},
    directory: task.directory,
    parentId: null,
    since: null,
    limit: 1000,
    before: null
  })
  return active.find((other: TaskSummary) => other.sessionId === sessionId) ?? null
})

/** Two agents in one session would lose each other's messages. */
const refuseSharing = Effect.fn("resume.refuseSharing")(function* (task: Task, sessionId: string) {
  const holder = yield* sessionHolder(task, sessionId)
  if (holder === null) return
  return yield* new InvalidInput({
    field: "task",
    problem: `task ${holder.id} is still using this session. Wait for it, or start a new session with --fresh`,
    example: null
  })
})

const carryOn = ({ cause, status }: Task): string =>
  status === "completed"
    ? "Continue this work: check what you did, and do what is left."
    : `You were ended before you were done (${cause}). Check the current state, and continue from where you stopped.`

/** What to say in the session. The prompt of a task that never started has not been said yet. */
const promptInSession = (task: Task, context: string | null): string =>
  task.startedAt === null
    ? [task.prompt, ...(context === null ? [] : [context])].join("\n\n")
    : (context ?? carryOn(task))

/** All that was asked: a task that was continued in its session holds only what was asked last. */
const askedIn = Effect.fn("resume.asked")(function* (task: Task) {
  const tasks = yield* Tasks
  const asked = [task.prompt]
  let last = task
  while (last.continuation === "session" && last.retryOf !== null && asked.length < longestChain) {
    const before: Task | null = yield* tasks
      .get(last.retryOf)
      .pipe(Effect.catchTag("TaskNotFound", () => Effect.succeed(null)))
    if (before === null) break
    asked.unshift(before.prompt)
    last = before
  }
  return asked.join("\n\n")
})

/** The prompt of a new session: the work as it was asked for, the record of what was done, and what to do now. */
const freshPrompt = Effect.fn("resume.freshPrompt")(function* (task: Task, context: string | null) {
  const checkpoint = yield* takeCheckpoint(task.id)
  const record = recordText(task, checkpoint, recordBytes)
  const asked = yield* askedIn(task)
  const queue = yield* Queue
  const { launch } = yield* queue.captured(task.id)
  const reader = { agent: task.agent, program: launch.file }
  const quote = quoteFor(reader)
  if (isScript(reader)) {
    // A script runs unchanged; the record is in comments, for its readers. The first line is the title.
    const told = quote(`${task.title} (resumed; the record of task ${task.id}:)`, record)
    return [told, ...(context === null ? [] : [quote("What to do now:", context)]), asked].join("\n")
  }
  const told = quote(`This was tried before, in task ${task.id}; here is its record.`, record)
  return [asked, told, context ?? "Check the current state, and continue from where it stopped."].join("\n\n")
})

/** The new task has the agent, model, directory, limits and captured environment of the old one, as a retry has. */
export const resume = Effect.fn("resume")(function* (id: TaskId, options: ResumeOptions, submitter: Submitter) {
  const tasks = yield* Tasks
  const task = yield* tasks.get(id)
  const last = yield* latestAttempt(id)
  if (!isTerminal(last.status)) {
    const found = yield* neglected(last.status === "running" ? [last.id] : [])
    const state = found.get(last.id)
    if (state !== undefined) yield* rescue(found)
    const note = state === undefined ? {} : { note: `it ${neglectWords(state)}. Then: beat resume ${id}` }
    return yield* new TaskStateConflict({ id: last.id, step: "be resumed", actual: last.status, ...note })
  }
  if (options.context !== null && options.context.trim() === "") {
    return yield* new InvalidInput({ field: "context", problem: "is empty", example: '--context "Now add the tests"' })
  }
  const sessionId = options.fresh ? null : yield* sessionOf(task)
  const { environment, submission } = yield* resubmit(task, submitter.environment.PATH)
  if (sessionId === null) {
    const prompt = yield* freshPrompt(task, options.context)
    return yield* submit(
      [{ ...submission, prompt, continuation: "checkpoint" }],
      { ...submitter, environment },
      options.moves
    )
  }
  yield* refuseSharing(task, sessionId)
  return yield* submit(
    [
      {
        ...submission,
        prompt: promptInSession(task, options.context),
        continuation: "session",
        resume: sessionId,
        // The session has it already.
        continueFrom: null,
        dependsOn: []
      }
    ],
    { ...submitter, environment },
    options.moves
  )
})
