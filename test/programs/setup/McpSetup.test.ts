/** Writing the configuration of MCP clients: only what is ours changes, nothing is lost, twice is once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { withDefaults } from "../../../src/domain/settings/Settings.ts"
import { allAgents } from "../../../src/layers/agents/Registry.ts"
import { ClientFiles, layer, layerWith } from "../../../src/layers/memory/fakes/McpClients.ts"
import { passedOn } from "../../../src/programs/setup/clients/clients.ts"
import { ClientName, installMcp, mcpSnippet, uninstallMcp } from "../../../src/programs/setup/McpSetup.ts"

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
        '# mine\nmodel = "x"\n\n[mcp_servers.backbeat] # ours\ncommand = "old" \nenv_vars = ["MINE"]\ntool_timeout_sec = 90\n\n[other]\ncommand = "kept"\n'
      )
      yield* installMcp("codex", false)
      const names = ["MINE", ...passedOn].map((name) => `"${name}"`).join(", ")
      assert.strictEqual(
        files.get(path.codex),
        `# mine\nmodel = "x"\n\n[mcp_servers.backbeat] # ours\nargs = ["mcp", "start"]\ncommand = "beat" \nenv_vars = [${names}]\ntool_timeout_sec = 90\n\n[other]\ncommand = "kept"\n`
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
      for (const text of ['{ "servers": {}, "servers": {} }', "[]", '{ "servers": 1 }']) {
        files.set(path.vscode, text)
        const error = yield* Effect.flip(installMcp("vscode", false))
        assert.strictEqual(error._tag, "ConfigInvalid")
        assert.include(error.message, '"backbeat"')
        assert.strictEqual(files.get(path.vscode), text)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("passes on to Codex what every agent may log in with", () =>
    Effect.sync(() => {
      const known = allAgents(withDefaults({}, 2)).flatMap(({ credentialVariables }) => credentialVariables)
      assert.includeMembers([...passedOn], known)
    })
  )

  it.effect("names the home that was chosen, in each client's own form, and keeps a choice that a person made", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      files.set("/home/b/.copilot/mcp-config.json", '{"mcpServers":{"backbeat":{"tools":["DelegateTask"]}}}')
      for (const name of ClientName.literals) {
        const { file } = yield* installMcp(name, false)
        assert.match(files.get(file) ?? "", /"?BACKBEAT_HOME"?\s*[:=]\s*"\/data\/beat"/, name)
        const { command } = yield* mcpSnippet(name)
        if (command !== null) assert.match(command, /BACKBEAT_HOME.*\/data\/beat/, name)
      }
      assert.include(files.get("/home/b/.copilot/mcp-config.json") ?? "", '"tools":["DelegateTask"]')
      const opencode = JSON.parse(files.get("/home/b/.config/opencode/opencode.json") ?? "")
      assert.deepStrictEqual(opencode.mcp.backbeat, {
        type: "local",
        command: ["beat", "mcp", "start"],
        environment: { BACKBEAT_HOME: "/data/beat" },
        enabled: true
      })
    }).pipe(Effect.provide(layerWith({ BACKBEAT_HOME: "/data/beat" })))
  )

  it.effect("writes into the file of two that is there", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      files.set("/home/b/.config/opencode/opencode.jsonc", "{\n  // mine\n}\n")
      yield* installMcp("opencode", false)
      assert.include(files.get("/home/b/.config/opencode/opencode.jsonc") ?? "", '"backbeat"')
      assert.isFalse(files.has("/home/b/.config/opencode/opencode.json"))
    }).pipe(Effect.provide(layer))
  )
})

describe("uninstalling", () => {
  it.effect("takes out what installing put in, and nothing else", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      const before: Readonly<Record<ClientName, string>> = {
        claude: '{"n":12345678901234567890,"mcpServers":{"x":{}}}',
        codex: '# mine\nmodel = "x"\n',
        gemini: '{\n  "mcpServers": {\n    "x": {}\n  }\n}\n',
        cursor: '{\r\n\t"mcpServers": {\r\n\t\t"x": {} // of x\r\n\t}\r\n}\r\n',
        vscode: '{ "servers": { "x": {} } }',
        opencode: '{\n  "mcp": {\n    "x": {},\n  },\n}\n',
        qwen: '{"mcpServers":{"x":{}}}',
        copilot: '\uFEFF{"mcpServers":{"x":{}}}'
      }
      for (const name of ClientName.literals) {
        const { file } = yield* installMcp(name, true)
        files.set(file, before[name])
        assert.isFalse((yield* uninstallMcp(name, false)).changed)
        yield* installMcp(name, false)
        assert.notStrictEqual(files.get(file), before[name])
        assert.deepInclude(yield* uninstallMcp(name, true), { changed: true, written: false })
        assert.deepInclude(yield* uninstallMcp(name, false), { changed: true, written: true })
        assert.strictEqual(files.get(file), before[name], name)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("does nothing where there is no file, and leaves alone what it cannot read", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      assert.deepInclude(yield* uninstallMcp("claude", false), { changed: false, written: false, backup: null })
      assert.strictEqual(files.size, 0)
      files.set(path.claude, '{"mcpServers": {"backbeat": }')
      assert.include((yield* Effect.flip(uninstallMcp("claude", false))).message, "by hand")
    }).pipe(Effect.provide(layer))
  )
})
