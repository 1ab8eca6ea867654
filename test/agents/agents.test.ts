/** Real agents end to end: the built `beat`, the agent's own program, and a model server on loopback that does as told. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Beat, binary, type Finished, kill, until } from "../system/Beat.ts"
import { FakeModel } from "./fakeModel/FakeModel.ts"
import { furnish, type Installed, install, type RealAgent, realAgents } from "./RealAgents.ts"

const chosen = (process.env.BACKBEAT_AGENTS ?? realAgents.map(({ name }) => name).join(",")).split(",")

const report: Array<string> = []

afterAll(() => {
  process.stderr.write(`\nReal agents:\n${report.map((line) => `  ${line}`).join("\n")}\n`)
})

interface Status {
  readonly status: string
  readonly cause: string
  readonly error: string | null
  readonly failureClass: string | null
  readonly sessionId: string | null
  readonly continuation: string | null
  readonly attempt: number
  readonly checkpoint: { readonly answer: string | null; readonly tail: string } | null
  readonly answer: string | null
  readonly usage: { readonly inputTokens: number | null } | null
}

interface Parked {
  readonly resets_at: number
}

/** One agent in a separate home. */
class Bench {
  readonly beat = new Beat({ BACKBEAT_IDLE_MS: "3000" })
  readonly directory = join(this.beat.home, "project")
  readonly #environment: Record<string, string>
  #boot: Record<string, string> = {}
  readonly fake: FakeModel

