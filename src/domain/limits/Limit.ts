/** From signals to windows, and from windows to the time at which a lane opens: pure, for SQL and memory alike. */
import type { TaskId } from "../task/Task.ts"
import type { AccountKey } from "./Account.ts"
import type { Seen, StoredSignal } from "./Signal.ts"
import { credit, lengthOf, unnamed, type Window, yours } from "./Window.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Added to the time that a service reports: its clock and ours may differ. */
export const graceMs = 5000

/** The longest window that a service is believed to have. */
const longestMs = 31 * day

/** Guesses where no time was reported, in milliseconds: each refusal in a row waits longer. */
const guesses: ReadonlyArray<number> = [15, 30, 60, 120].map((minutes) => minutes * minute)

const guess = (name: string, refusals: number, now: number): number =>
  // Only a person adds credit; a look a day finds out.
  now + (name === credit ? day : (guesses[Math.min(refusals, guesses.length) - 1] ?? 15 * minute))

/** The reported time, where it can be true; null where it is not later than now. It is never further away than the window is long. */
export const believed = (resetsAt: number | null, lengthMs: number | null, now: number): number | null =>
  resetsAt === null || !Number.isFinite(resetsAt) || resetsAt <= now
    ? null
    : Math.min(Math.round(resetsAt), now + (lengthMs ?? longestMs) + hour)

/** The attempt that observes, and when. */
interface Observer {
  readonly account: AccountKey
  readonly source: TaskId | null
  /** The family of the models of its lane. */
  readonly family: string
  /** When the attempt began that the signal comes from. */
  readonly claimedAt: number
  readonly now: number
}

/**
 * The limit ended while the attempt that it refused ran, or before its output was read: the time that was told. It is null
 * where that time was over before the attempt began: then a clock is wrong.
 */
const overSince = (resetsAt: number | null, { claimedAt, now }: Observer): number | null =>
  resetsAt !== null && resetsAt > claimedAt && resetsAt <= now ? Math.round(resetsAt) : null

const isSame = (window: Window, name: string, family: string) => window.name === name && window.family === family

/** The window after a signal about it. */
const seen = (
  before: Window | undefined,
  signal: Seen,
  family: string,
  observer: Observer,
  refused: boolean
): Window => {
  const { account, now, source } = observer
  const lengthMs = lengthOf(signal.window) ?? before?.lengthMs ?? null
  const over = overSince(signal.resetsAt, observer)
  // The limit that refused it is over: it may start again, but not in the same moment, since clocks differ.
  const told = over === null ? believed(signal.resetsAt, lengthMs, now) : refused ? now : over
  // A banner of a limit that is over closes nothing; a refusal does.
  const closed = signal.closed && (told !== null || refused)
  const refusals = closed && told === null ? (before?.refusals ?? 0) + 1 : closed ? (before?.refusals ?? 0) : 0
  return {
    account,
    name: signal.window,
    family,
    used: signal.used,
    closed,
    resetsAt: told ?? (closed ? guess(signal.window, refusals, now) : null),
    lengthMs,
    refusals,
    observedAt: now,
    source,
    reason: null
  }
}

const replaced = (windows: ReadonlyArray<Window>, after: Window): ReadonlyArray<Window> => [
  ...windows.filter((window) => !isSame(window, after.name, after.family)),
  after
]

/** The lanes that a refused task shows to be closed: its own, and those of the family that the refusal names. */
const familiesOf = (signal: Seen, { family }: Observer): ReadonlyArray<string> =>
  signal.closed && signal.family !== "" && signal.family !== family ? [signal.family, family] : [signal.family]

/** Whether a window limits models of a family. */
export const limits = (window: Window, family: string): boolean => window.family === "" || window.family === family

/**
 * The windows of an account after one signal. A signal that is older than what is known changes nothing. An answer opens
 * what limits its models and was closed before its attempt began, but for what a person closed. An attempt that began earlier
 * proves nothing, and neither does one with models that the window does not limit.
 * `refused`: a request was refused, so that the window is closed even where no time was told.
 */
