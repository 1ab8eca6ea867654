/** The settings that `BACKBEAT_*` variables make. */
import * as Either from "effect/Either"
import { ConfigInvalid } from "../Errors.ts"
import type { SettingsFile } from "./Settings.ts"
import { decodeSettings, examples } from "./SettingsProblem.ts"

export type Variables = Readonly<Record<string, string | undefined>>

/** `BACKBEAT_MAX_DEPTH` sets `maxDepth`. Null for agents and hooks, which have names and secrets inside: they are in the file alone. */
export const variableOf = (setting: string): string | null =>
  setting === "agents" || setting === "hooks"
    ? null
    : `BACKBEAT_${setting.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** A text as it is, anything else as JSON; a number in decimal digits alone. Anything else stays a text, which the schema then refuses. */
const read = (example: string, text: string): unknown => {
  if (example.startsWith('"') || (/^\d/.test(example) && !/^-?\d+(\.\d+)?$/.test(text))) return text
  return Either.getOrElse(
    Either.try((): unknown => JSON.parse(text)),
    () => text
  )
}

/** What the variables say; an empty one says nothing. */
export const fromVariables = (variables: Variables): Either.Either<SettingsFile, ConfigInvalid> => {
  let settings: SettingsFile = {}
  for (const [key, example] of Object.entries(examples)) {
    const variable = variableOf(key)
    const text = variable === null ? undefined : variables[variable]?.trim()
    if (variable === null || text === undefined || text === "") continue
    const decoded = decodeSettings(variable, { [key]: read(example, text) })
    if (Either.isLeft(decoded)) {
      const problem = decoded.left.problem.replace(`${key}: `, "")
      return Either.left(new ConfigInvalid({ path: variable, problem }))
    }
    settings = { ...settings, ...decoded.right }
  }
  return Either.right(settings)
}