  constructor(agent: RealAgent, installed: Installed, fake: FakeModel) {
    this.fake = fake
    const { home } = this.beat
    mkdirSync(this.directory)
    mkdirSync(join(home, "state"))
    furnish(agent, home, fake)
    const settings = {
      defaultAgent: agent.name,
      agents: { [agent.name]: { ...agent.settings(fake), model: agent.model } }
    }
    writeFileSync(join(home, "state", "config.json"), JSON.stringify(settings), { mode: 0o600 })
    this.#environment = {
      PATH: [installed.path, join(process.execPath, ".."), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter),
      TMPDIR: join(home, "tmp"),
      ...agent.environment?.(home)
    }
  }

  run(args: ReadonlyArray<string>, input?: string): Promise<Finished> {
    const piped = input === undefined ? {} : { input }
    return this.beat.run(args, { cwd: this.directory, env: { ...this.#environment, ...this.#boot }, ...piped })
  }

  /** Ends every process without a word; what is started from now on sees another boot of the machine. */
  async restart(): Promise<void> {
    await this.beat.switchOff()
    this.#boot = { BACKBEAT_BOOT_ID: "another-boot" }
  }

  /** Submits in the background, waits in another process, and reads the task. */
  async task(prompt: string, ...args: ReadonlyArray<string>): Promise<{ readonly id: string; readonly task: Status }> {
    const submitted = await this.run(["run", "-t", "90s", ...args, "-"], prompt)
    assert.strictEqual(submitted.code, 0, submitted.stderr)
    const id = submitted.stdout.trim()
    return this.end(id)
  }

  /** Waits for a task that is there and reads it. */
  async end(id: string): Promise<{ readonly id: string; readonly task: Status }> {
    await this.run(["wait", id, "--timeout", "100s"])
    const status = await this.run(["status", id, "--json"])
    assert.notInclude(status.stdout, this.fake.key)
    return { id, task: JSON.parse(status.stdout) }
  }
}

/** Deletes what an agent keeps of a session; whether there was anything. */
const forget = (home: string, sessionId: string): boolean => {
  const files = readdirSync(home, { recursive: true, encoding: "utf8" })
  const mine = (file: string) => !file.startsWith("state/") && file.includes(sessionId.slice(0, 8))
  const kept = files.filter(mine)
  for (const file of kept) rmSync(join(home, file), { recursive: true, force: true })
  return kept.length > 0
}

for (const agent of realAgents.filter(({ name }) => chosen.includes(name))) {
  describe(agent.name, () => {
    let bench: Bench | undefined
    let fake: FakeModel | undefined
    let version = "not installed"

    beforeAll(async () => {
      if (!existsSync(binary)) throw new Error(`no built binary at ${binary}: npm run build`)
      const installed = install(agent)
      if (typeof installed === "string") throw new Error(installed)
      version = installed.version
      fake = await FakeModel.start()
      bench = new Bench(agent, installed, fake)
    })

    afterAll(async () => {
      report.push(`${agent.name} ${version}`)
      await bench?.beat.close()
      fake?.close()
    })

    const real = (name: string, run: (bench: Bench) => Promise<void>) =>
      it(name, async () => {
        assert.isDefined(bench)
        if (bench !== undefined) await run(bench)
      })

    real("answers in the background, and the answer is in the task", async (bench) => {
      const marker = `Mark ${agent.name} 4711`
      const { id, task } = await bench.task("SAY: hello from the model", "--system-prompt", `${marker}: be brief.`)
      assert.deepInclude(task, { status: "completed", cause: "exit", error: null, answer: "hello from the model" })
      assert.isString(task.sessionId)
      if (agent.name !== "copilot") assert.isAbove(task.usage?.inputTokens ?? 0, 0)
      const [result, logs] = [await bench.run(["result", id]), await bench.run(["logs", id])]
      assert.strictEqual(result.stdout.trim(), "hello from the model")
      assert.include(logs.stdout, "hello from the model")
      assert.isTrue(bench.fake.heard(marker), "the system prompt reached the model")
    })

    real("calls a tool that writes a file, watched in the foreground", async (bench) => {
      const prompt = "TOOL: echo written > made.txt\nSAY: it is done"
      const watched = await bench.run(["run", "-f", "-t", "90s", "-"], prompt)
      assert.strictEqual(watched.code, 0, watched.stderr)
      assert.strictEqual(readFileSync(join(bench.directory, "made.txt"), "utf8"), "written\n")
      assert.match(watched.stdout, /→ \S+ .*echo written > made\.txt/)
      assert.match(watched.stdout, /it is done/)
    })

    real("ends as failed, with the reason, when the model service refuses", async (bench) => {
      const { id, task } = await bench.task("ERROR: 401 this key is not welcome")
      assert.deepInclude(task, { status: "failed", cause: "agent-error", failureClass: "auth", answer: null })
      assert.match(task.error ?? "", new RegExp(`beat config set agents\\.${agent.name}\\.apiKey`))
      assert.strictEqual((await bench.run(["wait", id])).code, 1)
      const logs = await bench.run(["logs", id])
      assert.notInclude(`${logs.stdout}${logs.stderr}`, bench.fake.key)
    })

    real("continues in its own session when it is resumed, and starts over on request", async (bench) => {
      const first = await bench.task(`SAY: the first word of ${agent.name}`)
      const session = first.task.sessionId
      const resumed = await bench.run(["resume", first.id, "--context", "SAY: the second word"])
      assert.strictEqual(resumed.code, 0, resumed.stderr)
      const second = await bench.end(resumed.stdout.trim())
      assert.deepInclude(second.task, {
        status: "completed",
        continuation: "session",
        attempt: 2,
        answer: "the second word",
        sessionId: session
      })
      // The model was told both: the agent had not forgotten.
      assert.isTrue(bench.fake.heardTogether(`the first word of ${agent.name}`, "the second word"))

      const anew = await bench.run(["resume", first.id, "--fresh", "--context", "SAY: the third word"])
      const third = await bench.end(anew.stdout.trim())
      assert.deepInclude(third.task, { status: "completed", continuation: "checkpoint", attempt: 2 })
      assert.notStrictEqual(third.task.sessionId, session)
      assert.isFalse(bench.fake.heardTogether("the second word", "the third word"))
    })

    real(
      "is parked by a usage limit after two tools, and continues in its session at the reset, over a kill and a restart of the machine: no step is done twice",
      async (bench) => {
        // The others do not end at the refusal of this server, or do not say that it is a limit.
        if (!["claude", "codex"].includes(agent.name)) return
        // Only a login of Claude has windows; a key has rates. Codex prints the minute of its reset, in the zone of the task.
        const login =
          agent.name === "claude" ? ["--env", `CLAUDE_CODE_OAUTH_TOKEN=${bench.fake.key}`] : ["--env", "TZ=Asia/Tokyo"]
        const steps = [
          "TOOL: echo one >> steps.txt",
          "TOOL: echo two >> steps.txt",
          "ERROR: 429 x1 usage_limit resets=30"
        ]
        const prompt = [...steps, "TOOL: echo three >> steps.txt", "SAY: all three"].join("\n")
        const submitted = await bench.run(["run", "-t", "90s", ...login, "-"], prompt)
        assert.strictEqual(submitted.code, 0, submitted.stderr)
        const id = submitted.stdout.trim()
        const parks = () => bench.beat.rows<Parked>("SELECT * FROM parks WHERE task_id = ?", id)
        await until("it is parked", () => parks().length > 0)
        const [opensAt] = bench.fake.resets.map((seconds) => seconds * 1000 + 5000)
        assert.strictEqual(parks()[0]?.resets_at, opensAt, "the second at which the limit ends, and five more")
        const parked = JSON.parse((await bench.run(["status", id, "--json"])).stdout)
        assert.deepInclude(parked, { status: "queued", attempt: 1, parks: 1 })
        assert.match((await bench.run(["why", id])).stdout, /It waits for the .*limit of account/)
        assert.strictEqual(readFileSync(join(bench.directory, "steps.txt"), "utf8"), "one\ntwo\n")
        const refused = bench.fake.requests.length
        for (const pid of bench.beat.workers()) kill(pid, "SIGKILL")
        await bench.restart()
        assert.deepStrictEqual(bench.beat.rows("SELECT * FROM claims"), [])
        // As a service does when the machine starts. It waits for the reset.
        assert.strictEqual((await bench.run(["worker", "--on-demand"])).code, 0)
        const { task } = await bench.end(id)
        assert.deepInclude(task, { status: "completed", attempt: 1, answer: "all three", sessionId: parked.sessionId })
        assert.strictEqual(readFileSync(join(bench.directory, "steps.txt"), "utf8"), "one\ntwo\nthree\n")
        assert.lengthOf(parks(), 1)
        const claims = bench.beat.rows<{ claimed_at: number }>(
          "SELECT claimed_at FROM claim_history WHERE task_id = ? ORDER BY n",
          id
        )
        assert.lengthOf(claims, 2)
        assert.isAtLeast(claims[1]?.claimed_at ?? 0, opensAt ?? Number.POSITIVE_INFINITY, "nothing starts before")
        // Two answers were left. No request asked whether the limit was over, and none was repeated.
        const since = bench.fake.requests.slice(refused).map(({ body }) => JSON.stringify(body))
        assert.lengthOf(
          since.filter((body) => body.includes("echo three")),
          2
        )
        // What both runs used is counted, also that of the one that was refused.
        const ledger = bench.beat.rows<{ tokens: number }>(
          "SELECT sum(input_tokens) AS tokens FROM ledger WHERE task_id = ? GROUP BY claim_id",
          id
        )
        assert.lengthOf(
          ledger.filter(({ tokens }) => tokens > 0),
          2,
          JSON.stringify(ledger)
        )
      }
    )

    real("is parked when it would sleep inside its process until the limit ends", async (bench) => {
      if (agent.name !== "opencode") return
      const submitted = await bench.run(["run", "-"], "ERROR: 429 retry-after=7200 usage_limit Usage limit reached")
      assert.strictEqual(submitted.code, 0, submitted.stderr)
      const id = submitted.stdout.trim()
      const parked = "SELECT id FROM tasks WHERE id = ? AND status = 'queued' AND parks = 1"
      await until("it is parked", () => bench.beat.rows(parked, id).length === 1)
      assert.strictEqual((await bench.run(["cancel", id])).code, 0)
      await bench.run(["limits", "open", agent.name])
    })

    real("is ended as stalled when the model never answers", async (bench) => {
      const { task } = await bench.task("HANG:", "--stall", "20s")
      assert.deepInclude(task, { status: "failed", cause: "stalled" })
    })

    real("says what to do when the session is gone", async (bench) => {
      // The others keep theirs in a database, or begin a new one under the old id.
      if (!["claude", "codex", "gemini"].includes(agent.name)) return
      const first = await bench.task("SAY: soon forgotten")
      const { sessionId } = first.task
      assert.isTrue(forget(bench.beat.home, sessionId ?? ""), "the agent keeps its session in a file of that name")
      const { task } = await bench.end((await bench.run(["resume", first.id])).stdout.trim())
      assert.strictEqual(task.status, "failed")
      assert.include(task.error ?? "", `beat resume ${first.id} --fresh`)
    })

    real("tells the next agent what it left behind", async (bench) => {
      const mark = `It is in date.ts, says ${agent.name}.`
      const first = (await bench.run(["run", "-t", "90s", `SAY: ${mark}`])).stdout.trim()
      const submitted = await bench.run(["run", "-t", "90s", "--continue-from", first, "SAY: fixed what was found"])
      assert.strictEqual(submitted.code, 0, submitted.stderr)
      const { task } = await bench.end(submitted.stdout.trim())
      assert.strictEqual(task.status, "completed")
      assert.isTrue(bench.fake.heardTogether(`Its final answer:`, mark, "SAY: fixed what was found"))
    })

    real("takes a prompt of any size and content", async (bench) => {
      const filler = `--help "quotes" 'and' $(dollars) \`ticks\` 🙂 {prompt}\n`.repeat(4000)
      const { task } = await bench.task(`-- ${filler}\nSAY: still here`)
      assert.deepInclude(task, { status: "completed", answer: "still here" })
    })
  })
}
