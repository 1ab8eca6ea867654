/** Submits one task, or several in one call. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fewestCandidates, mostCandidates } from "../../domain/contest/Contest.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { Better, isOpen, mostRounds } from "../../domain/loop/Loop.ts"
import { loopRequest, wordProblem } from "../../domain/loop/LoopRequest.ts"
import { ofOneStep, submitLoop } from "../../programs/loops/submitLoop.ts"
import { groupsOf } from "../../programs/reports/groupState.ts"
import { taskState } from "../../programs/reports/taskState.ts"
import type { Submission } from "../../programs/tasks/prepareTask.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { submit } from "../../programs/tasks/submit.ts"
import { isolationOf } from "../../programs/workspaces/isolationOf.ts"
import { placeWork } from "../../programs/workspaces/placeWork.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { delegateContest } from "../delegateContest.ts"
import { whole } from "../fields/Fields.ts"
import { limitFields, submissionOf, taskFields } from "../fields/TaskFields.ts"
import { onceStored } from "../onceStored.ts"
import { Session } from "../protocol/Session.ts"
import { statesAfter } from "../statesAfter.ts"
import { linksOf, onlyTask, TaskStates } from "../TaskStates.ts"
import { type Call, tool } from "../Tool.ts"
import { requireShell } from "../withoutShell.ts"

const One = Schema.Struct({
  ...taskFields,
  /** The name for `dependsOn` and `continueFrom` of the other tasks. */
  name: Schema.optional(Schema.NonEmptyString)
})
type One = typeof One.Type

const Loop = Schema.Struct({
  until: Schema.optional(Schema.NonEmptyString.annotations({ description: "Ends it with exit code 0" })),
  judge: Schema.optional(Schema.NonEmptyString.annotations({ description: "An agent judges by it" })),
  score: Schema.optional(Schema.NonEmptyString.annotations({ description: "Prints the score" })),
  better: Schema.optional(Better),
  target: Schema.optional(Schema.Finite),
  max: Schema.optional(whole(1, mostRounds, "Rounds (default: 10)"))
})

const Input = Schema.Struct({
  ...taskFields,
  ...limitFields,
  isolate: Schema.optional(
    Schema.Boolean.annotations({
      description: "In a separate git workspace (worktree)"
    })
  ),
  base: Schema.optional(
    Schema.NonEmptyString.annotations({
      description: "HEAD, tree, revision or task"
    })
  ),
  in: Schema.optional(Schema.NonEmptyString.annotations({ description: "Task whose workspace to use" })),
  loop: Schema.optional(Loop.annotations({ description: "Repeat, isolated, until it passes" })),
  times: Schema.optional(
    whole(fewestCandidates, mostCandidates, "Candidates side by side, isolated; 'best' keeps one")
  ),
  best: Schema.optional(Schema.NonEmptyString.annotations({ description: "Command that a candidate must pass" })),
  tasks: Schema.optional(
    Schema.Array(One).pipe(Schema.minItems(1), Schema.maxItems(100)).annotations({
      description: "Several, all or none; a field left out is the call's; 'name' is for dependsOn"
    })
  )
})
type Input = typeof Input.Type

/** The defaults of tasks in a goal: a workspace cut from the lead's own as it is, and our MCP server. */
const withinGoal = Effect.fn("DelegateTask.goal")(
  function* (input: Input) {
    const { environment } = yield* Session
    const tasks = yield* Tasks
    const queue = yield* Queue
    const { taskId } = submitterOf(environment)
    if (taskId === null || (yield* tasks.summary(taskId)).goalId === null) return { given: input, server: undefined }
    const { launch } = yield* queue.captured(taskId)
    const isolate = input.isolate ?? true
    const base = isolate && input.base === undefined ? { base: "tree" } : {}
    const own = input.loop !== undefined || input.times !== undefined
    return { given: own ? input : { ...input, isolate, ...base }, server: launch.server }
  },
  // A task of another home.
  (effect, input) => Effect.catchTag(effect, "TaskNotFound", () => Effect.succeed({ given: input, server: undefined }))
)

/** Each isolated task gets its own workspace. */
const placed = Effect.fn("DelegateTask.placed")(function* (
  described: ReadonlyArray<Submission>,
  { base, in: place, isolate }: Pick<Input, "base" | "in" | "isolate">
) {
  if (place !== undefined && (isolate === true || base !== undefined))
    return yield* new InvalidInput({ field: "in", problem: "excludes 'isolate' and 'base'", example: null })
  if (isolate !== true && base !== undefined)
    return yield* new InvalidInput({ field: "base", problem: "needs 'isolate'", example: '"isolate": true' })
  const { environment } = yield* Session
  const all = yield* Effect.forEach(described, (one) =>
    Effect.gen(function* () {
      const isolation = yield* isolationOf(one.directory, isolate ?? (place === undefined ? null : false), environment)
      return yield* placeWork(one, { isolation, base: base ?? null, in: place ?? null }, environment)
    })
  ).pipe(
    Effect.catchTag(
      "WorkspaceNotFound",
      () => new InvalidInput({ field: "in", problem: `task ${place} has no workspace`, example: null })
    )
  )
  return {
    submissions: all.map(({ work }) => work),
    notes: Array.from(new Set(all.flatMap(({ notes }) => notes)))
  }
})

