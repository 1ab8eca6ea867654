/** Pauses and groups on the built program: named where people look, kept over kills, obeyed by several workers. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, children, isAlive, kill, until } from "./Beat.ts"

describe("beat pause", () => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "8", BACKBEAT_MEMORY_PER_TASK_BYTES: "1000000" })
  afterAll(() => beat.close())

  it("holds what is submitted, names itself, survives kill -9 of the worker, and ends", async () => {
    const paused = await beat.run(["pause", "--all", "--reason", "demo"])
    assert.deepStrictEqual(
      [paused.code, /Paused: everything, by .*: demo/.test(paused.stderr)],
      [0, true],
      paused.stderr
    )
    const submitted = await beat.run(["run", "-a", "shell", "true"])
    assert.match(submitted.stderr, /paused: everything/)
    const id = submitted.stdout.trim()
    const why = await beat.run(["why", id])
    assert.deepStrictEqual(
      [why.code, /It is paused: everything.*beat resume --all/.test(why.stdout)],
      [0, true],
      why.stdout
    )
    assert.match((await beat.run([])).stdout, /paused: everything, by .*: demo/)
    assert.match((await beat.run(["status", id])).stdout, /waits for +the end of a pause: everything/)
    const [worker = 0] = beat.workers()
    kill(worker, "SIGKILL")
    await until("the worker is gone", () => !isAlive(worker))
    const next = await beat.submit("true")
    await until("another serves", () => beat.workers().some(isAlive))
    assert.deepStrictEqual([beat.status(id).status, beat.status(next).status], ["queued", "queued"])
    const resumed = await beat.run(["resume", "--all", "--json"])
    assert.deepStrictEqual([resumed.code, JSON.parse(resumed.stdout)], [0, { scope: "all", name: "" }])
    assert.strictEqual((await beat.run(["wait", id, next])).code, 0)
    const again = await beat.run(["resume", "--all", "--json"])
    assert.deepStrictEqual([again.code, JSON.parse(again.stdout).error.code], [1, "NotPaused"])
    const none = await beat.run(["resume", "--all"])
    assert.deepStrictEqual([none.code, /^beat: There is no pause of everything\./.test(none.stderr)], [1, true])
    const { stdout } = await beat.run(["events", "--only", "paused,resumed", "--json"])
    assert.lengthOf(stdout.trim().split("\n"), 2)
  })

  it("ends at its time without a command", async () => {
    assert.strictEqual((await beat.run(["pause", "--agent", "shell", "--until", "2s"])).code, 0)
    const [gate] = beat.rows<{ until_at: number }>("SELECT until_at FROM gates")
    const id = await beat.submit("true")
    await until("the task ends", () => beat.status(id).status === "completed")
    const [{ started_at: startedAt } = { started_at: 0 }] = beat.rows<{ started_at: number }>(
      "SELECT started_at FROM tasks WHERE id = ?",
      id
    )
    assert.isAtLeast(startedAt, gate?.until_at ?? 0)
  })

  it("says what is wrong with a command line, and refuses an agent inside a task", async () => {
    for (const args of [
      ["pause"],
      ["pause", "--all", "--agent", "shell"],
      ["pause", "--agent", "unheard"],
      ["pause", "--schedule", "nightly", "--all"],
      ["resume"],
      ["resume", "--all", "@last"],
      ["group", "set", "bad name"],
      ["group", "set", "review", "--limit", "0"]
    ]) {
      const { code, stderr } = await beat.run(args)
      assert.strictEqual(code, 2, `${args.join(" ")}: ${stderr}`)
    }
    for (const args of [
      ["pause", "--group", "unknown"],
      ["run", "-a", "shell", "-g", "unknown", "true"],
      ["group", "remove", "unknown"]
    ]) {
      assert.strictEqual((await beat.run(args)).code, 3, args.join(" "))
    }
    const inside = { env: { BACKBEAT_TASK_ID: "k3v9x2m7q4ab", BACKBEAT_DEPTH: "0" } }
    for (const args of [
      ["pause", "--all"],
      ["resume", "--all"],
      ["group", "set", "review", "--limit", "2"]
    ]) {
      const { code, stderr } = await beat.run(args, inside)
      assert.deepStrictEqual([code, /inside task|may not/i.test(stderr)], [1, true], `${args.join(" ")}: ${stderr}`)
    }
  })

  it("a group never runs more than its limit, with four workers", async () => {
    assert.strictEqual((await beat.run(["group", "set", "review", "--limit", "2"])).code, 0)
    const workers = Array.from({ length: 4 }, () => beat.start(["worker", "--keep"]))
    const ids = await Promise.all(Array.from({ length: 24 }, () => beat.submit("sleep 0.1", ["-g", "review"])))
    assert.strictEqual((await beat.run(["wait", ...ids])).code, 0)
    const ends = beat.rows<{ at: number; step: number }>(
      `SELECT claimed_at AS at, 1 AS step FROM claim_history JOIN tasks ON tasks.id = task_id WHERE "group" = 'review'
       UNION ALL SELECT ended_at, -1 FROM tasks WHERE "group" = 'review' ORDER BY at, step`
    )
    let running = 0
    let most = 0
    for (const { step } of ends) {
      running += step
      most = Math.max(most, running)
    }
    assert.deepStrictEqual([running, most], [0, 2])
    const list = await beat.run(["group", "list"])
    assert.match(list.stdout, /review +2 +0 +0 +open/)
    for (const { child } of workers) child.kill("SIGTERM")
    await Promise.all(workers.map(({ done }) => done))
  })

  it("a pipeline that is paused ends its running step and does not start the next", async () => {
    const gatefile = `${beat.home}/go`
    const wait = `while [ ! -e ${gatefile} ]; do sleep 0.05; done`
    const made = await beat.run(["pipeline", "run", "-a", "shell", "--step", wait, "--step", "true"])
    const id = made.stdout.trim()
    const [first, second] = beat
      .rows<{ task_id: string }>("SELECT task_id FROM pipeline_steps WHERE pipeline_id = ? ORDER BY position", id)
      .map((row) => row.task_id)
    await until("the first step runs", () => beat.status(first ?? "").status === "running")
    const paused = await beat.run(["pause", "--pipeline", id])
    assert.deepStrictEqual(
      [paused.code, / 1 task running, which continues\. 1 queued/.test(paused.stderr)],
      [0, true],
      paused.stderr
    )
    await beat.run(["run", "-f", "-a", "shell", `touch ${gatefile}`])
    await until("the first step ends", () => beat.status(first ?? "").status === "completed")
    assert.match((await beat.run(["why", second ?? ""])).stdout, /It is paused: pipeline/)
    assert.strictEqual((await beat.run(["resume", "--pipeline", id])).code, 0)
    assert.strictEqual((await beat.run(["wait", id])).code, 0)
  })
})

/** The state letter of a process, as /proc shows it. */
const stateOf = (pid: number): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3)
  } catch {
    return "gone"
  }
}

