/** The files in examples/, run as they are by the built program. */

import { execFile } from "node:child_process"
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { makeRepository } from "../support/repository.ts"
import { Beat, binary } from "./Beat.ts"

const examples = resolve(import.meta.dirname, "../../examples")

interface McpConfig {
  readonly mcpServers: { readonly backbeat: { readonly command: string; readonly args: Array<string> } }
}

describe("the example", () => {
  let beat: Beat
  let directory: string
  let environment: Record<string, string>

  beforeEach(() => {
    beat = new Beat()
    directory = join(beat.home, "examples")
    cpSync(examples, directory, { recursive: true })
    const bin = join(beat.home, "bin")
    mkdirSync(bin)
    symlinkSync(binary, join(bin, "beat"))
    environment = { ...beat.environment, PATH: `${bin}:${beat.environment.PATH}` }
  })
  afterEach(() => beat.close())

  const script = (name: string) =>
    promisify(execFile)("sh", [name], { cwd: directory, env: environment, encoding: "utf8" })

  it("pipeline.yaml is valid and completes", async () => {
    const checked = await beat.run(["pipeline", "check", "pipeline.yaml"], { cwd: directory })
    assert.strictEqual(checked.code, 0, checked.stderr)
    const finished = await beat.run(["pipeline", "run", "-f", "pipeline.yaml", "--var", "who=you"], { cwd: directory })
    assert.strictEqual(finished.code, 0, finished.stderr)
    assert.include(finished.stdout, "clean")
  })

  it("loop.yaml is valid and passes, in a repository", async () => {
    const checked = await beat.run(["loop", "check", "loop.yaml"], { cwd: directory })
    assert.deepStrictEqual([checked.code, checked.stdout], [0, "loop.yaml: fine, at most 5 rounds of 2 steps\n"])
    const repository = join(beat.home, "repository")
    makeRepository(repository)
    const file = join(directory, "loop.yaml")
    const { stdout } = await beat.run(["loop", file, "--var", "wanted=2"], { cwd: repository })
    const waited = await beat.run(["wait", stdout.trim()])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.include(waited.stdout, "passed in round 2")
  })

  it("schedule.sh makes a schedule and runs it", async () => {
    const { stdout } = await script("schedule.sh")
    assert.include(stdout, "Europe/Berlin")
    const { code, stdout: list } = await beat.run(["schedule", "list", "--json"])
    assert.strictEqual(code, 0)
    assert.include(list, '"morning"')
    assert.strictEqual((await beat.run(["schedule", "cancel", "morning"])).code, 0)
  })

  it("fan-out.sh prints the answer of each task in order", async () => {
    const { stdout } = await script("fan-out.sh")
    const answers = stdout.split("\n").filter((line) => line.startsWith("the answer"))
    assert.deepStrictEqual(answers, ["the answer of one", "the answer of two", "the answer of three"])
  })

  it("mcp.json starts a server that lists its tools", async () => {
    const config: McpConfig = JSON.parse(readFileSync(join(directory, "mcp.json"), "utf8"))
    const { args, command } = config.mcpServers.backbeat
    const client = new Client({ name: "examples", version: "1" })
    await client.connect(new StdioClientTransport({ command, args, env: environment, cwd: directory }))
    try {
      const { tools } = await client.listTools()
      assert.include(
        tools.map(({ name }) => name),
        "DelegateTask"
      )
    } finally {
      await client.close()
    }
  })

  it("custom-agent.json is a config file with an agent that answers", async () => {
    const path = (await beat.run(["config", "path"])).stdout.trim()
    mkdirSync(join(path, ".."), { recursive: true })
    copyFileSync(join(directory, "custom-agent.json"), path)
    const finished = await beat.run(["run", "-f", "-a", "word-count", "three little words"])
    assert.strictEqual(finished.code, 0, finished.stderr)
    assert.strictEqual(finished.stdout.trim(), "3")
  })
})
