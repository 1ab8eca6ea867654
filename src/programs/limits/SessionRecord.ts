/** What an agent has written down of its session adds to what it prints: windows of its account while it runs, and its use at the end. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Seen } from "../../domain/limits/Signal.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Verdict } from "../../domain/task/Agent.ts"
import type { Environment } from "../../domain/task/NewTask.ts"
import { Limits } from "../../services/Limits.ts"
import { type ClaimedTask, type Held, Queue } from "../../services/Queue.ts"
import { SessionRecords } from "../../services/SessionRecords.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { judged } from "./judged.ts"

/** Between two looks at the record of an agent that runs, in milliseconds. */
const lookEveryMs = 2000

/** Where the record of a running agent is, as far as it is known, and what was seen of it. */
export interface RecordPlace {
  readonly environment: Environment
  sessionId: string | null
  seenBytes: number
  seenAt: number | null
}

const environmentOf = (id: Held["task"]["id"]) =>
  Effect.flatMap(Queue, (queue) => queue.captured(id)).pipe(
    Effect.map(({ environment }) => environment),
    Effect.catchTag("TaskNotFound", () => Effect.succeed(null)),
    retryWhileStorageFails
  )

/** Null where its agent keeps no record. */
export const recordPlaceOf = Effect.fn("sessionRecord.place")(function* ({ task }: Held, fresh: ClaimedTask | null) {
  const records = yield* SessionRecords
  if (!records.agents.includes(task.agent)) return null
  const environment = fresh?.environment ?? (yield* environmentOf(task.id))
  if (environment === null) return null
  const place: RecordPlace = {
    environment,
    sessionId: fresh?.resumeSession ?? task.sessionId,
    seenBytes: 0,
    seenAt: null
  }
  return place
})

const look = Effect.fn("sessionRecord.look")(function* ({ claim, task }: Held, place: RecordPlace) {
  const records = yield* SessionRecords
  const { environment, seenBytes, sessionId } = place
  if (sessionId === null) return Option.none()
  const { agent, directory } = task
  return yield* records.read({ agent, sessionId, environment, directory, since: claim.claimedAt, seenBytes })
})

/** The windows that it has written down since it was looked at last. Now and then: it prints more often than it counts. */
export const recordedWindows = Effect.fn("sessionRecord.windows")(function* (held: Held, place: RecordPlace) {
  const now = yield* Clock.currentTimeMillis
  const none: ReadonlyArray<Seen> = []
  if (place.seenAt !== null && Math.abs(now - place.seenAt) < lookEveryMs) return none
  place.seenAt = now
  const found = yield* look(held, place)
  if (Option.isNone(found)) return none
  place.seenBytes = found.value.bytes
  return found.value.windows
})

const latest = (windows: ReadonlyArray<Seen>): number | null =>
  windows.reduce<number | null>(
    (last, { closed, resetsAt }) => (closed && resetsAt !== null && resetsAt > (last ?? 0) ? resetsAt : last),
    null
  )

/**
 * The verdict with what the record of its session adds: the use of a run that printed none, since a limit refused it or it was
 * ended, and the second at which the limit ends, of which it prints the minute. What it says of windows is stored.
 */
export const withRecord = Effect.fn("sessionRecord.withRecord")(function* (
  held: Held,
  verdict: Verdict,
  settings: Pick<Settings, "headroomPercent" | "overage">
) {
  const place = yield* recordPlaceOf(held, null)
  if (place === null) return verdict
  place.sessionId = verdict.sessionId ?? place.sessionId
  const found = yield* look(held, place)
  if (Option.isNone(found)) return verdict
  const { usage, uses, windows } = found.value
  const { account } = held.task
  if (account !== null && windows.length > 0) {
    const limits = yield* Limits
    const { stored } = judged(windows, settings, yield* Clock.currentTimeMillis)
    yield* retryWhileStorageFails(limits.observe(account, stored))
  }
  const resetAt = verdict.failureClass === "usage-limit" ? latest(windows) : null
  return {
    ...verdict,
    ...(verdict.usage === null && usage !== null ? { usage, uses } : {}),
    failureResetAt: resetAt ?? verdict.failureResetAt
  }
})
