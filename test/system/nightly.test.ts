/** Schedules with the built program: the nightly pipeline of the README as it is written, and what people type. */
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { Beat, until } from "./Beat.ts"

const readme = readFileSync(resolve(import.meta.dirname, "../../README.md"), "utf8")

describe("beat schedule", () => {
  let beat: Beat

  beforeEach(() => {
    beat = new Beat()
  })

  afterEach(() => beat.close())

  it("runs the nightly pipeline of the README as it is written", async () => {
    const [, file = ""] = /```yaml\n(# nightly\.yaml\n[\s\S]*?)```/.exec(readme) ?? []
    writeFileSync(join(beat.home, "nightly.yaml"), file)
    writeFileSync(join(beat.home, "package.json"), JSON.stringify({ scripts: { test: "echo all 3 tests pass" } }))
    const standIn = `grep -o 'all 3 tests pass' | head -n 1 > nightly.md; echo done`
    await beat.run(["config", "set", "agents.standin.command", JSON.stringify(["/bin/sh", "-c", standIn])])
    await beat.run(["config", "set", "defaultAgent", "standin"])
    const words = ["schedule", "create", "--name", "nightly", "--at", "2s", "--pipeline", "nightly.yaml"]
    assert.include(readme, "beat schedule create --name nightly --cron '30 2 * * *' --pipeline nightly.yaml")
    const created = await beat.run(words)
    assert.strictEqual(created.code, 0, created.stderr)
    assert.match(created.stdout, /^[0-9a-z]{12}\n$/)
    assert.match(created.stderr, /^Fires \w{3} \d{4}-\d{2}-\d{2} /m)
    assert.match(created.stderr, /reboot/)
    const row = () =>
      beat.rows<{ status: string; late: number }>("SELECT status, at - due_at AS late FROM schedule_executions")[0]
    await until("the pipeline is over", () => row()?.status === "completed")
    assert.isBelow(row()?.late ?? Number.POSITIVE_INFINITY, 2000)
    assert.strictEqual(readFileSync(join(beat.home, "nightly.md"), "utf8"), "all 3 tests pass\n")
    const status = JSON.parse((await beat.run(["schedule", "status", "nightly", "--json"])).stdout)
    assert.deepInclude(status, { kind: "pipeline", title: "nightly", status: "completed", runs: 1, times: [] })
    assert.deepInclude(status.last, { status: "completed", origin: "time", count: 1 })
  })

  it("is refused in a sentence, and changed, run, paused and ended by name", async () => {
    const refused = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await beat.run(["schedule", ...args])
      assert.strictEqual(stdout, "")
      return `${code} ${stderr.replace(/^beat: /, "").trim()}`
    }
    assert.match(await refused("create", "-a", "shell", "true"), /^2 No time was given: use --cron, --every or --at/)
    assert.match(
      await refused("create", "--cron", "61 * * * *", "-a", "shell", "true"),
      /^2 cron: '61' is not for the minute/
    )
    assert.match(
      await refused("create", "--at", "2020-01-01", "-a", "shell", "true"),
      /^2 at: '2020-01-01' is in the past/
    )
    assert.match(await refused("create", "--every", "5m", "-z", "Mars/One", "-a", "shell", "true"), /^2 timezone: /)
    assert.match(
      await refused("create", "--every", "5m", "--at", "2h", "-a", "shell", "true"),
      /^2 schedule: only one of/
    )
    assert.match(
      await refused("create", "--cron", "0 0 30 2 *", "-a", "shell", "true"),
      /^2 schedule: there is no such time/
    )
    assert.match(await refused("status", "nobody"), /^3 No schedule 'nobody'/)

    const made = await beat.run([
      "schedule",
      "create",
      "--every",
      "1h",
      "--name",
      "hourly",
      "-a",
      "shell",
      "echo one > out"
    ])
    assert.strictEqual(made.code, 0, made.stderr)
    const edited = await beat.run([
      "schedule",
      "edit",
      "hourly",
      "--cron",
      "@daily",
      "--timezone",
      "UTC",
      "echo two > out"
    ])
    assert.strictEqual(edited.code, 0, edited.stderr)
    const task = (await beat.run(["schedule", "run-now", "hourly"])).stdout.trim()
    assert.strictEqual((await beat.run(["wait", task])).code, 0)
    assert.strictEqual(readFileSync(join(beat.home, "out"), "utf8"), "two\n")
    assert.match((await beat.run(["schedule", "history", "hourly"])).stdout, /completed .* run by hand/)
    assert.match((await beat.run(["schedule", "pause", "hourly"])).stdout, / paused\n$/)
    assert.strictEqual((await beat.run(["schedule", "resume", "hourly", "--json"])).code, 0)
    assert.match((await beat.run(["schedule", "list"])).stdout, /hourly +active/)
    assert.match((await beat.run(["schedule", "cancel", "hourly", "--cancel-tasks"])).stdout, / cancelled\n$/)
    assert.strictEqual((await beat.run(["schedule", "list"])).stdout, "")
    assert.match((await beat.run(["schedule", "list", "--all", "--json"])).stdout, /"status":"cancelled"/)
  })
})