export const windowsAfter = (
  windows: ReadonlyArray<Window>,
  signal: StoredSignal,
  observer: Observer,
  refused = false
): ReadonlyArray<Window> => {
  const { claimedAt, family: own, now } = observer
  if (signal._tag === "Served") {
    return windows.map((window) =>
      window.closed && window.name !== yours && limits(window, own) && window.observedAt < claimedAt
        ? { ...window, closed: false, used: null, resetsAt: null, refusals: 0, observedAt: now }
        : window
    )
  }
  return familiesOf(signal, observer).reduce((known, family) => {
    const before = known.find((window) => isSame(window, signal.window, family))
    // What says that it was closed until a time that is over does not open it.
    const isLate =
      (before?.resetsAt ?? 0) > now &&
      before?.closed === true &&
      signal.closed &&
      overSince(signal.resetsAt, observer) !== null
    return before !== undefined && (before.observedAt > now || isLate)
      ? known
      : replaced(known, seen(before, signal, family, observer, refused))
  }, windows)
}

/** When tasks of a family may start again, and the window that they wait for. */
export interface Opening {
  /** 0: now. */
  readonly opensAt: number
  readonly window: string | null
}

export const opening = (windows: ReadonlyArray<Window>, family: string, now: number): Opening =>
  windows.reduce<Opening>(
    (latest, window) => {
      if (!window.closed || window.resetsAt === null || !limits(window, family)) return latest
      const opensAt = window.name === yours ? window.resetsAt : window.resetsAt + graceMs
      return opensAt > now && opensAt > latest.opensAt ? { opensAt, window: window.name } : latest
    },
    { opensAt: 0, window: null }
  )

/** What a refused task shows, where its agent told no more than that: a window that is not closed yet by live signals. */
export const refusal = (
  windows: ReadonlyArray<Window>,
  observer: Observer,
  told: { readonly resetsAt: number | null; readonly credit: boolean }
): ReadonlyArray<Window> => {
  const { claimedAt, family, now } = observer
  if (opening(windows, family, now).opensAt > 0) return windows
  // A live signal of this attempt has reported the time, and it has passed meanwhile.
  const live = windows.flatMap((window) =>
    window.closed && window.name !== yours && limits(window, family) && window.observedAt >= claimedAt
      ? [window.resetsAt ?? 0]
      : []
  )
  const times = told.resetsAt === null ? live : [...live, told.resetsAt]
  const signal: Seen = {
    _tag: "Seen",
    window: told.credit ? credit : unnamed,
    family: "",
    used: null,
    closed: true,
    resetsAt: told.credit || times.length === 0 ? null : Math.max(...times)
  }
  return windowsAfter(windows, signal, observer, true)
}

/** The window of a person: closed until a time, or open. */
export const closedByHand = (account: AccountKey, until: number, reason: string | null, now: number): Window => ({
  account,
  name: yours,
  family: "",
  used: null,
  closed: true,
  resetsAt: until,
  lengthMs: null,
  refusals: 0,
  observedAt: now,
  source: null,
  reason
})

/** The windows after an answer about the account itself. It opens no window that a refusal closed: that one has its own name. */
export const asked = (
  windows: ReadonlyArray<Window>,
  account: AccountKey,
  signals: ReadonlyArray<StoredSignal>,
  now: number
): ReadonlyArray<Window> =>
  signals
    .filter((signal) => signal._tag === "Seen")
    .reduce<ReadonlyArray<Window>>(
      (known, signal) => windowsAfter(known, signal, { account, source: null, family: "", claimedAt: now, now }),
      windows
    )

/**
 * All windows open, by a person who knows better: the next task that starts finds out. The window of one family of models is
 * over instead, since only a task with such a model can find out about it.
 */
export const allOpen = (windows: ReadonlyArray<Window>, now: number): ReadonlyArray<Window> =>
  windows.map((window) => {
    if (!window.closed) return window
    const open = { ...window, used: null, observedAt: now }
    return window.family === ""
      ? { ...open, closed: false, resetsAt: null }
      : { ...open, resetsAt: Math.max(0, now - graceMs) }
  })
