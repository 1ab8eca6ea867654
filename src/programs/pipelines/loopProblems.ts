/** What is wrong with the loops of steps in a pipeline file. */
import { wordProblem } from "../../domain/loop/LoopRequest.ts"
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import type { Parsed, Path } from "../files/Document.ts"
import { problem } from "../files/Problems.ts"
import { needsIsolation } from "./isolationProblems.ts"
import type { Placed } from "./order.ts"
import { meanwhile } from "./prepareContest.ts"

interface Written {
  readonly isolate: boolean
  readonly names: ReadonlyArray<string>
  readonly after: ReadonlyArray<ReadonlyArray<number>>
}

/** What a step that is a loop cannot be in addition. */
const excluded = ["times", "matrix", "best", "gate", "workspace"] as const

export const loopProblems = (
  placed: ReadonlyArray<Placed>,
  { after, isolate, names }: Written,
  parsed: Parsed
): ReadonlyArray<PipelineProblem> =>
  placed.flatMap(({ path, step }, index): ReadonlyArray<PipelineProblem> => {
    if (step.loop === undefined) return []
    const key: Path = [...path, "loop"]
    const at = (place: Path, message: string, hint: string) =>
      problem(parsed.keyAt(place), `${nameOf(place)}: ${message}`, hint)
    const wrong = wordProblem(step.loop, "a loop", (word) => `'${word}'`)
    const others = meanwhile(placed, index, { after, names })
    return [
      ...(others === null ? [] : [at(key, others.message, others.hint)]),
      ...(isolate ? [] : [at(key, "a loop works in a workspace", needsIsolation)]),
      ...excluded.flatMap((name) =>
        step[name] === undefined ? [] : [at([...path, name], "a step with a loop has none", "Leave it out.")]
      ),
      ...(wrong === null ? [] : [at(wrong.word === null ? key : [...key, wrong.word], wrong.problem, wrong.hint)])
    ]
  })
