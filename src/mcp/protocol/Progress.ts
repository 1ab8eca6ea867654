/** Sends progress to a waiting client, so that it does not give up and a person sees what happens. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isTerminal, type TaskId } from "../../domain/task/Task.ts"
import { cutText } from "../../programs/reports/taskState.ts"
import { type Activity, watchActivity } from "../../programs/reports/watchActivity.ts"
import { waitsFor } from "../../programs/why/waitsFor.ts"
import { why } from "../../programs/why/why.ts"
import { Tasks } from "../../services/Tasks.ts"
import { span } from "../../text/FormatDuration.ts"
import type { Call } from "../Tool.ts"
import { toolWords } from "../toolWords.ts"

/** The first line comes soon, so that a person sees that the call works; clients give up after minutes of silence. */
const firstMs = 1000
const everyMs = 5000

/** Sends `line` every few seconds while `self` runs. A failure to make a line does not end the call. */
export const withProgress =
  <E2, R2>(call: Call, line: Effect.Effect<string, E2, R2>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | R2> => {
    if (!call.listening) return self
    const tell = Effect.flatMap(line, call.progress).pipe(
      Effect.catchAllCause((cause) => Effect.logDebug("progress could not be sent", cause))
    )
    const telling = Effect.sleep(firstMs).pipe(
      Effect.zipRight(Effect.forever(Effect.zipRight(tell, Effect.sleep(everyMs))))
    )
    return Effect.raceFirst(self, telling)
  }

const counted = ({ lines }: Activity): string => `${lines} ${lines === 1 ? "line" : "lines"}`

/** `running 2m 10s, 34 lines, last: Edit src/a.ts`. */
const lineOfOne = Effect.fn("lineOfOne")(function* (id: TaskId, activity: Effect.Effect<Activity>) {
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
  const tasks = yield* Tasks
  const now = yield* Effect.forEach(ids, tasks.summary)
  const ended = now.filter(({ status }) => isTerminal(status)).length
  const running = now.filter(({ status }) => status === "running").length
  return `${ended} of ${ids.length} ended, ${running} running, ${ids.length - ended - running} queued`
})

/** What these tasks are doing, read for as long as the scope lasts. */
export const doing = Effect.fn("doing")(function* (ids: ReadonlyArray<TaskId>, call: Call) {
  const [only, ...others] = ids
  if (!call.listening || only === undefined || others.length > 0) return lineOfMany(ids)
  const tasks = yield* Tasks
  return lineOfOne(only, yield* watchActivity(yield* tasks.summary(only)))
})
