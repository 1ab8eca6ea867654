/** Budgets with real processes: what has no room waits and is named, a spent budget parks, and nothing is lost or done twice. */
import { mkdirSync, readFileSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"
import { Beat, isAlive, kill, until } from "./Beat.ts"

const program = resolve(import.meta.dirname, "spendingClaude.cjs")

const spending = (answerMs: number) => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "8", BACKBEAT_MEMORY_PER_TASK_BYTES: "1000000" })
  const bin = join(beat.home, "bin")
  const home = join(beat.home, "spent")
  mkdirSync(bin)
  mkdirSync(home)
  symlinkSync(program, join(bin, "claude"))
  const env = {
    PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`,
    SPENDING_HOME: home,
    SPENDING_MS: String(answerMs),
    ANTHROPIC_API_KEY: "sk-test",
    TZ: "UTC"
  }
  const run = (...args: ReadonlyArray<string>) => beat.run(args, { env })
  const submit = async (...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await run("run", "-a", "claude", ...args)
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  const journal = () => readFileSync(join(home, "journal"), "utf8").trim().split("\n")
  const budgets = async () => {
    const { stdout } = await run("budget", "list", "--json")
    const view: { budgets: ReadonlyArray<Record<string, number | string | null>> } = JSON.parse(stdout)
    return view.budgets
  }
  return { beat, budgets, journal, run, submit }
}

const row = (beat: Beat, id: string) =>
  beat.rows<{ status: string; parks: number; attempt: number }>(
    "SELECT status, parks, attempt FROM tasks WHERE id = ?",
    id
  )[0]

describe("beat budget", () => {
  it("a dollar a day and eight tasks of 20 cents: five run, the rest are named and run once it is raised", async () => {
    const { beat, budgets, journal, run, submit } = spending(10)
    try {
      const made = await run("budget", "set", "daily", "--day", "$1")
      assert.deepStrictEqual(
        [made.code, /Budget daily: \$1\.00 a day for all tasks \(UTC\)/.test(made.stderr)],
        [0, true]
      )
      const ids: Array<string> = []
      for (let at = 0; at < 8; at++) ids.push(await submit("answers 1"))
      await until(
        "the budget is spent",
        () => beat.rows("SELECT 1 FROM notices WHERE kind = 'budget-tripped'").length > 0
      )
      const ended = ids.filter((id) => beat.status(id).status === "completed")
      assert.lengthOf(ended, 5)
      assert.lengthOf(journal(), 5)
      const [waits = ""] = ids.filter((id) => beat.status(id).status === "queued")
      const why = await run("why", waits)
      assert.match(
        why.stdout,
        /It waits for budget daily: \$1\.00 of \$1\.00 spent today; opens .*beat budget set daily --day 2usd/
      )
      assert.match((await run("status", waits)).stdout, /waits for +budget daily: \$1\.00 of \$1\.00/)
      assert.match((await run()).stdout, /budget daily: \$1\.00 of \$1\.00 spent today; opens/)
      assert.match((await run("list")).stdout, new RegExp(`${waits}.*budget daily`))
      assert.match((await run("budget")).stdout, /daily +all tasks +day +\$1\.00 +- +\$1\.00 +spent, opens/)
      assert.deepInclude((await budgets())[0], { name: "daily", metric: "usd", amount: 1, spent: 1, reserved: 0 })
      const again = await run("run", "-a", "claude", "answers 1")
      assert.match(again.stderr, /waits for budget daily/)
      assert.strictEqual((await run("budget", "set", "daily", "--day", "5usd")).code, 0)
      const all = await run("wait", "--timeout", "280s", ...ids, again.stdout.trim())
      assert.strictEqual(all.code, 0, all.stderr)
      const { stdout } = await run("events", "--only", "budget-warned,budget-tripped", "--json")
      const kinds = stdout
        .trim()
        .split("\n")
        .map((line): string => JSON.parse(line).kind)
      assert.deepStrictEqual(kinds, ["budget-warned", "budget-tripped"])
      const told = (await run("events", "--only", "budget-warned,budget-tripped")).stdout
      assert.match(told, /daily +the warning level of \$1\.00 is reached\n/)
      assert.match(told, /daily +no room is left in \$1\.00, opens /)
      assert.strictEqual((await run("budget", "remove", "daily")).code, 0)
      assert.strictEqual((await run("budget", "remove", "daily")).code, 3)
    } finally {
      await beat.close()
    }
  })

  it("a task that spends its own budget is parked, also over kill -9, and continues in its session when it is raised", async () => {
    const { beat, budgets, journal, run, submit } = spending(1200)
    try {
      const id = await submit("--budget", "0.3usd", "answers 4")
      const [worker] = beat.workers()
      await until("it is parked", () => row(beat, id)?.status === "queued" && row(beat, id)?.parks === 1)
      const done = journal().length
      // The two answers that spent it, and at most one that was on its way.
      assert.include([2, 3], done)
      assert.match(
        (await run("why", id)).stdout,
        new RegExp(`budget ${id}: .* of \\$0\\.30 spent in all.*--total 1usd`)
      )
      const [budget] = await budgets()
      assert.deepInclude(budget, { name: id, spent: Math.round(done * 200_250) / 1_000_000, used: 0 })
      // It may have left by itself: nothing is to be done.
      if (worker !== undefined) {
        kill(worker, "SIGKILL")
        await until("the worker is gone", () => !isAlive(worker))
      }
      assert.strictEqual((await run("budget", "set", id, "--total", "5usd")).code, 0)
      const waited = await run("wait", "--timeout", "280s", id)
      assert.strictEqual(waited.code, 0, waited.stderr)
      const answers = journal().map((line) => Number(line.split(" ")[1]))
      assert.deepStrictEqual(answers, [1, 2, 3, 4])
      assert.deepInclude(row(beat, id), { status: "completed", attempt: 1, parks: 1 })
      const [sum] = beat.rows<{ tokens: number; runs: number }>(
        "SELECT sum(input_tokens) AS tokens, count(DISTINCT claim_id) AS runs FROM ledger"
      )
      assert.deepStrictEqual(sum, { tokens: 160_000, runs: 2 })
    } finally {
      await beat.close()
    }
  })

  it("a change keeps every value that is not given, the amount too", async () => {
    const { beat, budgets, run } = spending(10)
    try {
      const set = async (...args: ReadonlyArray<string>) => {
        const { code, stderr } = await run("budget", "set", "own", ...args)
        assert.strictEqual(code, 0, stderr)
        const [budget] = await budgets()
        return [
          budget?.period,
          budget?.metric,
          budget?.amount,
          budget?.value,
          budget?.warnPercent,
          budget?.action,
          budget?.timezone
        ]
      }
      const made = await set("--week", "2Mtokens", "--label", "team", "--timezone", "Europe/Paris")
      assert.deepStrictEqual(made, ["week", "tokens", 2_000_000, "team", 80, "pause", "Europe/Paris"])
      const steps: ReadonlyArray<readonly [ReadonlyArray<string>, number, string | number]> = [
        [["--warn", "50"], 4, 50],
        [["--action", "stop"], 5, "stop"],
        [["--timezone", "UTC"], 6, "UTC"],
        [["--agent", "claude"], 3, "claude"],
        [["--week", "3Mtokens"], 2, 3_000_000]
      ]
      for (const [args, at, value] of steps) {
        made[at] = value
        assert.deepStrictEqual(await set(...args), made, args.join(" "))
      }
      assert.strictEqual((await run("budget", "set", "own")).code, 2)
      assert.strictEqual((await run("budget", "set", "own", "--agent", "cluade")).code, 2)
      assert.strictEqual((await run("budget", "set", "own", "--total", "1usd")).code, 2)
    } finally {
      await beat.close()
    }
  })

  it("says what is wrong with a command line", async () => {
    const { beat, run } = spending(10)
    try {
      for (const args of [
        ["set", "daily"],
        ["set", "daily", "--day", "much"],
        ["set", "daily", "--day", "1usd", "--week", "2usd"],
        ["set", "daily", "--day", "1usd", "--all", "--agent", "claude"],
        ["set", "daily", "--total", "1usd"],
        ["set", "bad name", "--day", "1usd"],
        ["set", "daily", "--day", "1usd", "--warn", "120"],
        ["set", "daily", "--warn", "50"],
        ["set", "daily", "--day", "1usd", "--agent", "cluade"]
      ]) {
        const { code, stderr, stdout } = await run("budget", ...args)
        assert.deepStrictEqual([code, stdout, stderr.length > 0], [2, "", true], args.join(" "))
      }
      const inside = await beat.run(["budget", "set", "daily", "--day", "1usd"], {
        env: { BACKBEAT_TASK_ID: "k3v9x2m7q4ab" }
      })
      assert.strictEqual(inside.code, 1, inside.stderr)
    } finally {
      await beat.close()
    }
  })
})
