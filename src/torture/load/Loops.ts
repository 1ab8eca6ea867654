/** The commands that start loops, and cancel some of them. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { type Load, next, runCommand } from "./Load.ts"
import type { LoopPlan } from "./LoopPlan.ts"
import { countedFile } from "./Repository.ts"
import { promptOf, wordsIn } from "./Script.ts"

/** The line comes first: an agent that has noted its start has written it. */
const workOf = ({ task }: LoopPlan, root: string): string => `echo x >>${countedFile}\n${promptOf(task, root)}`

const rulesOf = ({ kind, lines, maxRounds }: LoopPlan): ReadonlyArray<string> => [
  "--max",
  String(maxRounds),
  ...(kind === "until"
    ? ["--until", `test "$(wc -l <${countedFile})" -ge ${lines}`]
    : ["--score", `wc -l <${countedFile}`, "--better", "higher", "--target", String(lines)])
]

const cancelLoop = (load: Load, id: string, afterMs: number) =>
  Effect.gen(function* () {
    yield* Effect.sleep(afterMs)
    load.world.chronicle.cancelledLoops.add(id)
    load.world.chronicle.note(null, `loop ${id} is to be cancelled`)
    yield* runCommand(load, ["loop", "cancel", id], null)
  })

/** A loop has no key: one whose submission was killed is there once, or not at all. */
const submitLoop = (load: Load, plan: LoopPlan, repository: string) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    for (let attempt = 1; ; attempt++) {
      const args = ["loop", "start", "-a", "shell", "-C", repository, ...rulesOf(plan), "--", workOf(plan, root)]
      const finished = yield* runCommand(load, args, attempt === 1 ? plan.submitTrouble : null)
      const id = finished.stdout.toString().trim()
      chronicle.note(
        plan.key,
        `beat loop: ${finished.code ?? finished.signal} ${id} ${finished.stderr.trim().slice(0, 300)}`
      )
      // Killed: it was stored by then, or it never is.
      if (finished.code === null) {
        const stored = load.store.rows<{ prompt: string }>("SELECT prompt FROM task_inputs").map(({ prompt }) => prompt)
        if (stored.some((prompt) => wordsIn(prompt)?.startsWith(`${plan.key} `))) return
        continue
      }
      if (finished.code === 0) {
        chronicle.acceptedLoops.set(plan.key, id)
        if (load.store.one("SELECT id FROM loops WHERE id = ?", id) === undefined) {
          chronicle.breach("an answer comes after the commit", plan.key, `loop ${id} is not stored`)
        }
        if (plan.cancelAfterMs !== null) yield* FiberSet.run(load.fibers, cancelLoop(load, id, plan.cancelAfterMs))
        return
      }
      // The store may be locked for a while; nothing else is a reason to refuse.
      if (finished.code !== 74) {
        return chronicle.breach("a task is accepted", plan.key, `exit ${finished.code}: ${finished.stderr.trim()}`)
      }
      yield* Effect.sleep(100)
    }
  })

/** One after the other, so that the rounds of one run while the next waits. */
export const loopSubmitter = (load: Load) =>
  Effect.gen(function* () {
    const { repository } = load.world
    for (let plan = yield* next(load, load.loops); plan !== null; plan = yield* next(load, load.loops)) {
      if (repository !== null) yield* submitLoop(load, plan, repository)
      yield* Effect.sleep(3000)
    }
  })
