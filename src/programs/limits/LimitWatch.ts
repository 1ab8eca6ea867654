/** Reads the lines that a running agent prints for what they say about limits and about its use. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { costOf, noCost } from "../../domain/budgets/Spend.ts"
import type { LimitSignal, StoredSignal } from "../../domain/limits/Signal.ts"
import type { StreamName } from "../../domain/output/Output.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import { type LiveUse, mergedUses } from "../../domain/usage/ModelUse.ts"
import { Agents } from "../../services/Agents.ts"
import type { Held } from "../../services/Queue.ts"
import { pricedFor } from "../usage/spendingOf.ts"
import { judged, type LimitSettings } from "./judged.ts"
import { type RecordPlace, recordedWindows } from "./SessionRecord.ts"

/** The longest line that is read, in bytes: lines about limits are short. */
const longestLine = 1024 * 1024

export interface LineRest {
  /** The beginning of a line whose end has not come yet. */
  bytes: Uint8Array
  /** The line is longer than is read: what comes up to its end is left out. */
  skipping: boolean
}

export interface LimitWatch {
  /** What its agent writes down of its session; null: nothing. */
  readonly record: RecordPlace | null
  readonly rest: Record<StreamName, LineRest>
  /** The agent waits inside its process for a limit, or its requests cost money on top of the plan: it has to be ended. */
  stop: boolean
  /** The last answers of which was counted what they used. */
  readonly counted: Set<string>
}

/** Answers whose lines may be mixed: those of agents that work side by side inside one. */
const mostCounted = 200

export const limitWatch = (record: RecordPlace | null = null): LimitWatch => ({
  record,
  rest: { stdout: { bytes: new Uint8Array(), skipping: false }, stderr: { bytes: new Uint8Array(), skipping: false } },
  stop: false,
  counted: new Set()
})

/** What captured bytes say beyond their text. */
export interface SignalReading {
  readonly signals: ReadonlyArray<StoredSignal>
  readonly use: LiveUse | null
}

export const nothing: SignalReading = { signals: [], use: null }

const decoder = new TextDecoder()

/** The whole lines in these bytes with what was left of those before; the beginning of the last line is kept. */
export const wholeLines = (rest: LineRest, bytes: Uint8Array, longest = longestLine): ReadonlyArray<string> => {
  const end = bytes.lastIndexOf(10)
  if (end === -1) {
    if (rest.skipping || rest.bytes.length + bytes.length > longest) {
      Object.assign(rest, { bytes: new Uint8Array(), skipping: true })
    } else rest.bytes = joined(rest.bytes, bytes)
    return []
  }
  const whole = joined(rest.bytes, bytes.subarray(0, end))
  const lines = decoder.decode(whole).split("\n")
  const read = rest.skipping ? lines.slice(1) : lines
  Object.assign(rest, { bytes: bytes.slice(end + 1), skipping: false })
  return read.map((line) => line.replace(/\r$/, ""))
}

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  if (first.length === 0) return second
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}

/** What was used that is not counted yet. */
const liveUse = Effect.fn("limits.liveUse")(function* (
  { task }: Held,
  { prices }: Pick<Settings, "prices">,
  { counted }: LimitWatch,
  signals: ReadonlyArray<LimitSignal>
) {
  const fresh = signals.flatMap((signal) => {
    if (signal._tag !== "Used" || (signal.key !== null && counted.has(signal.key))) return []
    if (signal.key !== null) counted.add(signal.key)
    return [signal.use]
  })
  for (const key of counted) {
    if (counted.size <= mostCounted) break
    counted.delete(key)
  }
  if (fresh.length === 0) return null
  const uses = mergedUses(yield* Effect.forEach(fresh, (use) => pricedFor(task, use, prices)))
  return { uses, cost: costOf(uses, noCost) } satisfies LiveUse
})

/** After an answer, its agent may have written down how full the windows are by now. */
const inRecord = (held: Held, { record }: LimitWatch, signals: ReadonlyArray<LimitSignal>) => {
  if (record === null) return Effect.succeed<ReadonlyArray<LimitSignal>>([])
  for (const signal of signals) if (signal._tag === "InSession") record.sessionId = signal.id
  return signals.some(({ _tag }) => _tag === "Served") ? recordedWindows(held, record) : Effect.succeed([])
}

/** What newly captured bytes say of limits, and what they say was used. `stop` stays once it is set. */
export const readSignals = Effect.fn("limits.read")(function* (
  held: Held,
  settings: LimitSettings & Pick<Settings, "prices">,
  watch: LimitWatch,
  stream: StreamName,
  bytes: Uint8Array
) {
  const agents = yield* Agents
  const read = yield* agents.signals(held.task.agent)
  if (read === null) return nothing
  const lines = wholeLines(watch.rest[stream], bytes)
  if (lines.length === 0) return nothing
  const signals = read(stream, lines)
  if (signals.length === 0) return nothing
  const use = yield* liveUse(held, settings, watch, signals)
  if (held.task.account === null) return { signals: [], use }
  const recorded = yield* inRecord(held, watch, signals)
  const { stop, stored } = judged([...signals, ...recorded], settings, yield* Clock.currentTimeMillis)
  watch.stop ||= stop
  return { signals: stored, use }
})
