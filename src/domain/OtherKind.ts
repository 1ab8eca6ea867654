/** What an id names where it is looked for among things of another kind. */
import * as Schema from "effect/Schema"

export const Kind = Schema.Literal("task", "pipeline", "schedule", "loop", "goal", "contest")
export type Kind = typeof Kind.Type

export const OtherKind = Schema.Struct({ kind: Kind, id: Schema.String })
export type OtherKind = typeof OtherKind.Type

/** Tasks and contests have no commands of their kind. */
const hasCommands = (kind: Kind): boolean => kind !== "task" && kind !== "contest"

export const statusCommand = ({ id, kind }: OtherKind): string =>
  hasCommands(kind) ? `beat ${kind} status ${id}` : `beat status ${id}`

/** Says what it is, and which command shows it. */
export const otherKindText = ({ id, kind }: OtherKind, wanted: Kind): string => {
  const is = `${id} is a ${kind}, not a ${wanted}`
  return hasCommands(kind)
    ? `${is}: 'beat ${kind} status ${id}' shows it, and 'beat ${kind} --help' lists its other commands.`
    : `${is}: 'beat status ${id}' shows it.`
}
