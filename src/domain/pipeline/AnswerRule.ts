/** What the answer of a step has to say so that the steps after it start, and whether an answer says it. */
import * as Schema from "effect/Schema"

/** `verdict`: its last line is PASS or FAIL. A schema: it is a JSON value that this JSON Schema, kept as text, allows. */
export const AnswerRule = Schema.Union(Schema.Literal("verdict"), Schema.Struct({ schema: Schema.NonEmptyString }))
export type AnswerRule = typeof AnswerRule.Type

/** `no` is a decision, which another attempt must not overturn. `unclear`: the answer decides nothing, and nothing passes. */
export type AnswerVerdict = { readonly says: "yes" } | { readonly says: "no" | "unclear"; readonly reason: string }

/** Characters of a reason. */
const longestReason = 500

export const cutReason = (text: string): string =>
  text.length > longestReason ? `${text.slice(0, longestReason - 1)}…` : text

/** What agents put around a word for emphasis. */
const decoration = /[*_`#>"'~]/g

const verdictLine = /^\s*(?:[Vv]erdict\s*:\s*)?(PASS|FAIL)(?:ED)?(?:\s*[-:.,\u2013\u2014]+\s*(.*)|)$/

/** The verdict in the last line that is not empty. */
export const verdictOf = (answer: string | null): AnswerVerdict => {
  const lines = (answer ?? "").split("\n").filter((line) => line.trim() !== "")
  const [, word, reason = ""] = verdictLine.exec((lines.at(-1) ?? "").replace(decoration, "").trim()) ?? []
  if (word === "PASS") return { says: "yes" }
  if (word === undefined)
    return { says: "unclear", reason: "The last line of its answer is neither PASS nor FAIL, and only PASS continues." }
  const before = lines.slice(0, -1).join(" ").trim()
  return { says: "no", reason: cutReason(reason.trim() === "" ? before || "no reason given" : reason.trim()) }
}

const fence = /```(?:json)?[^\S\n]*\n([\s\S]*?)```/g

/** The JSON value that an answer is, or that its last fenced block holds. */
export const jsonIn = (answer: string | null): { readonly value: unknown } | null => {
  const text = answer ?? ""
  const blocks = Array.from(text.matchAll(fence), ([, inside = ""]) => inside)
  for (const candidate of [text, ...blocks.slice(-1)]) {
    try {
      return { value: JSON.parse(candidate) }
    } catch {
      // Prose around a block: the block is tried next.
    }
  }
  return null
}

/** Added to the prompt of a step, so that its agent knows what its answer has to be. */
export const askFor = (rule: AnswerRule): string =>
  rule === "verdict"
    ? "The last line of your answer has to be PASS, or FAIL: and the reason in one sentence. After FAIL the steps that follow this one do not start."
    : `Your answer has to be one JSON value and nothing else. This JSON Schema has to allow it, or the steps that follow this one do not start:\n${rule.schema}`
