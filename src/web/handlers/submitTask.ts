/** Submits what a request describes, and answers with the task as it is stored. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { zeroIsNone } from "../../domain/Duration.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { parseDependency } from "../../domain/task/Dependency.ts"
import { checkingShell } from "../../programs/checkingShell.ts"
import { requireGroup } from "../../programs/gates/requireGroup.ts"
import type { Submission } from "../../programs/tasks/prepareTask.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { type SubmitResult, submit } from "../../programs/tasks/submit.ts"
import { isolationOf } from "../../programs/workspaces/isolationOf.ts"
import { placeWork } from "../../programs/workspaces/placeWork.ts"
import { Agents } from "../../services/Agents.ts"
import { Directories } from "../../services/Directories.ts"
import { Tasks } from "../../services/Tasks.ts"
import type { Submit, Submitted } from "../api/TasksApi.ts"
import { WebSession } from "../server/WebSession.ts"

/** A token that was stolen must not be a shell. */
export interface RunNotAllowed {
  readonly _tag: "RunNotAllowed"
  readonly message: string
}
const runNotAllowed: RunNotAllowed = {
  _tag: "RunNotAllowed",
  message: "This server takes no shell commands: it was started without --allow-run. In a terminal: beat run -a shell"
}

/** The effect without shell commands, unless the server was started to take them. */
export const unlessShell = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { allowRun } = yield* WebSession
    if (allowRun) return yield* effect
    const agents = yield* Agents
    let refused = false
    const refuse = Effect.suspend(() => {
      refused = true
      return new InvalidInput({ field: "agent", problem: "takes no shell commands here", example: null })
    })
    const restricted = checkingShell(agents, refuse)
    return yield* Effect.provideService(effect, Agents, restricted).pipe(
      Effect.mapError((error) => (refused ? runNotAllowed : error))
    )
  })

export const submittedOf = Effect.fn("web.submitted")(function* (result: SubmitResult) {
  const [first] = result.tasks
  // Each request submits one.
  if (first === undefined) return yield* Effect.dieMessage("nothing was submitted")
  const tasks = yield* Tasks
  const problem = Option.match(result.problem, {
    onNone: () => [],
    onSome: ({ message }) => [`The task is queued, but no worker could be started: ${message}`]
  })
  const answer: Submitted = {
    task: yield* tasks.summary(first.task.id),
    created: first.created,
    warnings: [...first.warnings, ...problem]
  }
  return answer
})

export const submitTask = Effect.fn("web.submit")(function* (asked: typeof Submit.Type, key: string | undefined) {
  const session = yield* WebSession
  const directories = yield* Directories
  const tasks = yield* Tasks
  if (asked.base !== undefined && asked.isolate !== true) {
    return yield* new InvalidInput({ field: "base", problem: "needs 'isolate'", example: '"isolate": true' })
  }
  const group = yield* requireGroup(asked.group ?? null)
  const directory = yield* directories.resolve(asked.directory ?? session.directory, session.directory)
  const submission: Submission = {
    prompt: asked.prompt,
    agent: asked.agent ?? null,
    model: asked.model ?? null,
    systemPrompt: asked.systemPrompt ?? null,
    priority: asked.priority ?? "P1",
    directory,
    timeoutMs: zeroIsNone(asked.timeoutMs),
    stallMs: zeroIsNone(asked.stallMs),
    maxOutputBytes: undefined,
    notBefore: null,
    idempotencyKey: key ?? null,
    labels: asked.labels ?? {},
    extra: {},
    retryOf: null,
    dependsOn: yield* Effect.forEach(asked.dependsOn ?? [], (written) =>
      Effect.gen(function* () {
        const parsed = parseDependency(written)
        if (Either.isLeft(parsed)) {
          return yield* new InvalidInput({ field: "dependsOn", problem: parsed.left, example: null })
        }
        return { upstream: yield* tasks.resolve(parsed.right.reference), policy: parsed.right.policy }
      })
    ),
    continueFrom: asked.continueFrom === undefined ? null : yield* tasks.resolve(asked.continueFrom),
    ...(asked.retries === undefined ? {} : { maxRetries: asked.retries }),
    ...(group === null ? {} : { group })
  }
  const isolation = yield* isolationOf(directory, asked.isolate ?? null, session.environment)
  const place = { isolation, base: asked.base ?? null, in: null }
  const { notes, work } = yield* placeWork(submission, place, session.environment)
  // A browser that leaves in the meantime changes nothing.
  const result = yield* Effect.uninterruptible(unlessShell(submit([work], submitterOf(session.environment))))
  const answer = yield* submittedOf(result)
  return { ...answer, warnings: [...answer.warnings, ...notes] }
})
