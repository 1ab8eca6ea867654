/** Reads what the agent of a task prints: stores it, and looks in it for limits and messages. */
import * as Effect from "effect/Effect"
import type { StreamName } from "../../domain/output/Output.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import { Agents } from "../../services/Agents.ts"
import type { ClaimedTask, Held } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { type LimitWatch, limitWatch, readSignals } from "../limits/LimitWatch.ts"
import { recordPlaceOf } from "../limits/SessionRecord.ts"
import { capture, limitWatchOf, type Progress } from "../worker/capture.ts"
import { type Conversation, conversationOf, hear } from "./Conversation.ts"

interface Listened {
  readonly claimed: Held
  readonly settings: Settings
}

/** At most this many reads of a stream before cancel, timeout and exit are looked at again. */
const rounds = 8

/** Whether the spool holds more than it may. It grows when an agent prints faster than the output is stored. */
export const isFlooded = Effect.fn("supervise.isFlooded")(function* (
  { claimed, settings }: Listened,
  progress: Progress,
  behind: boolean
) {
  const spawner = yield* Spawner
  for (const stream of ["stdout", "stderr"] as const) {
    const read = progress[stream].size - progress[stream].base
    const printed = behind ? yield* spawner.printed(claimed.claim.claimId, stream) : read
    if (Math.max(printed, read) > settings.maxSpoolBytes) return true
  }
  return false
})

/** What the agent's output is read for while it runs. */
export interface Listening {
  readonly limits: LimitWatch
  readonly conversation: Conversation | null
}

/** A new owner continues where the one before was. */
export const listeningOf = Effect.fn("listeningOf")(function* (
  { claimed, settings }: Listened,
  fresh: ClaimedTask | null
) {
  const listening: Listening = {
    limits: fresh === null ? yield* limitWatchOf(claimed, settings) : limitWatch(yield* recordPlaceOf(claimed, fresh)),
    conversation: yield* conversationOf(claimed, fresh)
  }
  return listening
})

/** Captures; a spool that cannot be read is reported and tried again at the next look. */
export const captureOrWait = Effect.fn("supervise.capture")(function* (
  { claimed, settings }: Listened,
  progress: Progress,
  { conversation, limits }: Listening
) {
  const agents = yield* Agents
  const read = (stream: StreamName, bytes: Uint8Array) =>
    Effect.all({
      told: readSignals(claimed, settings, limits, stream, bytes),
      heard: hear(conversation, claimed, stream, bytes)
    }).pipe(
      Effect.map(({ heard, told }) => ({ ...told, ...heard })),
      Effect.provideService(Agents, agents)
    )
  return yield* Effect.map(capture(claimed, progress, rounds, read), (captured) => ({
    ...captured,
    unread: false
  })).pipe(
    Effect.catchTag("SpawnFailed", (error) =>
      Effect.as(Effect.logWarning(error.message), { moved: 0, more: false, unread: true })
    )
  )
})

/** Reads of a spool that fails before its task is ended without the rest, and the pauses between them: half a minute. */
const drainTries = 10
const drainPause = (failures: number) => Math.min(5000, 100 * 2 ** failures)

/** Stores what is left when the agent is over. Only if leftover processes are kept can more output come: up to a limit. */
export const drain = Effect.fn("supervise.drain")(function* (
  supervision: Listened,
  progress: Progress,
  listening: Listening
) {
  const { settings } = supervision
  let failures = 0
  while (true) {
    const captured = yield* captureOrWait(supervision, progress, listening)
    if (captured.unread) {
      failures += 1
      if (failures === drainTries) return yield* Effect.logError("the rest of its output cannot be read and is lost")
      yield* Effect.sleep(drainPause(failures))
      continue
    }
    if (!captured.more) return
    if (settings.leftovers === "keep" && (yield* isFlooded(supervision, progress, false))) return
    yield* Effect.yieldNow()
  }
})
