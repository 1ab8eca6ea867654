/** Takes the checkpoint of an ended task: from stored output, and from its directory as it is now. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { TaskStateConflict } from "../../domain/Errors.ts"
import type { Checkpoint } from "../../domain/task/Checkpoint.ts"
import { isTerminal, type Task, type TaskId } from "../../domain/task/Task.ts"
import { Checkpoints } from "../../services/Checkpoints.ts"
import { Git } from "../../services/Git.ts"
import { Tasks } from "../../services/Tasks.ts"
import { cutMiddle } from "../../text/Middle.ts"
import { ranAlongside } from "../Alongside.ts"
import { readLogOf } from "../output/readLog.ts"

/** Bytes of each text at most. */
const most = { answer: 16_000, tail: 16_000, diffStat: 4000 } as const

/** Lines of output at most. */
const tailLines = 200

/** What `beat logs` shows at the end; as it was printed, where the agent's renderer breaks on it. */
const tailOf = Effect.fn("takeCheckpoint.tail")(function* (task: Task) {
  const end = { since: null, lines: tailLines, maxBytes: most.tail }
  const { text } = yield* readLogOf(task, { ...end, raw: false }).pipe(
    Effect.catchAllDefect(() => readLogOf(task, { ...end, raw: true }))
  )
  return cutMiddle(text, most.tail)
})

/** Returns the stored checkpoint, or takes and stores one. If two processes take it, both get the first stored one. */
export const takeCheckpoint = Effect.fn("takeCheckpoint")(function* (id: TaskId) {
  const checkpoints = yield* Checkpoints
  const tasks = yield* Tasks
  const git = yield* Git
  const known = yield* checkpoints.get(id)
  if (Option.isSome(known)) return known.value
  const task = yield* tasks.get(id)
  if (!isTerminal(task.status) || task.cause === null) {
    return yield* new TaskStateConflict({ id, step: "leave a checkpoint", actual: task.status })
  }
  const started = task.startedAt !== null
  const before = Option.getOrNull(yield* checkpoints.startOf(id))
  const takenAt = yield* Clock.currentTimeMillis
  const { after, alongside, diffStat } = yield* Effect.all(
    {
      // One that started after the end has changed what is found now.
      alongside: ranAlongside(task, takenAt),
      // A task that never started did not make the current changes.
      after: started ? git.state(task.directory) : Effect.succeed(null),
      diffStat: before === null ? Effect.succeed(null) : git.diffStat(task.directory, before)
    },
    { concurrency: 3 }
  )
  const checkpoint: Checkpoint = {
    taskId: id,
    takenAt,
    status: task.status,
    cause: task.cause,
    error: task.error,
    answer: task.answer === null ? null : cutMiddle(task.answer, most.answer),
    tail: yield* tailOf(task),
    durationMs: task.startedAt === null || task.endedAt === null ? null : Math.max(0, task.endedAt - task.startedAt),
    usage: task.usage,
    before,
    after,
    alongside,
    diffStat: diffStat === null ? null : cutMiddle(diffStat, most.diffStat)
  }
  return yield* checkpoints.store(checkpoint)
})
