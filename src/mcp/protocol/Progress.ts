/** Sends progress to a waiting client, so that it does not give up and a person sees what happens. */
import * as Effect from "effect/Effect"
import type { TaskId } from "../../domain/task/Task.ts"
import type { Call } from "../Tool.ts"
import { ProgressLines } from "./ProgressLines.ts"

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

/** What these tasks are doing, read for as long as the scope lasts. */
export const doing = (ids: ReadonlyArray<TaskId>, call: Call) =>
  call.listening ? Effect.flatMap(ProgressLines, (lines) => lines.of(ids)) : Effect.succeed(Effect.succeed(""))
