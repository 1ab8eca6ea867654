/** `beat hooks`: shows the hooks, adds them and removes them. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import { type Hook, HookFilter, hookWords, needsYouWord, targets } from "../../../domain/hooks/Hook.ts"
import { addHook, removeHook, setEnabled } from "../../../programs/hooks/addHook.ts"
import { allHooks } from "../../../programs/hooks/requireHook.ts"
import { withoutSecrets } from "../../../programs/setup/Configuration.ts"
import { Deliveries } from "../../../services/Deliveries.ts"
import { Directories } from "../../../services/Directories.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"
import { Caller } from "../../framework/Caller.ts"
import { command, readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { readValue } from "../../input/Prompt.ts"
import { duration, json, optionalText, pairs } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"

export const HookView = Schema.Struct({
  name: Schema.String,
  kind: Schema.Literal(...targets),
  /** The command, or the address without its path. */
  target: Schema.String,
  on: Schema.Array(Schema.String),
  where: Schema.NullOr(HookFilter),
  quiet: Schema.NullOr(Schema.String),
  sumMs: Schema.NullOr(Schema.Int),
  enabled: Schema.Boolean,
  /** Whether what is sent is signed. */
  signed: Schema.Boolean,
  /** Messages on their way. */
  waiting: Schema.Int,
  /** Messages that were given up in the last day. */
  dead: Schema.Int
})

/** What `beat hooks list --json` prints. */
const HooksView = Schema.Struct({ hooks: Schema.Array(HookView) }).annotations({ identifier: "HooksView" })

export const hookName = Args.text({ name: "name" }).pipe(Args.withDescription("Name of the hook"))

const dayMs = 24 * 60 * 60 * 1000

/** The address as `beat config show` prints it: without its secret parts. */
const targetOf = ({ kind, run }: Hook, shown: unknown): string => {
  if (run !== undefined) return run.join(" ")
  const value: unknown = typeof shown === "object" && shown !== null ? Reflect.get(shown, kind) : undefined
  return typeof value === "string" ? value : kind
}

const views = Effect.gen(function* () {
  const hooks = yield* allHooks
  const shown = withoutSecrets(yield* (yield* SettingsStore).get).hooks
  const counts = yield* (yield* Deliveries).counts(Math.max(0, (yield* Clock.currentTimeMillis) - dayMs))
  const sum = (name: string, dead: boolean) =>
    counts
      .filter(({ hook, state }) => hook === name && (state === "dead") === dead)
      .reduce((total, { count }) => total + count, 0)
  return hooks.map((hook) => ({
    name: hook.name,
    kind: hook.kind,
    target: targetOf(hook, typeof shown === "object" && shown !== null ? Reflect.get(shown, hook.name) : undefined),
    on: hook.on,
    where: hook.where ?? null,
    quiet: hook.quiet ?? null,
    sumMs: hook.sumMs ?? null,
    enabled: hook.enabled,
    signed: hook.secret !== undefined,
    waiting: sum(hook.name, false),
    dead: sum(hook.name, true)
  }))
})

export const hooksList = readOnlyCommand({
  name: "hooks list",
  section: "machine",
  summary: "Show the hooks, and how many messages wait for them",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.hooks.list")(function* (given) {
    const terminal = yield* Terminal
    const hooks = yield* views
    if (given.json) {
      yield* printJson(HooksView, { hooks })
      return ExitCode.ok
    }
    if (hooks.length === 0) {
      yield* terminal.print("There is no hook yet. To add one: beat hooks add phone --ntfy https://ntfy.sh/my-topic")
      return ExitCode.ok
    }
    const { dim } = stylesOf(terminal.stdout)
    const rows = hooks.map((hook) => [
      { text: hook.name },
      { text: hook.on.join(",") },
      { text: String(hook.waiting) },
      { text: String(hook.dead) },
      { text: hook.enabled ? "on" : "off" },
      { text: hook.kind === "desktop" ? "desktop" : `${hook.kind} ${plain(hook.target)}` }
    ])
    const columns = [
      { title: "HOOK" },
      { title: "ON", shrinkTo: 10 },
      { title: "WAIT", align: "right" as const, dropAt: 2 },
      { title: "DEAD", align: "right" as const, dropAt: 3 },
      { title: "STATE", dropAt: 1 },
      { title: "TARGET", shrinkTo: 12 }
    ]
    yield* terminal.print(table(columns, rows, terminal.stdout.columns, dim).join("\n"))
    return ExitCode.ok
  })
})

