/** Looks for what agents keep in files: logins, and settings that a warning would be about. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { AccountFile, HeldFile } from "../../../domain/task/Agent.ts"
import type { Environment } from "../../../domain/task/NewTask.ts"

/** Larger files are not settings. Claude Code keeps its history in one of several megabytes. */
const mostBytes = 64 * 1024 * 1024

const valuesAt = (value: unknown, path: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const [name, ...rest] = path
  if (name === undefined) return [value]
  if (typeof value !== "object" || value === null) return []
  const found = Object.entries(value).filter(([key]) => name === "*" || key === name)
  return found.flatMap(([, inner]) => valuesAt(inner, rest))
}

const says = (value: unknown): boolean =>
  typeof value === "object" && value !== null
    ? Object.values(value).some(says)
    : value !== undefined && value !== null && value !== "" && value !== false

/** JSON in which one of these places (`a.*.b`) holds something. Lines of comment are left out. */
export const jsonWith =
  (...places: ReadonlyArray<string>) =>
  (text: string): boolean => {
    try {
      const content: unknown = JSON.parse(text.replace(/^[^\S\n]*\/\/.*$/gm, ""))
      return places.some((place) => valuesAt(content, place.split(".")).some(says))
    } catch {
      return false
    }
  }

/** A text that sets one of these variables, as `.env` files do. */
export const textSetting =
  (variables: ReadonlyArray<string>) =>
  (text: string): boolean =>
    new RegExp(`^[^\\S\\n]*(?:export\\s+)?(?:${variables.join("|")})\\s*=\\s*["']?[^\\s"'#]`, "m").test(text)

const pathOf = (file: AccountFile, environment: Environment, directory: string): string | null => {
  if (file.directory === "task") return Path.join(directory, file.path)
  const moved = file.moved === undefined ? "" : (environment[file.moved] ?? "")
  if (moved !== "") return Path.resolve(directory, moved, file.path)
  const home = environment.HOME ?? ""
  return home === "" ? null : Path.join(home, file.directory, file.path)
}

const holds = (path: string, file: HeldFile): boolean => {
  try {
    const facts = Fs.statSync(path)
    return facts.isFile() && facts.size <= mostBytes && file.holds(Fs.readFileSync(path, "utf8"))
  } catch {
    return false
  }
}

/** Its text; null where it is missing, too large or unreadable. */
export const textOf = (file: AccountFile, environment: Environment, directory: string): string | null => {
  const path = pathOf(file, environment, directory)
  try {
    if (path === null) return null
    const facts = Fs.statSync(path)
    return facts.isFile() && facts.size <= mostBytes ? Fs.readFileSync(path, "utf8") : null
  } catch {
    return null
  }
}

/** Whether any of these files holds what it is looked at for. What cannot be read holds nothing. */
export const anyHeld = (
  files: ReadonlyArray<HeldFile>,
  environment: Environment,
  directory: string
): Effect.Effect<boolean> =>
  Effect.sync(() =>
    files.some((file) => {
      const path = pathOf(file, environment, directory)
      return path !== null && holds(path, file)
    })
  )
