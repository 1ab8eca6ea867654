/** `beat hooks log`, `test` and `redeliver`: what was sent to a hook, and sending it again. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../../domain/Errors.ts"
import { Delivery, type Delivery as DeliveryType, type Outcome } from "../../../domain/hooks/Delivery.ts"
import { DeliveryNotFound } from "../../../domain/hooks/HookErrors.ts"
import { requireHook } from "../../../programs/hooks/requireHook.ts"
import { testHook } from "../../../programs/hooks/testHook.ts"
import { ensureWorker } from "../../../programs/worker/ensureWorker.ts"
import { Deliveries } from "../../../services/Deliveries.ts"
import { relative } from "../../../text/FormatDuration.ts"
import { command, readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { count, json } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"
import { hookName } from "./hooks.ts"

/** What `beat hooks log --json` prints. */
const DeliveriesView = Schema.Struct({ deliveries: Schema.Array(Delivery) }).annotations({
  identifier: "DeliveriesView"
})

/** What `beat hooks test --json` prints. */
const HookTest = Schema.Struct({
  hook: Schema.String,
  accepted: Schema.Boolean,
  detail: Schema.String
}).annotations({ identifier: "HookTest" })

const lastOf = ({ last, lead, nextAt, state }: DeliveryType, now: number): string => {
  const told = last === null ? "" : plain(last)
  if (state === "summed" || lead !== null) return `in the summary ${lead}`
  if (state !== "due" || nextAt === null) return told
  const next = nextAt <= now ? "waits for a worker" : `next attempt ${relative(nextAt, now)}`
  return told === "" ? next : `${told}; ${next}`
}

const rowOf = (delivery: DeliveryType, now: number, screen: Screen) => {
  const { dim, green, red, yellow } = stylesOf(screen)
  const { attempts, createdAt, hook, kind, seq, state, taskId } = delivery
  const style = state === "done" ? green : state === "dead" ? red : yellow
  return [
    { text: String(seq) },
    { text: hook },
    { text: kind },
    { text: taskId ?? "" },
    { text: state, style },
    { text: String(attempts) },
    { text: relative(createdAt, now), style: dim },
    { text: lastOf(delivery, now) }
  ]
}

export const hooksLog = readOnlyCommand({
  name: "hooks log",
  section: "watch",
  summary: "Show what was sent to the hooks, and how each attempt ended",
  details:
    "'due': a worker tries it next. 'sending': a worker tries it now. 'summed': it is part of a summary. 'done': it was accepted. 'dead': it is not tried again; 'beat hooks redeliver' does.",
  examples: [
    ["beat hooks log ci", "the newest 20 to the hook ci"],
    ["beat hooks log --failed", "what was given up, of all hooks"]
  ],
  options: Options.all({
    failed: Options.boolean("failed").pipe(Options.withDescription("Show only what was given up")),
    limit: count("limit", 1, 1000).pipe(
      Options.withDefault(20),
      Options.withDescription("Show at most this many (default: 20)")
    ),
    json
  }),
  args: Args.optional(hookName),
  completes: "none",
  run: Effect.fn("beat.hooks.log")(function* ({ failed, json, limit }, name) {
    const terminal = yield* Terminal
    const hook = Option.getOrNull(name)
    const store = yield* Deliveries
    const deliveries = yield* store.list({ hook, states: failed ? ["dead"] : [], limit })
    // What was sent to a hook that is removed can still be looked at.
    if (hook !== null && deliveries.length === 0) yield* requireHook(hook)
    if (json) {
      yield* printJson(DeliveriesView, { deliveries })
      return ExitCode.ok
    }
    if (deliveries.length === 0) {
      yield* terminal.print(failed ? "Nothing was given up." : "Nothing was sent yet.")
      return ExitCode.ok
    }
    const now = yield* Clock.currentTimeMillis
    const { dim } = stylesOf(terminal.stdout)
    const columns = [
      { title: "SEQ", align: "right" as const },
      { title: "HOOK", dropAt: 3 },
      { title: "EVENT" },
      { title: "TASK", dropAt: 2 },
      { title: "STATE" },
      { title: "TRIES", align: "right" as const, dropAt: 4 },
      { title: "SINCE", dropAt: 1 },
      { title: "LAST", shrinkTo: 10 }
    ]
    const rows = deliveries.map((delivery) => rowOf(delivery, now, terminal.stdout))
    yield* terminal.print(table(columns, rows, terminal.stdout.columns, dim).join("\n"))
    return ExitCode.ok
  })
})

const wordsOf = (outcome: Outcome): string =>
  outcome._tag === "Accepted"
    ? `accepted it (${plain(outcome.detail)})`
    : `did not accept it (${plain(outcome.detail)})${outcome._tag === "Failed" ? "; a worker would try again" : ""}`

export const hooksTest = command({
  name: "hooks test",
  forPersons: "send messages to hooks",
  section: "machine",
  summary: "Send a test message to a hook, and show the result",
  details: "The message has the kind 'test'. It is sent once, from this process, also to a hook that is off or quiet.",
  examples: [["beat hooks test phone", "exit code 0: it was accepted"]],
  options: Options.all({ json }),
  args: hookName,
  completes: "none",
  run: Effect.fn("beat.hooks.test")(function* (given, name) {
    const terminal = yield* Terminal
    const outcome = yield* testHook(name)
    const accepted = outcome._tag === "Accepted"
    if (given.json) yield* printJson(HookTest, { hook: name, accepted, detail: outcome.detail })
    else yield* terminal.say(`${accepted ? "" : "beat: "}Hook ${name} ${wordsOf(outcome)}.`)
    return accepted ? ExitCode.ok : ExitCode.failed
  })
})

export const hooksRedeliver = readWriteCommand({
  name: "hooks redeliver",
  forPersons: "send messages to hooks",
  section: "machine",
  summary: "Send a notice to a hook again, or a notice that it did not select",
  details: "The message keeps its id, so a receiver can see that it already has the message.",
  examples: [["beat hooks redeliver ci 8812", "the notice 8812 of 'beat events', now"]],
  options: Options.none,
  args: Args.all({
    name: hookName,
    seq: Args.text({ name: "seq" }).pipe(Args.withDescription("Number of the notice, as in 'beat hooks log'"))
  }),
  completes: "none",
  run: Effect.fn("beat.hooks.redeliver")(function* (_given, { name, seq: text }) {
    const terminal = yield* Terminal
    const hook = yield* requireHook(name)
    const seq = /^\d{1,15}$/.test(text) ? Number(text) : null
    if (seq === null) {
      return yield* new InvalidInput({ field: "seq", problem: "is not the number of a notice", example: "8812" })
    }
    const found = yield* (yield* Deliveries).redeliver(hook, seq)
    if (Option.isNone(found)) return yield* new DeliveryNotFound({ hook: name, seq })
    yield* ensureWorker()
    yield* terminal.say(
      found.value.state === "due"
        ? `Notice ${seq} is sent to ${name}. To see how that ends: beat hooks log ${name}`
        : `Notice ${seq} is already being sent to ${name}.`
    )
    return ExitCode.ok
  })
})
