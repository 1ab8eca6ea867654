/**
 * The one waiting loop of commands, tools and streams: look at the store, and look again after each commit of any process, until
 * what is found is enough. It polls a number of SQLite, which costs less than a watch of files. Processes that live long (workers,
 * `beat top`, `beat web`) wait for `CommitNotifier`, and MCP servers share one of these loops (serving/shareWatch.ts).
 */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../domain/Elapsed.ts"
import type { StorageError } from "../domain/Errors.ts"
import { Tasks } from "../services/Tasks.ts"
import { retryWhileBusy } from "./retryWhileBusy.ts"
import { type EnsureWorkerOptions, whileWorkerRuns } from "./worker/ensureWorker.ts"

/** Between two looks at the version: far below what a person notices, far above what a machine does. */
const pollMs = 60

/** The version does not change with this process's own commits, so every reader looks again after this time anyway. */
const rescanMs = 300

/** Returns the new version once it differs from `seen`, and at the latest after 300 ms. */
const nextChange = Effect.fn("nextChange")(function* (seen: number) {
  const tasks = yield* Tasks
  const until = (yield* elapsedMs) + rescanMs
  let version = seen
  do {
    yield* Effect.sleep(pollMs)
    version = yield* retryWhileBusy(tasks.version)
  } while (version === seen && (yield* elapsedMs) < until)
  return version
})

/**
 * Remembers what has been seen of the store, from here on. `until` looks until `isOver` accepts what is found; `untilNext` waits
 * for a change before its first look. `also` ends the wait for a change early.
 */
export const makeWatch = Effect.fn("makeWatch")(function* (also: Effect.Effect<unknown> = Effect.never) {
  const tasks = yield* Tasks
  // The version is read before the rows: a commit between the two is then seen as a change, never missed.
  let version = yield* retryWhileBusy(tasks.version)
  const change = Effect.gen(function* () {
    version = yield* Effect.raceFirst(
      nextChange(version),
      Effect.map(also, () => version)
    )
  })
  const until = Effect.fn("watch.until")(function* <A, E extends { readonly _tag: string }, R>(
    look: Effect.Effect<A, E | StorageError, R>,
    isOver: (found: A) => boolean
  ) {
    while (true) {
      const found = yield* retryWhileBusy(look)
      if (isOver(found)) return found
      yield* change
    }
  })
  const untilNext: typeof until = (look, isOver) => Effect.zipRight(change, until(look, isOver))
  return { until, untilNext }
})

/** Looks now and after each change, until `isOver` accepts what is found. No time limit: `Effect.timeout` is for the caller. */
export const watch = <A, E extends { readonly _tag: string }, R>(
  look: Effect.Effect<A, E | StorageError, R>,
  isOver: (found: A) => boolean
) => Effect.flatMap(makeWatch(), ({ until }) => until(look, isOver))

/** The same, and makes sure that a worker runs. It starts none where the first look finds the end. */
export const waitUntil = Effect.fn("waitUntil")(function* <A, E extends { readonly _tag: string }, R>(
  look: Effect.Effect<A, E | StorageError, R>,
  isOver: (found: A) => boolean,
  options: EnsureWorkerOptions
) {
  const { untilNext } = yield* makeWatch()
  const first = yield* retryWhileBusy(look)
  return isOver(first) ? first : yield* whileWorkerRuns(untilNext(look, isOver), options)
})
