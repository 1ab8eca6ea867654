/** The built binary as people and scripts use it: argv in, stdout, stderr and exit code out. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { JsonError } from "../../src/cli/framework/Json.ts"
import { Overview } from "../../src/programs/reports/overview.ts"
import { TaskPage } from "../../src/programs/reports/taskPage.ts"
import { TaskReport } from "../../src/programs/reports/taskReport.ts"
import { DoctorReport } from "../../src/programs/setup/Doctor.ts"
import { InitReport } from "../../src/programs/setup/init.ts"
import { Beat, binary } from "../system/Beat.ts"

const decode = <A, I>(schema: Schema.Schema<A, I>, text: string): A =>
  Schema.decodeUnknownSync(Schema.parseJson(schema), { onExcessProperty: "error" })(text)

const homes: Array<Beat> = []
const fresh = (settings: Readonly<Record<string, string>> = {}): Beat => {
  const beat = new Beat(settings)
  homes.push(beat)
  return beat
}
afterAll(() => Promise.all(homes.map((beat) => beat.close())))

describe.skipIf(!existsSync(binary))("the built beat", () => {
  it("reads where there is nothing, and makes nothing", async () => {
    const beat = fresh()
    for (const words of [[], ["list"], ["status"], ["workers"], ["agents"], ["config"], ["doctor"], ["--help"]]) {
      const seen = await beat.run(words)
      assert.strictEqual(seen.code, 0, `${words.join(" ")}: ${seen.stderr}`)
      assert.notInclude(seen.stdout + seen.stderr, "\u001b")
    }
    assert.strictEqual((await beat.run(["status", "@last"])).code, 3)
    assert.strictEqual((await beat.run(["__complete", "--", "status", ""])).stdout, "")
    assert.deepStrictEqual(readdirSync(beat.home), [])
    assert.deepStrictEqual(decode(Overview, (await beat.run(["--json"])).stdout).running, [])
  })

  it("queues nothing named --tpyo, and takes --help as a prompt after --", async () => {
    const beat = fresh()
    for (const words of [
      ["run", "--tpyo"],
      ["run", "-a", "shell", "do", "it"],
      ["rnu", "x"]
    ]) {
      const seen = await beat.run(words)
      assert.deepStrictEqual([seen.code, seen.stdout], [2, ""], words.join(" "))
      assert.strictEqual(seen.stderr.split("beat: ").length, 2)
    }
    assert.isFalse(existsSync(join(beat.home, "state", "backbeat.db")))
    const { stdout } = await beat.run(["run", "-a", "shell", "--json", "--", "--help"])
    assert.include(stdout, '"prompt":"--help"')
    const page = decode(TaskPage, (await beat.run(["list", "--json"])).stdout)
    assert.deepStrictEqual(
      page.tasks.map(({ title }) => title),
      ["--help"]
    )
  })

  it("starts no MCP server with words that it does not know", async () => {
    const beat = fresh()
    for (const [words, told] of [
      [["--bogus"], "--bogus"],
      [["extra"], "extra"],
      [["--tools"], "--tools"],
      [["--tools", "foo"], "core"],
      [["--tools=allx"], "core"],
      [["--tools", "all", "extra"], "extra"]
    ] as const) {
      const seen = await beat.run(["mcp", "start", ...words])
      assert.deepStrictEqual([seen.code, seen.stdout], [2, ""], words.join(" "))
      assert.include(seen.stderr, told)
    }
    assert.isFalse(existsSync(join(beat.home, "state")))
  })

  it("gives up immediately where no directory can be made", async () => {
    const beat = fresh({ BACKBEAT_HOME: "/proc/backbeat" })
    for (const [words, code] of [
      [["run", "-a", "shell", "true"], 74],
      [["config", "set", "maxConcurrency", "2"], 2]
    ] as const) {
      const running = beat.start(words)
      const bound = setTimeout(() => running.child.kill("SIGKILL"), 120_000)
      const seen = await running.done
      clearTimeout(bound)
      assert.strictEqual(seen.code, code, seen.stderr)
      assert.include(seen.stderr, "/proc/backbeat")
    }
  })

  it("takes only an agent there is as the default", async () => {
    const beat = fresh()
    const misspelt = await beat.run(["config", "set", "defaultAgent", "shel"])
    assert.strictEqual(misspelt.code, 2)
    assert.match(misspelt.stderr, /There is no agent 'shel'\. Known: claude, /)
    assert.strictEqual((await beat.run(["config", "set", "defaultAgent", "shell"])).code, 0)
    assert.strictEqual((await beat.run(["config", "get", "defaultAgent"])).stdout, "shell\n")
  })

  it("shows a task from its first id to its end", async () => {
    const beat = fresh()
    const submitted = await beat.run(["run", "-a", "shell", "echo hello; exit 3"])
    const id = submitted.stdout.trim()
    assert.match(id, /^[0-9a-z]{12}$/)
    assert.strictEqual((await beat.run(["wait", id, "--timeout", "20s"])).code, 1)
    const report = decode(TaskReport, (await beat.run(["status", id.slice(0, 5), "--json"])).stdout)
    assert.deepStrictEqual([report.id, report.status, report.exitCode, report.bytesStored], [id, "failed", 3, 6])
    assert.match((await beat.run(["why", id])).stdout, /It failed \(exit\), and waits for nothing/)
    assert.match((await beat.run(["ls", "-s", "failed"])).stdout, new RegExp(`${id} +failed .*exit 3`))
    const narrow = await beat.run(["ls"], { env: { COLUMNS: "40" } })
    for (const line of narrow.stdout.split("\n")) assert.isAtMost(line.length, 40)
    const coloured = await beat.run(["ls"], { env: { FORCE_COLOR: "1" } })
    assert.include(coloured.stdout, "\u001b[31mfailed")
    assert.notInclude((await beat.run(["ls"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stdout, "\u001b")
  })

  it("sets up, finds the only agent, and lets doctor mend file modes", async () => {
    const beat = fresh()
    const bin = join(beat.home, "bin")
    mkdirSync(bin)
    writeFileSync(join(bin, "codex"), "#!/bin/sh\n", { mode: 0o755 })
    const env = { PATH: `${bin}:/usr/bin:/bin` }
    const report = decode(InitReport, (await beat.run(["init", "--json"], { env })).stdout)
    assert.deepStrictEqual([report.defaultAgent, report.changed], ["codex", true])
    assert.isFalse(decode(InitReport, (await beat.run(["init", "--json"], { env })).stdout).changed)

    chmodSync(report.database, 0o644)
    chmodSync(report.config, 0o644)
    const modes = async (...words: ReadonlyArray<string>) =>
      decode(DoctorReport, (await beat.run(["doctor", "--json", ...words], { env })).stdout).checks.find(
        ({ name }) => name === "modes"
      )?.status
    assert.strictEqual(await modes(), "warn")
    assert.strictEqual(await modes("--fix"), "fixed")
    assert.strictEqual(await modes(), "ok")

    mkdirSync(join(beat.home, "state", "spool", "0123456789abcdef"), { recursive: true })
    const spool = async (...words: ReadonlyArray<string>) =>
      decode(DoctorReport, (await beat.run(["doctor", "--json", ...words], { env })).stdout).checks.find(
        ({ name }) => name === "spool"
      )?.status
    assert.strictEqual(await spool(), "warn")
    assert.strictEqual(await spool("--fix"), "fixed")
    assert.deepStrictEqual(readdirSync(join(beat.home, "state", "spool")), [])
  })

  it("names what is wrong with the database and the config", async () => {
    const beat = fresh()
    mkdirSync(join(beat.home, "state"), { mode: 0o700 })
    writeFileSync(join(beat.home, "state", "config.json"), '{ "maxConcurrency": 0 }')
    const config = await beat.run(["config", "show", "--json"])
    assert.deepStrictEqual([config.code, decode(JsonError, config.stdout).error.code], [2, "ConfigInvalid"])
    writeFileSync(
      join(beat.home, "state", "backbeat.db"),
      "this is no database, it is a text of some length".repeat(99)
    )
    const damaged = await beat.run(["list", "--json"])
    assert.deepStrictEqual([damaged.code, decode(JsonError, damaged.stdout).error.code], [74, "StorageError"])
    const doctor = await beat.run(["doctor"])
    assert.strictEqual(doctor.code, 1)
    assert.match(doctor.stdout, /config +fail/)
    assert.match(doctor.stdout, /database +fail/)
    rmSync(join(beat.home, "state"), { recursive: true })
  })
})
