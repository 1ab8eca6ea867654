/** Adds to the prompt, at the start, what the work and the judge of a round have to know about their loop. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Loops, type RoundTask } from "../../services/Loops.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { goalText } from "../../text/goalText.ts"
import { judgeText } from "../../text/judgeText.ts"
import { isScript, quoteFor } from "../../text/Quote.ts"
import { roundText } from "../../text/roundText.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

const workText = ({ loop, position, round }: RoundTask) =>
  [roundText(loop, round, position), ...(loop.goal === null ? [] : [goalText(loop.goal)])].join("\n\n")

const textFor = Effect.fn("roundPrompt.text")(function* (claimed: ClaimedTask, place: RoundTask) {
  if (place.role === "work") return workText(place)
  if (place.role !== "judge") return null
  const workspaces = yield* Workspaces
  const found = yield* retryWhileStorageFails(workspaces.ofTask(claimed.task.id))
  const judged = place.loop.rounds.find(({ round }) => round === place.round)
  return Option.isNone(found) || judged === undefined ? null : judgeText(place.loop, judged, found.value.workspace.base)
})

/** What ended before never changes, so a start that is repeated gives the same prompt. */
export const roundPrompt = Effect.fn("roundPrompt")(function* (claimed: ClaimedTask, prompt: string) {
  const { launch, task } = claimed
  // Every round of a loop works in a workspace.
  if (task.workspaceId === null) return prompt
  const loops = yield* Loops
  const place = yield* retryWhileStorageFails(loops.roundOf(task.id))
  const text = Option.isNone(place) ? null : yield* textFor(claimed, place.value)
  if (text === null) return prompt
  const reader = { agent: task.agent, program: launch.file }
  return isScript(reader) ? `${quoteFor(reader)("The loop of this task.", text)}\n\n${prompt}` : `${prompt}\n\n${text}`
})
