/** What a line of Claude Code's stream says about messages: receipts, and where turns begin and end. */
import * as Schema from "effect/Schema"
import type { Heard } from "../../../domain/message/AgentInput.ts"
import { MessageId } from "../../../domain/message/Message.ts"
import { flag, loose, reader, text } from "../reading/Printed.ts"

const Line = Schema.Struct({
  type: Schema.String,
  subtype: text,
  uuid: text,
  isReplay: flag,
  command_uuid: text,
  state: text,
  response: loose(Schema.Struct({ subtype: text, request_id: text }))
})

const read = reader(Line)

/** Cheap, because most lines are long and say nothing about messages. */
const mayTell = /"type"\s*:\s*"(?:command_lifecycle|control_response|result|assistant)"|"isReplay"\s*:\s*true/

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
    case "control_response":
      return taken(event.response?.request_id)
    case "assistant":
      return [{ _tag: "Began" }]
    case "result":
      return [{ _tag: "Ended" }]
    default:
      return []
  }
}
