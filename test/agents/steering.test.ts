/** Real Claude Code that is told things and asked back while its workers are killed: each word reaches the model once. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { lengthOf, type Span, spansIn } from "../support/spans.ts"
import { binary, isAlive, kill, until } from "../system/Beat.ts"
import { AgentBench } from "./AgentBench.ts"
import { FakeModel } from "./fakeModel/FakeModel.ts"
import { install, realAgents } from "./RealAgents.ts"

const isChosen = (process.env.BACKBEAT_AGENTS?.split(",") ?? ["claude"]).includes("claude")

const report: Array<string> = []

afterAll(() => {
  if (report.length > 0) process.stderr.write(`\nSteering:\n${report.map((line) => `  ${line}`).join("\n")}\n`)
})

const claude = realAgents.find(({ name }) => name === "claude")

/** A home with Claude Code alone, whose tools wait for files. */
class Bench extends AgentBench {
  killWorkers(): void {
    const workers = this.beat.workers()
    assert.isNotEmpty(workers)
    for (const pid of workers) kill(pid, "SIGKILL")
  }

  /** A tool that says that it runs, and waits. */
  hold(name: string): string {
    return `TOOL: echo $$ > at-${name}; until test -e go-${name}; do sleep 0.1; done`
  }

  /** The process of that tool. */
  async held(name: string): Promise<number> {
    const file = join(this.shop, `at-${name}`)
    await until(`the tool ${name} runs`, () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"))
    return Number(readFileSync(file, "utf8"))
  }

  release(name: string): void {
    writeFileSync(join(this.shop, `go-${name}`), "")
  }

  /** How often a text is in the conversation that the model saw last: all of it is in each request. */
  times(text: string): number {
    const { body } = this.fake.requests.at(-1) ?? { body: null }
    return JSON.stringify(body).split(text).length - 1
  }
}

describe.skipIf(!isChosen)("Claude Code", () => {
  const withClaude = (name: string, run: (bench: Bench) => Promise<void>) =>
    it(name, async (context) => {
      if (!existsSync(binary)) throw new Error(`no built binary at ${binary}: npm run build`)
      if (claude === undefined) throw new Error("no real agent claude")
      const installed = install(claude)
      if (typeof installed === "string") return context.skip(installed)
      const fake = await FakeModel.start()
      const bench = new Bench([claude], fake, [installed], { defaultAgent: claude.name })
      try {
        await run(bench)
        report.push(`claude ${installed.version}: ${name}`)
      } finally {
        fake.close()
        await bench.beat.close()
      }
    })

  withClaude("is steered and interrupted while its workers are killed: each message reaches it once", async (bench) => {
    const prompt = [bench.hold("one"), bench.hold("two"), bench.hold("three"), "SAY: not interrupted"].join("\n")
    const id = await bench.ok(["run", "--steer", "-"], prompt)
    await bench.held("one")
    // The worker dies with the message stored, and handed over or not.
    await bench.ok(["send", id, "--no-wait", "--id", "11111111-1111-4111-8111-111111111111", "say-alpha"])
    bench.killWorkers()
    const again = await bench.run(["send", id, "--id", "11111111-1111-4111-8111-111111111111", "say-alpha"])
    assert.include([0, 124], again.code, again.stderr)
    bench.release("one")
    await bench.held("two")
    // The worker dies after the handing over, before the agent takes it.
    await bench.ok(["send", id, "--no-wait", "say-beta"])
    await until(
      "it is handed over",
      () => bench.beat.rows("SELECT 1 FROM messages WHERE body = 'say-beta' AND state <> 'stored'").length > 0
    )
    bench.killWorkers()
    bench.release("two")
    const tool = await bench.held("three")
    const interrupted = bench.run(["interrupt", id, "-m", "SAY: heard-gamma", "--timeout", "60s"])
    await until("it is stored", () => bench.beat.rows("SELECT 1 FROM messages WHERE kind = 'interrupt'").length > 0)
    for (const pid of bench.beat.workers()) kill(pid, "SIGKILL")
    assert.strictEqual((await interrupted).code, 0, (await interrupted).stderr)
    assert.strictEqual((await bench.run(["wait", id, "--timeout", "60s"])).code, 0)
    assert.strictEqual((await bench.run(["result", id])).stdout, "heard-gamma\n")
    assert.isFalse(isAlive(tool))
    for (const text of ["say-alpha", "say-beta", "SAY: heard-gamma"]) assert.strictEqual(bench.times(text), 1, text)
    assert.deepStrictEqual(bench.beat.rows("SELECT kind, state FROM messages ORDER BY seq"), [
      { kind: "say", state: "taken" },
      { kind: "say", state: "taken" },
      { kind: "interrupt", state: "taken" },
      { kind: "say", state: "taken" }
    ])
    assert.lengthOf(bench.beat.rows("SELECT 1 FROM tasks"), 1)
  })

  withClaude("continues with the answer to a question that was open over a restart of the machine", async (bench) => {
    const options = [
      { label: "sqlite", description: "a file" },
      { label: "postgres", description: "a server" }
    ]
    const question = { question: "Which database?", header: "Database", options, multiSelect: false }
    const prompt = [`CALL: AskUserQuestion ${JSON.stringify({ questions: [question] })}`, "SAY: it is chosen"].join(
      "\n"
    )
    const id = await bench.ok(["run", "--ask", "-"], prompt)
    await until("it asks", () => bench.beat.rows("SELECT 1 FROM questions WHERE state = 'open'").length === 1)
    await bench.restart()
    assert.match((await bench.run(["inbox"])).stdout, /Which database\?/)
    const [{ id: number } = { id: 0 }] = bench.beat.rows<{ id: number }>("SELECT id FROM questions")
    await bench.ok(["answer", `q${number}`, "2"])
    const { code, stderr } = await bench.run(["wait", id, "--timeout", "90s"])
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(bench.times("The answer is: postgres"), 1)
    assert.strictEqual(bench.times("SAY: it is chosen"), 1, "the session of the first turn")
    assert.deepStrictEqual(bench.beat.rows("SELECT attempt, status FROM tasks"), [{ attempt: 1, status: "completed" }])
  })

  withClaude("leaves a trace with the calls of its tools", async (bench) => {
    const received: Array<Span> = []
    const collector = createServer((request, response) => {
      let body = ""
      request.on("data", (text) => {
        body += text
      })
      request.on("end", () => {
        received.push(...spansIn(body))
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    })
    await new Promise<void>((resume) => collector.listen(0, "127.0.0.1", resume))
    try {
      const address = collector.address()
      if (address === null || typeof address === "string") throw new Error("the collector has no port")
      await bench.ok(["hooks", "add", "traces", "--otlp", `http://127.0.0.1:${address.port}`])
      await bench.ok(["run", "-f", "-"], ["TOOL: sleep 1", "TOOL: exit 3", "SAY: done"].join("\n"))
      await until("the trace has arrived", () => received.length > 0)
    } finally {
      collector.close()
    }
    const run = received.find(({ name }) => name === "run")
    const calls = received.filter(({ name }) => name === "execute_tool Bash")
    assert.deepStrictEqual(
      calls.map(({ parentSpanId, status }) => [parentSpanId, status.code]),
      [
        [run?.spanId, 1],
        [run?.spanId, 2]
      ]
    )
    report.push(`the calls of sleep 1 and exit 3: ${calls.map(lengthOf).join(" ms, ")} ms`)
  })
})
