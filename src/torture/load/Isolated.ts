/** The commands that hand over isolated tasks, again under the same key until there is an answer. */
import * as Effect from "effect/Effect"
import { accept } from "./Answers.ts"
import { type Load, next, runCommand } from "./Load.ts"
import { groupFiles, type IsolatedPlan } from "./MergePlan.ts"
import { promptOf } from "./Script.ts"

export const brokenFile = "broken"

/** The changes come first: an agent that has noted its start has made all of them. */
export const workOf = ({ breaks, group, key, task }: IsolatedPlan, root: string): string =>
  [
    `for f in d${group}/f*; do echo ${key} >>$f; done; echo ${key} >new-${key}; rm d${group}/f${Number(key.slice(1)) % groupFiles}`,
    ...(breaks ? [`echo x >${brokenFile}`] : []),
    promptOf(task, root)
  ].join("\n")

export const isolatedSubmitter = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle, root, shop } = load.world
    for (let plan = yield* next(load, load.isolated); plan !== null; plan = yield* next(load, load.isolated)) {
      for (let attempt = 1; shop !== null; attempt++) {
        const args = [
          "run",
          "--isolate",
          "-a",
          "shell",
          "-C",
          shop,
          "-p",
          plan.task.priority,
          "--key",
          plan.key,
          "--",
          workOf(plan, root)
        ]
        const { code, signal, stderr, stdout } = yield* runCommand(
          load,
          args,
          attempt === 1 ? plan.submitTrouble : null
        )
        if (code === 0) {
          yield* accept(load, plan.task, stdout.toString().trim(), "beat run --isolate")
          break
        }
        chronicle.note(plan.key, `no answer: ${code ?? signal} ${stderr.trim().slice(0, 300)}`)
        if (code !== null && code !== 74) {
          chronicle.breach("a task is accepted", plan.key, `exit ${code}: ${stderr.trim()}`)
          break
        }
        yield* Effect.sleep(100)
      }
      yield* Effect.sleep(1000)
    }
  })
