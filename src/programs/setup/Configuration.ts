/** Reads and changes single settings by their dotted path, and shows settings without their secrets. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { ConfigInvalid, InvalidInput } from "../../domain/Errors.ts"
import { HookSettings } from "../../domain/hooks/Hook.ts"
import { isObject } from "../../domain/isObject.ts"
import { nearest } from "../../domain/Spelling.ts"
import { AgentSettings, type Settings, SettingsFile } from "../../domain/settings/Settings.ts"
import { decodeSettings } from "../../domain/settings/SettingsProblem.ts"
import { Paths } from "../../services/Paths.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"

type Json = Readonly<Record<string, unknown>>

/** The placeholder for a secret. */
export const hidden = "(hidden)"

const hideWithin = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(hideWithin)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hideWithin(inner)]))
  // A user name and password in an address.
  return typeof value === "string" ? value.replace(/:\/\/[^/\s@]+@/g, `://${hidden}@`) : value
}

const hideValues = (value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.keys(value).map((name) => [name, hidden])) : hidden

const hideAgent = (agent: unknown): unknown => {
  if (!isObject(agent)) return agent
  const shown: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(agent)) {
    if (key === "apiKey") shown[key] = hidden
    else if (key === "env") shown[key] = hideValues(value)
    else shown[key] = hideWithin(value)
  }
  return shown
}

/** A person who knows the path of such an address can send to it, or read what is sent. */
const originOf = (address: string): string =>
  address.replace(
    /^(https?:\/\/)(?:[^/?#]*@)?([^/?#]*)(.*)$/i,
    (_, scheme, host, rest) => `${scheme}${host}${rest === "" || rest === "/" ? "" : `/${hidden}`}`
  )

const hideHook = (hook: unknown): unknown =>
  isObject(hook)
    ? Object.fromEntries(
        Object.entries(hook).map(([key, value]) => {
          if (key === "secret" || key === "token") return [key, hidden]
          if (key === "headers") return [key, hideValues(value)]
          return [key, typeof value === "string" && /^https?:/i.test(value) ? originOf(value) : hideWithin(value)]
        })
      )
    : hook

const hideIn: Readonly<Record<string, (value: unknown) => unknown>> = { agents: hideAgent, hooks: hideHook }

/** The settings with keys, the values of variables and the secret parts of addresses hidden. */
export const withoutSecrets = (settings: SettingsFile | Settings): Json =>
  Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      const hide = Object.hasOwn(hideIn, key) ? hideIn[key] : undefined
      return [
        key,
        hide !== undefined && isObject(value)
          ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner)]))
          : value
      ]
    })
  )

const unsafeNames = new Set(["__proto__", "constructor", "prototype"])

/** What is named by people, and the fields of each; `open` are those whose keys are free. */
const inside: Readonly<
  Record<
    string,
    { readonly noun: string; readonly fields: ReadonlyArray<string>; readonly open: ReadonlyArray<string> }
  >
> = {
  agents: { noun: "an agent", fields: Object.keys(AgentSettings.fields), open: ["env"] },
  hooks: { noun: "a hook", fields: Object.keys(HookSettings.fields), open: ["where", "headers"] }
}

/** The parts of `agents.claude.model`. Names of variables may not contain dots, so nothing needs quoting. */
const partsOf = (path: string): Either.Either<readonly [string, ...ReadonlyArray<string>], InvalidInput> => {
  const [first = "", ...inner] = path.split(".")
  // The name of a model may have dots.
  const rest = first === "prices" && inner.length > 0 ? [inner.join(".")] : inner
  const problem = (text: string) =>
    Either.left(
      new InvalidInput({
        field: path === "" ? "''" : path,
        problem: text,
        example: "maxConcurrency or agents.claude.model"
      })
    )
  if ([first, ...rest].some((part) => part === "" || unsafeNames.has(part))) return problem("is not a setting")
  const known = Object.keys(SettingsFile.fields)
  const guess = (name: string, names: ReadonlyArray<string>) => {
    const close = nearest(name, names)
    return close === null ? `. Known: ${names.join(", ")}` : `. Did you mean '${close}'?`
  }
  if (!known.includes(first)) return problem(`there is no such setting${guess(first, known)}`)
  const within = Object.hasOwn(inside, first) ? inside[first] : undefined
  if (within === undefined && first !== "prices" && rest.length > 0) return problem(`'${first}' has nothing inside`)
  const field = rest[1]
  if (within !== undefined && field !== undefined && !within.fields.includes(field)) {
    return problem(`${within.noun} has no setting '${field}'${guess(field, within.fields)}`)
  }
  if (rest.length > 3 || (rest.length === 3 && !within?.open.includes(field ?? ""))) {
    return problem(`'${field}' has nothing inside`)
  }
  return Either.right([first, ...rest])
}

const valueAt = (value: unknown, parts: ReadonlyArray<string>): unknown =>
  parts.reduce<unknown>(
    (inner, part) => (isObject(inner) && Object.hasOwn(inner, part) ? inner[part] : undefined),
    value
  )

const setAt = (value: unknown, parts: ReadonlyArray<string>, next: unknown): unknown => {
  const [part, ...rest] = parts
  if (part === undefined) return next
  const changed: Record<string, unknown> = { ...(isObject(value) ? value : {}) }
  const inner = setAt(changed[part], rest, next)
  if (inner === undefined || (isObject(inner) && Object.keys(inner).length === 0 && next === undefined)) {
    delete changed[part]
  } else changed[part] = inner
  return changed
}

/** What is in force at a path, secrets hidden; undefined where nothing is set. */
export const settingAt = Effect.fn("settingAt")(function* (path: string) {
  const settings = yield* SettingsStore
  return valueAt(withoutSecrets(yield* settings.get), yield* partsOf(path))
})

const change = Effect.fn("changeSetting")(function* (
  parts: readonly [string, ...ReadonlyArray<string>],
  candidates: ReadonlyArray<unknown>
) {
  const settings = yield* SettingsStore
  const { config } = yield* Paths
  return yield* settings.update((file) => {
    const tried = candidates.map((candidate) => {
      const changed = setAt(file, parts, candidate)
      return Either.map(decodeSettings(config, changed), () => changed)
    })
    const good = tried.find(Either.isRight)
    const last = tried[tried.length - 1] ?? Either.left(new ConfigInvalid({ path: config, problem: "no value" }))
    return good ?? last
  })
})

const asJson = (text: string): ReadonlyArray<unknown> => {
  const parsed = Either.try((): unknown => JSON.parse(text))
  return Either.isRight(parsed) && parsed.right !== undefined ? [parsed.right] : []
}

/**
 * Sets one setting. `text` is JSON where the setting is a number or a list, and the text itself where it is a text;
 * `more` adds other readings, a length of time for instance. The first that the schema takes is it.
 */
export const setSetting = Effect.fn("setSetting")(function* (
  path: string,
  text: string,
  more: (field: string) => ReadonlyArray<unknown>
) {
  const parts = yield* partsOf(path)
  const field = parts[parts.length - 1] ?? ""
  const json = asJson(text)
  // The last one tried is the one complained about: what was meant as a number is reported as one.
  const meantAsText = json.length === 0
  yield* change(parts, meantAsText ? [...more(field), text] : [text, ...more(field), ...json])
})

/** Takes one setting out of the file. */
export const unsetSetting = Effect.fn("unsetSetting")(function* (path: string) {
  const parts = yield* partsOf(path)
  const settings = yield* SettingsStore
  const there = valueAt(yield* settings.file, parts) !== undefined
  if (there) yield* change(parts, [undefined])
  return there
})
