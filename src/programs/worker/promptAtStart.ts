/** Puts the results of an earlier task before the prompt of the task that continues from it, at its start. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isTerminal, type Task, type TaskId } from "../../domain/task/Task.ts"
import { Contests } from "../../services/Contests.ts"
import { Loops } from "../../services/Loops.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { quoteFor, remark } from "../../text/Quote.ts"
import { recordText } from "../../text/Record.ts"
import { takeCheckpoint } from "../checkpoints/takeCheckpoint.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"

/** Bytes of all records together. */
const budget = 24_000

/** The most that a record gets while others follow it: the nearest task matters most. */
const share = 0.6

/** The most earlier tasks with a record, and the fewest bytes that are worth a record. */
const longestChain = 10
const least = 500

/** An argument of a program holds little more than this on Linux: a prompt that goes there leaves less room. */
const argumentBytes = 100_000

const encoder = new TextEncoder()

const roomIn = ({ launch, task }: ClaimedTask): number => {
  const inArgument = launch.promptAt.some((at) => launch.args[at]?.includes("{prompt}") === true)
  if (!inArgument) return budget
  const taken = encoder.encode(`${launch.promptPrefix ?? ""}${task.prompt}`).length
  return Math.min(budget, Math.max(0, argumentBytes - taken))
}

interface Record {
  readonly task: Pick<Task, "id">
  readonly text: string
}

/** The records of the tasks before, the nearest one last; fewer where the room ends. */
const records = Effect.fn("upstream.records")(function* (first: TaskId, room: number) {
  const told: Array<Record> = []
  let left = room
  let next: TaskId | null = first
  while (next !== null && told.length < longestChain && left >= least) {
    const task: Task | null = yield* recorded(next)
    if (task === null) break
    const further: TaskId | null = task.continueFrom
    const checkpoint = yield* takeCheckpoint(task.id)
    const text = recordText(task, checkpoint, Math.floor(further === null ? left : left * share))
    told.unshift({ task, text })
    left -= encoder.encode(text).length
    next = further
  }
  return told
})

/** The last attempt of a task that has ended; null where none is stored, or none has ended yet. */
const recorded = Effect.fn("upstream.recorded")(
  function* (id: TaskId) {
    const tasks = yield* Tasks
    const last = yield* latestAttempt(id)
    if (!isTerminal(last.status)) return null
    const contests = yield* Contests
    // A step with candidates hands on the work of the one that is kept, a loop that of its best round.
    const kept = last.pipelineId === null ? Option.none() : yield* contests.keptBy(last.id)
    const loop = yield* (yield* Loops).ofStep(last.id)
    const best = Option.flatMapNullable(loop, ({ bestRound, rounds }) =>
      rounds.find(({ round }) => round === bestRound)
    )
    return yield* tasks.get(Option.getOrElse(kept, () => (Option.isSome(best) ? best.value.workTask : last.id)))
  },
  Effect.catchTag("TaskNotFound", () => Effect.succeed(null))
)

const gone = (id: TaskId): string => `This task continues from task ${id}, which has been deleted.`

/**
 * The prompt as the agent gets it. The stored one stays as it is, and stored checkpoints do not change, so that a start
 * that has to be made again asks the same.
 */
export const promptAtStart = Effect.fn("promptAtStart")(function* (claimed: ClaimedTask) {
  const { agent, continueFrom, prompt } = claimed.task
  const reader = { agent, program: claimed.launch.file }
  if (continueFrom === null) return prompt
  const told = yield* retryWhileStorageFails(records(continueFrom, roomIn(claimed))).pipe(
    Effect.catchAllCause((cause) =>
      Effect.as(Effect.logWarning(`what task ${continueFrom} left behind could not be read`, cause), [])
    )
  )
  if (told.length === 0) return `${remark(reader, gone(continueFrom))}\n\n${prompt}`
  const quote = quoteFor(reader)
  const parts = told.map(({ task, text }) =>
    quote(`The record of task ${task.id}, from which this work continues.`, text)
  )
  return `${parts.join("\n\n")}\n\n${prompt}`
})
