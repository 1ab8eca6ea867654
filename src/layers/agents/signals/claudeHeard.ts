/** What a line of Claude Code's stream says about messages: receipts, and where turns begin and end. */
import * as Schema from "effect/Schema"
import type { Heard } from "../../../domain/message/AgentInput.ts"
import { MessageId } from "../../../domain/message/Message.ts"
import { flag, loose, reader, text } from "../reading/Printed.ts"
import { claudeAsked } from "./claudeAsked.ts"

const Line = Schema.Struct({
  type: Schema.String,
  subtype: text,
  uuid: text,
  isReplay: flag,
  command_uuid: text,
  state: text,
  response: loose(
    Schema.Struct({ subtype: text, request_id: text, response: loose(Schema.Struct({ behavior: text })) })
  )
})

const read = reader(Line)

/** Cheap, because most lines are long and say nothing about messages. */
const mayTell =
  /"type"\s*:\s*"(?:command_lifecycle|control_request|control_response|result|assistant)"|"isReplay"\s*:\s*true/

const taken = (id: string | undefined): ReadonlyArray<Heard> =>
  Schema.is(MessageId)(id) ? [{ _tag: "Taken", id }] : []

/** A message is taken when its turn starts, or when it is put into the running one: both are printed. */
export const claudeHeard = (line: string): ReadonlyArray<Heard> => {
  if (!mayTell.test(line)) return []
  const event = read(line)
  switch (event?.type) {
    case "command_lifecycle":
      return event.state === "started" ? [...taken(event.command_uuid), { _tag: "Began" }] : []
    case "user":
      return event.isReplay === true ? taken(event.uuid) : []
    case "control_response": {
      // It also prints the messages that it got, which proves that an answer has reached it.
      const id = event.response?.request_id
      if (event.response?.response?.behavior === undefined) return taken(id)
      return id === undefined ? [] : [{ _tag: "Replied", requestId: id }]
    }
    case "control_request": {
      const request = claudeAsked(line)
      return request === null ? [] : [{ _tag: "Asks", request }]
    }
    case "assistant":
      return [{ _tag: "Began" }]
    case "result":
      return [{ _tag: "Ended" }]
    default:
      return []
  }
}
