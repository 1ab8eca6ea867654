/** Leads with real processes: they end their turn, nothing runs for them, and they continue with the results. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, describe, it } from "vitest"
import { gitIn, makeRepository } from "../support/repository.ts"
import { type Beat, binary, isAlive, kill, until } from "./Beat.ts"
import { onceWaiting, scriptedLead } from "./Lead.ts"

const held = (go: string, answer: string) => `while ! test -e ${go}; do sleep 0.05; done; echo ${answer}`

describe("an agent that asks to be woken", () => {
  let beat: Beat | null = null
  afterEach(() => beat?.close())

  const isWaiting = (id: string) =>
    beat?.rows("SELECT id FROM tasks WHERE id = ? AND status = 'queued' AND waiting_on > 0", id)[0]

  /** Ends every worker, as a machine that is switched off does; agents and their shims as well. */
  const switchOff = async (one: Beat) => {
    for (const { pid } of one.rows<{ pid: number | null }>("SELECT pid FROM claims")) if (pid) kill(-pid, "SIGKILL")
    const workers = one.workers()
    for (const pid of workers) kill(pid, "SIGKILL")
    await until("all workers are gone", () => workers.every((pid) => !isAlive(pid)))
  }

  it("is resumed once with the results of its tasks, over a kill of everything, without a request in between", async () => {
    const lead = scriptedLead([
      [
        {
          tool: "DelegateTask",
          args: { agent: "shell", tasks: [{ prompt: onceWaiting("echo one") }, { prompt: "$HOLD" }] }
        },
        { tool: "WakeMe" },
        { say: "handed over" }
      ],
      [{ say: "all merged" }]
    ])
    beat = lead.beat
    const go = join(beat.home, "go")
    const script = join(beat.home, lead.env.LEAD_HOME.split("/").at(-1) ?? "", "turns.json")
    writeFileSync(script, readFileSync(script, "utf8").replace("$HOLD", held(go, "two")))
    const id = await lead.submit()
    await until("it waits", () => isWaiting(id))
    assert.deepStrictEqual(
      lead.tools().map(({ isError, tool }) => [tool, isError]),
      [
        ["DelegateTask", false],
        ["WakeMe", false]
      ]
    )
    await until("its first task has ended", () => beat?.rows("SELECT id FROM tasks WHERE status = 'completed'")[0])
    // Neither a claim nor a process is left for it.
    assert.deepStrictEqual(beat.rows("SELECT 1 FROM claims WHERE task_id = ?", id), [])
    assert.match((await beat.run(["why", id])).stdout, /waits for .*task/i)
    const before = lead.journal().length
    await switchOff(beat)
    writeFileSync(go, "")
    assert.strictEqual(lead.journal().length, before)
    const waited = await beat.run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(waited.code, 0, waited.stderr)
    const [first, second, ...others] = lead.turns()
    assert.deepStrictEqual(others, [])
    assert.strictEqual(second?.session, first?.session)
    assert.deepStrictEqual([first?.wake, second?.wake], [undefined, "1"])
    assert.match(second?.prompt ?? "", /Your tasks have ended \(wake 1\)/)
    assert.match(second?.prompt ?? "", /completed: .*echo one\none/)
    const [result] = beat.rows<{ answer: string; attempt: number; wakes: number }>(
      "SELECT answer, attempt, wakes FROM tasks WHERE id = ?",
      id
    )
    assert.deepStrictEqual(result, { answer: "all merged", attempt: 1, wakes: 1 })
    assert.strictEqual(beat.rows("SELECT 1 FROM ledger WHERE task_id = ?", id).length, 2)
  })

  it("is resumed when the first of several has ended, waits for others again, and is cancelled while it waits", async () => {
    const lead = scriptedLead([
      [
        {
          tool: "DelegateTask",
          args: { agent: "shell", tasks: [{ prompt: "sleep 90" }, { prompt: onceWaiting("echo fast") }] }
        },
        { tool: "WakeMe", args: { ids: "$ids", when: "any" } }
      ],
      [{ tool: "WakeMe" }]
    ])
    beat = lead.beat
    const id = await lead.submit()
    await until("it waits for the second time", () => lead.turns().length === 2 && isWaiting(id))
    assert.match(lead.turns()[1]?.prompt ?? "", /One of your tasks has ended \(wake 1\); 1 are open/)
    assert.strictEqual((await beat.run(["cancel", id, "--tree"])).code, 0)
    assert.deepStrictEqual(
      beat.rows("SELECT DISTINCT status FROM tasks WHERE id = ? OR parent_id = ?", id, id).length,
      2
    )
    assert.strictEqual(beat.status(id).status, "cancelled")
    assert.deepStrictEqual(beat.rows("SELECT id FROM tasks WHERE ended_at IS NULL"), [])
  })

  it("is told which files its isolated tasks changed, and merges them into its own workspace", async () => {
    const write = (name: string) => ({ prompt: onceWaiting(`echo ${name} > ${name}; echo ${name} >> shared`) })
    const lead = scriptedLead([
      [
        { tool: "DelegateTask", args: { agent: "shell", isolate: true, tasks: [write("b"), write("c")] } },
        { tool: "WakeMe" }
      ],
      [{ tool: "MergeTask", args: { id: "$0" } }, { tool: "MergeTask", args: { id: "$1" } }, { say: "merged" }]
    ])
    beat = lead.beat
    const shop = join(beat.home, "shop")
    makeRepository(shop)
    const id = await lead.submit(["--isolate"], shop)
    const waited = await beat.run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(waited.code, 0, waited.stderr)
    const prompt = lead.turns()[1]?.prompt ?? ""
    assert.match(prompt, /It changed b, shared\. Bring this into your directory: MergeTask/)
    assert.match(prompt, /Changed by more than one task.*shared \(/)
    const merged = lead.tools().filter(({ tool }) => tool === "MergeTask")
    assert.deepStrictEqual(
      merged.map(({ text }) => /"state":"(\w+)"/.exec(text ?? "")?.[1]),
      ["merged", "conflict"]
    )
    assert.strictEqual(gitIn(shop, "show", `refs/backbeat/task/${id}:b`), "b")
    assert.strictEqual(gitIn(shop, "status", "--porcelain"), "")
  })

  it("is resumed when the last round of a loop and the decision of a contest are there, over a kill of everything", async () => {
    const lead = scriptedLead([
      [
        {
          tool: "DelegateTask",
          args: {
            agent: "shell",
            prompt: onceWaiting("echo x >> n; echo round"),
            loop: { until: "test $(wc -l < n) -ge 3", max: 5 }
          }
        },
        {
          tool: "DelegateTask",
          args: { agent: "shell", prompt: onceWaiting("echo y > m"), isolate: true, times: 2, best: "test -e m" }
        },
        { tool: "WakeMe" },
        { say: "handed over" }
      ],
      [{ say: "all merged" }]
    ])
    beat = lead.beat
    const shop = join(beat.home, "shop")
    makeRepository(shop)
    const id = await lead.submit([], shop)
    await until("it waits", () => isWaiting(id))
    const status = await beat.run(["status", id])
    assert.match(`${status.stdout}${status.stderr}`, /waits for +2 tasks, \w+ among them/)
    await until("a round has ended", () => beat?.rows("SELECT 1 FROM loop_rounds WHERE ended_at IS NOT NULL")[0])
    assert.isDefined(isWaiting(id))
    await switchOff(beat)
    const waited = await beat.run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(waited.code, 0, waited.stderr)
    const [, second, ...others] = lead.turns()
    assert.deepStrictEqual(others, [])
    const prompt = second?.prompt ?? ""
    assert.match(prompt, /Loop \w+ \(shell\) passed in round \d of 5, round \d is kept: .*\nIt changed n\. Bring this/)
    assert.match(prompt, /Contest \w+ passed, candidate \d \(shell\) is kept: .*\nIt changed m\. Bring this/)
    assert.deepStrictEqual(beat.rows("SELECT wakes FROM tasks WHERE id = ?", id), [{ wakes: 1 }])
  })

  it("is resumed when a pipeline has ended that it has named, with how each step ended", async () => {
    const steps = [
      { name: "build", agent: "shell", prompt: "until test -e go; do sleep 0.05; done" },
      { name: "test", agent: "shell", prompt: "exit 3" },
      { name: "deploy", agent: "shell", prompt: "echo deployed" }
    ]
    const lead = scriptedLead([
      [
        { tool: "CreatePipeline", args: { name: "release", steps } },
        { tool: "WakeMe", args: { ids: "$ids" } }
      ],
      [{ say: "over" }]
    ])
    beat = lead.beat
    const id = await lead.submit()
    await until("it waits", () => isWaiting(id))
    assert.match(
      (await beat.run(["why", id])).stdout,
      /It waits for pipeline \w+. To see it: beat pipeline status \w+\./
    )
    writeFileSync(join(beat.home, "go"), "")
    assert.strictEqual((await beat.run(["wait", id, "--timeout", "280s"])).code, 0)
    const [, second, ...others] = lead.turns()
    assert.deepStrictEqual(others, [])
    const report = /Pipeline \w+ failed: release\nbuild \(\w+\): completed\ntest \(\w+\): .+\ndeploy \(\w+\): .+/
    assert.match(second?.prompt ?? "", report)
  })

  it("gets a reason where there is nothing to wait for, or the task is not its own", async () => {
    const lead = scriptedLead([])
    beat = lead.beat
    const stranger = await beat.submit("sleep 90")
    writeFileSync(
      join(lead.env.LEAD_HOME, "turns.json"),
      JSON.stringify([[{ tool: "WakeMe" }, { tool: "WakeMe", args: { ids: [stranger] } }]])
    )
    const id = await lead.submit()
    assert.strictEqual((await beat.run(["wait", id, "--timeout", "280s"])).code, 0)
    const [nothing, foreign] = lead.tools()
    assert.match(nothing?.text ?? "", /^WakeRefused: All of these tasks have ended/)
    assert.match(foreign?.text ?? "", /^OutsideTask: /)
    await beat.run(["cancel", stranger])
  })

  it("starts again with the results where its agent has no session", async () => {
    const lead = scriptedLead([])
    beat = lead.beat
    const ask = join(beat.home, "ask.cjs")
    const waiting = join(beat.home, "waiting")
    const call = (id: number, method: string, params: object) => JSON.stringify({ jsonrpc: "2.0", id, method, params })
    const lines = [
      call(1, "initialize", {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "x", version: "1" }
      }),
      call(2, "tools/call", {
        name: "DelegateTask",
        arguments: { agent: "shell", prompt: held(waiting, "from the child") }
      }),
      call(3, "tools/call", { name: "WakeMe", arguments: {} })
    ]
    writeFileSync(
      ask,
      `const c = require("node:child_process").spawn(process.execPath, [${JSON.stringify(binary)}, "mcp", "start"], { stdio: ["pipe", "pipe", "inherit"] })
const lines = ${JSON.stringify(lines)}
const send = () => { const line = lines.shift(); if (line) c.stdin.write(line + "\\n"); else { require("node:fs").writeFileSync(${JSON.stringify(waiting)}, ""); c.stdin.end() } }
let text = ""
c.stdout.on("data", (more) => { text += more; while (text.includes("\\n")) { text = text.slice(text.indexOf("\\n") + 1); send() } })
send()`
    )
    const prompt = `if test -n "$BACKBEAT_WAKE"; then echo "woken $BACKBEAT_WAKE"; else node ${ask}; fi`
    const id = await beat.submit(prompt)
    const waited = await beat.run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.strictEqual((await beat.run(["result", id])).stdout.trim(), "woken 1")
  })

  for (const place of ["park.decided", "park.committed"]) {
    it(`waits once, also where its worker is killed at ${place}`, async () => {
      const lead = scriptedLead([
        [{ tool: "DelegateTask", args: { agent: "shell", prompt: onceWaiting("echo child") } }, { tool: "WakeMe" }],
        [{ say: "over" }]
      ])
      beat = lead.beat
      const env = { ...lead.env, BACKBEAT_FAILPOINTS: `${place}:kill` }
      const doomed = beat.start(["worker", "--keep"], { env })
      await until("it is on the list", () => beat?.workers().length === 1)
      const id = await lead.submit()
      assert.strictEqual((await doomed.done).signal, "SIGKILL")
      const waited = await beat.run(["wait", id, "--timeout", "280s"])
      assert.strictEqual(waited.code, 0, waited.stderr)
      assert.deepStrictEqual(
        lead.turns().map(({ turn, wake }) => [turn, wake]),
        [
          [0, undefined],
          [1, "1"]
        ]
      )
      assert.strictEqual((await beat.run(["result", id])).stdout.trim(), "over")
    })
  }
})
