/** The start of a task whose work is a loop: begins the loop and, once it has ended, hands its result to the task. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { SpawnFailed } from "../../domain/Errors.ts"
import { isOpen, type Loop } from "../../domain/loop/Loop.ts"
import { isReached } from "../../domain/loop/LoopDecision.ts"
import type { LoopPlan } from "../../domain/loop/LoopPlan.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Loops } from "../../services/Loops.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { givenWith, submittersEnvironment } from "../tasks/sameSubmission.ts"
import { loopSteps } from "./loopSteps.ts"
import { type RoundStep, submitLoop } from "./submitLoop.ts"

/** Characters of the answer that the task prints. */
const answerLength = 20_000

/** In an isolated pipeline the loop starts from what the steps before it left. */
const baseOf = Effect.fn("beginLoop.base")(function* ({ task }: ClaimedTask, plan: LoopPlan) {
  if (task.workspaceId === null) return plan.base
  const found = yield* retryWhileStorageFails((yield* Workspaces).ofTask(task.id))
  return Option.match(found, {
    onNone: () => plan.base,
    onSome: ({ workspace }) => workspace.lastSeal ?? workspace.base
  })
})

/** Repeated after a kill it finds the loop that is there. */
const begin = Effect.fn("beginLoop.begin")(function* (claimed: ClaimedTask, plan: LoopPlan) {
  const { task } = claimed
  const { extra, niceness, umask } = givenWith(claimed)
  const steps = yield* loopSteps(plan, { directory: task.directory })
  const captured = ({ name, work }: RoundStep, position: number): RoundStep => ({
    name,
    work: {
      ...work,
      extra,
      niceness,
      umask,
      // The first step of each round gets the results that this task continues from.
      ...(position === 0 && task.continueFrom !== null ? { continueFrom: task.continueFrom } : {})
    }
  })
  const submitted = yield* submitLoop(
    {
      request: plan.request,
      base: yield* baseOf(claimed, plan),
      steps: Arr.map(steps, captured),
      stepTask: task.id
    },
    { environment: submittersEnvironment(claimed), taskId: task.id, depth: task.depth + 1 }
  )
  yield* failpoint("loop.begun")
  yield* Effect.logInfo(`task ${task.id} waits for its loop ${submitted.loop.id}`)
})

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Prints what the best round answered. */
const handOn = Effect.fn("beginLoop.handOn")(function* (claimed: ClaimedTask, loop: Loop) {
  const tasks = yield* Tasks
  const best = loop.rounds.find(({ round }) => round === loop.bestRound)
  const answer =
    best === undefined
      ? null
      : yield* retryWhileStorageFails(tasks.get(best.workTask)).pipe(
          Effect.map((task) => task.answer),
          Effect.catchTag("TaskNotFound", () => Effect.succeed(null))
        )
  const head = `Loop ${loop.id} ended as ${loop.status}. Round ${loop.bestRound ?? loop.round} of ${loop.round} is kept.`
  const lines = [head, ...(answer === null ? [] : ["", answer.slice(0, answerLength)])]
  const prompt = `${claimed.task.prompt}printf '%s\\n' ${lines.map(quoted).join(" ")}\n`
  return { ...claimed, task: { ...claimed.task, prompt } }
})

/** The claimed task as it starts now; null while its loop is open, until whose end no worker claims it. */
export const beginLoop = Effect.fn("beginLoop")(function* (claimed: ClaimedTask, plan: LoopPlan) {
  const loops = yield* Loops
  const known = yield* retryWhileStorageFails(loops.ofStep(claimed.task.id))
  if (Option.isNone(known)) {
    return yield* begin(claimed, plan).pipe(
      retryWhileStorageFails,
      Effect.mapError(({ message }) => new SpawnFailed({ reason: "system", subject: "its loop", detail: message })),
      Effect.as(null)
    )
  }
  const loop = known.value
  if (isOpen(loop.status)) return yield* Effect.as(retryWhileStorageFails(loops.hold(claimed.task.id)), null)
  if (isReached(loop.status, loop.rules, loop.bestScore)) return yield* handOn(claimed, loop)
  return yield* new SpawnFailed({ reason: "loop-missed", subject: loop.id, detail: loop.status })
})
