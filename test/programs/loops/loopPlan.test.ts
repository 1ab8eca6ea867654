/** Reading loop files: what they mean, what options change in them, and what is said of those that are wrong. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loopPlan, readLoop } from "../../../src/programs/loops/loopPlan.ts"
import { readPipeline } from "../../../src/programs/pipelines/readPipeline.ts"

const read = (text: string, variables: Record<string, string> = {}) =>
  readLoop(text, { source: "l.yaml", name: "l", variables })

const nothing = { source: "l.yaml", words: {}, base: null, settings: {} }

const planned = (text: string, given: Partial<Parameters<typeof loopPlan>[1]> = {}) =>
  Effect.flatMap(read(text), (draft) => loopPlan(draft, { ...nothing, ...given }))

/** All that is wrong, a line each: `3:5 message | hint`. */
const faults = (text: string) =>
  Effect.map(Effect.flip(read(text)), ({ problems }) =>
    problems.map(
      ({ column, hint, line, message }) => `${line}:${column} ${message}${hint === null ? "" : ` | ${hint}`}`
    )
  )

describe("the files in docs/loops.md", () => {
  it.effect("are read as they are", () =>
    Effect.gen(function* () {
      const page = readFileSync(new URL("../../../docs/loops.md", import.meta.url), "utf8")
      const blocks = Array.from(page.matchAll(/```yaml\n([\s\S]*?)```/g), ([, text = ""]) => text)
      assert.lengthOf(blocks, 2)
      for (const text of blocks) {
        if (text.includes("isolate: true")) {
          yield* readPipeline(text, { source: "loops.md", name: "p", variables: {} })
        } else {
          assert.lengthOf((yield* planned(text)).steps, 3)
        }
      }
    })
  )
})

