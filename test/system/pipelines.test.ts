/** Pipelines with the built program: the file of the README as it is written, and what happens when things go wrong. */
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { Beat } from "./Beat.ts"

const readme = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8")

/** Does what its prompt asks for, as far as it can read: the text in quotes is what the file is to print. */
const standIn = `text=$(sed -n 's/.*exactly "\\(.*\\)".*/\\1/p' | tail -n 1); printf 'echo "%s"\\n' "$text" > hello.sh; echo changed`

interface Step {
  readonly name: string
  readonly status: string
  readonly kept: boolean
  readonly task: { readonly id: string; readonly attempt: number; readonly retryOf: string | null }
}

interface Shown {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly retryOf: string | null
  readonly steps: ReadonlyArray<Step>
}

describe("beat pipeline", () => {
  let beat: Beat

  beforeEach(() => {
    beat = new Beat()
  })

  afterEach(() => beat.close())

  const write = (name: string, text: string) => writeFileSync(join(beat.home, name), text)
  const show = async (id: string): Promise<Shown> =>
    JSON.parse((await beat.run(["pipeline", "status", id, "--json"])).stdout)
  const standing = ({ status, steps }: Shown) => `${status}: ${steps.map(({ name, status }) => `${name} ${status}`)}`

  it("runs the file of the README as it is written", async () => {
    const [, file = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? []
    write("greeting.yaml", file)
    await beat.run(["config", "set", "agents.standin.command", JSON.stringify(["/bin/sh", "-c", standIn])])
    await beat.run(["config", "set", "defaultAgent", "standin"])
    const checked = await beat.run(["pipeline", "check", "greeting.yaml"])
    assert.strictEqual(checked.stdout, "greeting.yaml: fine, 3 steps\n")
    const ran = await beat.run(["pipeline", "run", "-f", "greeting.yaml", "--var", "who=you"])
    assert.strictEqual(ran.code, 0, ran.stderr)
    assert.match(ran.stdout, /^build {2}\| Hello$/m)
    assert.match(ran.stdout, /^change \| changed$/m)
    assert.strictEqual(readFileSync(join(beat.home, "hello.sh"), "utf8"), 'echo "Hello, you!"\n')
    const shown = await show("@last")
    assert.strictEqual(shown.name, "greeting")
    assert.strictEqual(standing(shown), "completed: build completed,change completed,test completed")
  })

  it("exits as its first failed step, and a retry keeps what is completed", async () => {
    write(
      "p.yaml",
      `defaults: { agent: shell }
steps:
  - { name: build, prompt: "echo built >> log" }
  - - { name: lint, prompt: "echo lint >> log" }
    - { name: unit, prompt: "test -e ready && echo unit >> log" }
  - { name: repair, prompt: "echo repaired >> log", policy: failure, after: [unit] }
  - { name: deploy, prompt: "echo deployed >> log", after: [lint, unit] }
`
    )
    const first = await beat.run(["pipeline", "run", "-f", "p.yaml"])
    assert.strictEqual(first.code, 1, first.stderr)
    const failed = await show("@last")
    assert.strictEqual(
      standing(failed),
      "failed: build completed,lint completed,unit failed,repair completed,deploy skipped"
    )
    write("ready", "")
    write("log", "")
    const again = await beat.run(["pipeline", "retry", "-f", failed.id])
    assert.strictEqual(again.code, 0, again.stderr)
    const retried = await show("@last")
    assert.strictEqual(retried.retryOf, failed.id)
    assert.strictEqual(
      standing(retried),
      "completed: build completed,lint completed,unit completed,repair skipped,deploy completed"
    )
    assert.deepStrictEqual(
      retried.steps.map(({ kept }) => kept),
      [true, true, false, false, false]
    )
    assert.strictEqual(readFileSync(join(beat.home, "log"), "utf8"), "unit\ndeployed\n")
    assert.strictEqual(retried.steps[2]?.task.retryOf, failed.steps[2]?.task.id)
    assert.strictEqual(retried.steps[4]?.task.retryOf, null)
    const done = await beat.run(["pipeline", "retry", retried.id])
    assert.strictEqual(done.code, 1)
    assert.match(done.stderr, /is completed: it has no step to run again/)
  })

  it("stops with the reason of a gate that says FAIL, and continues when it says PASS", async () => {
    const schema = "{ type: object, required: [ok], properties: { ok: { const: true } } }"
    write(
      "gated.yaml",
      `
vars: { verdict: PASS, ok: true }
defaults: { agent: shell, retries: 2, backoff: 1s }
steps:
  - { name: review, gate: true, prompt: 'echo "I looked at it."; echo "\${verdict}"' }
  - { name: report, gate: ${schema}, prompt: 'echo "{ \\"ok\\": \${ok} }"' }
  - { name: ship, prompt: echo shipped }
`
    )
    const run = (...variables: ReadonlyArray<string>) =>
      beat.run(["pipeline", "run", "-f", "gated.yaml", ...variables.flatMap((each) => ["--var", each])])
    const passed = await run()
    assert.strictEqual(passed.code, 0, `${passed.stdout}${passed.stderr}`)
    const failed = await run("verdict=FAIL: no test covers it")
    assert.strictEqual(failed.code, 1)
    const shown = await show("gated")
    assert.strictEqual(standing(shown), "failed: review failed,report skipped,ship skipped")
    // A decision is asked for once.
    assert.strictEqual(shown.steps[0]?.task.attempt, 1)
    assert.match(
      (await beat.run(["pipeline", "status", "gated"])).stdout,
      /review +failed .*rejected: no test covers it/
    )
    assert.match((await beat.run(["status", shown.steps[2]?.task.id ?? ""])).stdout, /rejected: no test covers it/)
    const unfit = await run("ok=false")
    assert.strictEqual(unfit.code, 1)
    assert.match((await beat.run(["pipeline", "status", "gated"])).stdout, /report +failed .*does not match the schema/)
  })

  it("is cancelled by Ctrl-C in the foreground, with its running step", async () => {
    const running = beat.start([
      "pipeline",
      "run",
      "-f",
      "-a",
      "shell",
      "--step",
      "echo up; sleep 1000",
      "--step",
      "true"
    ])
    for (let turn = 0; turn < 200 && !running.stdout().includes("up"); turn += 1) {
      await new Promise((next) => setTimeout(next, 50))
    }
    running.child.kill("SIGINT")
    const { code, stderr } = await running.done
    assert.strictEqual(code, 130, stderr)
    assert.strictEqual(standing(await show("@last")), "cancelled: step-1 cancelled,step-2 cancelled")
  })

  it("continues when everything is killed between two steps", async () => {
    const id = (
      await beat.run(["pipeline", "run", "-a", "shell", "--step", "sleep 0.5", "--step", "echo two"])
    ).stdout.trim()
    const started = () => beat.rows<{ pid: number }>("SELECT pid FROM claims WHERE state = 'running'")
    for (let turn = 0; turn < 200 && started().length === 0; turn += 1)
      await new Promise((next) => setTimeout(next, 50))
    for (const pid of beat.workers()) process.kill(pid, "SIGKILL")
    const waited = await beat.run(["wait", id])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.strictEqual(standing(await show(id)), "completed: step-1 completed,step-2 completed")
    const ends = beat.rows<{ kind: string }>("SELECT kind FROM outbox WHERE id = ?", id)
    assert.deepStrictEqual(ends, [{ kind: "pipeline" }])
  })
})
