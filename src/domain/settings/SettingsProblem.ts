/** Decodes settings. The problem of a bad one has its field, what was expected, and an example; never a secret. */
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ConfigInvalid } from "../Errors.ts"
import type { HookSettings } from "../hooks/Hook.ts"
import { keyProblem } from "../SchemaPlaces.ts"
import { expected, fieldProblems, ruleOf, typeInWords, wantedTypes } from "../SchemaProblems.ts"
import { nearest } from "../Spelling.ts"
import { type AgentSettings, SettingsFile, type WrittenSettings } from "./Settings.ts"

/** A value of each setting, as JSON. */
export const examples: { readonly [K in keyof SettingsFile]-?: string } = {
  defaultAgent: '"claude"',
  maxConcurrency: "4",
  maxDepth: "3",
  timeoutMs: "1800000",
  stallMs: "1800000",
  maxOutputBytes: "10000000",
  maxSpoolBytes: "4294967296",
  graceMs: "3000",
  leftovers: '"keep"',
  maxParks: "30",
  askParkMs: "600000",
  overage: '"allow"',
  headroomPercent: "3",
  prices: '{ "gpt-6": { "input": 5, "output": 25 } }',
  capture: '"full"',
  captureAllow: '["AWS_*"]',
  memoryReserveBytes: "536870912",
  memoryPerTaskBytes: "419430400",
  idleMs: "2000",
  workspaceMount: '"never"',
  workspaceInclude: '[".env"]',
  isolate: '["~/shop"]',
  workspaceMaxBytes: "20000000000",
  workspaceKeepMs: "604800000",
  workspaceTrashMs: "604800000",
  mcpShell: "false",
  hooks: '{ "phone": { "ntfy": "https://ntfy.sh/my-topic" } }',
  agents: '{ "claude": { "model": "opus" } }'
}

const agentExamples: { readonly [K in keyof AgentSettings]-?: string } = {
  apiKey: '"sk-..."',
  baseUrl: '"https://gateway.example.com"',
  model: '"opus"',
  args: '["--verbose"]',
  env: '{ "LANG": "C" }',
  program: '"/opt/claude/bin/claude"',
  command: '["my-agent", "--model", "{model}", "{prompt}"]',
  account: '"claude"',
  reserve: '"30%@09:00-18:00"',
  retries: "2",
  stallMs: "600000",
  steer: "true",
  approve: '{ "allow": ["Bash(git diff:*)"], "deny": ["Bash(git push:*)"], "else": "ask" }'
}

const hookExamples: { readonly [K in keyof HookSettings]-?: string } = {
  on: '["failed", "pipeline-ended"]',
  where: '{ "labels": { "team": "web" }, "status": ["failed"] }',
  run: '["/home/me/bin/after"]',
  url: '"https://ci.example/beat"',
  secret: '"whsec_..."',
  ntfy: '"https://ntfy.sh/my-topic"',
  token: '"tk_..."',
  slack: '"https://hooks.slack.com/services/..."',
  desktop: "true",
  otlp: '"http://127.0.0.1:4318"',
  headers: '{ "authorization": "Bearer ..." }',
  quiet: '"22:00-07:00"',
  sumMs: "60000",
  timeoutMs: "30000",
  retryMs: "5000",
  enabled: "false"
}

const lookUp = (table: object, key: PropertyKey | undefined): string | null => {
  const found: unknown = key === undefined ? undefined : Reflect.get(table, key)
  return typeof found === "string" ? found : null
}

/** Settings that have others inside, by a name that people choose. */
const inner = {
  agents: { examples: agentExamples, noun: "agent", name: "my-agent" },
  hooks: { examples: hookExamples, noun: "hook", name: "phone" }
} as const

const innerOf = ([first]: ReadonlyArray<PropertyKey>) =>
  first === "agents" || first === "hooks" ? inner[first] : undefined

const exampleFor = (path: ReadonlyArray<PropertyKey>): string | null => {
  const within = innerOf(path)
  return within !== undefined && path.length > 2 ? lookUp(within.examples, path[2]) : lookUp(examples, path[0])
}

/** A longer text may be a key in the wrong place. */
const longestShown = 16

/** Values are shown for plain settings only: a value inside another may be a key. */
const shown = (path: ReadonlyArray<PropertyKey>, raw: unknown): string => {
  const [key] = path
  if (path.length !== 1 || key === undefined || innerOf(path) !== undefined || typeof raw !== "object" || raw === null)
    return ""
  const value: unknown = Reflect.get(raw, key)
  if (typeof value === "number") return `, not ${value}`
  return typeof value === "string" && value.length <= longestShown ? `, not ${JSON.stringify(value)}` : ""
}

const unexpected = (path: ReadonlyArray<PropertyKey>): string => {
  const within = innerOf(path)
  if (within !== undefined && path.length === 2) {
    return `${within.noun} names are 1 to 32 lower-case letters, digits and '-', beginning with a letter, for example ${within.name}`
  }
  const problem = keyProblem(SettingsFile.ast, path)
  if ("rule" in problem) return problem.rule
  const guess = nearest(String(path[path.length - 1]), problem.names)
  const hint = guess === null ? "" : ` Did you mean '${[...path.slice(0, -1), guess].map(String).join(".")}'?`
  return `there is no such setting.${hint} Known: ${problem.names.join(", ")}`
}

const describe = (error: ParseResult.ParseError, raw: unknown): string => {
  const problems = fieldProblems(error)
  const depth = Math.max(...problems.map(({ path }) => path.length))
  const first = problems.find(({ path }) => path.length === depth)
  if (first === undefined || first.path.length === 0) {
    return 'expected one object of settings, for example { "maxConcurrency": 4 }'
  }
  const { kind, name, path } = first
  if (kind === "unexpected") return `${name}: ${unexpected(path)}`
  const wanted = wantedTypes(first).map(typeInWords)
  const rule = wanted.length === 0 ? ruleOf(first) : expected([...new Set(wanted)])
  const [text = "", example = exampleFor(path)] = rule.split(", for example ")
  return `${name}: ${text}${shown(path, raw)}${example === null ? "" : `, for example ${example}`}`
}

const decode = Schema.decodeUnknownEither(SettingsFile, { onExcessProperty: "error", errors: "all" })

/** Reads settings from decoded JSON. `source` names where they come from: a file, or a variable. */
export const decodeSettings = (source: string, raw: unknown): Either.Either<SettingsFile, ConfigInvalid> =>
  Either.mapLeft(decode(raw), (error) => new ConfigInvalid({ path: source, problem: describe(error, raw) }))

/** As it is written to the file, with its secrets. */
export const encodeSettings: (settings: SettingsFile) => WrittenSettings = Schema.encodeSync(SettingsFile)
