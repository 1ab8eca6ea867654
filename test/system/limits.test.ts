/** Usage limits with real processes: what is refused waits, one asks, and every step is done once. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"
import { Beat, isAlive, kill, until } from "./Beat.ts"

const program = resolve(import.meta.dirname, "limitedAgent.cjs")

/** A home whose `claude` has an account of so many requests in a window. */
const limited = (requests: number, windowMs: number, settings: Readonly<Record<string, string>> = {}) => {
  const beat = new Beat(settings)
  const bin = join(beat.home, "bin")
  const account = mkdtempSync(join(beat.home, "account-"))
  mkdirSync(bin)
  symlinkSync(program, join(bin, "claude"))
  const env = {
    PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`,
    LIMITED_HOME: account,
    LIMITED_REQUESTS: String(requests),
    LIMITED_WINDOW_MS: String(windowMs),
    ANTHROPIC_API_KEY: "sk-test"
  }
  const journal = () =>
    readFileSync(join(account, "journal"), "utf8")
      .trim()
      .split("\n")
      .map((line) => {
        const [at = "", session = "", what = ""] = line.split(" ")
        return { at: Number(at), session, what }
      })
  const submit = async (prompt: string, args: ReadonlyArray<string> = []) => {
    const { code, stderr, stdout } = await beat.run(["run", "-a", "claude", ...args, prompt], { env })
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  const parked = (id: string) =>
    beat.rows<{ parks: number }>("SELECT parks FROM tasks WHERE id = ? AND status = 'queued' AND parks > 0", id)[0]
  return { beat, env, journal, parked, submit }
}

const count = (journal: ReadonlyArray<{ readonly what: string }>, what: string) =>
  journal.filter((line) => line.what === what).length

describe("a usage limit", () => {
  it("stops five tasks of a newcomer once, and all five are completed after the reset", async () => {
    const { beat, journal, submit } = limited(2, 6000)
    try {
      const ids = [await submit("steps 1"), await submit("steps 1"), await submit("steps 1")]
      ids.push(await submit("steps 1"), await submit("steps 1"))
      const waited = await beat.run(["wait", "--timeout", "280s", ...ids])
      assert.strictEqual(waited.code, 0, waited.stderr)
      for (const id of ids) assert.strictEqual(beat.status(id).status, "completed")
      const attempts = beat.rows<{ attempt: number }>("SELECT attempt FROM tasks")
      assert.deepStrictEqual(new Set(attempts.map(({ attempt }) => attempt)), new Set([1]))
      assert.strictEqual(count(journal(), "step-1"), 5)
      // The two that were in flight when the window was full, and one for each window at most.
      const windows = Math.ceil(5 / 2)
      assert.isAtMost(count(journal(), "refused"), 2 + windows)
    } finally {
      await beat.close()
    }
  })

  it("in the middle of the work is waited for, also by a worker that was killed, and each step is done once", async () => {
    const { beat, journal, parked, submit } = limited(2, 6000)
    try {
      const id = await submit("steps 3", ["--timeout", "10m"])
      await until("it is parked", () => parked(id))
      const why = await beat.run(["why", id])
      assert.match(why.stdout, /It waits for the 5-hour limit of account [0-9a-z]{10}, opens .*beat edit/)
      const status = await beat.run(["status", id])
      assert.match(status.stdout, /parked +once.*continues in its session/)
      const { attempt, parked: parks, status: now } = JSON.parse((await beat.run(["status", id, "--json"])).stdout)
      assert.deepStrictEqual([now, attempt, parks.length, parks[0].window], ["queued", 1, 1, "five_hour"])
      for (const pid of beat.workers()) kill(pid, "SIGKILL")
      const waited = await beat.run(["wait", "--timeout", "280s", id])
      assert.strictEqual(waited.code, 0, waited.stderr)
      const lines = journal()
      assert.deepStrictEqual(
        ["step-1", "step-2", "step-3"].map((step) => count(lines, step)),
        [1, 1, 1]
      )
      assert.strictEqual(new Set(lines.map(({ session }) => session)).size, 1)
      assert.deepStrictEqual([count(lines, "new"), count(lines, "resumed"), count(lines, "refused")], [1, 1, 1])
      const [park, ...others] = beat.rows<{ n: number; released_at: number | null }>("SELECT n, released_at FROM parks")
      assert.deepStrictEqual([park?.n, others.length], [1, 0])
      assert.isNotNull(park?.released_at)
      const result = await beat.run(["result", id])
      assert.match(result.stdout, /did 3 steps/)
    } finally {
      await beat.close()
    }
  })

  it("on the first request starts the task again: no session holds a turn that was refused", async () => {
    const { beat, journal, parked, submit } = limited(1, 20_000)
    try {
      // Both start within one window, of which either may have the one turn.
      const ids = [await submit("steps 1"), await submit("steps 1")]
      await until("one is parked", () => ids.some(parked))
      const waited = await beat.run(["wait", "--timeout", "280s", ...ids])
      assert.strictEqual(waited.code, 0, waited.stderr)
      const lines = journal()
      assert.deepStrictEqual([count(lines, "new"), count(lines, "resumed")], [3, 0])
      assert.strictEqual(new Set(lines.map(({ session }) => session)).size, 3)
    } finally {
      await beat.close()
    }
  })

  it("of an account holds back other tasks that no process started", async () => {
    const { beat, journal, parked, submit } = limited(1, 60_000)
    try {
      const first = await submit("steps 2")
      await until("it is parked", () => parked(first))
      const second = await submit("steps 1")
      const shell = await beat.submit("echo through")
      assert.strictEqual((await beat.run(["wait", "--timeout", "280s", shell])).code, 0)
      assert.match((await beat.run(["why", second])).stdout, /5-hour limit/)
      assert.deepStrictEqual([count(journal(), "new"), count(journal(), "refused")], [1, 1])
      const cancelled = await beat.run(["cancel", first, second])
      assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    } finally {
      await beat.close()
    }
  })

  for (const place of ["park.decided", "park.commit", "park.committed", "park.discarded"]) {
    it(`parks a task once, also where the worker is killed at ${place}`, async () => {
      const { beat, env, parked, submit } = limited(1, 60_000)
      try {
        const doomed = beat.start(["worker", "--keep"], { env: { ...env, BACKBEAT_FAILPOINTS: `${place}:kill` } })
        await until("it is on the list", () => beat.workers().length === 1)
        const id = await submit("steps 2")
        assert.strictEqual((await doomed.done).signal, "SIGKILL")
        const next = beat.start(["worker", "--keep"], { env })
        await until("it is parked", () => parked(id))
        assert.deepStrictEqual(beat.rows("SELECT n FROM parks"), [{ n: 1 }])
        assert.deepStrictEqual(beat.rows("SELECT status, parks, attempt FROM tasks"), [
          { status: "queued", parks: 1, attempt: 1 }
        ])
        assert.deepStrictEqual(beat.rows("SELECT task_id FROM claims"), [])
        const [lane] = beat.rows<{ opens_at: number }>("SELECT opens_at FROM lanes WHERE id > 1")
        assert.isAbove(lane?.opens_at ?? 0, Date.now())
        next.child.kill("SIGKILL")
        await next.done
      } finally {
        await beat.close()
      }
    })
  }

  it("is met by an agent that sleeps inside its process: it is parked within moments and its process is gone", async () => {
    const beat = new Beat({ BACKBEAT_STALL_MS: "60000" })
    const bin = join(beat.home, "bin")
    mkdirSync(bin)
    const notice =
      "Attempt 1 failed: You have exhausted your capacity on this model. Your quota will reset after 3h55m17s.. Retrying after 14117857ms..."
    writeFileSync(
      join(bin, "gemini"),
      `#!/bin/sh\necho $$ >${beat.home}/agent\necho '{"type":"init","session_id":"s"}'\necho "${notice}" >&2\nexec sleep 600\n`,
      { mode: 0o755 }
    )
    const env = { PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`, GEMINI_API_KEY: "k" }
    try {
      const { stdout } = await beat.run(["run", "-a", "gemini", "think"], { env })
      const id = stdout.trim()
      await until(
        "it is parked",
        () => beat.rows("SELECT id FROM tasks WHERE parks = 1 AND status = 'queued'").length === 1
      )
      assert.isFalse(isAlive(Number(readFileSync(join(beat.home, "agent"), "utf8"))))
      const [lane] = beat.rows<{ opens_at: number; window: string }>(
        'SELECT opens_at, "window" FROM lanes WHERE id > 1'
      )
      assert.approximately((lane?.opens_at ?? 0) - Date.now(), 14_117_857, 60_000)
      await beat.run(["cancel", id])
    } finally {
      await beat.close()
    }
  })

  it("ends the task with exit code 75 where it is asked to, and a wait that only limits prolong has the same", async () => {
    const { beat, env, parked, submit } = limited(1, 60_000)
    try {
      await beat.run(["wait", await submit("steps 1")])
      const failing = await beat.run(["run", "-f", "-a", "claude", "--on-limit", "fail", "steps 1"], { env })
      assert.strictEqual(failing.code, 75, failing.stderr)
      const id = await submit("steps 1")
      await until("it waits", () => beat.rows("SELECT id FROM tasks WHERE status = 'queued'").length === 1)
      const again = await submit("steps 1")
      assert.isUndefined(parked(again))
      const early = await beat.run(["wait", "--timeout", "2s", id, again])
      assert.strictEqual(early.code, 75, early.stderr)
      await beat.run(["cancel", id, again])
    } finally {
      await beat.close()
    }
  })

  it("that lasts long gives the task to its fallback, with what was done so far; dependents wait for the same task", async () => {
    const { beat, env, parked, submit } = limited(1, 7_200_000)
    try {
      const set = await beat.run([
        "config",
        "set",
        "agents.mine.command",
        '["sh", "-c", "cat > asked.txt; echo did it"]'
      ])
      assert.strictEqual(set.code, 0, set.stderr)
      const id = await submit("steps 2", ["--fallback", "missing,mine"])
      const dependent = await beat.run(["run", "-a", "shell", "--after", id, "echo after"], { env })
      await until("it is parked", () => parked(id))
      const waited = await beat.run(["wait", "--timeout", "280s", id, dependent.stdout.trim()])
      assert.strictEqual(waited.code, 0, waited.stderr)
      const [task] = beat.rows<{ agent: string; attempt: number; fallback: string; retried_by: string | null }>(
        "SELECT agent, attempt, fallback, retried_by FROM tasks WHERE id = ?",
        id
      )
      assert.deepStrictEqual(task, { agent: "mine", attempt: 1, fallback: "[]", retried_by: null })
      const asked = readFileSync(join(beat.home, "asked.txt"), "utf8")
      assert.match(asked, /^steps 2\n\nclaude began this and was stopped by a usage limit/)
      assert.include(asked, "step 1")
    } finally {
      await beat.close()
    }
  })

  it("ends when the session is gone: the task starts again from the beginning with what it printed, and that is not another attempt", async () => {
    const { beat, journal, parked, submit } = limited(2, 6000)
    try {
      const id = await submit("steps 3")
      await until("it is parked", () => parked(id))
      const account = readdirSync(beat.home).find((name) => name.startsWith("account-")) ?? ""
      for (const name of readdirSync(join(beat.home, account))) {
        if (name.startsWith("session-")) rmSync(join(beat.home, account, name))
      }
      const waited = await beat.run(["wait", "--timeout", "280s", id])
      assert.strictEqual(waited.code, 0, waited.stderr)
      const lines = journal()
      assert.isAtLeast(count(lines, "new"), 2)
      assert.deepStrictEqual(beat.rows("SELECT attempt, retried_by FROM tasks"), [{ attempt: 1, retried_by: null }])
    } finally {
      await beat.close()
    }
  })

  it("counts for the account that the agent is logged in to when it starts, not when it was submitted", async () => {
    const { beat, env } = limited(5, 60_000)
    const login = (account: string) =>
      writeFileSync(join(beat.home, ".claude.json"), JSON.stringify({ oauthAccount: { accountUuid: account } }))
    const accountOf = (id: string) =>
      beat.rows<{ account: string }>("SELECT account FROM tasks WHERE id = ?", id)[0]?.account
    try {
      const { ANTHROPIC_API_KEY: _key, ...loggedIn } = env
      login("one")
      assert.strictEqual((await beat.run(["pause", "--all"])).code, 0)
      const id = (await beat.run(["run", "-a", "claude", "steps 1"], { env: loggedIn })).stdout.trim()
      const before = accountOf(id)
      login("two")
      assert.strictEqual((await beat.run(["resume", "--all"])).code, 0)
      const waited = await beat.run(["wait", "--timeout", "280s", id])
      assert.strictEqual(waited.code, 0, waited.stderr)
      assert.match(before ?? "", /^anthropic\/login\//)
      assert.match(accountOf(id) ?? "", /^anthropic\/login\//)
      assert.notStrictEqual(accountOf(id), before)
      assert.deepStrictEqual(beat.rows("SELECT count(*) AS claims FROM claim_history"), [{ claims: 2 }])
    } finally {
      await beat.close()
    }
  })

  it("is met where requests would be billed on top of the plan, unless the setting allows that", async () => {
    const { beat, env, parked } = limited(50, 60_000)
    const run = async () => {
      const words = ["run", "-a", "claude", "steps 3"]
      return (await beat.run(words, { env: { ...env, LIMITED_OVERAGE: "1" } })).stdout.trim()
    }
    try {
      const id = await run()
      await until("it is parked", () => parked(id))
      assert.match((await beat.run(["why", id])).stdout, /use of paid credits/)
      assert.strictEqual((await beat.run(["cancel", id])).code, 0)
      assert.strictEqual((await beat.run(["config", "set", "overage", "allow"])).code, 0)
      assert.strictEqual((await beat.run(["limits", "open", "claude"])).code, 0)
      const allowed = await beat.run(["wait", "--timeout", "280s", await run()])
      assert.strictEqual(allowed.code, 0, allowed.stderr)
    } finally {
      await beat.close()
    }
  })

  it("does not hold a spare task: that waits for the end of the window, if there is room, and says so everywhere", async () => {
    const { beat, env } = limited(50, 600_000)
    const hour = 3_600_000
    const submit = (used: string, endsMs: number, ...words: ReadonlyArray<string>) =>
      beat.run(["run", "-a", "claude", ...words, "steps 1"], {
        env: { ...env, LIMITED_USED: used, LIMITED_ENDS_MS: String(endsMs) }
      })
    const told = async (used: string, endsMs: number) => {
      const id = (await submit(used, endsMs)).stdout.trim()
      const waited = await beat.run(["wait", "--timeout", "280s", id])
      assert.strictEqual(waited.code, 0, waited.stderr)
    }
    try {
      const refused = await submit("0", 0, "--spare", "--fallback", "codex")
      assert.match(refused.stderr, /spare.*excludes/)
      await told("0.6", 3 * hour)
      const submitted = await submit("0.6", 3 * hour, "--spare")
      assert.match(submitted.stderr, /waits for the spare room of the 5-hour limit/)
      const id = submitted.stdout.trim()
      assert.match((await beat.run(["status", id, "--json"])).stdout, /"spare": ?true/)
      assert.match(
        (await beat.run(["why", id])).stdout,
        /spare room of the 5-hour limit .* less than 80 % .*--no-spare/
      )
      assert.match((await beat.run(["status", id])).stdout, /waits for +the spare room/)
      assert.match((await beat.run(["list"])).stdout, new RegExp(`${id} .*spare`))
      assert.match((await beat.run([])).stdout, /spare room of the 5-hour limit, opens .*1 spare task waits/)
      assert.match((await beat.run(["limits"])).stdout, /1 spare task waits for the spare room/)
      // Full: it waits for the next window.
      await told("0.85", hour / 2)
      assert.strictEqual(beat.status(id).status, "queued")
      await told("0.7", hour / 2)
      const waited = await beat.run(["wait", "--timeout", "280s", id])
      assert.strictEqual(waited.code, 0, waited.stderr)
      assert.deepStrictEqual(beat.rows("SELECT DISTINCT parks, attempt FROM tasks"), [{ parks: 0, attempt: 1 }])
    } finally {
      await beat.close()
    }
  })

  it("ends at the time of day in the task's own zone, whichever zone the worker was started in", async () => {
    const beat = new Beat()
    const bin = join(beat.home, "bin")
    mkdirSync(bin)
    // Says, in its own zone, the time of day in two hours.
    const said = `const at = new Date(Date.now() + 7_200_000)
      const two = (value) => String(value).padStart(2, "0")
      const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")
      const result = "You've hit your limit \u00b7 resets " + time
      console.log(JSON.stringify({ type: "result", subtype: "success", is_error: true, result, session_id: "s" }))
      process.exitCode = 1`
    writeFileSync(join(bin, "claude"), `#!${process.execPath}\n${said}\n`, { mode: 0o755 })
    const path = { PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}` }
    try {
      const keeper = await beat.submit("sleep 300", [], { env: { TZ: "JST-9" } })
      await until("the keeper runs", () => beat.status(keeper).status === "running")
      const zones: ReadonlyArray<Readonly<Record<string, string>>> = [
        {},
        { TZ: "" },
        { TZ: "JST-9" },
        { TZ: "America/New_York" },
        { TZ: ":Asia/Kolkata" }
      ]
      for (const [n, zone] of zones.entries()) {
        const before = Date.now()
        const env = { ...path, ...zone, ANTHROPIC_API_KEY: `sk-${n}` }
        const { stdout } = await beat.run(["run", "-a", "claude", "--on-limit", "fail", "work"], { env })
        assert.strictEqual((await beat.run(["wait", "--timeout", "60s", stdout.trim()])).code, 75)
        const { failureResetAt } = JSON.parse((await beat.run(["status", stdout.trim(), "--json"])).stdout)
        assert.isAtLeast(failureResetAt, before + 7_199_000, JSON.stringify(zone))
        assert.isAtMost(failureResetAt, Date.now() + 7_201_000, JSON.stringify(zone))
      }
      const { stdout } = await beat.run(["run", "-a", "claude", "work"], {
        env: { ...path, ANTHROPIC_API_KEY: "sk-p" }
      })
      await until(
        "the task is parked",
        () => beat.rows("SELECT 1 FROM tasks WHERE status = 'queued' AND parks = 1").length === 1
      )
      const parked = (await beat.run(["status", stdout.trim()])).stdout
      assert.match(parked, /parked +once/)
      assert.notMatch(parked, /running for|took/)
      await beat.run(["cancel", keeper])
    } finally {
      await beat.close()
    }
  })
})
