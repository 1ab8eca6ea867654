/** What a line of Claude Code's stream asks: `can_use_tool`, printed with `--permission-prompt-tool stdio`. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AgentRequest } from "../../../domain/questions/AgentRequest.ts"

const Line = Schema.Struct({
  type: Schema.Literal("control_request"),
  request_id: AgentRequest.fields.requestId,
  request: Schema.Struct({
    subtype: Schema.Literal("can_use_tool"),
    tool_name: AgentRequest.fields.tool,
    input: AgentRequest.fields.input,
    permission_suggestions: Schema.optional(Schema.NullOr(Schema.Array(Schema.Unknown)))
  })
})

/** Null: it asks nothing. */
export const claudeAsked = (line: string): AgentRequest | null => {
  const found = Option.getOrNull(Schema.decodeUnknownOption(Schema.parseJson(Line))(line))
  if (found === null) return null
  const { input, permission_suggestions: suggestions, tool_name: tool } = found.request
  return { requestId: found.request_id, tool, input, suggestions: suggestions ?? [] }
}
