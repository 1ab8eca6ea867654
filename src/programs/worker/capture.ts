/** Moves what an agent printed from its spool into the output store, exactly once. */
import * as Effect from "effect/Effect"
import { droppedTo, headOf } from "../../domain/output/Gap.ts"
import type { StreamName } from "../../domain/output/Output.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import { count } from "../../services/Counters.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import type { ClaimedTask, Held } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { limitWatch, nothing, readSignals, type SignalReading } from "../limits/LimitWatch.ts"
import { recordPlaceOf } from "../limits/SessionRecord.ts"
import { type HeardIn, nothingHeard } from "../messages/Conversation.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** One read and one transaction: bounds memory per task, and how long others wait for the write lock. */
const chunkBytes = 1024 * 1024

/** Where capture is in one stream. */
interface StreamProgress {
  /** Bytes captured so far. */
  size: number
  /** The position at which the spool file begins: above 0 once the agent has emptied it. */
  base: number
  emptied: number
  /** The last bytes that were read from the file as it is: other ones in their place tell that it was emptied. */
  last: Uint8Array
}
export type Progress = Record<StreamName, StreamProgress>

/** Bytes that are compared before more are read. */
const compared = 64

/** From this many bytes on, only the size distinguishes a program that overwrites its output from one that empties it. */
const mostCompared = 100

const none = new Uint8Array()

const atBeginning = (): StreamProgress => ({ size: 0, base: 0, emptied: 0, last: none })

/** Its agent has never run, so nothing of it is stored: a task that was put back keeps the start of its first run. */
const isFirstRun = ({ claim, resumeSession, task }: ClaimedTask): boolean =>
  task.startedAt === claim.claimedAt && task.parks === 0 && task.wakes === 0 && resumeSession === null

/** The offsets that the store has reached: where a new owner continues. `fresh`: the claim is new. */
export const progressOf = Effect.fn("progressOf")(function* (claimed: Held, fresh: ClaimedTask | null = null) {
  if (fresh !== null && isFirstRun(fresh)) return { stdout: atBeginning(), stderr: atBeginning() } satisfies Progress
  const store = yield* OutputStore
  const taskId = claimed.task.id
  const states = yield* retryWhileStorageFails(store.streams(taskId))
  const one = Effect.fn("progressOf.stream")(function* (stream: StreamName) {
    const state = states.find((candidate) => candidate.stream === stream)
    if (state === undefined) return atBeginning()
    const { base, emptied, size } = state
    const [chunk] = yield* retryWhileStorageFails(store.readBack({ taskId, stream, before: null, limit: 1 }))
    const whole = chunk !== undefined && chunk.offset + chunk.bytes.length === size
    return { size, base, emptied, last: whole ? lastOf(chunk.bytes, size - base) : none }
  })
  const progress: Progress = { stdout: yield* one("stdout"), stderr: yield* one("stderr") }
  return progress
})

/**
 * The watch of a new owner: the last lines that are stored are read again, since an agent that sleeps says so once, and
 * the beginning of a line whose end is still to come is taken from there.
 */
export const limitWatchOf = Effect.fn("limitWatchOf")(function* (claimed: Held, settings: Settings) {
  const store = yield* OutputStore
  const watch = limitWatch(yield* recordPlaceOf(claimed, null))
  const taskId = claimed.task.id
  for (const { size, since, stream } of yield* retryWhileStorageFails(store.streams(taskId))) {
    const [chunk] = yield* retryWhileStorageFails(store.readBack({ taskId, stream, before: null, limit: 1 }))
    if (chunk === undefined || chunk.offset + chunk.bytes.length !== size || size <= since) continue
    const bytes = chunk.bytes.subarray(Math.max(0, since - chunk.offset))
    yield* readSignals(claimed, settings, watch, stream, bytes)
  }
  return watch
})

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array =>
  Uint8Array.from([...first, ...second]).slice(-compared)

/** The file holds nothing that was read before it was emptied. */
const lastOf = (bytes: Uint8Array, position: number): Uint8Array =>
  position === 0 ? none : bytes.slice(-Math.min(compared, position))

/**
 * An agent may print faster than can be stored. What would be dropped from the middle anyway is then not even read, so
 * that the capture keeps up with any agent, and the end of a task never waits for gigabytes.
 */
const catchUp = Effect.fn("catchUp")(function* (claimed: Held, progress: Progress, stream: StreamName, rounds: number) {
  const cap = claimed.task.maxOutputBytes
  const head = headOf(cap)
  const at = progress[stream]
  if (at.size < head) return
  const spawner = yield* Spawner
  const to = droppedTo(at.base + (yield* spawner.printed(claimed.claim.claimId, stream)), cap)
  if (to - at.size <= rounds * chunkBytes) return
  const store = yield* OutputStore
  const state = yield* retryWhileStorageFails(store.skip({ taskId: claimed.task.id, stream, to }, { cap }))
  Object.assign(at, { size: state.size, last: none })
})

/** What was printed since. What a file held when it was emptied is stored but for what came after the last look. */
const readOn = Effect.fn("capture.read")(function* (claimed: Held, stream: StreamName, at: StreamProgress) {
  const spawner = yield* Spawner
  const store = yield* OutputStore
  const read = () =>
    spawner.read(
      claimed.claim.claimId,
      stream,
      at.size - at.base,
      chunkBytes,
      at.emptied < mostCompared ? at.last : none
    )
  return yield* read().pipe(
    Effect.catchTag("OutputEmptied", () =>
      Effect.gen(function* () {
        const { base, emptied, size } = yield* retryWhileStorageFails(
          store.restart({ taskId: claimed.task.id, stream, at: at.size })
        )
        Object.assign(at, { base, emptied, size, last: none })
        return yield* read()
      })
    ),
    // Emptied once more between the two: the next look finds it.
    Effect.catchTag("OutputEmptied", () => Effect.succeed(none))
  )
})

/** What newly captured bytes say, for the transaction that stores them. */
interface Reading extends SignalReading, HeardIn {}

const unread = () => Effect.succeed<Reading>({ ...nothing, ...nothingHeard })

/** Stores what was printed since, up to `rounds` reads of each stream. True if there may be more already. */
export const capture = Effect.fn("capture")(function* (
  claimed: Held,
  progress: Progress,
  rounds: number,
  read: (stream: StreamName, bytes: Uint8Array) => Effect.Effect<Reading> = unread
) {
  const store = yield* OutputStore
  let more = false
  let moved = 0
  for (const stream of ["stdout", "stderr"] as const) {
    yield* catchUp(claimed, progress, stream, rounds)
    for (let round = 0; round < rounds; round++) {
      const at = progress[stream]
      const bytes = yield* readOn(claimed, stream, at)
      if (bytes.length === 0) break
      const { use, ...reading } = yield* read(stream, bytes)
      const state = yield* retryWhileStorageFails(
        store.append(
          { taskId: claimed.task.id, stream, offset: at.size, bytes, ...reading, ...(use === null ? {} : { use }) },
          { cap: claimed.task.maxOutputBytes }
        )
      )
      if (reading.taken.length > 0) yield* failpoint("send.taken")
      at.last = bytes.length < compared ? joined(at.last, bytes) : bytes.slice(-compared)
      at.size = state.size
      moved += bytes.length
      yield* count("output_bytes", bytes.length)
      if (bytes.length < chunkBytes) break
      if (round === rounds - 1) more = true
    }
  }
  return { moved, more }
})
