/** `beat pipeline` as command lines over the ports in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CheckResult } from "../../src/cli/commands/pipelines/pipelineRun.ts"
import { WaitResult } from "../../src/cli/commands/tasks/wait.ts"
import { Pipeline, PipelinePage } from "../../src/domain/pipeline/Pipeline.ts"
import { TaskGraph } from "../../src/domain/task/TaskGraph.ts"
import { endNext } from "../support/pipelines.ts"
import { completed, failed } from "../support/tasks.ts"
import { beat, world } from "./world.ts"

const files = {
  "ci/release.yaml": `vars: { branch: main }
defaults: { agent: shell, labels: { kind: ci } }
steps:
  - { name: build, prompt: "make \${branch}", directory: sub, timeout: 0, retries: 1, backoff: 1s }
  - [{ name: lint, prompt: lint }, { name: unit, prompt: unit, priority: P0 }]
  - { name: repair, prompt: repair, policy: failure, after: unit }
  - { name: deploy, prompt: deploy, after: [lint, unit], continueFrom: unit }
`,
  "bad.yaml": "steps:\n  - promt: x\n"
}

const json = <A, I>(schema: Schema.Schema<A, I>) => Schema.decodeUnknown(Schema.parseJson(schema))

describe("beat pipeline", () => {
  it.effect("run stores the steps of a file and prints the id alone", () =>
    Effect.gen(function* () {
      const ran = yield* beat([
        "pipeline",
        "run",
        "ci/release.yaml",
        "--var",
        "branch=dev",
        "--label",
        "by=me",
        "-t",
        "5m"
      ])
      assert.strictEqual(ran.code, 0, ran.stderr)
      assert.match(ran.stdout, /^[0-9a-z]{12}\n$/)
      const shown = yield* json(Pipeline)((yield* beat(["pipeline", "status", ran.stdout.trim(), "--json"])).stdout)
      assert.strictEqual(shown.name, "release")
      assert.deepStrictEqual(
        shown.steps.map(({ after, name, stage }) => [name, stage, after]),
        [
          ["build", 0, []],
          ["lint", 1, [0]],
          ["unit", 1, [0]],
          ["repair", 2, [2]],
          ["deploy", 3, [1, 2]]
        ]
      )
      const [build, lint, unit, , deploy] = shown.steps.map(({ task }) => task)
      assert.strictEqual(build?.title, "make dev")
      assert.strictEqual(build?.directory, "/srv/sub")
      assert.deepStrictEqual([build?.timeoutMs, lint?.timeoutMs], [null, 300_000])
      assert.deepStrictEqual([build?.maxRetries, build?.backoffMs, lint?.maxRetries], [1, 1000, 0])
      assert.deepStrictEqual([lint?.priority, unit?.priority], ["P1", "P0"])
      assert.deepStrictEqual(build?.labels, { by: "me", kind: "ci" })
      assert.strictEqual(deploy?.continueFrom, unit?.id)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("run takes prompts instead of a file, and the same key once", () =>
    Effect.gen(function* () {
      const line = ["pipeline", "run", "--step", `make \${x}`, "--step", "test", "-a", "shell", "--key", "k"]
      const first = yield* beat(line)
      const second = yield* beat(line)
      assert.strictEqual(first.stdout, second.stdout)
      assert.match(second.stderr, /idempotency key already used by pipeline/)
      const shown = yield* json(Pipeline)((yield* beat(["pipeline", "status", "--json"])).stdout)
      assert.strictEqual(shown.name, `make \${x}`)
      assert.deepStrictEqual(
        shown.steps.map(({ task }) => task.title),
        [`make \${x}`, "test"]
      )
      const other = yield* beat([...line, "--step", "more"])
      assert.strictEqual(other.code, 2)
      assert.match(other.stderr, /already belongs to pipeline/)
    }).pipe(Effect.provide(world()))
  )

  it.effect("run says what is wrong with a command line or a file, and stores nothing", () =>
    Effect.gen(function* () {
      const wrong = (words: ReadonlyArray<string>) => beat(["pipeline", "run", ...words])
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [[], /No file and no step/],
        [["ci/release.yaml", "--step", "x"], /cannot be combined/],
        [["--step", "x", "--var", "a=b"], /--var works only with a file/],
        [["--step", " "], /--step number 1 is empty/],
        [["nope.yaml"], /nope\.yaml: there is no such file/],
        [["bad.yaml"], /bad\.yaml:2:5: steps\[0\]\.promt: there is no such key\. Did you mean 'prompt'\?/],
        [
          ["ci/release.yaml", "--var", "brnch=x"],
          /--var brnch: the file has no such variable\. Did you mean 'branch'\?/
        ],
        [["--step", "x", "-a", "nobody"], /no agent 'nobody'/],
        [["--step", "x", "--name", " "], /--name: 1 to 200 characters/]
      ]
      for (const [words, message] of cases) {
        const { code, stderr, stdout } = yield* wrong(words)
        assert.strictEqual(code, 2, words.join(" "))
        assert.strictEqual(stdout, "")
        assert.match(stderr, message)
      }
      assert.match((yield* beat(["pipeline", "list"])).stderr, /^No pipelines/)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("reads a file from a pipe", () =>
    Effect.gen(function* () {
      const ran = yield* beat(["pipeline", "run", "-"], { stdin: "steps: [{ prompt: make, agent: shell }]" })
      assert.strictEqual(ran.code, 0, ran.stderr)
      const bad = yield* beat(["pipeline", "check", "-"], { stdin: "steps: 1" })
      assert.strictEqual(bad.stdout, "-:1:8: steps: expected a list of steps, not 1\n")
    }).pipe(Effect.provide(world()))
  )

  it.effect("check prints a line for each problem", () =>
    Effect.gen(function* () {
      const fine = yield* beat(["pipeline", "check", "ci/release.yaml"])
      assert.deepStrictEqual([fine.code, fine.stdout], [0, "ci/release.yaml: fine, 5 steps\n"])
      const bad = yield* beat(["pipeline", "check", "bad.yaml"])
      assert.strictEqual(bad.code, 1)
      assert.deepStrictEqual(bad.stdout.trim().split("\n"), [
        "bad.yaml:2:5: steps[0].promt: there is no such key. Did you mean 'prompt'?",
        "bad.yaml:2:5: steps[0].prompt: it is missing"
      ])
      const told = yield* json(CheckResult)((yield* beat(["pipeline", "check", "bad.yaml", "--json"])).stdout)
      assert.deepStrictEqual([told.plan, told.problems.length, told.problems[0]?.line], [null, 2, 2])
      const plan = yield* json(CheckResult)((yield* beat(["pipeline", "check", "ci/release.yaml", "--json"])).stdout)
      assert.lengthOf(plan.plan?.steps ?? [], 5)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("list and status show the state of pipelines, on a narrow screen too", () =>
    Effect.gen(function* () {
      yield* beat(["pipeline", "run", "ci/release.yaml"])
      yield* endNext(completed)
      yield* endNext(failed)
      const list = yield* beat(["pipeline"], { columns: 60 })
      assert.match(list.stdout, /^ID +STATUS +STEPS +AGE +TOOK +NAME\n\w{12} +running +3\/5 .* release\n$/)
      const page = yield* json(PipelinePage)((yield* beat(["pipeline", "list", "-s", "running", "--json"])).stdout)
      assert.deepStrictEqual([page.pipelines.length, page.next], [1, null])
      const status = yield* beat(["pipeline", "status"], { columns: 70 })
      for (const row of [
        /^build +completed/m,
        /^lint +queued/m,
        /^unit +failed .*exit 1$/m,
        /^repair +queued/m,
        /^deploy +skipped/m
      ]) {
        assert.match(status.stdout, row)
      }
      const narrow = yield* beat(["pipeline", "status"], { columns: 40 })
      for (const line of narrow.stdout.split("\n")) assert.isAtMost(line.length, 40, line)
      assert.strictEqual((yield* beat(["pipeline", "status", "zzz"])).code, 3)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("graph draws the steps of a pipeline, including ended ones, and nothing else", () =>
    Effect.gen(function* () {
      const id = (yield* beat(["pipeline", "run", "ci/release.yaml"])).stdout.trim()
      yield* beat(["run", "-a", "shell", "something else"])
      yield* endNext(completed)
      const drawn = yield* json(TaskGraph)((yield* beat(["graph", id.slice(0, 8), "--json"])).stdout)
      assert.deepStrictEqual([drawn.nodes.length, drawn.edges.length, drawn.truncated], [5, 5, false])
      assert.strictEqual((yield* beat(["graph", "zzz"])).code, 3)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("cancel ends what has not ended, and wait exits as the pipeline did", () =>
    Effect.gen(function* () {
      const id = (yield* beat(["pipeline", "run", "ci/release.yaml"])).stdout.trim()
      yield* endNext(completed)
      const cancelled = yield* beat(["pipeline", "cancel", id.slice(0, 8), "--reason", "enough"])
      assert.match(cancelled.stdout, new RegExp(`^${id} cancelled by .*: enough\n$`))
      const waited = yield* beat(["wait", id])
      assert.strictEqual(waited.code, 4)
      assert.match(waited.stdout, /^\w{12} cancelled by/)
      const told = yield* json(WaitResult)((yield* beat(["wait", id, "@last", "--json"])).stdout)
      assert.deepStrictEqual([told.tasks.length, told.pipelines[0]?.id], [1, id])
      assert.strictEqual((yield* beat(["wait", id, "--status", "running"])).code, 2)
      assert.match((yield* beat(["pipeline", "cancel", id])).stdout, /had already ended/)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("retry keeps what is completed and runs the rest again", () =>
    Effect.gen(function* () {
      const id = (yield* beat(["pipeline", "run", "ci/release.yaml"])).stdout.trim()
      const early = yield* beat(["pipeline", "retry", id])
      assert.strictEqual(early.code, 1)
      assert.match(early.stderr, /is queued: it cannot be retried now/)
      yield* endNext(completed)
      yield* endNext(failed)
      yield* endNext(completed)
      yield* endNext(completed)
      const again = (yield* beat(["pipeline", "retry", id])).stdout.trim()
      const shown = yield* json(Pipeline)((yield* beat(["pipeline", "status", again, "--json"])).stdout)
      assert.strictEqual(shown.retryOf, id)
      assert.deepStrictEqual(
        shown.steps.map(({ kept, name, status }) => [name, status, kept]),
        [
          ["build", "completed", true],
          ["lint", "completed", true],
          ["unit", "queued", false],
          ["repair", "queued", false],
          ["deploy", "queued", false]
        ]
      )
      const [, , unit, , deploy] = shown.steps.map(({ task }) => task)
      assert.deepStrictEqual([unit?.attempt, unit?.priority, deploy?.attempt], [2, "P0", 1])
      assert.strictEqual(deploy?.continueFrom, unit?.id)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("schema prints JSON", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* beat(["pipeline", "schema"])
      assert.strictEqual(code, 0)
      assert.property(JSON.parse(stdout), "$defs")
    }).pipe(Effect.provide(world()))
  )
})
