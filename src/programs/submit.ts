/** Hands tasks over: prepares each for its agent, fills in the defaults, stores them, and sees that someone runs them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { InvalidInput, type RuntimeUnavailable, type StorageError } from "../domain/Errors.ts"
import type { Environment, NewDependency, NewTask, Upstream } from "../domain/NewTask.ts"
import {
  type Continuation,
  isTerminal,
  type Labels,
  maxPromptBytes,
  type Priority,
  type Task,
  type TaskId
} from "../domain/Task.ts"
import { Agents } from "../services/Agents.ts"
import { Queue } from "../services/Queue.ts"
import { SettingsStore } from "../services/SettingsStore.ts"
import { ensureRuntime } from "./ensureRuntime.ts"
import type { Submitter } from "./submitter.ts"

/** The pause before the first automatic retry, in milliseconds. */
export const defaultBackoffMs = 30_000

export interface Submission {
  readonly prompt: string
  /** Null: the default agent. */
  readonly agent: string | null
  readonly model: string | null
  readonly systemPrompt: string | null
  readonly priority: Priority
  /** Absolute, and known to be a directory. */
  readonly directory: string
  /** Milliseconds; null is none, undefined is what the settings say. */
  readonly timeoutMs: number | null | undefined
  /** Milliseconds; null is off, undefined is what the settings say. */
  readonly stallMs: number | null | undefined
  /** Undefined is what the settings say. */
  readonly maxOutputBytes: number | undefined
  readonly notBefore: number | null
  readonly idempotencyKey: string | null
  readonly labels: Labels
  /** Variables added to the captured ones. */
  readonly extra: Environment
  readonly retryOf: TaskId | null
  /** How it takes up the task in `retryOf`. */
  readonly continuation?: Continuation | null
  readonly dependsOn?: ReadonlyArray<NewDependency>
  /** The task whose checkpoint goes before the prompt at the start; a dependency on it is implied. */
  readonly continueFrom?: Upstream | null
  readonly maxRetries?: number
  /** Milliseconds before the first automatic retry. */
  readonly backoffMs?: number
}

export interface Submitted {
  readonly task: Task
  /** False when the idempotency key led to a task that was there before. */
  readonly created: boolean
  /** Hints about the agent, for the submitter. */
  readonly warnings: ReadonlyArray<string>
}

export interface SubmitResult {
  /** In the order given. */
  readonly tasks: ReadonlyArray<Submitted>
  /** Whether a runtime was launched for them. */
  readonly launched: boolean
  /** The tasks are stored and safe, but nobody could be found to run them yet. */
  readonly problem: Option.Option<RuntimeUnavailable | StorageError>
}

const promptProblem = (prompt: string): string | null => {
  if (prompt.trim() === "") return "it is empty"
  if (prompt.includes("\0")) return "it contains a NUL character, which no program accepts in an argument"
  if (prompt.length > maxPromptBytes || new TextEncoder().encode(prompt).length > maxPromptBytes)
    return `it is larger than ${maxPromptBytes / 1024 ** 2} MB; put it into a file and name the file in the prompt`
  return null
}

/** All or none are stored. Returns after the commit. */
export const submit = Effect.fn("submit")(function* (submissions: ReadonlyArray<Submission>, submitter: Submitter) {
  const agents = yield* Agents
  const queue = yield* Queue
  const settings = yield* (yield* SettingsStore).get

  const prepared = yield* Effect.forEach(submissions, (submission) =>
    Effect.gen(function* () {
      const problem = promptProblem(submission.prompt)
      if (problem !== null) return yield* new InvalidInput({ field: "prompt", problem, example: null })
      const { warnings, stallMs, ...plan } = yield* agents.prepare({
        agent: submission.agent,
        prompt: submission.prompt,
        model: submission.model,
        systemPrompt: submission.systemPrompt,
        environment: submitter.environment,
        extra: submission.extra,
        directory: submission.directory
      })
      const agentStallMs = stallMs === undefined ? settings.stallMs : stallMs
      const task: NewTask = {
        ...plan,
        prompt: submission.prompt,
        systemPrompt: submission.systemPrompt,
        priority: submission.priority,
        directory: submission.directory,
        timeoutMs: submission.timeoutMs === undefined ? settings.timeoutMs : submission.timeoutMs,
        stallMs: submission.stallMs === undefined ? agentStallMs : submission.stallMs,
        maxOutputBytes: submission.maxOutputBytes ?? settings.maxOutputBytes,
        notBefore: submission.notBefore,
        parentId: submitter.taskId,
        depth: submitter.depth,
        retryOf: submission.retryOf,
        continuation: submission.continuation ?? null,
        dependsOn: submission.dependsOn ?? [],
        continueFrom: submission.continueFrom ?? null,
        maxRetries: submission.maxRetries ?? 0,
        backoffMs: submission.backoffMs ?? defaultBackoffMs,
        idempotencyKey: submission.idempotencyKey,
        labels: submission.labels
      }
      return { task, warnings }
    })
  )

  const stored = yield* queue.enqueue(
    prepared.map(({ task }) => task),
    { maxDepth: settings.maxDepth }
  )
  const tasks = stored.map(({ task, created }, index) => ({
    task,
    created,
    warnings: prepared[index]?.warnings ?? []
  }))
  const waiting = stored.some(({ task }) => !isTerminal(task.status))
  const served = yield* Effect.either(waiting ? ensureRuntime() : Effect.succeed(false))
  const result: SubmitResult = {
    tasks,
    launched: served._tag === "Right" && served.right,
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})
