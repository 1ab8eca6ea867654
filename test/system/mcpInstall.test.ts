/** `beat mcp install` and `uninstall` on real files: links, odd files of others, the home and the program they name. */
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, binary } from "./Beat.ts"

describe("mcp install", () => {
  const beat = new Beat()
  const claude = join(beat.home, ".claude.json")
  const codex = join(beat.home, ".codex/config.toml")
  afterAll(() => beat.close())

  it("writes through a link whose target is not there yet, with full paths and the home, and goes again", async () => {
    symlinkSync("dots/claude.json", claude)
    const installed = await beat.run(["mcp", "install", "claude"], { env: { BACKBEAT_HOME: "state" } })
    assert.strictEqual(installed.code, 0, installed.stderr)
    assert.isTrue(lstatSync(claude).isSymbolicLink())
    const { backbeat } = JSON.parse(readFileSync(join(beat.home, "dots/claude.json"), "utf8")).mcpServers
    assert.strictEqual(backbeat.env.BACKBEAT_HOME, join(beat.home, "state"))
    assert.deepStrictEqual(backbeat.args.slice(-3), [binary, "mcp", "start"])
    assert.match(backbeat.command, /^\//)
    const gone = await beat.run(["mcp", "uninstall", "claude"])
    assert.strictEqual(gone.code, 0, gone.stderr)
    assert.deepStrictEqual(JSON.parse(readFileSync(claude, "utf8")), { mcpServers: {} })
  })

  it("keeps every other byte of a file with a byte order mark, odd numbers and a name twice", async () => {
    const before = '\uFEFF{"a":1,"a":2,"y":1e400,"n":12345678901234567890}'
    writeFileSync(claude, before)
    const installed = await beat.run(["mcp", "install", "claude"])
    assert.strictEqual(installed.code, 0, installed.stderr)
    assert.isTrue(readFileSync(claude, "utf8").startsWith(before.slice(0, -1)))
    assert.strictEqual(readFileSync(`${join(beat.home, "dots/claude.json")}.before-backbeat`, "utf8"), before)
  })

  it("changes a table over several lines, and leaves alone what is not TOML or not UTF-8", async () => {
    mkdirSync(join(beat.home, ".codex"))
    writeFileSync(codex, '[mcp_servers.backbeat]\ncommand = "old"\nargs = [\n  "mcp",\n  "start",\n]\n')
    const installed = await beat.run(["mcp", "install", "codex"])
    assert.strictEqual(installed.code, 0, installed.stderr)
    assert.notInclude(readFileSync(codex, "utf8"), "old")
    for (const bytes of [Buffer.from("a = \n"), Buffer.from([0x61, 0x3d, 0x22, 0xff, 0x22])]) {
      writeFileSync(codex, bytes)
      const refused = await beat.run(["mcp", "install", "codex"])
      assert.strictEqual(refused.code, 2)
      assert.include(refused.stderr, "by hand")
      assert.isTrue(readFileSync(codex).equals(bytes))
    }
  })
})
