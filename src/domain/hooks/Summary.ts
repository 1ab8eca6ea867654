/** Several messages in one. */
import * as Schema from "effect/Schema"
import { statusOf } from "../events/Notice.ts"
import type { Sending } from "./Delivery.ts"
import { HookMessage } from "./HookMessage.ts"

/** Messages that are in it whole; `count` has them all. */
const mostNamed = 50

export const Summary = Schema.Struct({
  id: Schema.String,
  hook: Schema.String,
  kind: Schema.Literal("summary"),
  needsYou: Schema.Boolean,
  text: Schema.String,
  at: Schema.Int,
  /** How many messages it stands for. */
  count: Schema.Int,
  /** The greatest depth among their tasks; null without a task. */
  depth: Schema.NullOr(Schema.Int),
  /** The first 50 of them. */
  messages: Schema.Array(HookMessage)
}).annotations({ identifier: "HookSummary" })
export type Summary = typeof Summary.Type

/** `ended`: by its status. */
const wordOf = (message: HookMessage): string =>
  message.kind === "ended" ? (statusOf(message) ?? message.kind) : message.kind

/** `7 completed, 2 failed`. */
const countText = (messages: ReadonlyArray<HookMessage>): string => {
  const counts = new Map<string, number>()
  for (const message of messages) counts.set(wordOf(message), (counts.get(wordOf(message)) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ")
}

const encode = Schema.encodeSync(Schema.parseJson(Summary))

export const encodeSummary = (
  { hook, id }: Pick<Sending, "id" | "hook">,
  messages: ReadonlyArray<HookMessage>,
  now: number
): string =>
  encode({
    id,
    hook,
    kind: "summary",
    needsYou: messages.some(({ needsYou }) => needsYou),
    text: countText(messages),
    at: now,
    count: messages.length,
    depth: messages.reduce<number | null>(
      (most, { depth }) => (depth === null ? most : Math.max(most ?? 0, depth)),
      null
    ),
    messages: messages.slice(0, mostNamed)
  })
