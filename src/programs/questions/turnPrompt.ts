/** What the agent is asked in a turn that follows questions, a pause or a usage limit. */
import * as Effect from "effect/Effect"
import { continuePrompt } from "../../domain/limits/Parking.ts"
import { answeredPrompt } from "../../domain/questions/Question.ts"
import { Questions } from "../../services/Questions.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import { isScript } from "../../text/Quote.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** After a pause: the work has not changed. */
const pausedPrompt =
  "Continue where you stopped. Your last turn was ended before it was done, and you were paused meanwhile. Do not repeat steps that are done."

/** In the session of the agent. `wake`: the tasks that it waited for have ended too. */
export const turnPrompt = Effect.fn("turnPrompt")(function* (
  { claim, task }: ClaimedTask,
  wake: { readonly text: string } | null
) {
  const answered = yield* (yield* Questions).ofClaim(claim.claimId)
  if (answered.length > 0) return [...(wake === null ? [] : [wake.text]), answeredPrompt(answered)].join("\n\n")
  if (wake !== null) return wake.text
  const last = task.parks === 0 ? undefined : (yield* (yield* Tasks).parks(task.id)).at(-1)
  return last?.releasedAt === claim.claimedAt ? continuePrompt : pausedPrompt
}, retryWhileStorageFails)

/**
 * For a task that starts again from the beginning: the prompt, with all that it was answered before. A script is run as it
 * was: it asks again, and has the answer at that moment.
 */
export const promptWithAnswers = Effect.fn("promptWithAnswers")(function* (
  { launch, task }: ClaimedTask,
  prompt: string
) {
  if (isScript({ agent: task.agent, program: launch.file })) return prompt
  const asked = yield* retryWhileStorageFails((yield* Questions).ofTask(task.id))
  const answered = asked.filter(({ answer }) => answer !== null)
  return answered.length === 0 ? prompt : `${prompt}\n\n${answeredPrompt(answered)}`
})
