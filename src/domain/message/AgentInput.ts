/** The form of messages to agents that take them while they run, and of the agents' receipts. */
import type { AgentRequest, AnsweredRequest } from "../questions/AgentRequest.ts"
import { verdictOf } from "../questions/AgentRequest.ts"
import type { InputFormat, MessageId } from "./Message.ts"

/** Every shell passes plain ASCII on unchanged. */
const ascii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** A text for the agent. With the id it is confirmed. */
export const sayText = (format: InputFormat, id: string, text: string): string =>
  format === "lines"
    ? text
    : ascii(
        JSON.stringify({
          type: "user",
          uuid: id,
          session_id: "",
          parent_tool_use_id: null,
          message: { role: "user", content: text }
        })
      )

/** Ends the turn that runs; the agent's process continues. */
export const interruptText = (id: string): string =>
  JSON.stringify({ type: "control_request", request_id: id, request: { subtype: "interrupt" } })

/** The answer to what the agent has asked over the same stream. */
export const replyText = ({ answers, request }: Omit<AnsweredRequest, "seq">): string =>
  ascii(
    JSON.stringify({
      type: "control_response",
      response: { subtype: "success", request_id: request.requestId, response: verdictOf({ answers, request }) }
    })
  )

/** What a line of the agent says. `Began` and `Ended` are of turns. */
export type Heard =
  | { readonly _tag: "Taken"; readonly id: MessageId }
  | { readonly _tag: "Asks"; readonly request: AgentRequest }
  /** It has got the answer to this request. */
  | { readonly _tag: "Replied"; readonly requestId: string }
  | { readonly _tag: "Began" }
  | { readonly _tag: "Ended" }