const words = (text: string | null): ReadonlyArray<string> | undefined =>
  text === null ? undefined : text.split(",").map((word) => word.trim())

/** The options that are given. */
const present = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))

/** A line without a colon has no name, which the settings refuse. */
const headersOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => [line.slice(0, Math.max(0, line.indexOf(":"))).trim(), line.slice(line.indexOf(":") + 1).trim()])
  )

const optionalDuration = (name: string) => duration(name).pipe(Options.withDefault(null))

export const hooksAdd = readWriteCommand({
  name: "hooks add",
  forPersons: "change hooks",
  section: "machine",
  summary: "Send what happens to a command, an address, a phone, the desktop or a collector of traces",
  details: `A hook gets messages for what happens after you add it. Words for --on: ${hookWords.join(", ")}. 'needs-you' selects failed tasks and contests, loops that ended as failed, exhausted or stale, merges that met a conflict or were refused, usage limits, accounts without credit, spent budgets, questions, and times that a schedule missed. The value '-' of --url, --ntfy, --slack, --otlp, --secret, --token or --headers is read from stdin, which keeps it out of the process list and out of your shell's history. A worker sends the messages, and tries again for a day if that fails.`,
  examples: [
    [
      "beat hooks add phone --ntfy https://ntfy.sh/my-topic",
      "a message to a phone when work has failed or cannot continue"
    ],
    ["beat hooks add desk --desktop --on ended --quiet 22:00-07:00", "each end on the desktop, none at night"],
    [
      `beat hooks add mine --run 'jq -r .text >> ~/beat.log' --on failed,pipeline-ended`,
      "a command, with JSON on stdin"
    ],
    ["beat hooks add ci --url https://ci.example/beat --on ended --secret - < secret.txt", "a signed webhook"],
    ["beat hooks add traces --otlp http://127.0.0.1:4318", "a trace of each task, for an OpenTelemetry collector"],
    ["beat hooks add team --slack - --on ended --sum 10m < address.txt", "one message for everything in ten minutes"]
  ],
  options: Options.all({
    on: optionalText("on", "words").pipe(
      Options.withDescription(
        `Send these notices, e.g. failed,pipeline-ended (default: ${needsYouWord}, with --otlp all ends)`
      )
    ),
    run: optionalText("run", "command").pipe(Options.withDescription("Run this shell command")),
    url: optionalText("url", "address").pipe(Options.withDescription("Send a webhook to this address")),
    secret: optionalText("secret", "-").pipe(
      Options.withDescription("Sign the webhook with the secret on stdin, whsec_ and Base64")
    ),
    ntfy: optionalText("ntfy", "address").pipe(Options.withDescription("Send to this ntfy topic")),
    token: optionalText("token", "-").pipe(Options.withDescription("Use the access token of ntfy on stdin")),
    slack: optionalText("slack", "address").pipe(Options.withDescription("Send to this incoming webhook of Slack")),
    otlp: optionalText("otlp", "address").pipe(
      Options.withDescription("Export the spans of work that has ended to this OpenTelemetry collector, by OTLP/HTTP")
    ),
    headers: optionalText("headers", "-").pipe(
      Options.withDescription(
        "Send the headers on stdin with each request to --url or --otlp, one 'Name: value' a line"
      )
    ),
    desktop: Options.boolean("desktop").pipe(Options.withDescription("Show a notification on this desktop")),
    agent: optionalText("agent", "names").pipe(
      Options.withAlias("a"),
      Options.withDescription("Select only tasks of these agents, e.g. claude,codex")
    ),
    label: pairs("label").pipe(
      Options.withDescription("Select only tasks with this label; repeatable, then all of them count")
    ),
    directory: optionalText("directory", "path").pipe(
      Options.withDescription("Select only tasks that work in this directory or below it")
    ),
    status: optionalText("status", "words").pipe(
      Options.withDescription("Select only ends with one of these words, e.g. failed,cancelled")
    ),
    quiet: optionalText("quiet", "hours").pipe(
      Options.withDescription("Hold messages back at these hours, e.g. 22:00-07:00")
    ),
    sum: optionalDuration("sum").pipe(
      Options.withDescription("Put everything of this time into one message, e.g. 10m")
    ),
    timeout: optionalDuration("timeout").pipe(Options.withDescription("End an attempt after this time (default: 30s)"))
  }),
  args: hookName,
  completes: "none",
  run: Effect.fn("beat.hooks.add")(function* (given, name) {
    const terminal = yield* Terminal
    for (const field of ["secret", "token", "headers"] as const) {
      if (given[field] === null || given[field] === "-") continue
      return yield* new InvalidInput({
        field: `--${field}`,
        problem: "other users can see the command line: give it on stdin",
        example: `--${field} - < file`
      })
    }
    const fromStdin = (["url", "secret", "ntfy", "token", "slack", "otlp", "headers"] as const).filter(
      (field) => given[field] === "-"
    )
    if (fromStdin.length > 1) {
      return yield* new InvalidInput({
        field: `--${fromStdin[1]}`,
        problem: `stdin has --${fromStdin[0]} already`,
        example: `beat config set hooks.${name}.${fromStdin[1]} - < file`
      })
    }
    const stdin = fromStdin.length === 0 ? "" : yield* readValue(`--${fromStdin[0]}`)
    const value = (text: string | null) => (text === "-" ? stdin : text)
    const where = present({
      agent: words(given.agent),
      labels: Object.keys(given.label).length === 0 ? undefined : given.label,
      directory:
        given.directory === null
          ? undefined
          : [yield* (yield* Directories).resolve(given.directory, (yield* Caller).directory)],
      status: words(given.status)
    })
    const hook = yield* addHook(
      name,
      present({
        on: words(given.on),
        where: Object.keys(where).length === 0 ? undefined : where,
        run: given.run === null ? undefined : ["sh", "-c", given.run],
        url: value(given.url),
        secret: value(given.secret),
        ntfy: value(given.ntfy),
        token: value(given.token),
        slack: value(given.slack),
        otlp: value(given.otlp),
        headers: given.headers === null ? undefined : headersOf(stdin),
        desktop: given.desktop ? true : undefined,
        quiet: given.quiet,
        sumMs: given.sum,
        timeoutMs: given.timeout
      })
    )
    yield* terminal.say(`Hook ${name} gets messages for ${hook.on.join(", ")}. To try it: beat hooks test ${name}`)
    return ExitCode.ok
  })
})

