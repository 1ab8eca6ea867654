/** `beat mcp`, as people type it: the built program against real files and the real server. */
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { Beat } from "../system/Beat.ts"

let beat: Beat
beforeEach(() => {
  beat = new Beat()
})
afterEach(() => beat.close())

describe("beat mcp", () => {
  it("test goes through the steps of a client", async () => {
    const { code, stdout } = await beat.run(["mcp", "test", "--json"])
    assert.strictEqual(code, 0, stdout)
    const report = JSON.parse(stdout)
    assert.deepStrictEqual(
      report.steps.map(({ step }: { step: string }) => step),
      ["start", "initialize", "tools/list", "TaskStatus", "leave"]
    )
  })

  it("test fails with the step that failed", async () => {
    const home = join(beat.home, "broken")
    mkdirSync(join(home, "backbeat.db"), { recursive: true })
    const { code, stdout } = await beat.run(["mcp", "test"], { env: { BACKBEAT_HOME: home } })
    assert.strictEqual(code, 1)
    assert.match(stdout, /^fail TaskStatus .*StorageError/m)
  })

  it("install writes through a link, keeps the permissions and a copy", async () => {
    const real = join(beat.home, "dotfiles.json")
    writeFileSync(real, '{"mcpServers":{"x":{}}}', { mode: 0o640 })
    mkdirSync(join(beat.home, ".cursor"))
    symlinkSync(real, join(beat.home, ".cursor", "mcp.json"))
    const { code, stderr } = await beat.run(["mcp", "install", "cursor"])
    assert.strictEqual(code, 0, stderr)
    const written = JSON.parse(readFileSync(real, "utf8"))
    assert.hasAllKeys(written.mcpServers, ["x", "backbeat"])
    assert.strictEqual(statSync(real).mode & 0o777, 0o640)
    assert.strictEqual(readFileSync(`${real}.before-backbeat`, "utf8"), '{"mcpServers":{"x":{}}}')
    // What it wrote starts a server.
    const { args, command } = written.mcpServers.backbeat
    assert.strictEqual(command, process.execPath)
    assert.deepStrictEqual(args.slice(-2), ["mcp", "start"])
  })

  it("config prints the snippet alone on stdout; unknown clients are usage errors", async () => {
    const { stdout } = await beat.run(["mcp", "config"])
    assert.property(JSON.parse(stdout).mcpServers, "backbeat")
    const { code, stderr } = await beat.run(["mcp", "config", "cursro"])
    assert.strictEqual(code, 2)
    assert.match(stderr, /Did you mean 'cursor'\?/)
  })
})