describe("a loop file", () => {
  it.effect("has the words of the options, and what it leaves out is as without the option", () =>
    Effect.gen(function* () {
      const { base, request, steps } = yield* planned(`
prompt: make bench.js faster
agent: codex
model: gpt
until: npm test
score: node bench.js
better: lower
target: 20
max: 40
patience: 6
samples: 3
minDelta: 0.5
for: 8h
budget: 15usd
protect: test/**
evaluationTimeout: 5m
session: true
`)
      assert.deepStrictEqual(request, {
        until: "npm test",
        score: "node bench.js",
        judge: null,
        judgeAgent: null,
        judgeModel: null,
        better: "lower",
        target: 20,
        maxRounds: 40,
        patience: 6,
        samples: 3,
        minDelta: 0.5,
        forMs: 8 * 3_600_000,
        budgetUsd: 15,
        protect: ["test/**"],
        evaluationMs: 300_000,
        session: true
      })
      assert.strictEqual(base, "HEAD")
      assert.deepStrictEqual(
        steps.map(({ agent, model, prompt }) => [agent, model, prompt]),
        [["codex", "gpt", "make bench.js faster"]]
      )
      const small = yield* planned("{ prompt: fix it, until: npm test }")
      assert.deepInclude(small.request, { maxRounds: 10, samples: 1, evaluationMs: 1_800_000, forMs: null })
    })
  )

  it.effect("has steps that follow one another, each with settings that the top fills in", () =>
    Effect.gen(function* () {
      const { steps } = yield* planned(`
vars: { where: src }
until: npm test
agent: claude
model: opus
labels: { team: web }
timeout: 30m
steps:
  - name: plan
    prompt: Plan the change of \${where}
  - { name: implement, prompt: Do it, agent: codex, continueFrom: true, labels: { kind: work } }
  - Review what was done
`)
      assert.deepStrictEqual(
        steps.map(({ after, agent, continueFrom, labels, model, name, prompt, timeoutMs }) => ({
          after,
          agent,
          continueFrom,
          labels,
          model,
          name,
          prompt,
          timeoutMs
        })),
        [
          {
            after: [],
            agent: "claude",
            continueFrom: null,
            labels: { team: "web" },
            model: "opus",
            name: "plan",
            prompt: "Plan the change of src",
            timeoutMs: 1_800_000
          },
          {
            after: [0],
            agent: "codex",
            continueFrom: 0,
            labels: { team: "web", kind: "work" },
            // The model of the top belongs to another agent.
            model: null,
            name: "implement",
            prompt: "Do it",
            timeoutMs: 1_800_000
          },
          {
            after: [1],
            agent: "claude",
            continueFrom: null,
            labels: { team: "web" },
            model: "opus",
            name: "step-3",
            prompt: "Review what was done",
            timeoutMs: 1_800_000
          }
        ]
      )
    })
  )

  it.effect("gives way to options: words and settings of the top, not of a step", () =>
    Effect.gen(function* () {
      const text = "{ until: npm test, max: 5, agent: claude, steps: [{ prompt: a, agent: gemini }, b] }"
      const { base, request, steps } = yield* planned(text, {
        words: { max: 2, judge: "It is clear" },
        base: "tree",
        settings: { agent: "codex" }
      })
      assert.deepInclude(request, { until: "npm test", judge: "It is clear", maxRounds: 2 })
      assert.strictEqual(base, "tree")
      assert.deepStrictEqual(
        steps.map(({ agent }) => agent),
        ["gemini", "codex"]
      )
    })
  )

  it.effect("may leave what decides to an option, and is refused where neither says it", () =>
    Effect.gen(function* () {
      const plan = yield* planned("prompt: fix it", { words: { until: "npm test" } })
      assert.strictEqual(plan.request.until, "npm test")
      const refused = yield* Effect.flip(planned("prompt: fix it"))
      assert.include(refused.message, "l.yaml:1:1: a loop needs 'until', 'score' or 'judge'")
    })
  )

  it.effect("is told all that is wrong, each with its place", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* faults(`prompt: fix it
unti: npm test
max: 0
for: soon
budget: much
steps:
  - promt: x
  - [a, b]
`),
        [
          "2:1 unti: there is no such key | Did you mean 'until'?",
          "3:6 max: expected a whole number from 1 to 1000, not 0",
          "4:6 for: 'soon' is not a length of time: write for example 90s, 30m, 1h30m or 2d, not \"soon\"",
          "5:9 budget: 'much' is not an amount of money; use e.g. 15usd, not \"much\"",
          "7:5 steps[0].promt: there is no such key | Did you mean 'prompt'?",
          "7:5 steps[0].prompt: it is missing",
          "8:5 steps[1]: expected a step or a prompt | The steps of a round follow one another in one workspace."
        ]
      )
    })
  )

  it.effect("is told which words need others", () =>
    Effect.gen(function* () {
      const of = (text: string) => Effect.map(faults(text), (all) => all.join("\n"))
      assert.match(yield* of("prompt: a\nuntil: x\ntarget: 3"), /^3:1 'target' needs 'score'/)
      assert.match(yield* of("prompt: a\nscore: x"), /^2:1 'score' needs 'better' lower or 'better' higher/)
      assert.match(yield* of("prompt: a\nuntil: x\njudgeAgent: codex"), /^3:1 'judgeAgent' needs 'judge'/)
      assert.match(yield* of("prompt: a\njudge: x\njudgeModel: gpt"), /^3:1 'judgeModel' needs 'judgeAgent'/)
      assert.match(yield* of("prompt: a\nuntil: x\nfor: 0"), /^3:1 'for': 0 is not a length of time for it/)
      assert.match(yield* of("until: x"), /^1:1 prompt: it is missing \| Or write the 'steps' of a round\.$/)
      assert.match(yield* of("prompt: a\nuntil: x\nsteps: [b]"), /^1:1 prompt: there are steps too/)
      assert.match(yield* of("until: x\nsteps: []"), /^2:8 steps: there is no step \| A round has 1 to 20 steps\.$/)
      assert.match(
        yield* of("until: x\nsteps: [{ prompt: a, continueFrom: true }]"),
        /there is no step before this one/
      )
      assert.match(
        yield* of("until: x\nsteps:\n  - { name: a, prompt: a }\n  - { name: a, prompt: b }"),
        /^4:13 steps\[1\]\.name: a step is called 'a' already \| The other one is in line 3\.$/
      )
      assert.match(yield* of("until: x\nsteps: [{ prompt: a, directory: b }]"), /directory: there is no such key/)
      assert.match(yield* of(""), /^1:1 the file is empty \| For example: \{ prompt: make the tests pass, until/)
      assert.match(yield* of(`prompt: \${who}\nuntil: x`), /there is no variable 'who'/)
    })
  )
})
