/** A real lead and a real child: it hands over and ends its turn, the machine restarts, and it continues with the result. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { gitIn, makeRepository, userState } from "../support/repository.ts"
import { binary, isAlive, until } from "../system/Beat.ts"
import { AgentBench } from "./AgentBench.ts"
import { FakeModel } from "./fakeModel/FakeModel.ts"
import { type Installed, install, type RealAgent, realAgents } from "./RealAgents.ts"

const chosen = process.env.BACKBEAT_AGENTS?.split(",") ?? ["claude", "codex"]
const isChosen = chosen.includes("claude") && chosen.includes("codex")

const report: Array<string> = []

afterAll(() => {
  if (report.length > 0) process.stderr.write(`\nLeads:\n${report.map((line) => `  ${line}`).join("\n")}\n`)
})

const agentOf = (name: string): RealAgent => {
  const agent = realAgents.find((one) => one.name === name)
  if (agent === undefined) throw new Error(`no real agent ${name}`)
  return agent
}

interface Pair {
  readonly lead: RealAgent
  readonly child: RealAgent
}

/** The two speak different protocols, by which the requests of the lead are told from those of its child. */
const [claude, codex] = [agentOf("claude"), agentOf("codex")]
const pairs: ReadonlyArray<Pair> = [
  { lead: claude, child: codex },
  { lead: codex, child: claude }
]

interface Lead {
  readonly id: string
  readonly status: string
  readonly session_id: string
  readonly attempt: number
  readonly wakes: number
  readonly answer: string | null
}

/** A home in which one agent leads and another works, and a repository. */
class Bench extends AgentBench {
  readonly pair: Pair

  constructor(pair: Pair, fake: FakeModel, installed: ReadonlyArray<Installed>) {
    super([pair.lead, pair.child], fake, installed, { defaultAgent: pair.lead.name })
    this.pair = pair
    makeRepository(this.shop)
  }

  override async restart(): Promise<void> {
    const pids = [
      ...this.beat.workers(),
      ...this.beat.rows<{ pid: number | null }>("SELECT pid FROM claims").flatMap(({ pid }) => (pid ? [pid] : []))
    ]
    await super.restart()
    assert.deepStrictEqual(pids.filter(isAlive), [])
  }

  lead(): Lead {
    const [row, ...others] = this.beat.rows<Lead>(
      "SELECT id, status, session_id, attempt, wakes, answer FROM tasks WHERE agent = ? AND parent_id IS NULL",
      this.pair.lead.name
    )
    if (row === undefined) throw new Error("no lead")
    assert.deepStrictEqual(others, [])
    return row
  }

  /** The requests of the lead to its model. */
  asked(): ReadonlyArray<string> {
    const api = this.pair.lead === claude ? "anthropic" : "responses"
    return this.fake.requests.filter(({ asked }) => asked.api === api).map(({ body }) => JSON.stringify(body))
  }

  waits(): boolean {
    const waiting = "SELECT id FROM tasks WHERE parent_id IS NULL AND status = 'queued' AND wakes = 1"
    return this.beat.rows(waiting).length > 0
  }
}

const call = (tool: string, given: object): string => `CALL: mcp__backbeat__${tool} ${JSON.stringify(given)}`

/** The child answers with what its shell makes of this, so that the prompt of the lead does not have the answer. */
const result = ["TOOL: echo result-$((6 * 7))", "ECHO: tool"]
const told = "result-42"

/** Delegates one task, asks to be woken and ends its turn; the rest answers the wake. */
const leadPrompt = ({ child }: Pair, task: object, ...wake: ReadonlyArray<string>): string =>
  [
    call("DelegateTask", { agent: child.name, ...task }),
    call("WakeMe", {}),
    "SAY: it is handed over",
    "PROMPT:",
    ...wake
  ].join("\n")

