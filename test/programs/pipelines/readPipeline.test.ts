/** Reading pipeline files: what they mean, and what is said of those that are wrong. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { readPipeline } from "../../../src/programs/pipelines/readPipeline.ts"

const read = (text: string, variables: Record<string, string> = {}) =>
  readPipeline(text, { source: "p.yaml", name: "p", variables })

/** All that is wrong, a line each: `3:5 message | hint`. */
const faults = (text: string, variables: Record<string, string> = {}) =>
  Effect.map(Effect.flip(read(text, variables)), ({ problems }) =>
    problems.map(
      ({ column, hint, line, message }) => `${line}:${column} ${message}${hint === null ? "" : ` | ${hint}`}`
    )
  )

describe("a pipeline file", () => {
  it.effect("is an ordered list of steps with defaults", () =>
    Effect.gen(function* () {
      const plan = yield* read(`
name: release
defaults:
  agent: shell
  timeout: 30m
  labels: { team: web }
steps:
  - name: build
    prompt: npm run build
  - prompt: Review the change
    agent: claude
    model: opus
    priority: P0
    timeout: 1h30m
    stall: 0
    systemPrompt: Be brief.
    policy: finished
    delay: 90s
    labels: { kind: review }
    retries: 2
    backoff: 10s
    continueFrom: true
    gate: true
  - npm test
`)
      assert.strictEqual(plan.name, "release")
      assert.deepStrictEqual(
        plan.steps.map(({ after, name, stage }) => ({ name, stage, after })),
        [
          { name: "build", stage: 0, after: [] },
          { name: "step-2", stage: 1, after: [0] },
          { name: "step-3", stage: 2, after: [1] }
        ]
      )
      assert.deepStrictEqual(plan.steps[1], {
        name: "step-2",
        stage: 1,
        prompt: "Review the change",
        agent: "claude",
        model: "opus",
        directory: null,
        priority: "P0",
        timeoutMs: 5_400_000,
        stallMs: 0,
        systemPrompt: "Be brief.",
        labels: { team: "web", kind: "review" },
        retries: 2,
        backoffMs: 10_000,
        policy: "finished",
        after: [0],
        delayMs: 90_000,
        continueFrom: 0,
        workspace: null,
        gate: "verdict",
        contest: null,
        loop: null
      })
      assert.strictEqual(plan.steps[2]?.timeoutMs, 1_800_000)
    })
  )

  it.effect("may be JSON, and is named after its file", () =>
    Effect.gen(function* () {
      const plan = yield* read('{\n\t"steps": [\n\t\t{"prompt": "make", "agent": "shell"}\n\t]\n}')
      assert.strictEqual(plan.name, "p")
      assert.strictEqual(plan.steps[0]?.prompt, "make")
    })
  )

  it.effect("runs the steps of an inner list side by side", () =>
    Effect.gen(function* () {
      const plan = yield* read(
        "steps: [[a, b], c, [d, { name: e, prompt: e, after: [] }, { prompt: f, after: c }]]".replace(
          "c,",
          "{ name: c, prompt: c },"
        )
      )
      assert.deepStrictEqual(
        plan.steps.map(({ after, prompt, stage }) => [prompt, stage, after]),
        [
          ["a", 0, []],
          ["b", 0, []],
          ["c", 1, [0, 1]],
          ["d", 2, [2]],
          ["e", 2, []],
          ["f", 2, [2]]
        ]
      )
    })
  )

  it.effect("has variables: its own, and those of the command line on top", () =>
    Effect.gen(function* () {
      const text = `
vars: { branch: main, prio: P1, n: 2, must: null }
defaults: { priority: "\${prio}", retries: "\${n}" }
steps:
  - "git checkout \${branch} && echo \${must} $\${HOME} \${X:-y} $Y"
`
      const plan = yield* read(text, { branch: "dev", must: `a\${branch}` })
      assert.strictEqual(plan.steps[0]?.prompt, `git checkout dev && echo a\${branch} \${HOME} \${X:-y} $Y`)
      assert.strictEqual(plan.steps[0]?.priority, "P1")
      assert.strictEqual(plan.steps[0]?.retries, 2)
      assert.deepStrictEqual(yield* faults(text), ["2:39 vars.must: it has no value | Give one: --var must=..."])
    })
  )

  it.effect.each<[written: string, text: string]>([
    ["1.10", "1.10"],
    ["3.0", "3.0"],
    ["0x1F", "0x1F"],
    ["0o17", "0o17"],
    ["1e3", "1e3"],
    ["+7", "+7"],
    ["007", "007"],
    ["12345678901234567890", "12345678901234567890"],
    [".inf", ".inf"],
    ["yes", "yes"],
    ["no", "no"],
    ["True", "True"],
    ["2027-03-01", "2027-03-01"],
    ["2027-03-01T09:00:00Z", "2027-03-01T09:00:00Z"],
    ["'1.10'", "1.10"],
    ['"null"', "null"],
    ["'~'", "~"],
    ['"a\\tb"', "a\tb"],
    ["!!str 1.10", "1.10"],
    ["&v 1.10", "1.10"],
    ["*elsewhere", "2.50"],
    ["1.10 # the version", "1.10"]
  ])("has variables that are the text that is written: %s", ([written, text]) =>
    Effect.gen(function* () {
      for (const version of ["", "%YAML 1.1\n---\n"]) {
        const file = `${version}x-values: [&elsewhere 2.50]\nvars:\n  v: ${written}\nsteps: ["<\${v}>"]\n`
        assert.strictEqual((yield* read(file)).steps[0]?.prompt, `<${text}>`)
      }
    })
  )

  it.effect("keeps the text of numbers in JSON, of merged variables and of blocks", () =>
    Effect.gen(function* () {
      const json = yield* read(`{"vars": {"v": 1.10, "e": 1e3}, "steps": ["\${v} \${e}"]}`)
      assert.strictEqual(json.steps[0]?.prompt, "1.10 1e3")
      const merged = yield* read(
        `x-all: [&a { v: 1.10, w: 3.0 }, &b { v: 9.0, z: 1_0 }]\nvars: { <<: [*a, *b], w: 4.0 }\nsteps: ['\${v} \${w} \${z}']\n`
      )
      assert.strictEqual(merged.steps[0]?.prompt, "1.10 4.0 1_0")
      const block = yield* read(`vars:\n  v: |\n    1.10\n    2.20\nsteps: ['\${v}']\n`)
      assert.strictEqual(block.steps[0]?.prompt, "1.10\n2.20\n")
    })
  )

  it.effect("asks for a value of --var where a variable is null, however that is written", () =>
    Effect.gen(function* () {
      for (const written of ["null", "~", "", "Null"]) {
        const text = `vars:\n  v: ${written}\nsteps: ['<\${v}>']\n`
        assert.deepStrictEqual(yield* faults(text), ["2:3 vars.v: it has no value | Give one: --var v=..."])
        assert.strictEqual((yield* read(text, { v: "1.10" })).steps[0]?.prompt, "<1.10>")
      }
    })
  )

  it.effect("leaves keys such as x-anchors to YAML anchors, at the top and nowhere else", () =>
    Effect.gen(function* () {
      const plan = yield* read(
        `x-shell: &shell { agent: shell, timeout: 5m }\nx-note: \${not-a-variable}\nsteps:\n  - { <<: *shell, prompt: make }\n`
      )
      assert.strictEqual(plan.steps[0]?.agent, "shell")
      assert.strictEqual(plan.steps[0]?.timeoutMs, 300_000)
      assert.deepStrictEqual(yield* faults("steps: [{ prompt: a, x-note: b }]"), [
        "1:22 steps[0].x-note: there is no such key | Known: name, prompt, agent, model, directory, priority, timeout, stall, systemPrompt, policy, delay, labels, retries, backoff, after, workspace, times, matrix, best, loop, gate, continueFrom"
      ])
      assert.deepStrictEqual(yield* faults("xnote: 1\nsteps: [a]"), [
        "1:1 xnote: there is no such key | Known: name, vars, isolate, setup, defaults, steps"
      ])
    })
  )

  it.effect("may share parts by anchors", () =>
    Effect.gen(function* () {
      const plan = yield* read("steps:\n  - &a { prompt: x, agent: shell }\n  - { <<: *a, name: two }\n  - *a\n")
      assert.deepStrictEqual(
        plan.steps.map(({ agent, prompt }) => `${agent} ${prompt}`),
        ["shell x", "shell x", "shell x"]
      )
    })
  )

  it.effect("of a hundred steps is fine", () =>
    Effect.gen(function* () {
      const plan = yield* read(`steps:\n${"  - go\n".repeat(100)}`)
      assert.lengthOf(plan.steps, 100)
    })
  )
})

