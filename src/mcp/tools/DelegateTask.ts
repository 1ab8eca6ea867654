/** Submits one task, or several in one call. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { submit } from "../../programs/tasks/submit.ts"
import { submitterOf } from "../../programs/tasks/submitter.ts"
import { submissionOf, taskFields } from "../fields/TaskFields.ts"
import { Session } from "../protocol/Session.ts"
import { statesAfter } from "../submitted.ts"
import { linksOf, onlyPending, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

const One = Schema.Struct({
  ...taskFields,
  /** The name for `dependsOn` and `continueFrom` of the other tasks. */
  name: Schema.optional(Schema.NonEmptyString)
  // Listing the same fields twice would be more than half of the tokens of all tools.
}).annotations({ jsonSchema: { type: "object" } })
type One = typeof One.Type

const Input = Schema.Struct({
  ...taskFields,
  tasks: Schema.optional(
    Schema.Array(One).pipe(Schema.minItems(1), Schema.maxItems(100)).annotations({
      description:
        "Several, stored all or none: the same fields, and 'name' for dependencies between them; the call's own arguments are the defaults"
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
        problem: "each task needs its own key",
        example: null
      })
    }
    return Effect.succeed({ ...merged, prompt: merged.prompt })
  })

const namesIn = (tasks: ReadonlyArray<One>) =>
  Effect.gen(function* () {
    const members = new Map<string, number>()
    for (const [index, { name }] of tasks.entries()) {
      if (name === undefined) continue
      if (members.has(name)) {
        return yield* new InvalidInput({
          field: `tasks[${index}].name`,
          problem: `'${name}' is the name of two tasks`,
          example: null
        })
      }
      members.set(name, index)
    }
    return members
  })

export const delegateTask = tool({
  name: "DelegateTask",
  title: "Delegate a task",
  description:
    "Run a task with a coding agent in the background. Returns immediately: id, position, what it waits for. The task is stored and runs even if this session ends. Then call WaitTasks.",
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
    dependsOn: ["k3v9x2m7q4ab", "x2m7q4abk3v9:finished"],
    continueFrom: "k3v9x2m7q4ab",
    retries: 2,
    backoffMs: 30_000,
    key: "fix-date-1",
    labels: { team: "web" },
    env: { CI: "1" },
    tasks: [{ prompt: "Write the changelog entry", name: "changelog" }]
  },
  handle: Effect.fn("DelegateTask")(function* (input) {
    const session = yield* Session
    const members = yield* namesIn(input.tasks ?? [])
    const submissions = yield* Effect.forEach(yield* asked(input), (one) => submissionOf(one, members))
    yield* session.serving
    // A client that gives up in the meantime must not leave half of the batch.
    const result = yield* Effect.uninterruptible(submit(submissions, submitterOf(session.environment)))
    return yield* statesAfter(result)
  }),
  links: linksOf,
  taskOf: onlyPending
})
