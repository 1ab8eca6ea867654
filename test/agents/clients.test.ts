/** Real clients of the MCP server: each delegates two tasks, waits, reads, shows the difference, merges and schedules. */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import * as Schema from "effect/Schema"
import { afterAll, assert, it } from "vitest"
import { AgentSettings } from "../../src/domain/settings/Settings.ts"
import type { Agent } from "../../src/domain/task/Agent.ts"
import { claude } from "../../src/layers/agents/adapters/claude.ts"
import { codex } from "../../src/layers/agents/adapters/codex.ts"
import { gemini } from "../../src/layers/agents/adapters/gemini.ts"
import { opencode } from "../../src/layers/agents/adapters/opencode.ts"
import { gitIn, makeRepository } from "../support/repository.ts"
import { Beat, binary } from "../system/Beat.ts"
import { FakeModel } from "./fakeModel/FakeModel.ts"
import { furnish, install, type RealAgent, realAgents } from "./RealAgents.ts"
import { shownIn } from "./Shown.ts"

interface Client {
  readonly adapter: Agent
  /** The name under which the client offers a tool of ours. */
  readonly tool: (name: string) => string
  /** Whether the model sees the definitions from the beginning, not when it asks for them. */
  readonly offersAll: boolean
}

const clients: ReadonlyArray<Client> = [
  { adapter: claude, tool: (name) => `mcp__backbeat__${name}`, offersAll: true },
  { adapter: codex, tool: (name) => `mcp__backbeat__${name}`, offersAll: false },
  { adapter: gemini, tool: (name) => `*backbeat*${name}`, offersAll: true },
  { adapter: opencode, tool: (name) => `backbeat_${name}`, offersAll: true }
]

const chosen = (process.env.BACKBEAT_AGENTS ?? clients.map(({ adapter }) => adapter.name).join(",")).split(",")

const calls: ReadonlyArray<readonly [tool: string, given: object]> = [
  [
    "DelegateTask",
    {
      agent: "shell",
      isolate: true,
      tasks: [
        { name: "one", prompt: "echo one > one.txt; echo made one" },
        { name: "two", prompt: "echo two > two.txt; echo made two" }
      ]
    }
  ],
  ["WaitTasks", { ids: ["$ID1", "$ID2"], mode: "all" }],
  ["TaskResult", { id: "$ID1" }],
  ["TaskLogs", { id: "$ID2" }],
  ["TaskDiff", { id: "$ID1" }],
  ["MergeTask", { id: "$ID1", message: "Add one" }],
  [
    "Schedules",
    { action: "create", agent: "shell", prompt: "true", when: "0 3 * * *", timezone: "UTC", name: "nightly" }
  ]
]

const report: Array<string> = []

afterAll(() => {
  process.stderr.write(`\nWhat the model was shown:\n${report.map((line) => `  ${line}`).join("\n")}\n`)
})

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs the client as Backbeat runs it as an agent. */
const runClient = (
  { adapter }: Client,
  real: RealAgent,
  place: { readonly program: string; readonly directory: string; readonly env: Record<string, string> },
  fake: FakeModel,
  prompt: string
): Promise<Ended> => {
  const { environment, launch } = adapter.plan({
    program: place.program,
    prompt,
    model: real.model,
    systemPrompt: null,
    settings: Schema.decodeSync(AgentSettings)(real.settings(fake)),
    sessionId: randomUUID(),
    resume: null,
    environment: {},
    server: null,
    steer: false,
    asks: null,
    root: process.getuid?.() === 0
  })
  const env: Record<string, string> = { ...place.env }
  for (const [name, value] of Object.entries(environment)) if (value !== null) env[name] = value
  const child = spawn(place.program, [...launch.args], { cwd: place.directory, env, stdio: ["pipe", "pipe", "pipe"] })
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  const limit = setTimeout(() => child.kill("SIGKILL"), 200_000)
  child.stdin.end(prompt)
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => {
      clearTimeout(limit)
      resolve({ code, output })
    })
  })
}

for (const client of clients.filter(({ adapter }) => chosen.includes(adapter.name))) {
  const { name } = client.adapter
  it(`${name} delegates two tasks, waits, reads, shows the difference, merges and schedules`, async (context) => {
    if (!existsSync(binary)) throw new Error(`no built binary at ${binary}: npm run build`)
    const real = realAgents.find((one) => one.name === name)
    if (real === undefined) throw new Error(`no real agent ${name}`)
    const installed = install(real)
    if (typeof installed === "string") {
      report.push(`${name}: skipped, ${installed}`)
      return context.skip(installed)
    }
    const fake = await FakeModel.start()
    const beat = new Beat()
    try {
      const directory = join(beat.home, "project")
      makeRepository(directory)
      mkdirSync(join(beat.home, "state"), { recursive: true })
      furnish(real, beat.home, fake)
      const path = [installed.path, join(process.execPath, ".."), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter)
      const env = {
        ...beat.environment,
        PATH: path,
        TMPDIR: join(beat.home, "tmp"),
        ...real.environment?.(beat.home)
      }
      const set = await beat.run(["mcp", "install", name], { env })
      assert.strictEqual(set.code, 0, set.stderr)
      const script = calls.map(([tool, given]) => `CALL: ${client.tool(tool)} ${JSON.stringify(given)}`)
      const prompt = [...script, "SAY: the story is told"].join("\n")
      const place = { program: join(installed.path, name), directory, env }
      const { code, output } = await runClient(client, real, place, fake, prompt)
      assert.strictEqual(code, 0, output)
      assert.include(output, "the story is told")
      assert.isTrue(fake.heard("merged"), output)
      assert.strictEqual(readFileSync(join(directory, "one.txt"), "utf8"), "one\n")
      assert.strictEqual(gitIn(directory, "log", "-1", "--format=%s"), "Add one")
      assert.isFalse(existsSync(join(directory, "two.txt")))
      const ended = beat.rows<{ status: string }>("SELECT status FROM tasks")
      assert.deepStrictEqual(
        ended.map(({ status }) => status),
        ["completed", "completed"]
      )
      assert.lengthOf(beat.rows("SELECT id FROM schedules WHERE name = 'nightly'"), 1)
      assert.isTrue(fake.heard("made two"), "the model was told what the second task printed")
      assert.isTrue(fake.heard("one.txt"), "the model was shown the difference")
      const shown = shownIn(fake.requests)
      report.push(
        `${name} ${installed.version}: ${shown.tools} definitions of ${shown.definitions} tokens, ` +
          `${shown.instructions} tokens of instructions, ` +
          `${calls.length} answers of ${shown.answers} tokens`
      )
      assert.isAtLeast(shown.instructions, 60, "the loop is in what it was told")
      if (client.offersAll) {
        assert.strictEqual(shown.tools, 12)
        // Gemini adds its own field to each.
        assert.isAtMost(shown.definitions, 3500)
      }
      assert.isAtMost(shown.answers, 2000)
    } finally {
      for (const pid of beat.workers()) process.kill(pid, "SIGTERM")
      fake.close()
      await beat.close()
    }
  }, 240_000)
}
