/** The commands that hand over leads, each under a key until there is an answer. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { leadFile } from "./LeadPlan.ts"
import { type Load, next, runCommand } from "./Load.ts"

const attempts = 20

export const leadSubmitter = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    for (let plan = yield* next(load, load.leads); plan !== null; plan = yield* next(load, load.leads)) {
      yield* Effect.sleep(plan.afterMs)
      writeFileSync(join(root, "leads", `${plan.key}.json`), leadFile(plan, root))
      const prompt = `exec "${process.execPath}" "${root}/lead.cjs" ${plan.key}`
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const args = ["run", "-a", "shell", "--key", plan.key, "--", prompt]
        const { code, signal, stderr, stdout } = yield* runCommand(load, args, null)
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
