/** Disks that are full or read-only, and a database that somebody else keeps locked. */
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, isAlive, until } from "./Beat.ts"

const mount = (...args: ReadonlyArray<string>): boolean => spawnSync("mount", args).status === 0

/** Clock ticks of CPU time a process has used. */
const ticks = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return Number(fields[11]) + Number(fields[12])
}

const small = new Beat()
const state = join(small.home, "state")
mkdirSync(state)
const mounted = mount("-t", "tmpfs", "-o", "size=6m,mode=0700", "backbeat-test", state)

afterAll(async () => {
  for (const pid of mounted ? small.workers() : []) process.kill(pid, "SIGTERM")
  spawnSync("umount", ["-l", state])
  await small.close()
})

describe.skipIf(!mounted)(`a disk of 6 MB${mounted ? "" : " (skipped: this user may not mount a tmpfs)"}`, () => {
  const filler = join(state, "filler")
  const fill = () => {
    for (const size of [1_000_000, 50_000, 4096, 512, 1]) {
      try {
        while (true) writeFileSync(filler, Buffer.alloc(size), { flag: "a" })
      } catch {
        // Full to within this size: on with a smaller one.
      }
    }
  }

  it("delays what runs until there is room again, without a busy loop, and loses nothing", async () => {
    const gate = join(small.home, "gate")
    const id = await small.submit(`echo before; while [ ! -e ${gate} ]; do sleep 0.1; done; exit 3`)
    await until("it prints", () => small.output(id).length > 0)
    fill()
    const refused = await small.run(["run", "-a", "shell", "--", "echo no"])
    assert.strictEqual(refused.code, 74, refused.stderr)
    assert.include(refused.stderr, "space")

    writeFileSync(gate, "")
    const [worker = 0] = small.workers()
    const shim = small.shim(id) ?? 0
    const began = ticks(worker)
    // Long enough for several attempts; a busy loop would use some two hundred ticks of it.
    await new Promise((resume) => setTimeout(resume, 2000))
    const used = ticks(worker) - began
    assert.isTrue(isAlive(worker))
    assert.isBelow(used, 100, "ticks of 10 ms in 2 s")
    assert.strictEqual(small.status(id).status, "running")

    rmSync(filler)
    await until("it ends by itself", () => small.status(id).status === "failed")
    assert.deepStrictEqual(small.status(id), { status: "failed", cause: "exit", exit_code: 3 })
    assert.strictEqual(small.output(id).toString(), "before\n")
    await until("its shim is gone", () => !isAlive(shim))
  })

  it("says that a read-only disk is one", async () => {
    await until("the worker leaves", () => small.workers().length === 0)
    // Busy for as long as the worker that has left still has its log open.
    await until("no file is open for writing", () => mount("-o", "remount,ro", state))
    try {
      const refused = await small.run(["run", "-a", "shell", "--", "echo no"])
      assert.strictEqual(refused.code, 74, refused.stderr)
      assert.include(refused.stderr, "cannot be written")
      // SQLite reads a WAL database only where its side files are or can be made: else that is said, in so many words.
      const listed = await small.run(["list", "--json"])
      assert.include([0, 74], listed.code, listed.stderr)
      assert.include(listed.stdout, listed.code === 0 ? '"failed"' : "cannot be written")
    } finally {
      assert.isTrue(mount("-o", "remount,rw", state))
    }
  })
})

describe("a database that is locked for seconds", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("delays a submission and a running task, and fails neither", async () => {
    const first = await beat.submit("echo one; sleep 0.5; echo two")
    await until("it prints", () => beat.output(first).length > 0)
    const holder = new Database(beat.databaseFile, { timeout: 5000 })
    holder.exec("BEGIN IMMEDIATE")
    const submitting = beat.start(["run", "-a", "shell", "--", "echo three"])
    await new Promise((resume) => setTimeout(resume, 3000))
    assert.strictEqual(submitting.stdout(), "")
    holder.exec("ROLLBACK")
    holder.close()
    const submitted = await submitting.done
    assert.strictEqual(submitted.code, 0, submitted.stderr)
    const waited = await beat.run(["wait", "--timeout", "280s", first, submitted.stdout.trim()])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.strictEqual(beat.output(first).toString(), "one\ntwo\n")
  })

  for (const how of ["stdin", "SIGTERM"] as const) {
    it(`does not keep an MCP server from leaving its queue to a worker (${how})`, async () => {
      const server = beat.open(["mcp", "start"])
      const say = (message: object) => server.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
      const answers = (count: number) =>
        until(`${count} answers`, () => server.stdout().split("\n").length > count, 60_000)
      const clientInfo = { name: "test", version: "1" }
      say({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } })
      await answers(1)
      say({ method: "notifications/initialized" })
      const delegated = { prompt: "echo later", agent: "shell", notBefore: "in 8s" }
      say({ id: 2, method: "tools/call", params: { name: "DelegateTask", arguments: delegated } })
      await answers(2)
      await until("it serves", () => beat.workers().includes(server.child.pid ?? 0), 60_000)
      // The worker of the test before leaves.
      await until("it alone serves", () => beat.workers().length === 1, 60_000)
      const holder = new Database(beat.databaseFile, { timeout: 5000 })
      holder.exec("BEGIN IMMEDIATE")
      if (how === "stdin") server.child.stdin?.end()
      else server.child.kill(how)
      const left = await server.done
      assert.strictEqual(left.code, 0, left.stderr)
      holder.exec("ROLLBACK")
      holder.close()
      // The row of the server may stay until another look: it counts for nothing, as its process is gone.
      await until("a worker does the task", () => beat.rows("SELECT 1 FROM tasks WHERE ended_at IS NULL").length === 0)
    })
  }
})