/** The answer has the loop to wait for, and the task of its first round. */
const delegateLoop = Effect.fn("DelegateTask.loop")(function* (input: Input, loop: typeof Loop.Type) {
  const session = yield* Session
  const wrong = (field: string, problem: string) =>
    new InvalidInput({ field, problem, example: '{"until": "npm test"}' })
  for (const other of ["tasks", "times", "best", "in"] as const)
    if (input[other] !== undefined) return yield* wrong("loop", `cannot be combined with '${other}'`)
  if (input.prompt === undefined) return yield* wrong("prompt", "it is missing")
  const problem = wordProblem(loop, "'loop'", (word) => `'${word}'`)
  if (problem !== null) return yield* wrong(problem.word === null ? "loop" : `loop.${problem.word}`, problem.problem)
  if (loop.until !== undefined || loop.score !== undefined) yield* requireShell("loop")
  const submission = yield* submissionOf({ ...input, prompt: input.prompt }, new Map())
  yield* session.serving
  const began = yield* Clock.currentTimeMillis
  const submitted = yield* Effect.uninterruptible(
    submitLoop(
      { request: loopRequest(loop), base: input.base ?? "HEAD", steps: ofOneStep(submission) },
      submitterOf(session.environment)
    )
  )
  const { createdAt, id, rounds } = submitted.loop
  const replayed = createdAt < began ? [`idempotency key already used by loop ${id}; no new loop was created`] : []
  const answer: TaskStates = {
    tasks: yield* onceStored(
      Effect.forEach(rounds.slice(0, 1), ({ workTask }) => taskState(workTask)),
      []
    ),
    groups: yield* onceStored(groupsOf([id]), null),
    pending: isOpen(submitted.loop.status) ? [id] : [],
    cursor: 0,
    more: false,
    timedOut: false,
    warnings: [
      `loop ${id}: wait for this id with WaitTasks; the task is its first round alone`,
      ...replayed,
      ...submitted.warnings
    ]
  }
  return answer
})

const asked = ({
  base: _base,
  best: _best,
  in: _in,
  isolate: _isolate,
  loop: _loop,
  times: _times,
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

/** Which task has which name. No two have one name, and no two have one key. */
const namesIn = (tasks: ReadonlyArray<One>) =>
  Effect.gen(function* () {
    const members = new Map<string, number>()
    const keys = new Map<string, number>()
    for (const [index, { key, name }] of tasks.entries()) {
      const earlier = key === undefined ? undefined : keys.get(key)
      if (earlier !== undefined) {
        return yield* new InvalidInput({
          field: `tasks[${index}].key`,
          problem: `'${key}' is the key of tasks[${earlier}]`,
          example: null
        })
      }
      if (key !== undefined) keys.set(key, index)
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

/** Refuses what no handle can represent before anything is stored: a client that repeats the call would submit twice. */
const requireHandle = ({ best, loop, tasks = [], times }: Input, call: Call) => {
  const several = loop !== undefined || times !== undefined || best !== undefined || tasks.length > 1
  if (!several || !call.handleOnly || call.plainToo) return Effect.void
  const problem =
    "only a call for one task can run as a task of the protocol. Nothing was stored: call again without 'task'"
  return new InvalidInput({ field: "task", problem, example: null })
}

export const delegateTask = tool({
  name: "DelegateTask",
  title: "Delegate a task",
  description:
    "Run a task with a coding agent or a shell command in the background, several in parallel, isolated in workspaces, in a loop until tests pass, or as rival candidates. Returns immediately; tasks run on if this session ends. Then call WaitTasks.",
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
    isolate: true,
    base: "HEAD",
    in: "k3v9x2m7q4ab",
    onLimit: "park" as const,
    fallback: ["codex"],
    spare: false,
    times: 3,
    best: "npm test",
    loop: {
      until: "npm test",
      judge: "It is simple",
      score: "node bench.js",
      better: "lower" as const,
      target: 20,
      max: 10
    },
    tasks: [{ prompt: "Write the changelog entry", name: "changelog" }]
  },
  handle: Effect.fn("DelegateTask")(function* (asIs, call) {
    yield* requireHandle(asIs, call)
    const session = yield* Session
    const { given: input, server } = yield* withinGoal(asIs)
    if (input.loop !== undefined) return yield* delegateLoop(input, input.loop)
    if (input.times !== undefined || input.best !== undefined) return yield* delegateContest(input)
    const members = yield* namesIn(input.tasks ?? [])
    const described = yield* Effect.forEach(yield* asked(input), (one) =>
      Effect.map(submissionOf(one, members), (submission) => ({ ...submission, server }))
    )
    const { submissions, notes } = yield* placed(described, input)
    yield* session.serving
    // A client that gives up in the meantime must not leave half of the batch.
    const result = yield* Effect.uninterruptible(submit(submissions, submitterOf(session.environment)))
    const states = yield* statesAfter(result)
    return { ...states, warnings: [...states.warnings, ...notes] }
  }),
  links: linksOf,
  taskOf: onlyTask
})
