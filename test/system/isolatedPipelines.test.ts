/** Isolated pipelines with the built program: one workspace for the steps, and those that have their own. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, makeBusyRepository, makeRepository, userState } from "../support/repository.ts"
import { Beat, until } from "./Beat.ts"

describe("an isolated pipeline", () => {
  let beat: Beat
  let home: string
  let file: string

  beforeEach(() => {
    beat = new Beat()
    home = join(beat.home, "shop")
    file = join(beat.home, "outline.yaml")
  })

  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>) => beat.run(args, { cwd: home })
  const taskOf = (step: string) =>
    beat.rows<{ task_id: string }>("SELECT task_id FROM pipeline_steps WHERE name = ?", step)[0]?.task_id ?? ""
  const left = (step: string, path: string) => gitIn(home, "show", `refs/backbeat/task/${taskOf(step)}:${path}`)

  /** Side by side: `docs` in its own workspace, `more` in the shared one. */
  const steps = `
isolate: true
setup: echo ready > setup
defaults: { agent: shell }
steps:
  - { name: build, prompt: "test -e setup && echo 1 > built" }
  - - { name: docs, workspace: own, prompt: "test -e built && ! test -e more && echo 2 > docs" }
    - { name: more, prompt: "echo 3 > more" }
  - { name: last, prompt: "test -e built && test -e more && ! test -e docs && echo 4 > last" }
`

  it("hands the work from step to step, changes nothing of the repository, and is merged by its id or name", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    writeFileSync(file, steps)
    assert.match((await run(["pipeline", "check", file])).stdout, /fine, 5 steps/)
    const { code, stderr, stdout } = await run(["pipeline", "run", file])
    assert.strictEqual(code, 0, stderr)
    const id = stdout.trim()
    const waited = await run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(waited.code, 0, `${waited.stderr}${(await run(["pipeline", "status", id])).stdout}`)
    assert.deepStrictEqual(userState(home), before)
    assert.strictEqual(left("docs", "built"), "1")
    // What a step with its own workspace changed counts from where it began.
    assert.strictEqual((await run(["diff", taskOf("docs"), "--name-only"])).stdout.trim(), "docs")
    assert.deepStrictEqual((await run(["diff", "outline", "--name-only"])).stdout.trim().split("\n"), [
      "built",
      "last",
      "more",
      "setup"
    ])
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual((await run(["merge", taskOf("docs")])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:last"), "4")
    assert.strictEqual(gitIn(home, "show", "HEAD:docs"), "2")
  })

  for (const step of ["enter.based", "cut.renamed", "seal.stored"]) {
    it(`ends the same after a kill at ${step}`, async () => {
      makeRepository(home)
      writeFileSync(file, steps)
      const at = step === "enter.based" ? `${step}:kill` : `${step}:kill@2`
      const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: at } })
      await until("it serves", () => beat.workers().length === 1)
      const id = (await run(["pipeline", "run", file])).stdout.trim()
      assert.strictEqual((await doomed.done).signal, "SIGKILL")
      assert.strictEqual((await run(["wait", id, "--timeout", "280s"])).code, 0)
      assert.strictEqual(left("docs", "built"), "1")
      assert.strictEqual(left("last", "more"), "3")
      assert.strictEqual((await run(["diff", taskOf("docs"), "--name-only"])).stdout.trim(), "docs")
    })
  }

  /** Each candidate knows its slot; the shared workspace has the first. */
  const contested = (second: string) => `
isolate: true
setup: echo ready > setup
defaults: { agent: shell }
steps:
  - { name: first, prompt: "echo 1 > first" }
  - name: build
    prompt: |
      test -e setup && test -e first || exit 9
      case $BACKBEAT_SLOT in 2) echo 5 > n;; 3) ${second};; 4) echo 1 > n; touch broken;; esac
      echo "I am candidate $BACKBEAT_SLOT"
    times: 3
    best: { check: "! test -e broken", score: cat n, better: lower }
  - { name: last, continueFrom: build, prompt: "cat n > last" }
`

  it("lets candidates work on a step, and the steps after it on the one that is kept", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    writeFileSync(file, contested("echo 3 > n"))
    assert.match((await run(["pipeline", "check", file])).stdout, /fine, 4 steps/)
    const { code, stderr, stdout } = await run(["pipeline", "run", file])
    assert.strictEqual(code, 0, stderr)
    const id = stdout.trim()
    const waited = await run(["wait", "outline", "--timeout", "280s"])
    const shown = (await run(["pipeline", "status", id])).stdout
    assert.strictEqual(waited.code, 0, `${waited.stderr}${shown}`)
    assert.strictEqual(left("last", "last"), "3")
    assert.strictEqual(left("last", "first"), "1")
    assert.deepStrictEqual(userState(home), before)
    const contest = /build .*beat status (\w+)/.exec(shown)?.[1] ?? ""
    assert.match((await run(["status", contest])).stdout, /#2 .*yes +3 .*<- kept/)
    assert.match((await run(["logs", taskOf("build")])).stdout, /Candidate 2 of 3 is kept/)
    // The last step continues from the work of that candidate, not from the choice.
    assert.match((await run(["status", "outline"])).stdout, /completed/)
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:n"), "3")
  })

  it("stops where no candidate passes, lets a retry try them again, and cancels them with the pipeline", async () => {
    makeRepository(home)
    const go = join(beat.home, "go")
    const broken = contested("").replace(/case .* esac/, `echo 3 > n; test -e ${go} || touch broken`)
    writeFileSync(file, broken)
    const id = (await run(["pipeline", "run", file])).stdout.trim()
    assert.strictEqual((await run(["wait", id, "--timeout", "280s"])).code, 1)
    assert.match(
      (await run(["pipeline", "status", id])).stdout,
      /build +failed .*rejected: None of its candidates is kept/
    )
    writeFileSync(go, "")
    const again = (await run(["pipeline", "retry", id])).stdout.trim()
    assert.strictEqual((await run(["wait", again, "--timeout", "280s"])).code, 0)
    assert.strictEqual((await run(["merge", again])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:last"), "3")
    assert.lengthOf(beat.rows("SELECT id FROM contests"), 2)
    assert.lengthOf(beat.rows("SELECT id FROM contests WHERE status = 'running'"), 0)
    writeFileSync(file, contested("").replace(/case .* esac/, "sleep 60"))
    const long = (await run(["pipeline", "run", file])).stdout.trim()
    await until("candidates run", () => beat.rows("SELECT id FROM contests WHERE status = 'running'").length > 0)
    assert.strictEqual((await run(["pipeline", "cancel", long])).code, 0)
    assert.lengthOf(beat.rows("SELECT id FROM tasks WHERE status IN ('queued', 'running')"), 0)
    assert.lengthOf(beat.rows("SELECT id FROM contests WHERE status = 'cancelled'"), 1)
  })

  it("retries in the same workspace, and begins at the commit of --base", async () => {
    makeRepository(home, { "a.txt": "1\n" })
    gitIn(home, "tag", "old")
    writeFileSync(join(home, "a.txt"), "2\n")
    gitIn(home, "commit", "-qam", "two")
    const go = join(beat.home, "go")
    const args = [
      "--isolate",
      "--base",
      "old",
      "-a",
      "shell",
      "--step",
      "cp a.txt b",
      "--step",
      `test -e ${go} && cp b c`
    ]
    const id = (await run(["pipeline", "run", ...args])).stdout.trim()
    assert.strictEqual((await run(["wait", id, "--timeout", "280s"])).code, 1)
    writeFileSync(go, "")
    const again = (await run(["pipeline", "retry", id])).stdout.trim()
    assert.strictEqual((await run(["wait", again, "--timeout", "280s"])).code, 0)
    const retried = beat.rows<{ task_id: string }>(
      "SELECT task_id FROM pipeline_steps WHERE pipeline_id = ? AND name = 'step-2'",
      again
    )[0]?.task_id
    assert.strictEqual(gitIn(home, "show", `refs/backbeat/task/${retried}:c`), "1")
  })

  it("is refused in a schedule, outside git, and with the directory of a step", async () => {
    makeRepository(home)
    writeFileSync(file, steps)
    const scheduled = await run(["schedule", "create", "--pipeline", file, "--every", "1h"])
    assert.deepInclude(scheduled, { code: 2 })
    assert.match(scheduled.stderr, /a schedule cannot run an isolated pipeline/)
    const outside = await beat.run(["pipeline", "run", file])
    assert.deepInclude(outside, { code: 2 })
    assert.match(outside.stderr, /git init/)
    writeFileSync(file, "steps: [{ name: a, agent: shell, prompt: b, directory: . }]")
    const elsewhere = await run(["pipeline", "run", "--isolate", file])
    assert.deepInclude(elsewhere, { code: 2 })
    assert.match(elsewhere.stderr, /a\.directory/)
    assert.match((await run(["pipeline", "run", "--base", "HEAD", "--step", "x"])).stderr, /--base needs/)
    assert.lengthOf(beat.rows("SELECT id FROM tasks"), 0)
  })
})
