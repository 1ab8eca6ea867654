/** Lets the agent of a task end its turn and be resumed when what it delegated has ended. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { mostAwaited, WakeMode } from "../../domain/wake/Wake.ts"
import { requireOwnAll } from "../../programs/groups/cancelAll.ts"
import { resolveAll } from "../../programs/groups/resolveAll.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Wakes } from "../../services/Wakes.ts"
import { Reference, withDefault } from "../fields/Fields.ts"
import { Session } from "../protocol/Session.ts"
import { tool } from "../Tool.ts"

export const wakeMe = tool({
  name: "WakeMe",
  title: "Wake me when tasks have ended",
  description:
    "Inside a task: wait for tasks that you delegated without using a token. Call it, then end your turn; your session is resumed with their results when all ('all') or one ('any') have ended. Better than WaitTasks for more than a minute.",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    ids: Schema.optional(
      Schema.Array(Reference).pipe(Schema.minItems(1), Schema.maxItems(mostAwaited)).annotations({
        description: "Tasks, pipelines, loops and contests. Default: all that you delegated and that are open"
      })
    ),
    when: withDefault(WakeMode, "all")
  }),
  output: Schema.Struct({
    waitsFor: Schema.Array(Schema.String),
    when: WakeMode,
    /** 1 for the first wake of the task. */
    wake: Schema.Int,
    next: Schema.String
  }),
  example: { ids: ["k3v9x2m7q4ab"], when: "all" as const },
  handle: Effect.fn("WakeMe")(function* ({ ids, when }) {
    const session = yield* Session
    const wakes = yield* Wakes
    const submitter = submitterOf(session.environment)
    if (submitter.taskId === null) {
      return yield* new InvalidInput({
        field: "WakeMe",
        problem: "works only inside a task of Backbeat; elsewhere, wait with WaitTasks",
        example: null
      })
    }
    const named = yield* resolveAll(ids ?? [])
    yield* requireOwnAll(named, submitter, "wait for")
    const groups = [...named.pipelineIds, ...named.loopIds, ...named.contestIds]
    const wake = yield* wakes.ask({
      taskId: submitter.taskId,
      ids: named.taskIds,
      groups,
      mode: when,
      askedBy: "agent"
    })
    return {
      waitsFor: wake.awaited,
      when: wake.mode,
      wake: wake.n,
      next: "End your turn now. Nothing runs for you until you are resumed with the results."
    }
  })
})