const switching = (enabled: boolean) =>
  command({
    name: enabled ? "hooks enable" : "hooks disable",
    forPersons: "change hooks",
    section: "machine",
    summary: enabled ? "Send messages to a hook again" : "Send no messages to a hook, and hold back those that wait",
    options: Options.none,
    args: hookName,
    completes: "none",
    run: Effect.fn("beat.hooks.switch")(function* (_given, name) {
      const terminal = yield* Terminal
      yield* setEnabled(name, enabled)
      yield* terminal.say(
        enabled
          ? `Hook ${name} gets messages again.`
          : `Hook ${name} gets no messages. To change that: beat hooks enable ${name}`
      )
      return ExitCode.ok
    })
  })

export const hooksEnable = switching(true)
export const hooksDisable = switching(false)

export const hooksRemove = readWriteCommand({
  name: "hooks remove",
  forPersons: "change hooks",
  section: "machine",
  summary: "Remove a hook, and give up its messages that are not sent yet",
  options: Options.none,
  args: hookName,
  completes: "none",
  run: Effect.fn("beat.hooks.remove")(function* (_given, name) {
    const terminal = yield* Terminal
    yield* removeHook(name)
    yield* terminal.say(`Hook ${name} is removed.`)
    return ExitCode.ok
  })
})
