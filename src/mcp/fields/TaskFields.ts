/** The fields that describe a task, in every tool that takes one. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { zeroIsNone } from "../../domain/Duration.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { named } from "../../domain/Named.ts"
import { parseDependency } from "../../domain/task/Dependency.ts"
import { Fallback, Labels, OnLimit, Priority } from "../../domain/task/Task.ts"
import type { Submission } from "../../programs/tasks/prepareTask.ts"
import { Directories } from "../../services/Directories.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Session } from "../protocol/Session.ts"
import { requireShellFor } from "../withoutShell.ts"
import { whole } from "./Fields.ts"
import { moment } from "./moment.ts"

const day = 24 * 60 * 60 * 1000

const Dependencies = Schema.Array(Schema.NonEmptyString).pipe(Schema.maxItems(100))

/** What an edit changes. DelegateTask describes these fields, and a model reads that once. */
export const editableFields = {
  prompt: Schema.optional(Schema.NonEmptyString),
  agent: Schema.optional(Schema.NonEmptyString),
  model: Schema.optional(Schema.NonEmptyString),
  priority: Schema.optional(Priority),
  directory: Schema.optional(Schema.NonEmptyString),
  notBefore: Schema.optional(moment("future")),
  spare: Schema.optional(Schema.Boolean),
  labels: Schema.optional(Labels),
  dependsOn: Schema.optional(Dependencies)
}

/** A task as an agent describes it; the settings decide omitted fields. */
export const taskFields = {
  prompt: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "What to do. The agent sees nothing of this conversation" })
  ),
  agent: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "See ListAgents. 'shell' runs the prompt as a command" })
  ),
  model: Schema.optional(Schema.NonEmptyString),
  systemPrompt: Schema.optional(Schema.String),
  priority: Schema.optional(Priority.annotations({ description: "P0 first (default: P1)" })),
  directory: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "Working directory (default: the server's)" })
  ),
  timeoutMs: Schema.optional(whole(0, 365 * day, "0: never")),
  stallMs: Schema.optional(whole(0, 365 * day, "Longest silence without CPU use; 0: never")),
  maxOutputBytes: Schema.optional(whole(1024, 4 * 1024 ** 3, "Kept of each output stream")),
  notBefore: Schema.optional(
    moment("future").annotations({ description: "Earliest start: ISO 8601, '2h', 'tomorrow 9am'" })
  ),
  dependsOn: Schema.optional(
    Dependencies.annotations({
      description: "Tasks to complete first; 'id:finished': end in any way, 'id:failure': fail"
    })
  ),
  continueFrom: Schema.optional(Schema.String.annotations({ description: "Task whose results go before the prompt" })),
  retries: Schema.optional(whole(0, 20, "Automatic retries")),
  backoffMs: Schema.optional(whole(0, 365 * day, "Before the first retry; doubles")),
  key: Schema.optional(
    Schema.NonEmptyString.pipe(Schema.maxLength(256)).annotations({
      description: "A repeat returns the same task"
    })
  ),
  labels: Schema.optional(Labels.annotations({ jsonSchema: { description: "For filters" } })),
  env: Schema.optional(named(Schema.String, Schema.String).annotations({ description: "Added variables" }))
}

export type DescribedTask = Schema.Struct.Type<typeof taskFields>

/** What all tasks of a call do when they meet a usage limit. */
export const limitFields = {
  onLimit: Schema.optional(OnLimit.annotations({ description: "At a usage limit (default: park)" })),
  fallback: Schema.optional(Fallback.annotations({ description: "Next agents at a long limit" })),
  spare: Schema.optional(Schema.Boolean.annotations({ description: "Only with quota that would go unused" }))
}

type Limits = Schema.Struct.Type<typeof limitFields>

/** A reference to a stored task or to a member of the same batch. */
const upstreamOf = Effect.fn("upstreamOf")(function* (reference: string, members: ReadonlyMap<string, number>) {
  const tasks = yield* Tasks
  const member = members.get(reference)
  return member === undefined ? yield* tasks.resolve(reference) : { member }
})

/** The task to prepare; `members` are the names in its batch. */
export const submissionOf = Effect.fn("submissionOf")(function* (
  one: DescribedTask & Limits & { readonly prompt: string },
  members: ReadonlyMap<string, number>
) {
  const session = yield* Session
  const directories = yield* Directories
  yield* requireShellFor(one)
  const submission: Submission = {
    prompt: one.prompt,
    agent: one.agent ?? null,
    model: one.model ?? null,
    systemPrompt: one.systemPrompt ?? null,
    priority: one.priority ?? "P1",
    directory: yield* directories.resolve(one.directory ?? session.directory, session.directory),
    timeoutMs: zeroIsNone(one.timeoutMs),
    stallMs: zeroIsNone(one.stallMs),
    maxOutputBytes: one.maxOutputBytes,
    notBefore: one.notBefore ?? null,
    idempotencyKey: one.key ?? null,
    labels: one.labels ?? {},
    extra: one.env ?? {},
    retryOf: null,
    dependsOn: yield* Effect.forEach(one.dependsOn ?? [], (written) =>
      Effect.gen(function* () {
        const parsed = parseDependency(written)
        if (Either.isLeft(parsed)) {
          return yield* new InvalidInput({ field: "dependsOn", problem: parsed.left, example: null })
        }
        return { upstream: yield* upstreamOf(parsed.right.reference, members), policy: parsed.right.policy }
      })
    ),
    continueFrom: one.continueFrom === undefined ? null : yield* upstreamOf(one.continueFrom, members),
    ...(one.onLimit === undefined ? {} : { onLimit: one.onLimit }),
    ...(one.fallback === undefined ? {} : { fallback: one.fallback }),
    ...(one.spare === undefined ? {} : { spare: one.spare }),
    ...(one.retries === undefined ? {} : { maxRetries: one.retries }),
    ...(one.backoffMs === undefined ? {} : { backoffMs: one.backoffMs })
  }
  return submission
})
