/** Where the tasks of a batch come from: the lines of a file or of stdin. */
import * as Effect from "effect/Effect"
import { zeroIsNone } from "../../domain/Duration.ts"
import { type BatchFields, parseBatch } from "../../domain/task/BatchLine.ts"
import { maxPromptBytes } from "../../domain/task/Task.ts"
import { requireGroup } from "../../programs/gates/requireGroup.ts"
import type { Submission } from "../../programs/tasks/prepareTask.ts"
import type { Refused } from "../../programs/tasks/submitBatch.ts"
import { Directories } from "../../services/Directories.ts"
import { TextFiles } from "../../services/TextFiles.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { Caller } from "../framework/Caller.ts"
import type { Terminal } from "../framework/Terminal.ts"
import { UsageError } from "../framework/UsageError.ts"
import { readText } from "./Prompt.ts"

/** How messages call it. */
const sourceOf = (path: string): string => (path === "-" ? "stdin" : path)

/** The lines at `path`; `-` is stdin. One that is wrong fails all of them. */
export const readBatch = Effect.fn("readBatch")(function* (path: string) {
  const caller = yield* Caller
  const files = yield* TextFiles
  const text = yield* path === "-" ? readText() : files.read(path, caller.directory, maxPromptBytes)
  return yield* Effect.mapError(parseBatch(text), ({ line, problem }) => {
    const place = line === null ? sourceOf(path) : `Line ${line} of ${sourceOf(path)}`
    return new UsageError({ problem: `${place}: ${sanitize(problem)}`, hint: "Nothing was stored." })
  })
})

/** The task of a line: its fields, and for what it leaves out the task that the options describe. */
export const lineSubmission = Effect.fn("lineSubmission")(function* (options: Submission, fields: BatchFields) {
  const caller = yield* Caller
  const directories = yield* Directories
  const submission: Submission = {
    ...options,
    prompt: fields.prompt,
    agent: fields.agent ?? options.agent,
    model: fields.model ?? options.model,
    systemPrompt: fields.systemPrompt ?? options.systemPrompt,
    priority: fields.priority ?? options.priority,
    directory:
      fields.directory === undefined
        ? options.directory
        : yield* directories.resolve(fields.directory, caller.directory),
    timeoutMs: fields.timeout === undefined ? options.timeoutMs : zeroIsNone(fields.timeout),
    stallMs: fields.stall === undefined ? options.stallMs : zeroIsNone(fields.stall),
    labels: { ...options.labels, ...fields.labels },
    extra: { ...options.extra, ...fields.env },
    idempotencyKey: fields.key ?? null,
    ...(fields.retries === undefined ? {} : { maxRetries: fields.retries }),
    ...(fields.backoff === undefined ? {} : { backoffMs: fields.backoff }),
    ...(fields.group === undefined ? {} : { group: yield* requireGroup(fields.group) })
  }
  return submission
})

/** Says which lines are refused. What is wrong with them follows. */
export const refusedLines =
  ({ say }: Terminal["Type"], path: string) =>
  ({ first, last, stored }: Refused): Effect.Effect<void> => {
    const source = sourceOf(path)
    const refused = first === last ? `line ${first} of ${source} is` : `lines ${first} to ${last} of ${source} are`
    return say(
      stored === 0
        ? `beat: ${refused} refused, and nothing is stored`
        : `beat: ${stored} tasks are stored, and none after them: ${refused} refused`
    )
  }
