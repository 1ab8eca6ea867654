/** `beat budget`: what tasks may spend in a day, a week, a month, or in all. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { BudgetAction, type BudgetPeriod, type BudgetScope, mostBudgets } from "../../../domain/budgets/Budget.ts"
import { BudgetNotFound } from "../../../domain/budgets/BudgetErrors.ts"
import { parseAmount } from "../../../domain/budgets/parseAmount.ts"
import { BudgetView, budgetView } from "../../../programs/budgets/BudgetView.ts"
import { opensWords, periodWords, scopeWords } from "../../../programs/budgets/holdWords.ts"
import { readBudgetName, setBudget } from "../../../programs/budgets/setBudget.ts"
import { serveQueued } from "../../../programs/worker/serveQueued.ts"
import { realDirectory } from "../../../programs/workspaces/realDirectory.ts"
import { Budgets } from "../../../services/Budgets.ts"
import { Directories } from "../../../services/Directories.ts"
import { amountWords } from "../../../text/amountWords.ts"
import { moment } from "../../../text/FormatDuration.ts"
import { Caller } from "../../framework/Caller.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { requireAgent } from "../../input/GateOptions.ts"
import { choice, json, optionalText, parsed } from "../../input/Values.ts"
import { type Column, table } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"

/** What `beat budget list --json` prints. */
export const BudgetsView = Schema.Struct({ budgets: Schema.Array(BudgetView) }).annotations({
  identifier: "BudgetsView"
})

const name = Args.text({ name: "name" }).pipe(Args.withDescription("Name of the budget"))

const amount = (period: BudgetPeriod, description: string) =>
  Options.text(period).pipe(
    Options.withPseudoName("amount"),
    parsed(period, parseAmount),
    Options.withDefault(null),
    Options.withDescription(description)
  )

const percentOf = (text: string) => {
  const value = /^(\d{1,3})%?$/.exec(text.trim())?.[1]
  return value !== undefined && Number(value) >= 1 && Number(value) <= 100
    ? Either.right(Number(value))
    : Either.left(`'${text}' is not a part of the amount; use 1% to 100%`)
}

const options = Options.all({
  day: amount("day", "Spend at most this much a day, e.g. 10usd or 2Mtokens"),
  week: amount("week", "Spend at most this much a week, which begins on Monday"),
  month: amount("month", "Spend at most this much a month"),
  total: amount("total", "Spend at most this much in total; only with --task or --tree"),
  all: Options.boolean("all").pipe(Options.withDescription("Cover all tasks (default)")),
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription("Cover the tasks of this agent")
  ),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription("Cover the tasks in this directory and below it")
  ),
  label: optionalText("label", "key[=value]").pipe(Options.withDescription("Cover the tasks with this label")),
  task: optionalText("task", "id").pipe(Options.withDescription("Cover this task with all of its attempts")),
  tree: optionalText("tree", "id").pipe(
    Options.withDescription("Cover this task and everything that its agents submit")
  ),
  warn: Options.text("warn").pipe(
    Options.withPseudoName("percent"),
    parsed("warn", percentOf),
    Options.withDefault(null),
    Options.withDescription("Write the notice budget-warned at this part of the amount (default: 80%)")
  ),
  action: choice("action", BudgetAction.literals).pipe(
    Options.withDefault(null),
    Options.withDescription(
      "Once the budget is spent: start no further task, or also end running agents and park their tasks (default: pause)"
    )
  ),
  timezone: optionalText("timezone", "zone").pipe(
    Options.withDescription("Time zone in which days begin, e.g. Europe/Berlin (default: the local one)")
  ),
  json
})

type Given = typeof options extends Options.Options<infer A> ? A : never

const hint = "beat budget set nightly --label night --day 10usd"

const scopeOf = Effect.fn("budget.scope")(function* (given: Given) {
  const { environment, ...caller } = yield* Caller
  const named = (["agent", "directory", "label", "task", "tree"] as const).flatMap((kind) => {
    const value = given[kind]
    return value === null ? [] : [{ kind, value }]
  })
  const all: ReadonlyArray<{ readonly kind: BudgetScope; readonly value: string }> = given.all
    ? [...named, { kind: "all", value: "" }]
    : named
  const [one, ...others] = all
  if (others.length > 0) {
    return yield* new UsageError({
      problem: "A budget covers one of --all, --agent, --directory, --label, --task and --tree",
      hint
    })
  }
  if (one === undefined) return null
  if (one.value === "" && one.kind !== "all") {
    return yield* new UsageError({ problem: `--${one.kind} is empty`, hint })
  }
  if (one.kind === "agent") return { kind: one.kind, value: yield* requireAgent(one.value) }
  if (one.kind !== "directory") return one
  const path = yield* (yield* Directories).resolve(one.value, caller.directory)
  return { kind: one.kind, value: realDirectory(path, environment) }
})

const periods = ["day", "week", "month", "total"] as const

const perPeriod = { day: "a day", week: "a week", month: "a month", total: "in all" } as const

