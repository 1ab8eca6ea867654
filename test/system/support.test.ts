/** `beat support`, `metrics` and `timeline` as a user runs them: with secrets around, without a database, and after a retry. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, until } from "./Beat.ts"

describe("the record for monitoring and reports", { timeout: 60_000 }, () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("is there where nothing has run yet", async () => {
    const metrics = await beat.run(["metrics"])
    assert.deepStrictEqual([metrics.code, metrics.stderr], [0, ""])
    assert.match(metrics.stdout, /^backbeat_workers 0$/m)
    const timeline = await beat.run(["timeline", "@last"])
    assert.strictEqual(timeline.code, 3)
    for (const args of [["metrics", "x"], ["timeline"], ["support", "--json"]]) {
      assert.strictEqual((await beat.run(args)).code, 2, args.join(" "))
    }
    assert.match((await beat.run(["help"])).stdout, /timeline/)
    const log = await beat.run(["logs", "--worker"])
    assert.deepStrictEqual([log.code, log.stdout], [0, ""])
    assert.match(log.stderr, /no worker in the background has written a log yet/)
  })

  it("has no key, no prompt and no output in a report", async () => {
    mkdirSync(join(beat.home, "state"), { recursive: true, mode: 0o700 })
    const agents = { claude: { apiKey: "configured-value-1", env: { PLAIN: "configured-value-2" } } }
    writeFileSync(join(beat.home, "state", "config.json"), JSON.stringify({ agents }), { mode: 0o600 })
    const env = { MY_TOKEN: "exported-value-1" }
    const run = await beat.run(["run", "-f", "-a", "shell", "echo private output; echo exported-value-1"], { env })
    assert.strictEqual(run.code, 0, run.stderr)
    writeFileSync(join(beat.home, "state", "logs", "mcp.log"), "a key exported-value-1 in a log\n")
    const { code, stderr, stdout } = await beat.run(["support"], { env })
    assert.deepStrictEqual([code, stderr], [0, ""])
    for (const part of [
      "== installation ==",
      "== checks ==",
      "== settings ==",
      "== end of worker.log ==",
      "1 completed"
    ]) {
      assert.include(stdout, part)
    }
    assert.include(stdout, "a key *** in a log")
    for (const secret of ["configured-value", "exported-value", "private output", beat.home]) {
      assert.notInclude(stdout, secret)
    }
  })

  it("has the log of the workers at hand, and follows it until it is interrupted", async () => {
    const last = await beat.run(["logs", "--worker", "-n", "1000"])
    assert.strictEqual(last.code, 0)
    assert.match(last.stdout, /^\S+Z info {2}worker \w+ \(on-demand, pid \d+\) started\n/)
    for (const [said, ...args] of [
      ["Unexpected argument '@last'", "@last"],
      ["--worker and --raw cannot be combined", "--raw"],
      ["--worker and --json cannot be combined", "--json"],
      ["--lines", "-n", "x"]
    ]) {
      const refused = await beat.run(["logs", "--worker", ...args])
      assert.strictEqual(refused.code, 2, args.join(" "))
      assert.include(`${refused.stderr}${refused.stdout}`, said ?? "")
    }
    const following = beat.start(["logs", "-f", "--worker", "-n", "0"])
    const id = await beat.submit("true")
    await until("the end is in the log", () => following.stdout().includes(`task ${id} completed`))
    following.child.kill("SIGINT")
    assert.strictEqual((await following.done).code, 130)
  })

  it("names both attempts of a task that was tried again", async () => {
    const first = await beat.submit("exit 3")
    await beat.run(["wait", first])
    const second = (await beat.run(["retry", first])).stdout.trim()
    await beat.run(["wait", second])
    const { stdout } = await beat.run(["timeline", second])
    const whats = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.slice(21).split(/ {2,}/))
    assert.deepStrictEqual(
      whats.map(([id, what]) => [id, what]),
      [first, second].flatMap((id) => [
        [id, "created"],
        [id, "started"],
        [id, "ended"]
      ])
    )
    assert.match(stdout, /ended +failed \(exit 3\)/)
    const { entries } = JSON.parse((await beat.run(["timeline", first, "--json"])).stdout)
    assert.lengthOf(entries, 6)
  })
})
