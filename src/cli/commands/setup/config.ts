/** `beat config`: shows and changes the settings. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { parseDuration } from "../../../domain/Duration.ts"
import { AgentUnknown, InvalidInput } from "../../../domain/Errors.ts"
import { variableOf } from "../../../domain/settings/SettingVariables.ts"
import { setSetting, settingAt, unsetSetting, withoutSecrets } from "../../../programs/setup/Configuration.ts"
import { Agents } from "../../../services/Agents.ts"
import { Paths } from "../../../services/Paths.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"
import { bytes, span } from "../../../text/FormatDuration.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Caller } from "../../framework/Caller.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { readValue } from "../../input/Prompt.ts"
import { json, parseSize } from "../../input/Values.ts"
import { pairs } from "../../output/pairs.ts"

/** What `config show --json` prints. API keys and values of variables are hidden. */
export const ConfigView = Schema.Struct({
  path: Schema.String,
  /** The effective settings: variables override the file, the file overrides the defaults. */
  settings: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** What the file says. */
  file: Schema.Record({ key: Schema.String, value: Schema.Unknown })
}).annotations({ identifier: "ConfigView" })

/** What `config get|set|unset --json` prints. */
export const SettingView = Schema.Struct({ key: Schema.String, value: Schema.Unknown }).annotations({
  identifier: "SettingView"
})

const key = Args.text({ name: "setting" }).pipe(
  Args.withDescription("Path of a setting, e.g. maxConcurrency or agents.claude.model")
)

/** Times and sizes as people write them, for the overview. */
const readable = (name: string, value: unknown): string => {
  if (value === null) return "none"
  if (typeof value === "number" && name.endsWith("Ms")) return span(value)
  if (typeof value === "number" && name.endsWith("Bytes")) return bytes(value)
  return textOf(value)
}

const textOf = (value: unknown): string =>
  sanitize(typeof value === "string" ? value : (JSON.stringify(value) ?? "not set"))

export const configShow = command({
  name: "config show",
  section: "machine",
  summary: "Show the effective settings",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.config.show")(function* (given) {
    const terminal = yield* Terminal
    const { config } = yield* Paths
    const store = yield* SettingsStore
    const settings = withoutSecrets(yield* store.get)
    const file = withoutSecrets(yield* store.file)
    if (given.json) {
      yield* printJson(ConfigView, { path: config, settings, file })
      return ExitCode.ok
    }
    const { environment } = yield* Caller
    const { dim } = stylesOf(terminal.stdout)
    const sourceOf = (name: string): string => {
      const variable = variableOf(name)
      const text = variable === null ? undefined : environment[variable]?.trim()
      if (text !== undefined && text !== "") return dim(`  (${variable})`)
      return Object.hasOwn(file, name) ? "" : dim("  (default)")
    }
    const lines = pairs(
      Object.entries(settings).map(([name, value]) => [name, `${readable(name, value)}${sourceOf(name)}`]),
      terminal.stdout
    )
    yield* terminal.print(lines.join("\n"))
    yield* terminal.say(stylesOf(terminal.stderr).dim(`file: ${sanitize(config)}`))
    return ExitCode.ok
  })
})

export const configGet = command({
  name: "config get",
  section: "machine",
  summary: "Print one setting",
  options: Options.all({ json }),
  args: key,
  run: Effect.fn("beat.config.get")(function* (given, path) {
    const terminal = yield* Terminal
    const value = yield* settingAt(path)
    if (given.json) yield* printJson(SettingView, { key: path, value: value ?? null })
    else if (value === undefined || value === null) yield* terminal.say(`${path} is not set.`)
    else yield* terminal.print(textOf(value))
    return ExitCode.ok
  })
})

/** `30m` for a setting in milliseconds, `10MB` for one in bytes. */
const readings =
  (text: string) =>
  (field: string): ReadonlyArray<unknown> => {
    const reading = field.endsWith("Ms") ? parseDuration(text) : field.endsWith("Bytes") ? parseSize(text) : null
    // A number without a unit means milliseconds or bytes.
    if (reading === null || /^\d+$/.test(text)) return []
    return Either.isRight(reading) ? [reading.right] : []
  }

/** A misspelt name would make every later `beat run` fail. */
const knownAgent = Effect.fn("knownAgent")(function* (agent: string) {
  const agents = yield* Agents
  const { environment } = yield* Caller
  const known = (yield* agents.list(environment)).map(({ name }) => name)
  if (!known.includes(agent)) return yield* new AgentUnknown({ agent, known })
})

export const configSet = command({
  name: "config set",
  forPersons: "change settings",
  section: "machine",
  summary: "Change one setting",
  details:
    "Write lists as JSON, times as 30m or in milliseconds, sizes as 10MB or in bytes. The value '-' is read from stdin, which keeps an API key out of the process list and out of your shell's history.",
  examples: [
    ["beat config set defaultAgent claude", "the agent used when none is named"],
    ["beat config set maxConcurrency 4", "tasks that run at the same time"],
    ["beat config set agents.codex.apiKey - < key.txt", "an API key, stored in a file that only you can read"],
    [`beat config set agents.mine.command '["my-agent", "{prompt}"]'`, "your own agent"]
  ],
  options: Options.all({ json }),
  args: Args.all({ path: key, value: Args.text({ name: "value" }).pipe(Args.withDescription("The new value, or -")) }),
  run: Effect.fn("beat.config.set")(function* (given, { path, value }) {
    const terminal = yield* Terminal
    const text = value === "-" ? yield* readValue(path) : value
    if (value === "-" && text === "") {
      return yield* new InvalidInput({ field: path, problem: "stdin was empty", example: null })
    }
    if (path === "defaultAgent") yield* knownAgent(text)
    yield* setSetting(path, text, readings(text))
    const now = yield* settingAt(path)
    if (given.json) yield* printJson(SettingView, { key: path, value: now ?? null })
    else yield* terminal.say(`${path} is ${textOf(now ?? "not set")} now.`)
    return ExitCode.ok
  })
})

export const configUnset = command({
  name: "config unset",
  forPersons: "change settings",
  section: "machine",
  summary: "Reset one setting to its default",
  options: Options.all({ json }),
  args: key,
  run: Effect.fn("beat.config.unset")(function* (given, path) {
    const terminal = yield* Terminal
    const there = yield* unsetSetting(path)
    const now = yield* settingAt(path)
    if (given.json) yield* printJson(SettingView, { key: path, value: now ?? null })
    else yield* terminal.say(there ? `${path} is reset to its default.` : `${path} was not set.`)
    return ExitCode.ok
  })
})

export const configPath = command({
  name: "config path",
  section: "machine",
  summary: "Print the path of the config file",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.config.path")(function* (given) {
    const terminal = yield* Terminal
    const { config } = yield* Paths
    if (given.json) yield* printJson(Schema.Struct({ path: Schema.String }), { path: config })
    else yield* terminal.print(config)
    return ExitCode.ok
  })
})