const definition = ({ action, metric, period, timezone, ...budget }: BudgetView): string => {
  const zone = period === "total" ? "" : ` (${timezone})`
  const then = action === "stop" ? "then running tasks are parked" : "then no further task starts"
  return `${amountWords(metric, budget.amount)} ${perPeriod[period]} for ${plain(scopeWords(budget))}${zone}; ${then}`
}

export const budgetSet = readWriteCommand({
  name: "budget set",
  forPersons: "change budgets",
  section: "machine",
  summary: "Make a budget, or change it",
  details: `The expected cost of a task is reserved when the task starts, from what similar tasks have cost. What its agent reports is counted while it runs and when it ends. A change keeps the values that are not given. There are at most ${mostBudgets} budgets. Shell commands cost nothing, and no budget holds them.`,
  examples: [
    ["beat budget set all --month 400usd", "for everything"],
    [`${hint} --action stop`, "for tasks with a label"],
    ["beat budget set nightly --day 20usd", "raise it: tasks that it held start"],
    ["beat budget set big --tree @last --total 5usd", "for a task and what it submits"]
  ],
  options,
  args: name,
  completes: "none",
  run: Effect.fn("beat.budget.set")(function* (given, text) {
    const terminal = yield* Terminal
    const amounts = periods.flatMap((period) => {
      const found = given[period]
      return found === null ? [] : [{ period, amount: found }]
    })
    const [bound = null, ...others] = amounts
    const scope = yield* scopeOf(given)
    const { action, timezone, warn } = given
    const changes = [bound, scope, action, timezone, warn].some((value) => value !== null)
    if (!changes || others.length > 0) {
      return yield* new UsageError({ problem: "Give one amount: --day, --week, --month or --total", hint })
    }
    const written = { name: text, scope, bound, warnPercent: warn, action, timezone }
    const budget = budgetView(yield* setBudget(written))
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    if (given.json) {
      yield* printJson(BudgetView, budget)
      return ExitCode.ok
    }
    const spent = amountWords(budget.metric, budget.spent + budget.used)
    yield* terminal.say(`Budget ${budget.name}: ${definition(budget)}. Spent ${periodWords[budget.period]}: ${spent}.`)
    return ExitCode.ok
  })
})

const stateOf = (budget: BudgetView, now: number): string => {
  if (budget.trippedAt !== null) return ["spent", opensWords(budget, now)].filter((part) => part !== "").join(", ")
  return budget.warnedAt === null ? "ok" : `warned ${moment(budget.warnedAt)}`
}

const columns: ReadonlyArray<Column> = [
  { title: "BUDGET" },
  { title: "COVERS", dropAt: 2, shrinkTo: 8 },
  { title: "PERIOD", dropAt: 1 },
  { title: "SPENT", align: "right" },
  { title: "RESERVED", align: "right", dropAt: 0 },
  { title: "AMOUNT", align: "right" },
  { title: "STATE", shrinkTo: 8 }
]

export const budgetList = readOnlyCommand({
  name: "budget list",
  section: "watch",
  summary: "Show the budgets, and how much of each is spent",
  options: Options.all({ json }),
  args: Args.none,
  run: Effect.fn("beat.budget.list")(function* (given) {
    const terminal = yield* Terminal
    const budgets = (yield* (yield* Budgets).list).map(budgetView)
    if (given.json) {
      yield* printJson(BudgetsView, { budgets })
      return ExitCode.ok
    }
    if (budgets.length === 0) {
      yield* terminal.print("There is no budget yet. To make one: beat budget set all --month 100usd")
      return ExitCode.ok
    }
    const now = yield* Clock.currentTimeMillis
    const { dim } = stylesOf(terminal.stdout)
    const rows = budgets.map((budget) => [
      { text: budget.name },
      { text: plain(scopeWords(budget)) },
      { text: budget.period },
      { text: amountWords(budget.metric, budget.spent + budget.used) },
      { text: budget.reserved === 0 ? "-" : amountWords(budget.metric, budget.reserved) },
      { text: amountWords(budget.metric, budget.amount) },
      { text: stateOf(budget, now) }
    ])
    yield* terminal.print(table(columns, rows, terminal.stdout.columns, dim).join("\n"))
    return ExitCode.ok
  })
})

export const budgetRemove = readWriteCommand({
  name: "budget remove",
  forPersons: "change budgets",
  section: "machine",
  summary: "Remove a budget; tasks that it held start",
  options: Options.none,
  args: name,
  completes: "none",
  run: Effect.fn("beat.budget.remove")(function* (_given, text) {
    const terminal = yield* Terminal
    const budget = yield* readBudgetName(text)
    if (!(yield* (yield* Budgets).remove(budget))) return yield* new BudgetNotFound({ name: budget })
    yield* serveQueued((trouble) => terminal.say(`beat: ${trouble}`))
    yield* terminal.say(`Budget ${budget} is removed.`)
    return ExitCode.ok
  })
})
