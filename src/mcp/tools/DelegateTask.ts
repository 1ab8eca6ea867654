/** Hands one task over, or several at once. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { Labels, Priority } from "../../domain/Task.ts"
import type { Submission } from "../../programs/prepareTask.ts"
import { submit } from "../../programs/submit.ts"
import { submitterOf } from "../../programs/submitter.ts"
import { Directories } from "../../services/Directories.ts"
import { Tasks } from "../../services/Tasks.ts"
import { whole } from "../Fields.ts"
import { Session } from "../Session.ts"
import { statesAfter } from "../submitted.ts"
import { linksOf, onlyPending, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

const day = 24 * 60 * 60 * 1000

const Moment = Schema.transformOrFail(Schema.String, Schema.Number, {
  strict: true,
  decode: (text, _, ast) => {
    const at = Date.parse(text)
    return Number.isNaN(at)
      ? Either.left(new ParseResult.Type(ast, text, "expected an ISO 8601 time"))
      : Either.right(Math.max(0, at))
  },
  encode: (at) => ParseResult.succeed(new Date(at).toISOString())
})

const fields = {
  prompt: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "What to do. The agent sees nothing of this conversation" })
  ),
  agent: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "See ListAgents. 'shell' runs the prompt as a command" })
  ),
  model: Schema.optional(Schema.NonEmptyString),
  systemPrompt: Schema.optional(Schema.String),
  priority: Schema.optional(Priority.annotations({ description: "P0 first; P1 if left out" })),
  directory: Schema.optional(
    Schema.NonEmptyString.annotations({ description: "Where the agent works; the server's directory if left out" })
  ),
  timeoutMs: Schema.optional(whole(0, 365 * day, "0: never")),
  stallMs: Schema.optional(whole(0, 365 * day, "Ends it after this long without output and CPU use; 0: never")),
  maxOutputBytes: Schema.optional(whole(1024, 4 * 1024 ** 3, "Kept of each output stream")),
  notBefore: Schema.optional(Moment.annotations({ description: "Earliest start, ISO 8601" })),
  continueFrom: Schema.optional(
    Schema.String.annotations({ description: "Task whose outcome goes before the prompt" })
  ),
  key: Schema.optional(
    Schema.NonEmptyString.pipe(Schema.maxLength(256)).annotations({
      description: "The same key again gives the same task, never a second one"
    })
  ),
  labels: Schema.optional(Labels.annotations({ description: "To find it by in ListTasks" })),
  env: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
}

const One = Schema.Struct(fields).annotations({ identifier: "NewTask" })
type One = typeof One.Type

const Input = Schema.Struct({
  ...fields,
  tasks: Schema.optional(
    Schema.Array(One).pipe(Schema.minItems(1), Schema.maxItems(100)).annotations({
      description: "Several tasks, stored all or none; what one leaves out is taken from beside 'tasks'"
    })
  )
})
type Input = typeof Input.Type

const asked = ({
  tasks,
  ...shared
}: Input): Effect.Effect<ReadonlyArray<One & { readonly prompt: string }>, InvalidInput> =>
  Effect.forEach(tasks === undefined ? [{}] : tasks, (one: One, index) => {
    const merged = { ...shared, ...one }
    const field = tasks === undefined ? "prompt" : `tasks[${index}].prompt`
    if (merged.prompt === undefined) {
      return new InvalidInput({ field, problem: "it is missing", example: '"Fix the failing test in src/date.ts"' })
    }
    if (tasks !== undefined && merged.key !== undefined && one.key === undefined && tasks.length > 1) {
      return new InvalidInput({
        field: `tasks[${index}].key`,
        problem: "each task needs a key of its own",
        example: null
      })
    }
    return Effect.succeed({ ...merged, prompt: merged.prompt })
  })

const zeroIsNone = (value: number | undefined): number | null | undefined => (value === 0 ? null : value)

const submissionOf = Effect.fn("submissionOf")(function* (one: One & { readonly prompt: string }) {
  const session = yield* Session
  const directories = yield* Directories
  const tasks = yield* Tasks
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
    continueFrom: one.continueFrom === undefined ? null : yield* tasks.resolve(one.continueFrom)
  }
  return submission
})

export const delegateTask = tool({
  name: "DelegateTask",
  title: "Delegate a task",
  description:
    "Hands work to a coding agent in the background and returns at once: id, position, what it waits for. Safely stored when this returns; runs even if this session ends. Then WaitTasks.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Input,
  output: TaskStates,
  example: {
    prompt: "Fix the failing test in src/date.ts and run the suite",
    agent: "claude",
    model: "sonnet",
    systemPrompt: "Change no public interface.",
    priority: "P1",
    directory: "/home/me/project",
    timeoutMs: 1_800_000,
    stallMs: 600_000,
    maxOutputBytes: 10_000_000,
    notBefore: "2027-03-01T09:00:00Z",
    continueFrom: "k3v9x2m7q4ab",
    key: "fix-date-1",
    labels: { team: "web" },
    env: { CI: "1" },
    tasks: [{ prompt: "Write the changelog entry" }]
  },
  handle: Effect.fn("DelegateTask")(function* (input) {
    const session = yield* Session
    const submissions = yield* Effect.forEach(yield* asked(input), submissionOf)
    yield* session.serving
    // A client that loses patience meanwhile must not leave half of it.
    const result = yield* Effect.uninterruptible(submit(submissions, submitterOf(session.environment)))
    return yield* statesAfter(result)
  }),
  links: linksOf,
  taskOf: onlyPending
})
