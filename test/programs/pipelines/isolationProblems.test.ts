/** What a pipeline file says of workspaces. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { takingTurns } from "../../../src/programs/pipelines/isolationProblems.ts"
import { readPipeline } from "../../../src/programs/pipelines/readPipeline.ts"

const read = (text: string) => readPipeline(text, { source: "p.yaml", name: "p", variables: {} })

const faults = (text: string) =>
  Effect.map(Effect.flip(read(text)), ({ problems }) =>
    problems.map(({ column, line, message }) => `${line}:${column} ${message}`)
  )

describe("an isolated pipeline", () => {
  it.effect("runs its setup before all steps, also before those that follow no other", () =>
    Effect.gen(function* () {
      const { isolate, steps } = yield* read(`
isolate: true
setup: npm ci
steps:
  - { name: build, prompt: make }
  - [{ name: test, prompt: test }, { name: lint, prompt: lint, after: [], policy: finished }]
  - { name: fix, prompt: fix, continueFrom: test }
`)
      assert.isTrue(isolate)
      assert.deepStrictEqual(
        steps.map(({ after, agent, continueFrom, name, policy, stage }) => [
          name,
          stage,
          after,
          policy,
          continueFrom,
          agent
        ]),
        [
          ["setup", 0, [], "success", null, "shell"],
          ["build", 1, [0], "success", null, null],
          ["test", 2, [1], "success", null, null],
          ["lint", 2, [0], "success", null, null],
          ["fix", 3, [2, 3], "success", 2, null]
        ]
      )
    })
  )

  it.effect("says which steps take turns, because they share the workspace", () =>
    Effect.gen(function* () {
      const steps =
        "steps: [[{ name: a, prompt: a }, { name: b, prompt: b }, { name: c, prompt: c, workspace: own }], d]"
      assert.deepStrictEqual(takingTurns(yield* read(`isolate: true\n${steps}`)), [["a", "b"]])
      assert.deepStrictEqual(takingTurns(yield* read("steps: [[a, b], d]")), [])
    })
  )

  it.effect("reports with their place: what needs a workspace, and what fits none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* faults("setup: npm ci\nsteps:\n  - { prompt: a, workspace: own }\n"), [
        "1:1 setup: there is no workspace to run it in",
        "3:18 steps[0].workspace: the steps work in the directory itself"
      ])
      const text = `isolate: true
setup: npm ci
defaults: { directory: b }
steps:
  - [{ name: setup, prompt: a, directory: x }, b]
  - { prompt: c, workspace: own }
`
      assert.deepStrictEqual(yield* faults(text), [
        "3:13 defaults.directory: the steps work in the workspace",
        "5:8 steps[0][0].name: 'setup' is the name of the step that runs the setup",
        "5:32 steps[0][0].directory: the steps work in the workspace",
        "6:18 steps[1].workspace: it cannot be cut from several steps"
      ])
      assert.deepStrictEqual(yield* faults("isolate: yes please\nsteps: [{ prompt: a, workspace: mine }]"), [
        '1:10 isolate: expected true or false, not "yes please"',
        '2:33 steps[0].workspace: expected own, or leave it out, not "mine"'
      ])
    })
  )
})
