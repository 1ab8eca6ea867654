/** The commands that hand over work of accounts with a limit or a budget, under a key until there is an answer. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { cappedAmount, cappedBudget, isCapped, type LimitPlan, limitWords } from "./LimitPlan.ts"
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

/** A file for `--batch`, with a line for each task. */
const batchOf = ({ world }: Load, group: ReadonlyArray<LimitPlan>): string => {
  const path = join(world.root, "work", `${group[0]?.key ?? "none"}.jsonl`)
  const lines = group.map((plan) => JSON.stringify({ prompt: limitWords(plan), key: plan.key }))
  writeFileSync(path, `${lines.join("\n")}\n`)
  return path
}

export const limitSubmitter = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    if (load.limits.some((group) => group.some(isCapped))) yield* setBudget(load, cappedAmount)
    for (let group = yield* next(load, load.limits); group !== null; group = yield* next(load, load.limits)) {
      const [first] = group
      if (first === undefined) continue
      yield* Effect.sleep(first.afterMs)
      const model = isCapped(first) ? ["-m", "claude-opus-fake"] : []
      const label = ["--label", `payer=${first.payer}`]
      const words = ["run", "-a", "claude", ...model, ...label, "--batch", batchOf(load, group)]
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const { code, signal, stderr, stdout } = yield* runCommand(load, words, null, {
          variables: { ANTHROPIC_API_KEY: `sk-torture-${first.payer}` }
        })
        const ids = stdout.toString().trim().split("\n")
        for (const { key } of group) {
          chronicle.note(key, `beat run: ${code ?? signal} ${ids.join(" ")} ${stderr.trim().slice(0, 300)}`)
        }
        if (code === 0) {
          for (const [index, { key }] of group.entries()) chronicle.accepted.set(key, ids[index] ?? "")
          break
        }
        if (code !== null && code !== 74) {
          chronicle.breach("a task is accepted", first.key, `exit ${code}: ${stderr.trim()}`)
          break
        }
        yield* Effect.sleep(100)
      }
    }
  })
