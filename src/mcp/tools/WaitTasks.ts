/** Waits until tasks have ended, for as long as clients allow, and reports each end exactly once. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type { TaskId } from "../../domain/task/Task.ts"
import { parkedBeyond } from "../../programs/limits/parkedBeyond.ts"
import { needInput } from "../../programs/questions/needInput.ts"
import { taskState } from "../../programs/reports/taskState.ts"
import { awaitEnds } from "../../programs/tasks/awaitEnds.ts"
import { Tasks } from "../../services/Tasks.ts"
import { References, whole } from "../fields/Fields.ts"
import { doing, withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { linksOf, onlyPending, TaskStates } from "../TaskStates.ts"
import { tool } from "../Tool.ts"

/** Parked and asking tasks in one answer. */
const mostParked = 20

/** Clients give up on a call after a minute. */
const longestMs = 50_000

export const waitTasks = tool({
  name: "WaitTasks",
  title: "Wait for tasks",
  description:
    "Wait until one task ('any') or all ('all') have ended. Returns those that ended since the cursor with the start of their answers, the pending ones, and a new cursor. Returns early if all wait for limits or people.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    ids: References,
    mode: Schema.optionalWith(Schema.Literal("any", "all"), { default: () => "any" as const }),
    timeoutMs: Schema.optionalWith(whole(0, longestMs, "Return after at most this long"), {
      default: () => longestMs
    }),
    cursor: Schema.optionalWith(
      whole(0, Number.MAX_SAFE_INTEGER, "From the previous answer (default: report all ends)"),
      { default: () => 0 }
    )
  }),
  output: TaskStates,
  example: { ids: ["k3v9x2m7q4ab"], mode: "all", timeoutMs: 50_000, cursor: 0 },
  handle: Effect.fn("WaitTasks")(function* (input, call) {
    const session = yield* Session
    const tasks = yield* Tasks
    const ids = yield* Effect.forEach(input.ids, tasks.resolve)
    if (!call.handleOnly) yield* session.serving
    const warnings: Array<string> = []
    const parked = yield* Ref.make<ReadonlyArray<TaskId>>([])
    // A client that waits for hours gives up on the call: it is told when to ask again.
    const allParked = parkedBeyond(ids, input.timeoutMs).pipe(
      Effect.flatMap((open) => Ref.set(parked, open)),
      Effect.catchAll(() => Effect.never)
    )
    const allAsk = needInput(ids).pipe(
      Effect.flatMap((open) => Ref.set(parked, open)),
      Effect.catchAll(() => Effect.never)
    )
    const ends = yield* awaitEnds(ids, {
      cursor: input.cursor,
      all: input.mode === "all",
      timeoutMs: call.handleOnly ? 0 : input.timeoutMs,
      enough: Effect.raceFirst(
        session.leaving,
        Effect.provideService(Effect.raceFirst(allParked, allAsk), Tasks, tasks)
      ),
      onTrouble: (problem) =>
        Effect.sync(() => warnings.push(`still waiting: workers keep exiting. ${problem.message}`))
    }).pipe(withProgress(call, yield* doing(ids, call)))
    const waiting = (yield* Ref.get(parked)).filter((id) => ends.pending.includes(id)).slice(0, mostParked)
    return {
      tasks: yield* Effect.forEach([...ends.ended.map(({ id }) => id), ...waiting], taskState),
      pending: ends.pending,
      cursor: ends.cursor,
      more: ends.more,
      timedOut: ends.timedOut,
      warnings
    }
  }, Effect.scoped),
  links: linksOf,
  taskOf: onlyPending
})
