/** What a pipeline file says of steps that are loops. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readPipeline } from "../../../src/programs/pipelines/readPipeline.ts"

const read = (text: string) => readPipeline(text, { source: "p.yaml", name: "p", variables: {} })

const faults = (text: string) =>
  Effect.map(Effect.flip(read(text)), ({ problems }) =>
    problems.map(({ column, line, message }) => `${line}:${column} ${message}`)
  )

describe("a step with a loop", () => {
  it.effect("has the words of a loop file, also as variables", () =>
    Effect.gen(function* () {
      const { steps } = yield* read(`
isolate: true
vars: { rounds: 3 }
steps:
  - { name: fix, prompt: fix it, loop: { until: npm test, max: "\${rounds}", for: 8h } }
  - { name: plain, prompt: look }
`)
      const [fix, plain] = steps
      assert.deepInclude(fix?.loop ?? {}, { until: "npm test", maxRounds: 3, forMs: 8 * 3_600_000, score: null })
      assert.isNull(plain?.loop)
    })
  )

  it.effect("is told what is wrong, each with its place", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* faults("steps:\n  - { prompt: a, loop: { until: x } }\n"), [
        "2:18 steps[0].loop: a loop works in a workspace"
      ])
      const text = `isolate: true
steps:
  - { prompt: a, gate: true, loop: { max: 3 } }
  - { prompt: a, loop: { until: x, unti: y } }
`
      assert.deepStrictEqual(yield* faults(text), ["4:36 steps[1].loop.unti: there is no such key"])
      assert.deepStrictEqual(yield* faults(text.replace(", unti: y", ", target: 3")), [
        "3:18 steps[0].gate: a step with a loop has none",
        "3:30 steps[0].loop: a loop needs 'until', 'score' or 'judge'",
        "4:36 steps[1].loop.target: 'target' needs 'score'"
      ])
    })
  )

  it.effect("may have no other step in its workspace at the same time, whose work would be lost", () =>
    Effect.gen(function* () {
      const text = `isolate: true
steps:
  - [{ name: fix, prompt: a, loop: { until: x } }, { name: docs, prompt: b }]
  - { name: own, prompt: c }
`
      assert.deepStrictEqual(yield* faults(text), ["3:30 steps[0][0].loop: docs would work in the workspace meanwhile"])
      yield* read(text.replace("prompt: b", "prompt: b, workspace: own"))
    })
  )
})