describe.skipIf(process.platform !== "linux")("beat pause --freeze", { timeout: 120_000 }, () => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "8", BACKBEAT_MEMORY_PER_TASK_BYTES: "1000000" })
  afterAll(() => beat.close())

  /** A shell that runs a program in a session of its own, and one that counts; the pids of all that must be stopped. */
  const begin = async (name: string, args: ReadonlyArray<string> = []) => {
    const file = join(beat.home, name)
    const count = `n=0; while :; do n=$((n+1)); echo $n >${file}.count; sleep 0.05; done`
    const id = await beat.submit(`setsid sleep 300 & echo $! >${file}.pid; ${count}`, args)
    await until("it counts", () => existsSync(`${file}.count`) && existsSync(`${file}.pid`))
    const shim = await until("its shim is on record", () => beat.shim(id))
    const [agent = 0] = children(shim)
    const [lost = 0] = readFileSync(`${file}.pid`, "utf8").split("\n").map(Number)
    return { id, shim, pids: [agent, lost], count: () => readFileSync(`${file}.count`, "utf8") }
  }

  it("stops the whole tree but the shim, over kill -9 of the worker, and one resume continues it", async () => {
    const { count, id, pids, shim } = await begin("one", ["--timeout", "1h"])
    const refused = await beat.run(["pause", id])
    assert.deepStrictEqual(
      [refused.code, refused.stderr.includes(`beat pause ${id} --freeze`)],
      [1, true],
      refused.stderr
    )
    const both = await Promise.all([
      beat.run(["pause", id, "--freeze", "-m", "a call"]),
      beat.run(["pause", id, "--freeze"])
    ])
    assert.deepStrictEqual(
      both.map(({ code, stderr }) => [code, /^Frozen: task /m.test(stderr)]),
      [
        [0, true],
        [0, true]
      ]
    )
    assert.deepStrictEqual([...pids.map(stateOf), stateOf(shim) === "T"], ["T", "T", false])
    const before = count()
    for (const pid of beat.workers()) kill(pid, "SIGKILL")
    const next = await beat.submit("true")
    assert.strictEqual((await beat.run(["wait", next])).code, 0)
    assert.deepStrictEqual([pids.map(stateOf), count()], [["T", "T"], before])
    assert.match((await beat.run(["why", id])).stdout, /^It is frozen: .*beat resume /)
    assert.match((await beat.run(["status", id])).stdout, /status +frozen/)
    assert.match((await beat.run(["list"])).stdout, new RegExp(`${id} +frozen`))
    assert.match((await beat.run(["top", "--once"])).stdout, new RegExp(`${id} +frozen`))
    assert.match((await beat.run([])).stdout, /frozen, /)
    assert.strictEqual((await beat.run(["resume", id])).code, 0)
    await until("it counts on", () => count() !== before && count() !== "")
    await until(
      "the row says so",
      () => beat.rows("SELECT 1 FROM tasks WHERE id = ? AND frozen_at IS NULL", id).length === 1
    )
    assert.isFalse(pids.map(stateOf).includes("T"))
    assert.strictEqual((await beat.run(["cancel", id])).code, 0)
  })

  it("is ended by a cancel, and after a reboot like any task whose process is gone", async () => {
    const doomed = await begin("two")
    const lost = await begin("three")
    for (const { id } of [doomed, lost]) assert.strictEqual((await beat.run(["pause", id, "--freeze"])).code, 0)
    assert.strictEqual((await beat.run(["cancel", doomed.id])).code, 0)
    assert.deepStrictEqual(doomed.pids.filter(isAlive), [])
    for (const pid of beat.workers()) kill(pid, "SIGKILL")
    // Its group together: the shim would call for a worker of this boot.
    for (const pid of [-lost.shim, ...lost.pids]) kill(pid, "SIGKILL")
    const rebooted = { env: { BACKBEAT_BOOT_ID: "another" } }
    await beat.run(["wait", lost.id], rebooted)
    assert.deepStrictEqual([beat.status(lost.id).status, beat.status(lost.id).cause], ["failed", "owner-lost"])
    assert.deepStrictEqual(beat.rows("SELECT 1 FROM gates"), [])
  })

  it("refuses --freeze where it means nothing", async () => {
    for (const args of [
      ["pause", "--all", "--freeze"],
      ["pause", "--freeze"]
    ]) {
      assert.strictEqual((await beat.run(args)).code, 2, args.join(" "))
    }
  })
})