for (const pair of pairs) {
  const { child, lead } = pair
  describe.skipIf(!isChosen)(`${lead.name} leads, ${child.name} works`, () => {
    const withAgents = (name: string, run: (bench: Bench) => Promise<void>) =>
      it(name, async (context) => {
        if (!existsSync(binary)) throw new Error(`no built binary at ${binary}: npm run build`)
        const installed: Array<Installed> = []
        for (const agent of [lead, child]) {
          const found = install(agent)
          if (typeof found === "string") return context.skip(found)
          installed.push(found)
        }
        const fake = await FakeModel.start()
        const bench = new Bench(pair, fake, installed)
        try {
          await run(bench)
          const versions = [lead, child].map(({ name }, at) => `${name} ${installed[at]?.version}`).join(", ")
          report.push(`${versions}: ${name}`)
        } finally {
          fake.close()
          await bench.beat.close()
        }
      })

    /** What holds however its child met the restart: one wake, in its session, and no request before it. */
    const assertWokenOnce = (bench: Bench, before: Lead, handedOver: number, wake: number) => {
      const after = bench.lead()
      assert.deepInclude(after, { status: "completed", session_id: before.session_id, attempt: 1, wakes: 1 })
      const since = bench.asked().slice(handedOver)
      assert.lengthOf(since, wake)
      // Each request after the hand-over has the words of the wake and the result of the child: none came before.
      for (const request of since) {
        assert.include(request, "Your tasks have ended (wake 1)")
        assert.include(request, told)
        assert.include(request, "it is handed over", "the session of the first turn")
      }
      assert.isFalse(
        bench.fake.heard("taken from the task at the top"),
        "no warning about what its program sets itself"
      )
      assert.lengthOf(bench.beat.rows("SELECT 1 FROM ledger WHERE task_id = ?", after.id), 2)
      assert.deepStrictEqual(bench.beat.rows("SELECT id FROM tasks WHERE ended_at IS NULL"), [])
      report.push(`${handedOver} requests of the lead until the hand-over, 0 until the wake, ${wake} after it`)
    }

    withAgents("a goal is reached over a restart of the machine while its child waits in the queue", async (bench) => {
      const before = userState(bench.shop)
      await bench.ok(["pause", "--agent", child.name])
      const prompt = leadPrompt(
        pair,
        { prompt: ["TOOL: echo made > made.txt", ...result].join("\n") },
        call("MergeTask", { id: "$ID1" }),
        "SAY: all merged"
      )
      const goal = await bench.ok(["goal", "--until", "test -e made.txt", "-t", "90s", "-"], prompt)
      await until("the lead waits", () => bench.waits())
      const handedOver = bench.asked().length
      const waiting = bench.lead()
      assert.strictEqual(handedOver, 3)
      assert.deepStrictEqual(bench.beat.rows("SELECT * FROM claims"), [])
      await bench.restart()
      await bench.ok(["resume", "--agent", child.name])
      await bench.ok(["wait", goal, "--timeout", "100s"])
      assertWokenOnce(bench, waiting, handedOver, 2)
      assert.strictEqual(bench.lead().answer, "all merged")
      assert.deepStrictEqual(userState(bench.shop), before)
      await bench.ok(["merge", goal])
      assert.strictEqual(readFileSync(join(bench.shop, "made.txt"), "utf8"), "made\n")
      assert.strictEqual(gitIn(bench.shop, "status", "--porcelain"), "")
    })

    withAgents("a lead is woken over a restart of the machine in the middle of its child's turn", async (bench) => {
      await bench.ok(["mcp", "install", lead.name])
      const steps = ["TOOL: echo one >> steps.txt", "HANG: x1", "TOOL: echo two >> steps.txt", ...result]
      const prompt = leadPrompt(
        pair,
        { prompt: steps.join("\n"), retries: 1, backoffMs: 0 },
        "SAY: woken with the result"
      )
      const id = await bench.ok(["run", "-t", "90s", "-"], prompt)
      await until("the lead waits", () => bench.waits())
      await until("its child works", () => existsSync(join(bench.shop, "steps.txt")) && bench.fake.requests.length >= 5)
      const handedOver = bench.asked().length
      const waiting = bench.lead()
      assert.strictEqual(handedOver, 3)
      await bench.restart()
      await bench.ok(["worker", "--on-demand"])
      await bench.ok(["wait", id, "--timeout", "100s"])
      assertWokenOnce(bench, waiting, handedOver, 1)
      assert.strictEqual(await bench.ok(["result", id]), "woken with the result")
    })
  })
}
