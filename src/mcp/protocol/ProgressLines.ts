/** The lines of progress of tasks, each read once for all calls that wait for the same tasks. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import type * as Scope from "effect/Scope"
import type { AmbiguousReference, ConfigInvalid, StorageError, TaskNotFound } from "../../domain/Errors.ts"
import { isTerminal, TaskId } from "../../domain/task/Task.ts"
import { readActivity } from "../../programs/output/readActivity.ts"
import { cutText } from "../../programs/reports/taskState.ts"
import type { Activity } from "../../programs/reports/watchActivity.ts"
import { waitsFor } from "../../programs/why/waitsFor.ts"
import { why } from "../../programs/why/why.ts"
import { Tasks } from "../../services/Tasks.ts"
import { span } from "../../text/FormatDuration.ts"
import { toolWords } from "../toolWords.ts"

/** Calls that ask within this time get the same line. Far less than the time between two lines of a call. */
const sharedFor = "1 second"

type Trouble = AmbiguousReference | ConfigInvalid | StorageError | TaskNotFound

export class ProgressLines extends Context.Tag("backbeat/mcp/ProgressLines")<
  ProgressLines,
  {
    /** What these tasks are doing, for as long as the scope lasts; at least one id. */
    readonly of: (ids: ReadonlyArray<TaskId>) => Effect.Effect<Effect.Effect<string, Trouble>, Trouble, Scope.Scope>
  }
>() {}

const counted = ({ lines }: Activity): string => `${lines} ${lines === 1 ? "line" : "lines"}`

/** `running 2m 10s, 34 lines, last: Edit src/a.ts`. */
const lineOfOne = Effect.fn("lineOfOne")(function* <E, R>(id: TaskId, activity: Effect.Effect<Activity, E, R>) {
  const tasks = yield* Tasks
  const task = yield* tasks.summary(id)
  const now = yield* Clock.currentTimeMillis
  if (task.status === "queued") {
    const reason = waitsFor(yield* why(id), now)
    return reason === null ? "queued, about to start" : `queued, waits for ${toolWords(reason)}`
  }
  if (task.status !== "running") return `${task.status}`
  const seen = yield* activity
  const last = cutText(seen.last.replaceAll("\t", " "), 120)
  return `running ${span(now - (task.startedAt ?? now))}, ${seen.lines === 0 ? "no output yet" : `${counted(seen)}, last: ${last}`}`
})

const lineOfMany = Effect.fn("lineOfMany")(function* (ids: ReadonlyArray<TaskId>) {
  const now = yield* (yield* Tasks).nodes(ids)
  const ended = now.filter(({ status }) => isTerminal(status)).length
  const running = now.filter(({ status }) => status === "running").length
  return `${ended} of ${ids.length} ended, ${running} running, ${now.length - ended - running} queued`
})

const lineOf = Effect.fn("lineOf")(function* (ids: ReadonlyArray<TaskId>) {
  const [only, ...others] = ids
  if (only === undefined || others.length > 0) return lineOfMany(ids)
  return lineOfOne(only, yield* readActivity(yield* (yield* Tasks).summary(only)))
})

export const layer = Layer.scoped(
  ProgressLines,
  Effect.gen(function* () {
    const lines = yield* RcMap.make({
      lookup: (key: string) =>
        Effect.flatMap(lineOf(key.split(" ").map((id) => TaskId.make(id))), (line) =>
          Effect.cachedWithTTL(line, sharedFor)
        )
    })
    return ProgressLines.of({
      of: (ids) => RcMap.get(lines, Array.from(new Set(ids)).join(" "))
    })
  })
)
