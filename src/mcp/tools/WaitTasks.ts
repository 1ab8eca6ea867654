/** Waits until tasks have ended, for as long as clients allow, and reports each end exactly once. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { resolveAll } from "../../programs/groups/resolveAll.ts"
import { groupState, groupsOf } from "../../programs/reports/groupState.ts"
import { taskState } from "../../programs/reports/taskState.ts"
import { awaitEnds } from "../../programs/tasks/awaitEnds.ts"
import { References, whole, withDefault } from "../fields/Fields.ts"
import { doing, withProgress } from "../protocol/Progress.ts"
import { Session } from "../protocol/Session.ts"
import { linksOf, onlyTask, TaskStates } from "../TaskStates.ts"
import { type ToolFailure, type ToolServices, tool } from "../Tool.ts"

/** Parked and asking tasks in one answer. */
const mostParked = 20

/** Clients give up on a call after a minute. */
const longestMs = 50_000

/** `loop running, round 2 of 10`. */
const lineOfGroup = Effect.fn("lineOfGroup")(function* (count: number, first: string) {
  if (count > 1) return `waiting for ${count} tasks, pipelines, loops or contests`
  const { contest, loop, pipeline } = (yield* groupState(first, false)) ?? {}
  if (loop) return `loop ${loop.status}, round ${loop.round} of ${loop.maxRounds}`
  return pipeline ? `pipeline ${pipeline.status}` : `contest ${contest?.status ?? "gone"}`
})

export const waitTasks = tool({
  name: "WaitTasks",
  title: "Wait for tasks",
  description:
    "Wait until one ('any') or all ('all') of these tasks, pipelines, loops or contests have ended. Returns those that ended since the cursor with the start of their answers, the pending ones, and a new cursor. Returns early if all wait for limits or people.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    ids: References,
    mode: withDefault(Schema.Literal("any", "all"), "any"),
    timeoutMs: withDefault(whole(0, longestMs, "Longest wait"), longestMs),
    cursor: withDefault(whole(0, Number.MAX_SAFE_INTEGER, "From the previous answer"), 0)
  }),
  output: TaskStates,
  example: { ids: ["k3v9x2m7q4ab"], mode: "all", timeoutMs: 50_000, cursor: 0 },
  handle: Effect.fn("WaitTasks")(function* (input, call) {
    const session = yield* Session
    const named = yield* resolveAll(input.ids)
    const ids = named.taskIds
    const [group] = [...named.pipelineIds, ...named.loopIds, ...named.contestIds]
    // No handle stands for several tasks, or for a group: a client that takes a plain answer too waits for that.
    const asHandle = call.handleOnly && (!call.plainToo || (group === undefined && ids.length === 1))
    if (!asHandle) yield* session.serving
    const warnings: Array<string> = []
    const line: Effect.Effect<string, ToolFailure, ToolServices> =
      group === undefined ? yield* doing(ids, call) : lineOfGroup(input.ids.length, group)
    const ends = yield* awaitEnds(named, {
      cursor: input.cursor,
      all: input.mode === "all",
      timeoutMs: asHandle ? 0 : input.timeoutMs,
      enough: session.leaving,
      // A client that waits for hours gives up on the call: it is told when to ask again.
      untilHeld: true,
      onTrouble: (problem) =>
        Effect.sync(() => warnings.push(`still waiting: workers keep exiting. ${problem.message}`))
    }).pipe(withProgress(call, line))
    const waiting = ends.held.slice(0, mostParked)
    const groups = yield* groupsOf([...ends.endedGroups, ...ends.paused])
    return {
      tasks: yield* Effect.forEach([...ends.ended.map(({ id }) => id), ...waiting], taskState),
      groups: groups.length === 0 ? null : groups,
      pending: [...ends.pending, ...ends.pendingGroups],
      cursor: ends.cursor,
      more: ends.more,
      timedOut: ends.timedOut,
      warnings
    }
  }, Effect.scoped),
  links: linksOf,
  taskOf: onlyTask
})
