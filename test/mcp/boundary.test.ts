/** What an agent may do from inside its task, over MCP and by the command line. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { tools } from "../../src/mcp/Tools.ts"
import { gitIn, makeRepository } from "../support/repository.ts"
import { Beat, binary, until } from "../system/Beat.ts"
import { Server } from "./Server.ts"

describe("a process inside a task", () => {
  let beat: Beat
  let server: Server | null = null

  beforeEach(() => {
    beat = new Beat()
  })

  afterEach(async () => {
    server?.kill()
    server = null
    await beat.close()
  })

  const inside = (task: string) => ({ BACKBEAT_TASK_ID: task, BACKBEAT_DEPTH: "0" })

  it("changes what it delegated over MCP, and nothing else", async () => {
    const shop = join(beat.home, "shop")
    makeRepository(shop)
    const work = await beat.run(["run", "-f", "--json", "--isolate", "-a", "shell", "echo new > new"], { cwd: shop })
    assert.strictEqual(work.code, 0, work.stderr)
    const [isolated] = beat.rows<{ id: string }>("SELECT id FROM tasks WHERE workspace_id IS NOT NULL")
    const sibling = await beat.submit("sleep 60")
    const own = await beat.submit("sleep 60")
    const steps = [{ agent: "shell", prompt: "sleep 60" }]
    writeFileSync(join(beat.home, "p.json"), JSON.stringify({ name: "p", steps }))
    assert.strictEqual((await beat.run(["pipeline", "run", join(beat.home, "p.json")])).code, 0)
    const [pipeline] = beat.rows<{ id: string }>("SELECT id FROM pipelines")
    server = new Server(beat, inside(own))
    await server.initialize()
    const child = await server.call("DelegateTask", { agent: "shell", prompt: "sleep 60" })
    const id = child.structuredContent.tasks[0].id
    const refused = [
      ["CancelPipeline", { id: pipeline?.id }],
      ["MergeTask", { id: isolated?.id, directory: shop }],
      ["DelegateTask", { agent: "shell", prompt: "true", in: isolated?.id }],
      ["ResumeTask", { id: sibling }],
      ["WakeMe", { ids: [sibling] }],
      ["SchedulePipeline", { name: "p", when: "every 1h", steps }],
      ["PauseSchedule", { id: "none" }],
      ["ResumeSchedule", { id: "none" }],
      ["CancelSchedule", { id: "none" }],
      ["CancelTask", { ids: [sibling] }],
      ["CancelTask", { ids: [own] }],
      ["RetryTask", { id: sibling }],
      ["EditTask", { id: sibling, priority: "P0" }],
      ["ConfigureAgent", { agent: "codex", set: { baseUrl: "http://evil.example" } }],
      ["Schedules", { action: "create", agent: "shell", prompt: "true", when: "every 1h" }],
      ["ScheduleTask", { agent: "shell", prompt: "true", when: "every 1h" }],
      ["DelegateTask", { agent: "codex", prompt: "x", env: { OPENAI_BASE_URL: "http://evil.example" } }],
      ["DelegateTask", { tasks: [{ agent: "claude", prompt: "x", env: { CLAUDE_CONFIG_DIR: "/tmp" } }] }]
    ] as const
    for (const [tool, given] of refused) {
      const answer = await server.call(tool, given)
      assert.isTrue(answer.isError, tool)
      assert.match(answer.content[0]?.text ?? "", /^OutsideTask: /, `${tool}: ${answer.content[0]?.text}`)
    }
    // A new tool that changes something is refused here, or stores only what is the agent's own.
    const ruled = new Set<string>([...refused.map(([tool]) => tool), "CreatePipeline", "AskPerson"])
    const without = tools.filter(({ annotations, name }) => !annotations.readOnlyHint && !ruled.has(name))
    assert.deepStrictEqual(
      without.map(({ name }) => name),
      []
    )
    const handle = await server.request("tasks/cancel", { taskId: sibling })
    assert.match(handle.error?.message ?? "", /OutsideTask: /)
    const cancelled = await server.call("CancelTask", { ids: [id] })
    assert.isNotTrue(cancelled.isError)
    assert.strictEqual(beat.status(id).status, "cancelled")
    assert.notStrictEqual(beat.status(sibling).status, "cancelled")
    assert.strictEqual(beat.rows("SELECT id FROM schedules").length, 0)
    assert.strictEqual(beat.rows("SELECT id FROM pipelines WHERE cancel_requested_at IS NOT NULL").length, 0)
    assert.strictEqual(gitIn(shop, "log", "--format=%s").split("\n").length, 1)
    await beat.run(["pipeline", "cancel", "@last"])
    for (const task of [sibling, own]) await beat.run(["cancel", task])
  })

  it("runs no shell command for a client where the setting says so, under any argument", async () => {
    makeRepository(beat.home, { "a.txt": "one\n" })
    await beat.run(["config", "set", "mcpShell", "false"])
    await beat.run(["config", "set", "agents.mine.command", '["true", "{prompt}"]'])
    server = new Server(beat)
    await server.initialize()
    const steps = [{ agent: "shell", prompt: "true" }]
    const step = { agent: "mine", prompt: "x" }
    const best = { check: "true" }
    const env = { NODE_OPTIONS: "--import=data:text/javascript,0" }
    const given = [
      ["DelegateTask", { agent: "shell", prompt: "true" }],
      ["DelegateTask", { agent: "mine", tasks: [{ prompt: "x" }, { agent: "shell", prompt: "true" }] }],
      ["DelegateTask", { agent: "mine", prompt: "x", loop: { until: "true" } }],
      ["DelegateTask", { agent: "mine", prompt: "x", times: 2, best: "true" }],
      ["Schedules", { action: "create", agent: "shell", prompt: "true", when: "every 1h" }],
      ["CreatePipeline", { name: "p", steps }],
      ["CreatePipeline", { isolate: true, setup: "true", steps: [step] }],
      ["CreatePipeline", { isolate: true, steps: [{ ...step, times: 2, best }] }],
      ["CreatePipeline", { isolate: true, steps: [{ ...step, loop: { until: "true" } }] }],
      ["SchedulePipeline", { name: "p", when: "every 1h", steps }],
      ["MergeTask", { id: "@last", check: "true" }],
      ["ConfigureAgent", { agent: "mine", set: { command: ["sh", "-c", "{prompt}"] } }],
      ["ConfigureAgent", { agent: "codex", set: { program: "/bin/sh" } }],
      ["ConfigureAgent", { agent: "codex", set: { env } }],
      ["ConfigureAgent", { agent: "mine", unset: ["command"] }],
      ["DelegateTask", { agent: "mine", prompt: "x", env }],
      ["DelegateTask", { agent: "mine", prompt: "x", env: { PATH: beat.home } }],
      ["DelegateTask", { agent: "mine", prompt: "x", env: { ANYTHING: "1" } }],
      ["DelegateTask", { agent: "mine", tasks: [{ prompt: "x" }, { prompt: "y", env }] }],
      ["DelegateTask", { agent: "mine", env, tasks: [{ prompt: "x" }] }],
      ["DelegateTask", { agent: "mine", prompt: "x", env, loop: { judge: "it is good" } }],
      ["DelegateTask", { agent: "mine", prompt: "x", fallback: ["codex", "shell"] }]
    ] as const
    for (const [tool, input] of given) {
      const answer = await server.call(tool, input)
      assert.isTrue(answer.isError, tool)
      assert.match(answer.content[0]?.text ?? "", /^InvalidInput: .*shell commands are off for MCP clients/, tool)
    }
    // A tool that takes variables is refused above.
    const withEnv = tools.filter(({ inputSchema }) => /"env":\{/.test(JSON.stringify(inputSchema)))
    assert.deepStrictEqual(
      withEnv
        .map(({ name }) => name)
        .filter((name) => !given.some(([tool, input]) => tool === name && /"env"/.test(JSON.stringify(input)))),
      []
    )
    const free = { agent: "mine", prompt: "x", env }
    for (const [tool, more] of [
      ["Schedules", { action: "create", when: "every 1h" }],
      ["ScheduleTask", { when: "every 1h" }]
    ] as const)
      assert.match(
        (await server.call(tool, { ...free, ...more })).content[0]?.text ?? "",
        /env: there is no such argument/
      )
    for (const [tool, more] of [
      ["CreatePipeline", {}],
      ["SchedulePipeline", { when: "every 1h" }]
    ] as const) {
      const refused = await server.call(tool, { ...more, steps: [{ ...step, env }] })
      assert.isTrue(refused.isError, tool)
    }
    assert.strictEqual(beat.rows("SELECT id FROM tasks").length, 0)
    await beat.run(["config", "set", "defaultAgent", "shell"])
    assert.isTrue((await server.call("DelegateTask", { prompt: "true" })).isError)
    assert.isNotTrue((await server.call("DelegateTask", { agent: "mine", prompt: "x" })).isError)
    const listed = await server.call("ListAgents", {})
    assert.notInclude(
      listed.structuredContent.agents.map(({ name }: { readonly name: string }) => name),
      "shell"
    )
  })

  it("has the same bounds where it drops or replaces the marks, and cannot escape its depth", async () => {
    const sibling = await beat.submit("sleep 60")
    await beat.run(["config", "set", "maxDepth", "0"])
    const [out, asked, answered] = [join(beat.home, "out"), join(beat.home, "asked"), join(beat.home, "answered")]
    const clientInfo = { name: "nested", version: "1" }
    const requests = [
      ["initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo }],
      ["tools/call", { name: "CancelTask", arguments: { ids: [sibling] } }],
      [
        "tools/call",
        { name: "ConfigureAgent", arguments: { agent: "codex", set: { baseUrl: "http://evil.example" } } }
      ],
      ["tools/call", { name: "DelegateTask", arguments: { agent: "shell", prompt: "true" } }]
    ].map(([method, params], id) => `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`)
    writeFileSync(asked, requests.join(""))
    const script = join(beat.home, "agent.sh")
    const plain = `${process.execPath} ${binary}`
    const call = `env -u BACKBEAT_TASK_ID -u BACKBEAT_DEPTH ${process.execPath} ${binary}`
    writeFileSync(
      script,
      [
        `${call} cancel ${sibling} 2>&1; echo "cancel $?"`,
        `${call} config set defaultAgent shell 2>&1; echo "config $?"`,
        `${call} schedule create --every 1h -a shell true 2>&1; echo "schedule $?"`,
        `${call} config set agents.codex.baseUrl http://evil.example 2>&1; echo "redirect $?"`,
        `${call} run -a shell true 2>&1; echo "run $?"`,
        ...[
          "BACKBEAT_TASK_ID=",
          "BACKBEAT_TASK_ID=x BACKBEAT_DEPTH=-9",
          "BACKBEAT_TASK_ID=zzzzzzzzzzzz BACKBEAT_WORKER=1"
        ].flatMap((variables) => [
          `${variables} ${plain} config set maxDepth 9 2>&1; echo "deeper $?"`,
          `export ${variables}; ${plain} run -a shell true 2>&1; echo "below $?"`
        ]),
        `${call} mcp start < ${asked} > ${answered}`,
        "echo over"
      ].join("\n")
    )
    const id = await beat.submit(`sh ${script} > ${out} 2>&1`)
    await until("it is over", () => beat.status(id).status === "completed")
    const said = readFileSync(out, "utf8")
    for (const step of ["cancel", "config", "schedule", "redirect"]) assert.match(said, new RegExp(`^${step} 1$`, "m"))
    assert.strictEqual(said.match(/^deeper 1$/gm)?.length, 3, said)
    assert.strictEqual(said.match(/^below 1$/gm)?.length, 3, said)
    assert.include(said, `This runs inside task ${id}, which may not cancel task ${sibling}`)
    assert.match(said, /past the limit of 0[\s\S]*^run 1$/m)
    const answers = readFileSync(answered, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    const told = (id: number) => answers.find((one: { readonly id: number }) => one.id === id)?.result
    for (const [id, words] of [
      [1, /^OutsideTask: /],
      [2, /^OutsideTask: /],
      [3, /^DepthExceeded: /]
    ] as const) {
      assert.isTrue(told(id)?.isError, JSON.stringify(told(id)))
      assert.match(told(id)?.content[0].text, words)
    }
    assert.notInclude((await beat.run(["config", "show"])).stdout, "evil")
    assert.notStrictEqual(beat.status(sibling).status, "cancelled")
    await beat.run(["cancel", sibling])
  })
})
