/** Goals with real processes: a lead that delegates within bounds, over a kill of everything, and one result for the user. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, makeRepository, userState } from "../support/repository.ts"
import { Beat, isAlive, kill, until } from "./Beat.ts"
import { onceWaiting, type Step, scriptedLead } from "./Lead.ts"

describe("beat goal", () => {
  let beat: Beat | null = null
  afterEach(() => beat?.close())

  const inShop = (turns: ReadonlyArray<ReadonlyArray<Step>>) => {
    const lead = scriptedLead(turns)
    const shop = join(lead.beat.home, "shop")
    makeRepository(shop)
    const run = (args: ReadonlyArray<string>) => lead.beat.run(args, { cwd: shop, env: lead.env })
    const start = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await run(["goal", "-a", "claude", ...args, "--", "write the files"])
      assert.strictEqual(code, 0, stderr)
      return stdout.trim()
    }
    beat = lead.beat
    return { ...lead, run, shop, start }
  }

  const child = (prompt: string): Step => ({ tool: "DelegateTask", args: { agent: "shell", prompt } })

  it("lets a lead delegate three of five, wakes it once after everything was killed, and gives one result", async () => {
    const goal = inShop([
      [
        ...["b", "c", "d", "e", "f"].map((name) => child(`while ! test -e $GO; do sleep 0.05; done; echo x > ${name}`)),
        { tool: "WakeMe" }
      ],
      [...["$0", "$1", "$2"].map((id) => ({ tool: "MergeTask", args: { id } })), { say: "merged" }]
    ])
    const before = userState(goal.shop)
    const go = join(goal.beat.home, "go")
    const turns = join(goal.env.LEAD_HOME, "turns.json")
    writeFileSync(turns, readFileSync(turns, "utf8").replaceAll("$GO", go))
    const id = await goal.start("--until", "test -e b -a -e c -a -e d", "--tasks", "3", "--running", "2")
    await until("the lead waits", () => goal.beat.rows("SELECT id FROM tasks WHERE wakes = 1 AND status = 'queued'")[0])
    const answers = goal.tools().filter(({ tool }) => tool === "DelegateTask")
    assert.deepStrictEqual(
      answers.map(({ isError }) => isError),
      [false, false, false, true, true]
    )
    assert.match(answers[4]?.text ?? "", /^GoalLimitReached: limit: 3 of 3 tasks used/)
    await until("two run", () => goal.beat.rows("SELECT id FROM tasks WHERE status = 'running'").length === 2)
    const shown = (await goal.run(["tree", id])).stdout
    assert.match(shown, /^goal .*: 4 tasks, 4 open, .*3 of 3 delegated/)
    assert.match(shown, /waits for 3, 1 wake/)
    const requests = goal.journal().length
    const workers = goal.beat.workers()
    for (const pid of workers) kill(pid, "SIGKILL")
    await until("all workers are gone", () => workers.every((pid) => !isAlive(pid)))
    writeFileSync(go, "")
    assert.strictEqual(goal.journal().length, requests)
    const waited = await goal.run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(goal.turns().length, 2)
    assert.strictEqual(goal.turns()[1]?.session, goal.turns()[0]?.session)
    assert.match(goal.turns()[1]?.prompt ?? "", /Your tasks have ended \(wake 1\)/)
    const loop = JSON.parse((await goal.run(["goal", "status", id, "--json"])).stdout)
    assert.deepInclude(loop.goal, { tasks: 3, wakes: 1 })
    assert.deepStrictEqual(userState(goal.shop), before)
    assert.strictEqual(waited.code, 0, waited.stdout)
    assert.deepStrictEqual(goal.beat.rows("SELECT id FROM tasks WHERE ended_at IS NULL"), [])
  })

  it("is reached by what the lead merged, and merged by the user as one", async () => {
    const goal = inShop([
      [child(onceWaiting("echo b > b")), child(onceWaiting("echo c > c")), { tool: "WakeMe" }],
      [...["$0", "$1"].map((id) => ({ tool: "MergeTask", args: { id } })), { say: "merged" }]
    ])
    const id = await goal.start("--until", "test -e b -a -e c", "--budget", "5usd", "--for", "1h")
    const waited = await goal.run(["wait", id, "--timeout", "280s"])
    assert.strictEqual(waited.code, 0, `${waited.stdout} ${waited.stderr}`)
    assert.match((await goal.run(["goal", "list"])).stdout, new RegExp(`^${id} .*passed`, "m"))
    assert.strictEqual((await goal.run(["merge", id])).code, 0)
    assert.strictEqual(gitIn(goal.shop, "show", "HEAD:b"), "b")
    assert.strictEqual(gitIn(goal.shop, "rev-list", "--count", "HEAD"), "2")
  })

  it("ends its tree: by a cancel, and when its time is over while the lead waits", async () => {
    const goal = inShop([[child("sleep 90")], [{ say: "over" }]])
    const cancelled = await goal.start("--until", "false")
    // It did not ask to be woken, and is all the same, once.
    await until(
      "it waits",
      () => goal.beat.rows("SELECT n FROM wakes WHERE asked_by = 'backbeat' AND parked_at > 0")[0]
    )
    assert.match((await goal.run(["goal", "cancel", cancelled])).stdout, /cancelled/)
    assert.deepStrictEqual(goal.beat.rows("SELECT id FROM tasks WHERE ended_at IS NULL"), [])
    const timed = await goal.start("--until", "false", "--for", "6s")
    const waited = await goal.run(["wait", timed, "--timeout", "280s"])
    assert.strictEqual(waited.code, 1)
    assert.match(waited.stdout, /deadline/)
    assert.strictEqual((await goal.run(["goal", "x"])).code, 2)
  })
})

describe("beat plan", () => {
  let beat: Beat
  let shop: string

  beforeEach(() => {
    beat = new Beat()
    shop = join(beat.home, "shop")
    makeRepository(shop)
  })
  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>) => beat.run(args, { cwd: shop })
  /** An agent that writes `first`, and `second` once it is told that a draft is not valid. */
  const planner = (first: string, second: string) => {
    writeFileSync(join(beat.home, "first"), first)
    writeFileSync(join(beat.home, "second"), second)
    const script = `cd ${beat.home}; case $0 in *"not valid"*) cat second;; *) cat first;; esac; touch ${shop}/other 2>/dev/null`
    return run(["config", "set", "agents.planner.command", JSON.stringify(["sh", "-c", script, "{prompt}"])])
  }
  const good = "steps:\n  - name: check\n    agent: shell\n    prompt: echo checked\n"

  it("prints a file that can be run, after one correction", async () => {
    await planner("steps: none", `Corrected:\n\n\`\`\`yaml\n${good}\`\`\`\n`)
    const before = userState(shop)
    const { code, stderr, stdout } = await run(["plan", "-a", "planner", "check it"])
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(stdout, good)
    assert.lengthOf(stderr.match(/writes the plan/g) ?? [], 2)
    assert.deepStrictEqual(userState(shop), before)
    writeFileSync(join(beat.home, "plan.yaml"), stdout)
    const ran = await run(["pipeline", "run", "-f", join(beat.home, "plan.yaml")])
    assert.strictEqual(ran.code, 0, ran.stderr)
    assert.include(ran.stdout, "checked")
  })

  it("prints what stays wrong with its problems, and ends with 1", async () => {
    await planner("steps: none", "steps: still none")
    const { code, stderr, stdout } = await run(["plan", "-a", "planner", "check it"])
    assert.strictEqual(code, 1)
    assert.strictEqual(stdout, "steps: still none\n")
    assert.match(stderr, /^plan:1:8: /m)
  })
})
