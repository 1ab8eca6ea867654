/** The commands that hand over work of accounts with a limit or a budget, under a key until there is an answer. */
import * as Effect from "effect/Effect"
import { cappedAmount, cappedBudget, isCapped, limitWords } from "./LimitPlan.ts"
import { type Load, next, runCommand } from "./Load.ts"

const attempts = 20

/** Until it succeeds: faults hit commands like this one too. */
const setBudget = (load: Load, amount: number) =>
  Effect.gen(function* () {
    const { label, name } = cappedBudget
    const words = ["budget", "set", name, "--label", label, "--month", `${amount / 1000}ktokens`]
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const { code, signal, stderr } = yield* runCommand(load, words, null)
      load.world.chronicle.note(null, `beat ${words.join(" ")}: ${code ?? signal} ${stderr.trim().slice(0, 300)}`)
      if (code === 0) return
      yield* Effect.sleep(100)
    }
    load.world.chronicle.breach("commands return", null, "a budget could not be set")
  })

/** More than all tasks of the run cost: what waits for the budget starts. */
export const raiseBudget = (load: Load) =>
  Effect.gen(function* () {
    load.world.chronicle.raisedAt = Date.now()
    yield* setBudget(load, cappedAmount * 100)
  })

/** A command takes half a second and more. */
const submitters = 3

export const limitSubmitter = (load: Load) =>
  Effect.gen(function* () {
    if (load.limits.some(isCapped)) yield* setBudget(load, cappedAmount)
    const all = Array.from({ length: submitters }, () => submitAll(load))
    yield* Effect.all(all, { concurrency: "unbounded", discard: true })
  })

const submitAll = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    for (let plan = yield* next(load, load.limits); plan !== null; plan = yield* next(load, load.limits)) {
      yield* Effect.sleep(plan.afterMs)
      const words = limitWords(plan)
      const model = isCapped(plan) ? ["-m", "claude-opus-fake"] : []
      const label = ["--label", `payer=${plan.payer}`]
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const { code, signal, stderr, stdout } = yield* runCommand(
          load,
          ["run", "-a", "claude", ...model, ...label, "--key", plan.key, "--", words],
          null,
          { ANTHROPIC_API_KEY: `sk-torture-${plan.payer}` }
        )
        chronicle.note(
          plan.key,
          `beat run: ${code ?? signal} ${stdout.toString().trim()} ${stderr.trim().slice(0, 300)}`
        )
        if (code === 0) {
          chronicle.accepted.set(plan.key, stdout.toString().trim())
          break
        }
        if (code !== null && code !== 74) {
          chronicle.breach("a task is accepted", plan.key, `exit ${code}: ${stderr.trim()}`)
          break
        }
        yield* Effect.sleep(100)
      }
    }
  })
