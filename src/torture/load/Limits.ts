/** The commands that hand over work of the account with a limit, under a key until there is an answer. */
import * as Effect from "effect/Effect"
import { type Load, next, runCommand } from "./Load.ts"

const attempts = 20

export const limitSubmitter = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    for (let plan = yield* next(load, load.limits); plan !== null; plan = yield* next(load, load.limits)) {
      yield* Effect.sleep(plan.afterMs)
      const words = `limit ${plan.key} ${plan.steps}`
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const { code, signal, stderr, stdout } = yield* runCommand(
          load,
          ["run", "-a", "claude", "--key", plan.key, "--", words],
          null,
          { ANTHROPIC_API_KEY: "sk-torture" }
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
