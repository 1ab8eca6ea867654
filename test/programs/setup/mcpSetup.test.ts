/** Writing the configuration of MCP clients: only what is ours changes, nothing is lost, twice is once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ClientFiles, layer } from "../../../src/layers/memory/fakes/McpClients.ts"
import { ClientName, installMcp, mcpSnippet } from "../../../src/programs/setup/mcpSetup.ts"

const path = {
  claude: "/home/b/.claude.json",
  codex: "/home/b/.codex/config.toml",
  vscode: "/home/b/.config/Code/User/mcp.json"
}

describe("installing", () => {
  it.effect("writes what the snippet says where there was nothing, and nothing the second time", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      for (const name of ClientName.literals) {
        const first = yield* installMcp(name, false)
        assert.deepInclude(first, { changed: true, written: true, backup: null })
        assert.strictEqual(files.get(first.file)?.trim(), (yield* mcpSnippet(name)).snippet)
        const second = yield* installMcp(name, false)
        assert.deepInclude(second, { changed: false, written: false })
      }
      assert.strictEqual(files.size, ClientName.literals.length)
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps everything else, a copy, and what a person added to our entry", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      const before = `{\n    "projects": { "a": [1, 2] },\n    "mcpServers": { "backbeat": { "command": "old", "env": { "A": "b" } }, "x": {} }\n}`
      files.set(path.claude, before)
      const report = yield* installMcp("claude", false)
      assert.strictEqual(files.get(report.backup ?? ""), before)
      assert.deepStrictEqual(JSON.parse(files.get(path.claude) ?? ""), {
        projects: { a: [1, 2] },
        mcpServers: {
          backbeat: { command: "beat", env: { A: "b" }, type: "stdio", args: ["mcp", "start"] },
          x: {}
        }
      })
      assert.match(files.get(path.claude) ?? "", /\n {4}"projects"/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("changes one table of a TOML file, and leaves comments and order", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      files.set(
        path.codex,
        '# mine\nmodel = "x"\n\n[mcp_servers.backbeat] # ours\ncommand = "old" \ntool_timeout_sec = 90\n\n[other]\ncommand = "kept"\n'
      )
      yield* installMcp("codex", false)
      assert.strictEqual(
        files.get(path.codex),
        '# mine\nmodel = "x"\n\n[mcp_servers.backbeat] # ours\nargs = ["mcp", "start"]\ncommand = "beat"\ntool_timeout_sec = 90\n\n[other]\ncommand = "kept"\n'
      )
      assert.isFalse((yield* installMcp("codex", false)).changed)
    }).pipe(Effect.provide(layer))
  )

  it.effect("writes nothing in a dry run", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      assert.deepInclude(yield* installMcp("gemini", true), { changed: true, written: false })
      assert.strictEqual(files.size, 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves a file alone that it cannot read, and says what to add", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      for (const text of ['// mine\n{ "servers": {} }', "[]", '{ "servers": 1 }']) {
        files.set(path.vscode, text)
        const error = yield* Effect.flip(installMcp("vscode", false))
        assert.strictEqual(error._tag, "ConfigInvalid")
        assert.include(error.message, '"backbeat"')
        assert.strictEqual(files.get(path.vscode), text)
      }
    }).pipe(Effect.provide(layer))
  )
})
