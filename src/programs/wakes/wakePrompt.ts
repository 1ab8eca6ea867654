/** The prompt of a task that continues after what it delegated has ended. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Wakes } from "../../services/Wakes.ts"
import { isScript, quoteFor, remark } from "../../text/Quote.ts"
import { wakeText } from "../../text/wakeText.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { awaitedReport } from "./awaitedReport.ts"

/** The wake that this start carries out. Its text is the same however often the start is repeated. */
export const wakePrompt = Effect.fn("wakePrompt")(function* (claimed: ClaimedTask) {
  if (claimed.task.wakes === 0) return null
  const wakes = yield* Wakes
  const found = yield* retryWhileStorageFails(wakes.wokenIn(claimed.claim.claimId))
  if (Option.isNone(found)) return null
  const wake = found.value
  const awaited = yield* retryWhileStorageFails(Effect.forEach(wake.awaited, awaitedReport))
  const { head, reports } = wakeText(wake, Arr.getSomes(awaited))
  const reader = { agent: claimed.task.agent, program: claimed.launch.file }
  const quoted = quoteFor(reader)("What they report.", reports)
  return { n: wake.n, text: `${isScript(reader) ? remark(reader, head.replace(/\n/g, " ")) : head}\n\n${quoted}` }
})

/** The start of an agent that has no session to continue: the results go to its prompt, and a script reads the number. */
export const withWake = (prompt: string, wake: { readonly text: string } | null, claimed: ClaimedTask): string => {
  if (wake === null) return prompt
  const reader = { agent: claimed.task.agent, program: claimed.launch.file }
  return isScript(reader) ? `${wake.text}\n\n${prompt}` : `${prompt}\n\n${wake.text}`
}
