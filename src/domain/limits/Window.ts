/** A window: one limit of an account, how full it is and when it ends, as far as agents have said. */
import * as Schema from "effect/Schema"
import { ownOf } from "../Named.ts"
import { Millis, TaskId, Timestamp } from "../task/Task.ts"
import { AccountKey, otherFamily } from "./Account.ts"

/** `five_hour`, `seven_day`, ... as services name them; `limit`, `credit`, `overage` and `yours` are Backbeat's own. */
const WindowName = Schema.String.pipe(Schema.minLength(1), Schema.maxLength(64))

export const Window = Schema.Struct({
  account: AccountKey,
  name: WindowName,
  /** The family of models that it limits; the empty text: all of them. */
  family: Schema.String,
  /** From 0 to 1 and beyond; null when it was not reported. */
  used: Schema.NullOr(Schema.Number),
  /** Closed: no task of the account starts before `resetsAt`. */
  closed: Schema.Boolean,
  /** When it ends. A closed window always has a time: one that was not reported is guessed, later with each refusal. */
  resetsAt: Schema.NullOr(Timestamp),
  lengthMs: Schema.NullOr(Millis),
  /** Refusals in a row that reported no time. */
  refusals: Schema.Int.pipe(Schema.nonNegative()),
  observedAt: Timestamp,
  /** The task that showed it; null: a person set it. */
  source: Schema.NullOr(TaskId),
  /** Why a person closed it. */
  reason: Schema.NullOr(Schema.String)
}).annotations({ identifier: "Window" })
export type Window = typeof Window.Type

/** The window that a person closed: no answer of an agent opens it. */
export const yours = "yours"
/** No credit is left: waiting may not help, and a person is needed. */
export const credit = "credit"
/** The limit is over, and requests are billed on top of the plan. */
export const overage = "overage"
/** What is kept of the windows for a person at certain hours. */
export const reserved = "reserve"
/** A usage limit of which the agent said nothing more. */
export const unnamed = "limit"
/** Not a window of an account: a budget was spent. */
export const budget = "budget"

const spare = "spare_"

/** What a spare task waits for: the last part of the window of this name. */
export const spareName = (window: string): string => `${spare}${window}`

export const isSpareName = (name: string): boolean => name.startsWith(spare)

const hour = 3_600_000
const lengths: ReadonlyArray<readonly [RegExp, number]> = [
  [/^five_hour|^5_hour/, 5 * hour],
  [/^seven_day|^week/, 7 * 24 * hour],
  [/^day/, 24 * hour]
]

/** How long a window is, from its name. */
export const lengthOf = (name: string): number | null => lengths.find(([pattern]) => pattern.test(name))?.[1] ?? null

/** The window in words. */
export const windowWords = ({ family, name }: Pick<Window, "family" | "name">): string => {
  if (isSpareName(name)) return `spare room of the ${windowWords({ family, name: name.slice(spare.length) })}`
  const words: Readonly<Record<string, string>> = {
    five_hour: "5-hour limit",
    seven_day: "weekly limit",
    [yours]: "closing by hand",
    [credit]: "lack of credit",
    [reserved]: "reserve for a person",
    [overage]: "use of paid credits",
    [unnamed]: "usage limit",
    [budget]: "budget"
  }
  const base = name.startsWith("seven_day_")
    ? "weekly limit"
    : (ownOf(words, name) ?? `${name.replace(/_/g, " ")} limit`)
  return family === "" ? base : `${base} for ${family === otherFamily ? "other models" : family}`
}
