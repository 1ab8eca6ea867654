/** Stores in which nothing may start until a time comes: one for each kind of time that `DueTimes` lists. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BudgetName } from "../../src/domain/budgets/Budget.ts"
import type { Gate } from "../../src/domain/gates/Gate.ts"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import { doublingMs } from "../../src/domain/limits/Places.ts"
import { Budgets } from "../../src/services/Budgets.ts"
import { Gates } from "../../src/services/Gates.ts"
import { Limits } from "../../src/services/Limits.ts"
import { Loops } from "../../src/services/Loops.ts"
import { loopRules } from "./loopRules.ts"
import { newTask, submit } from "./tasks.ts"

const claude = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }

const gate = (scope: Gate["scope"], name: string, until: number | null) =>
  Effect.flatMap(Gates, (gates) => gates.close({ scope, name, until, reason: null, by: "anna", freeze: false }))

/** All tasks that were submitted as one, in the order in which they were. */
const ofClaude = submit({ agent: "claude", account: claude })

const change = (statement: (sql: SqlClient.SqlClient) => Effect.Effect<unknown, unknown>) =>
  Effect.flatMap(SqlClient.SqlClient, statement)

const budget = Effect.flatMap(Budgets, (budgets) =>
  budgets.set({
    name: BudgetName.make("daily"),
    scope: "all",
    value: "",
    period: "day",
    metric: "usd",
    amount: 1_000_000,
    warnPercent: 80,
    action: "pause",
    timezone: "UTC"
  })
)

const loop = (deadline: number, isGoal: boolean) =>
  Effect.flatMap(Loops, (loops) =>
    loops.create(
      {
        rules: loopRules({ deadline, budgetUsd: null, maxRounds: 1 }),
        goal: isGoal ? { maxTasks: 3, maxRunning: 2, maxDepth: 2, maxWakes: 1, deadline, budgetUsd: null } : null,
        stepTask: null,
        work: [{ name: null, task: newTask({ prompt: "lead", agent: "claude" }) }],
        evaluations: [{ role: "until", task: newTask({ prompt: "npm test" }) }]
      },
      { maxDepth: 10 }
    )
  )

/**
 * `arrange` makes the store so that `starts` tasks may start before `at`, and one more then; where `ends` is set, so many tasks that
 * wait end then instead.
 */
export const waits = [
  { name: "the start time of a task", starts: 0, ends: 0, arrange: (at: number) => submit({ notBefore: at }) },
  ...(["all", "agent", "task"] as const).map((scope) => ({
    name: `the end of a pause of scope ${scope}`,
    starts: 0,
    ends: 0,
    arrange: (at: number) =>
      Effect.flatMap(submit(), ({ id }) => gate(scope, scope === "all" ? "" : scope === "agent" ? "shell" : id, at))
  })),
  {
    name: "the end of a limit",
    starts: 0,
    ends: 0,
    arrange: (at: number) =>
      Effect.zipRight(
        ofClaude,
        Effect.flatMap(Limits, (limits) => limits.close(claude.key, at, null))
      )
  },
  {
    name: "more places for an account whose limit has ended",
    starts: 2,
    ends: 0,
    arrange: (at: number) =>
      Effect.zipRight(
        Effect.all([ofClaude, ofClaude, ofClaude]),
        change((sql) => sql`UPDATE accounts SET places = 2, places_at = ${at - doublingMs}`)
      )
  },
  {
    name: "the second time that an account has more places",
    starts: 4,
    ends: 0,
    arrange: (at: number) =>
      Effect.zipRight(
        Effect.all([ofClaude, ofClaude, ofClaude, ofClaude, ofClaude]),
        change((sql) => sql`UPDATE accounts SET places = 2, places_at = ${at - 2 * doublingMs}`)
      )
  },
  {
    name: "a new period of a budget",
    starts: 0,
    ends: 0,
    arrange: (at: number) =>
      Effect.all([
        budget,
        submit({ agent: "claude" }),
        change((sql) => sql`UPDATE budgets SET spent = amount, "from" = 0, "to" = ${at}`)
      ])
  },
  {
    name: "the end of the time that a task waits for limits",
    starts: 0,
    ends: 1,
    arrange: (at: number) =>
      Effect.gen(function* () {
        yield* ofClaude
        const signal = {
          _tag: "Seen",
          window: "limit",
          family: "",
          used: 1,
          closed: true,
          resetsAt: at + 60_000
        } as const
        yield* (yield* Limits).observe(claude.key, [signal])
        yield* change((sql) => sql`UPDATE tasks SET give_up_ms = 7200000, gives_up_at = ${at}`)
      })
  },
  ...[true, false].map((isGoal) => ({
    name: `the deadline of a ${isGoal ? "goal" : "loop"}`,
    starts: 0,
    // Of a loop its evaluation too: there is nothing to evaluate.
    ends: isGoal ? 1 : 2,
    arrange: (at: number) => Effect.zipRight(gate("all", "", null), loop(at, isGoal))
  }))
]

/** Milliseconds from now on that no look, sign of life or upkeep of a worker falls on. */
export const soonMs = 3300

export const soon = Effect.map(Clock.currentTimeMillis, (now) => now + soonMs)
