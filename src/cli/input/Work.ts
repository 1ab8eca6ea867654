/** The work that the common options of a command and its prompt describe. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { zeroIsNone } from "../../domain/Duration.ts"
import type { Submission } from "../../programs/tasks/prepareTask.ts"
import { Directories } from "../../services/Directories.ts"
import { Caller } from "../framework/Caller.ts"
import type { Given as Prompted } from "./Prompt.ts"
import { captureOptions, labelsOf, maxOutputOf, taskOptions } from "./TaskOptions.ts"

const whole = Options.all({ ...taskOptions, ...captureOptions })
type TaskGiven = typeof whole extends Options.Options<infer A> ? A : never

type CommonGiven = Pick<
  TaskGiven,
  "agent" | "model" | "systemPrompt" | "priority" | "directory" | "timeout" | "stall" | "label" | "retries" | "backoff"
>

/** What tasks and the steps of pipelines take alike. */
export const commonOf = Effect.fn("commonOf")(function* (given: CommonGiven) {
  const caller = yield* Caller
  const directories = yield* Directories
  return {
    agent: given.agent,
    model: given.model,
    systemPrompt: given.systemPrompt,
    priority: given.priority ?? ("P1" as const),
    directory: yield* directories.resolve(given.directory ?? caller.directory, caller.directory),
    timeoutMs: zeroIsNone(given.timeout),
    stallMs: zeroIsNone(given.stall),
    labels: yield* labelsOf(given.label),
    ...(given.retries === undefined ? {} : { maxRetries: given.retries }),
    ...(given.backoff === undefined ? {} : { backoffMs: given.backoff })
  }
})

/** The commands add what only they take. */
export const workOf = Effect.fn("workOf")(function* (given: TaskGiven, { piped, prompt }: Prompted) {
  const submission: Submission = {
    prompt,
    piped,
    ...(yield* commonOf(given)),
    maxOutputBytes: yield* maxOutputOf(given.maxOutput),
    notBefore: null,
    idempotencyKey: null,
    extra: given.env,
    retryOf: null
  }
  return submission
})
