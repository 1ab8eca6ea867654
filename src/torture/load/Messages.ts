/** People who say something to an agent while it runs, again under the same id where their command was killed. */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import { type Load, runCommand } from "./Load.ts"
import type { MessagePlan, TaskPlan } from "./TaskPlan.ts"

/** The word that the agent notes for a message, and the id of the message: both are the same at each attempt. */
export const wordOf = (plan: TaskPlan, index: number): string =>
  index === plan.messages.length - 1 ? "close" : `${plan.key}-${index}`

export const messageIdOf = (task: string, index: number): string => {
  const hex = createHash("sha256").update(`${task} ${index}`).digest("hex")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const attempts = 6

const sendOne = (load: Load, plan: TaskPlan, message: MessagePlan, index: number, id: string) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    const messageId = messageIdOf(id, index)
    const args = ["send", id, wordOf(plan, index), "--id", messageId, "--timeout", "2s"]
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const finished = yield* runCommand(load, args, attempt === 1 ? message.trouble : null)
      const { code, signal, stderr } = finished
      chronicle.note(id, `beat send ${wordOf(plan, index)}: ${code ?? signal} ${stderr.trim().slice(0, 200)}`)
      if (code === 0 || code === 124) {
        if (load.store.one("SELECT id FROM messages WHERE id = ?", messageId) === undefined) {
          chronicle.breach(
            "an answer comes after the commit",
            id,
            `message ${index} was accepted, and it is not stored`
          )
        }
        return
      }
      // Refused, because the task has ended.
      if (code !== null && code !== 74) return
      yield* Effect.sleep(100)
    }
  })

/** One after the other, as a person would. */
export const sayLater = (load: Load, plan: TaskPlan, id: string) =>
  Effect.gen(function* () {
    for (const [index, message] of plan.messages.entries()) {
      yield* Effect.sleep(message.afterMs)
      yield* sendOne(load, plan, message, index, id)
    }
  })