describe("what is wrong with a pipeline file", () => {
  it.effect("gets all problems together, each with its place and a hint", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* faults(`name: x
stepz: 1
defaults: { agnt: shell, timeout: 30 }
steps:
  - name: build
    promt: make
    priority: high
  - prompt: [1]
    system-prompt: x
    labels: { issue: 7 }
  - 5
  - [[a]]
  - []
  - name: a b
    prompt: ""
    retries: 21
    agent:
`),
        [
          "2:1 stepz: there is no such key | Did you mean 'steps'?",
          "3:13 defaults.agnt: there is no such key | Did you mean 'agent'?",
          "3:35 defaults.timeout: '30' has no unit: write 30s or 30m, not 30",
          "5:5 steps[0].prompt: it is missing",
          "6:5 steps[0].promt: there is no such key | Did you mean 'prompt'?",
          '7:15 steps[0].priority: expected P0, P1 or P2, not "high"',
          "8:13 steps[1].prompt: expected what the agent is to do, not [1]",
          "9:5 steps[1].system-prompt: there is no such key | Did you mean 'systemPrompt'?",
          "10:22 steps[1].labels.issue: expected string, not 7",
          "11:5 steps[2]: expected a step or a prompt | Use 'after' for any other order.",
          "12:6 steps[3][0]: a list of parallel steps cannot contain another list | Use 'after' for any other order.",
          "13:5 steps[4]: the list is empty | Add steps to it, or remove it.",
          '14:11 steps[5].name: expected a name of 1 to 64 letters, digits and `_ . -`, for example build, not "a b"',
          '15:13 steps[5].prompt: expected what the agent is to do, not empty and without NUL characters, not ""',
          "16:14 steps[5].retries: expected a whole number from 0 to 20, not 21",
          "17:11 steps[5].agent: it has no value | expected the name of an agent"
        ]
      )
    })
  )

  it.effect("may be its candidates", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* faults(`isolate: true
steps:
  - { name: a, prompt: x, times: 1 }
  - { name: b, prompt: x, times: 2 }
  - { name: c, prompt: x, times: 2, best: { check: y, beter: lower } }
`),
        [
          "3:34 steps[0].times: expected a whole number from 2 to 16, not 1",
          "5:55 steps[2].best.beter: there is no such key | Did you mean 'better'?"
        ]
      )
      assert.deepStrictEqual(
        yield* faults(`isolate: true
steps:
  - { name: b, prompt: x, times: 2 }
  - { name: c, prompt: x, matrix: { agent: [claude] }, best: { check: y } }
  - { name: d, prompt: x, best: { check: y } }
  - [{ name: e, prompt: x, times: 3, best: { score: y }, gate: true }, { name: f, prompt: x }]
`),
        [
          "3:27 steps[0].times: nothing decides which candidate is kept | Write 'best: { check: npm test }'.",
          "4:27 steps[1].matrix: 1 candidates | Give 2 to 16.",
          "5:27 steps[2].best: there are no candidates | Write 'times: 3' or 'matrix'.",
          "6:28 steps[3][0].times: f would work in the workspace meanwhile | Add 'workspace: own' there, or 'after'.",
          "6:38 steps[3][0].best: 'score' and 'better' need each other | Write 'better: lower' or 'better: higher'.",
          "6:58 steps[3][0].gate: a step with candidates has none | Leave it out."
        ]
      )
      const plan = yield* read(`isolate: true
steps:
  - { name: b, prompt: x, matrix: { agent: [claude, codex], model: [null, m] }, best: { check: y } }
`)
      assert.deepStrictEqual(plan.steps[0]?.contest, {
        candidates: [
          { agent: "claude", model: null },
          { agent: "claude", model: "m" },
          { agent: "codex", model: null },
          { agent: "codex", model: "m" }
        ],
        check: "y",
        score: null,
        better: "lower"
      })
    })
  )

  it.effect("may be the order of its steps", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* faults(`steps:
  - { name: build, prompt: x, continueFrom: true }
  - { name: build, prompt: x }
  - { name: test, prompt: x, after: [biuld, deploy] }
  - [a, b]
  - { prompt: x, continueFrom: true }
  - { prompt: x, continueFrom: tset }
`),
        [
          "2:45 steps[0].continueFrom: there is no step before this one",
          "3:13 steps[1]: a step is called 'build' already | The other one is in line 2.",
          "4:38 steps[2].after[0]: there is no step 'biuld' | Did you mean 'build'?",
          "4:45 steps[2].after[1]: there is no step 'deploy' | Known: build, build, step-4, step-5, step-6, step-7",
          "6:32 steps[4].continueFrom: 2 steps come before this one | Name one of them: step-4, step-5",
          "7:32 steps[5].continueFrom: there is no step 'tset' | Did you mean 'test'?"
        ]
      )
      assert.deepStrictEqual(
        yield* faults(
          "steps:\n  - { name: a, prompt: x, after: c }\n  - { name: b, prompt: x }\n  - { name: c, prompt: x }"
        ),
        ["2:34 steps[0]: a circle: a after c after b after a | Remove one of these names from 'after'."]
      )
      assert.deepStrictEqual(yield* faults("steps:\n  - { name: a, prompt: x, after: [a] }"), [
        "2:34 steps[0]: it would wait for itself | Remove one of these names from 'after'."
      ])
    })
  )

  it.effect("may be its variables", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* faults(
          `vars: { branch: main, 1x: y, deep: [1] }\nsteps:\n  - echo \${brnch}\n  - { prompt: x, priority: '\${nix}' }`,
          {
            brunch: "x"
          }
        ),
        [
          "1:1 --var brunch: the file has no such variable | Did you mean 'branch'?",
          "1:23 vars.1x: names of variables are letters, digits, _ and -, and begin with none of the digits",
          "1:36 vars.deep: expected a text, a number, true or false; null where --var has to give it, not [1]",
          "3:5 steps[0]: there is no variable 'brnch' | Did you mean 'branch'? Declare it under 'vars', or write $${brnch} for the text itself.",
          "4:28 steps[1].priority: there is no variable 'nix' | Known: branch, 1x, deep, brunch. Declare it under 'vars', or write $${nix} for the text itself."
        ]
      )
    })
  )

  it.effect("may be that it is none", () =>
    Effect.gen(function* () {
      for (const text of ["", "# nothing", "null"]) {
        assert.match((yield* faults(text)).join(), /^1:1 the file is empty \| For example: /)
      }
      assert.match((yield* faults("- a")).join(), /^1:1 expected one object/)
      assert.deepStrictEqual(yield* faults("steps: []"), [
        "1:8 steps: there is no step | A pipeline has 1 to 100 steps."
      ])
      assert.deepStrictEqual(yield* faults("name: x"), ["1:1 steps: it is missing"])
      assert.deepStrictEqual(yield* faults("steps: x"), ['1:8 steps: expected a list of steps, not "x"'])
      assert.deepStrictEqual(yield* faults(`steps:\n${"  - go\n".repeat(101)}`), [
        "2:3 steps: 101 are too many | A pipeline has 1 to 100 steps."
      ])
      assert.isNotEmpty(yield* faults("steps: [a\nname: {"))
      assert.match((yield* faults("a: 1\na: 2")).join(), /^2:1 Map keys must be unique/)
      assert.match((yield* faults("steps: [a]\n---\nsteps: [b]")).join(), /^2:1 a second document/)
      assert.isNotEmpty(yield* faults("[".repeat(20_000)))
    })
  )

  const piece = FastCheck.oneof(
    FastCheck.constantFrom(
      ...`steps: |name: |prompt: x|after: |- |[|]|{|}|,|\n|  |&a |*a|<<: *a|\${v}|$\${|vars:|v: 1|true|null|~|7|'|"|!!binary |? |: |\t|continueFrom: true|policy: failure|__proto__: 1|constructor|retries: 3|timeout: 5m|# c\n|---\n`.split(
        "|"
      )
    ),
    FastCheck.string({ maxLength: 6, unit: "binary" })
  )

  it.effect.prop(
    "is never more than problems, at places inside the text",
    { text: FastCheck.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")) },
    ({ text }) =>
      Effect.gen(function* () {
        const result = yield* Effect.either(read(text, { v: "1" }))
        if (result._tag === "Right") return assert.isNotEmpty(result.right.steps)
        assert.isNotEmpty(result.left.problems)
        const lines = text.split("\n")
        for (const { column, line } of result.left.problems) {
          assert.isAtLeast(line, 1)
          assert.isAtMost(line, lines.length)
          assert.isAtLeast(column, 1)
          assert.isAtMost(column, (lines[line - 1] ?? "").length + 1)
        }
      }),
    { fastCheck: { numRuns: 200, seed: 7 } }
  )

  it.effect("is not read for minutes, however much is wrong in it", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 4000 }, (_, index) => `k${index}: 1`)
      const found = yield* faults(`steps: [{ prompt: a, ${keys.join(", ")} }]`)
      assert.isAtMost(found.length, 100)
      assert.match(found[0] ?? "", /steps\[0\]\.k0: there is no such key/)
    })
  )
})
