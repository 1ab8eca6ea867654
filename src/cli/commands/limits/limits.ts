/** `beat limits`: the accounts that tasks use, how full their limits are, and when they open. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../../domain/Errors.ts"
import { fingerprintOf } from "../../../domain/limits/Account.ts"
import { type AccountLimits, LimitsView } from "../../../domain/limits/AccountLimits.ts"
import { type Window, windowWords, yours } from "../../../domain/limits/Window.ts"
import { askAccount } from "../../../programs/limits/AskLimits.ts"
import { resolveAccount } from "../../../programs/limits/resolveAccount.ts"
import { Limits } from "../../../services/Limits.ts"
import { moment, relative, span } from "../../../text/FormatDuration.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json, moment as momentOption, optionalText } from "../../input/Values.ts"
import { table } from "../../output/Layout.ts"
import { waitingWords } from "../../output/LimitText.ts"
import { plain } from "../../output/TaskTable.ts"

const percent = (used: number | null): string => (used === null ? "?" : `${Math.round(used * 100)}%`)

const isShut = (window: Window, now: number): boolean =>
  window.closed && window.resetsAt !== null && window.resetsAt > now

const stateOf = (window: Window, now: number): string =>
  isShut(window, now) ? "closed" : window.closed ? "to be asked" : "open"

const windowRow = (account: AccountLimits, window: Window | undefined, first: boolean, now: number, screen: Screen) => {
  const { bold, dim, green, yellow } = stylesOf(screen)
  const name = [
    { text: first ? plain(account.agent) : "" },
    { text: first ? fingerprintOf(account.account) : "", style: bold }
  ]
  if (window === undefined) {
    return [
      ...name,
      { text: "no limit seen" },
      { text: "" },
      { text: "open", style: green },
      { text: "" },
      { text: "" }
    ]
  }
  const reset = window.resetsAt === null ? "" : `${moment(window.resetsAt)} (${relative(window.resetsAt, now)})`
  const source = window.source !== null ? `task ${window.source}` : window.name === yours ? "you" : "asked"
  return [
    ...name,
    { text: windowWords(window) },
    { text: percent(window.used) },
    { text: stateOf(window, now), style: isShut(window, now) ? yellow : green },
    { text: reset },
    { text: `${source}, ${relative(window.observedAt, now)}`, style: dim }
  ]
}

const accountLine = (account: AccountLimits, now: number): ReadonlyArray<string> => {
  const name = `${plain(account.agent)} ${fingerprintOf(account.account)}`
  const { spare } = account
  const notes = [
    ...(account.joinedTo === null ? [] : [`${name} is joined to ${fingerprintOf(account.joinedTo)}.`]),
    ...(spare === null
      ? []
      : [
          `${waitingWords(spare.waiting, "spare ")} for the ${windowWords({ name: spare.window, family: "" })} of ${name}, from ${moment(spare.opensAt)} (${relative(spare.opensAt, now)}).`
        ])
  ]
  if (account.opensAt === null || account.waiting === 0) return notes
  const next = account.next === null ? "" : ` The first to start is ${account.next}, alone; then 2, 4, 8 follow.`
  const reason = account.windows.find(({ name: window }) => window === account.window)?.reason ?? null
  const why = reason === null ? "" : ` (${plain(reason)})`
  return [
    ...notes,
    `${waitingWords(account.waiting)} for ${name}${why}, which opens in ${span(account.opensAt - now)}.${next}`
  ]
}

const lines = (accounts: ReadonlyArray<AccountLimits>, now: number, screen: Screen): ReadonlyArray<string> => {
  const { dim } = stylesOf(screen)
  const rows = accounts.flatMap((account) =>
    account.windows.length === 0
      ? [windowRow(account, undefined, true, now, screen)]
      : account.windows.map((window, at) => windowRow(account, window, at === 0, now, screen))
  )
  const columns = [
    { title: "AGENT" },
    { title: "ACCOUNT" },
    { title: "WINDOW" },
    { title: "USED", align: "right" as const },
    { title: "STATE" },
    { title: "RESETS", dropAt: 1 },
    { title: "KNOWN FROM", dropAt: 0 }
  ]
  const notes = accounts.flatMap((account) => accountLine(account, now))
  return [...table(columns, rows, screen.columns, dim), ...(notes.length === 0 ? [] : ["", ...notes])]
}

const account = Args.text({ name: "account" }).pipe(
  Args.withDescription("Account: its name from 'beat limits list', the beginning of it, or its agent")
)

export const limitsList = readOnlyCommand({
  name: "limits list",
  section: "watch",
  summary: "Show the accounts that tasks use, with their usage limits",
  details:
    "An account is who is billed and limited, whichever agent uses it. Its name is a keyed hash: it tells nothing about the key or the login. What is shown was read in the output of agents; nothing is asked for it.",
  examples: [["beat limits --json | jq '.accounts[].opensAt'", "when each account opens; null: now"]],
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.limits.list")(function* (given) {
    const terminal = yield* Terminal
    const limits = yield* Limits
    const accounts = yield* limits.list
    const now = yield* Clock.currentTimeMillis
    if (given.json) yield* printJson(LimitsView, { accounts })
    else if (accounts.length === 0)
      yield* terminal.print("No account is known yet. One is when a task of an agent is submitted.")
    else yield* terminal.print(lines(accounts, now, terminal.stdout).join("\n"))
    return ExitCode.ok
  })
})

export const limitsRefresh = readWriteCommand({
  name: "limits refresh",
  section: "watch",
  summary: "Ask how full the limits of an account are, where asking is free",
  details:
    "Only Codex with a ChatGPT login can be asked, and only while a task of it runs or waits: its program and environment are used. No request to a model is made, and no task is started.",
  options: Options.none,
  args: account,
  run: Effect.fn("beat.limits.refresh")(function* (_given, reference) {
    const terminal = yield* Terminal
    const limits = yield* Limits
    const found = yield* resolveAccount(reference, "ask")
    const name = `${plain(found.agent)} ${fingerprintOf(found.account)}`
    if (!(yield* askAccount(found))) {
      yield* terminal.say(`${name} could not be asked: what is known of it comes from its tasks alone.`)
      return ExitCode.failed
    }
    const now = yield* Clock.currentTimeMillis
    const after = (yield* limits.list).filter(({ account: key }) => key === found.account)
    yield* terminal.print(lines(after, now, terminal.stdout).join("\n"))
    return ExitCode.ok
  })
})

export const limitsClose = readWriteCommand({
  name: "limits close",
  forPersons: "change limits",
  section: "machine",
  summary: "Start no task of an account until a time",
  details: "Tasks that run continue. To end the wait earlier: beat limits open",
  examples: [
    ['beat limits close claude --until 6h --reason "I need it myself"', "keep the rest of a window for yourself"]
  ],
  options: Options.all({
    until: momentOption("until", "future").pipe(
      Options.withDescription(
        "Open again at this time, e.g. 2027-03-01T18:00 or 'tomorrow 9am', or after this time, e.g. 2h"
      )
    ),
    reason: optionalText("reason", "text").pipe(Options.withDescription("Show this reason while tasks wait"))
  }),
  args: account,
  run: Effect.fn("beat.limits.close")(function* ({ reason, until }, reference) {
    const terminal = yield* Terminal
    const limits = yield* Limits
    const found = yield* resolveAccount(reference, "close")
    if (reason !== null && reason.length > 500) {
      return yield* new InvalidInput({ field: "--reason", problem: "at most 500 characters", example: null })
    }
    if (until <= (yield* Clock.currentTimeMillis)) {
      return yield* new InvalidInput({ field: "--until", problem: "the time is in the past", example: "2h" })
    }
    yield* limits.close(found.account, until, reason)
    yield* terminal.say(`${plain(found.agent)} ${fingerprintOf(found.account)} is closed until ${moment(until)}.`)
    return ExitCode.ok
  })
})

export const limitsOpen = readWriteCommand({
  name: "limits open",
  forPersons: "change limits",
  section: "machine",
  summary: "Let tasks of an account start again before its limit ends",
  details:
    "For when you know better: you closed it, you bought credit, or the limit was reset. One task starts; when the service answers it, the others follow.",
  options: Options.none,
  args: account,
  run: Effect.fn("beat.limits.open")(function* (_given, reference) {
    const terminal = yield* Terminal
    const limits = yield* Limits
    const found = yield* resolveAccount(reference, "open")
    yield* limits.open(found.account)
    yield* terminal.say(`${plain(found.agent)} ${fingerprintOf(found.account)} is open. One task starts first.`)
    return ExitCode.ok
  })
})

export const limitsJoin = readWriteCommand({
  name: "limits join",
  forPersons: "change limits",
  section: "machine",
  summary: "Treat two accounts as one, e.g. two tokens of one login",
  options: Options.none,
  args: Args.all({
    account,
    to: Args.text({ name: "to" }).pipe(Args.withDescription("Account whose limits count for both"))
  }),
  run: Effect.fn("beat.limits.join")(function* (_given, given) {
    const terminal = yield* Terminal
    const limits = yield* Limits
    const from = yield* resolveAccount(given.account, "join")
    const to = yield* resolveAccount(given.to, "join")
    if (from.account === to.account) {
      return yield* new InvalidInput({
        field: "to",
        problem: "both names mean the same account",
        example: null
      })
    }
    if (to.joinedTo === from.account) {
      const other = fingerprintOf(to.account)
      return yield* new InvalidInput({
        field: "to",
        problem: `${other} is joined to ${fingerprintOf(from.account)} already; to undo that: beat limits split ${other}`,
        example: null
      })
    }
    yield* limits.join(from.account, to.account)
    yield* terminal.say(
      `The limits of ${fingerprintOf(to.account)} count for ${fingerprintOf(from.account)} too. To undo it: beat limits split ${fingerprintOf(from.account)}`
    )
    return ExitCode.ok
  })
})

export const limitsSplit = readWriteCommand({
  name: "limits split",
  forPersons: "change limits",
  section: "machine",
  summary: "Give an account its own limits again",
  options: Options.none,
  args: account,
  run: Effect.fn("beat.limits.split")(function* (_given, reference) {
    const terminal = yield* Terminal
    const limits = yield* Limits
    const found = yield* resolveAccount(reference, "split")
    if (found.joinedTo === null) {
      return yield* new InvalidInput({
        field: "account",
        problem: `${fingerprintOf(found.account)} is not joined to another account, so there is nothing to split`,
        example: null
      })
    }
    yield* limits.split(found.account)
    yield* terminal.say(`${fingerprintOf(found.account)} has its own limits.`)
    return ExitCode.ok
  })
})
