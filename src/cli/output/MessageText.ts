/** Messages as people read them: one line each, and the result of sending one. */
import { isSettled, type Message } from "../../domain/message/Message.ts"
import type { SentMessage } from "../../programs/messages/sendMessage.ts"
import { span } from "../../text/FormatDuration.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { plain } from "./TaskTable.ts"

/** `taken`, `moved to x9w2d4m8kq5t`, `dropped: the task was cancelled`. */
export const stateWords = ({ kind, movedTo, reason, state }: Message): string => {
  if (state === "moved" && movedTo !== null) return `moved to ${movedTo}`
  if (state === "dropped" && reason !== null) return `dropped: ${plain(reason)}`
  return state === "written" && kind === "line" ? "written to its stdin" : state
}

const what = ({ kind }: Message): string => (kind === "interrupt" ? "Interrupted" : "Taken")

/** What happened to a message, and the exit code. */
export const outcomeOf = ({ message, route }: SentMessage): { readonly text: string; readonly code: ExitCode } => {
  const { at, movedTo, reason, state, takenAt, taskId } = message
  switch (state) {
    case "taken":
      return {
        text: `${what(message)} by ${taskId} in its running turn, after ${span(Math.max(0, (takenAt ?? at) - at))}`,
        code: ExitCode.ok
      }
    case "moved":
      return { text: `Next turn: ${movedTo ?? "?"} continues ${taskId}`, code: ExitCode.ok }
    case "dropped":
      return { text: `Dropped: ${plain(reason ?? "")}`, code: ExitCode.failed }
    default:
      if (isSettled(message)) return { text: `Written to the stdin of ${taskId}`, code: ExitCode.ok }
      return route === "live"
        ? {
            text: `Stored, and not taken yet. To follow it: beat messages ${taskId}`,
            code: ExitCode.waitTimedOut
          }
        : {
            text: `Stored: ${taskId} takes no messages now. It becomes the next turn when ${taskId} has ended.`,
            code: ExitCode.ok
          }
  }
}
