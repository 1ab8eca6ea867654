/** What is stored of the signals of an agent, by the settings. */
import type { LimitSignal, StoredSignal } from "../../domain/limits/Signal.ts"
import { overage } from "../../domain/limits/Window.ts"
import type { Settings } from "../../domain/settings/Settings.ts"

export type LimitSettings = Pick<Settings, "overage" | "headroomPercent">

/** A window that is nearly full starts no further task, so that none is refused. */
const withHeadroom = (signal: StoredSignal, { headroomPercent }: LimitSettings): StoredSignal =>
  signal._tag === "Seen" && signal.used !== null && signal.used >= 1 - headroomPercent / 100
    ? { ...signal, closed: true }
    : signal

/** What is stored of a signal by the settings, and whether its agent has to be ended. */
export const judged = (
  signals: ReadonlyArray<LimitSignal>,
  settings: LimitSettings,
  now: number
): { readonly stored: ReadonlyArray<StoredSignal>; readonly stop: boolean } => {
  const paid = signals.some(({ _tag }) => _tag === "Overage")
  const allowed = paid && settings.overage === "allow"
  const stored = signals.flatMap((signal): ReadonlyArray<StoredSignal> => {
    switch (signal._tag) {
      case "Served":
        return [signal]
      case "Used":
      case "InSession":
        return []
      case "Seen":
        return [allowed ? signal : withHeadroom(signal, settings)]
      case "Sleeping":
        return signal.ms === null
          ? []
          : [{ _tag: "Seen", window: "limit", family: "", used: null, closed: true, resetsAt: now + signal.ms }]
      default:
        return allowed
          ? []
          : [{ _tag: "Seen", window: overage, family: "", used: null, closed: true, resetsAt: signal.resetsAt }]
    }
  })
  return { stored, stop: signals.some(({ _tag }) => _tag === "Sleeping") || (paid && !allowed) }
}
