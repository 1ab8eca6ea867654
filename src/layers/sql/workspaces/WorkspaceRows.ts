/** The rows of workspaces and of what tasks left in them. */
import * as Schema from "effect/Schema"
import * as Str from "effect/String"
import { WorkResult, Workspace } from "../../../domain/workspace/Workspace.ts"

export const storedFlag = Schema.transform(Schema.Literal(0, 1), Schema.Boolean, {
  strict: true,
  decode: (stored) => stored === 1,
  encode: (flag) => (flag ? 1 : 0)
})

export const WorkspaceRow = Schema.Struct({ ...Workspace.fields, kept: storedFlag, mounted: Schema.NullOr(storedFlag) })
export const ResultRow = Schema.Struct({
  ...WorkResult.fields,
  nested: Schema.parseJson(WorkResult.fields.nested),
  home: storedFlag
})

const columnsOf = (fields: Readonly<Record<string, unknown>>, table: string) =>
  Object.keys(fields)
    .map((name) => `${table}."${Str.camelToSnake(name)}"`)
    .join(", ")

export const workspaceColumns = columnsOf(Workspace.fields, "workspaces")
export const resultColumns = columnsOf(WorkResult.fields, "results")
