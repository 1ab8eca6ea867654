/** Cancelling from another process: the whole tree is gone when the command returns, and nothing else is. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, binary, children, isAlive, until } from "./Beat.ts"

/** Processes whose environment has this task's marker. */
const marked = (beat: Beat, id: string): ReadonlyArray<number> =>
  beat
    .rows<{ pid: number }>("SELECT pid FROM claims WHERE task_id = ? AND pid IS NOT NULL", id)
    .flatMap((row) => descendants(row.pid))

const descendants = (pid: number): ReadonlyArray<number> => [pid, ...children(pid).flatMap(descendants)]

describe.skipIf(process.platform !== "linux")("cancel", () => {
  const beat = new Beat({ BACKBEAT_GRACE_MS: "500", BACKBEAT_MAX_CONCURRENCY: "6" })
  afterAll(() => beat.close())

  it("ends an agent that traps TERM, its grandchildren and those in separate sessions", async () => {
    const pids = join(beat.home, "pids")
    const stubborn = join(beat.home, "stubborn.sh")
    writeFileSync(stubborn, `trap '' TERM INT HUP\necho $$ >> ${pids}\nexec tail -f /dev/null\n`)
    const id = await beat.submit(
      `trap '' TERM
       echo $$ >> ${pids}
       sh -c 'sh ${stubborn}; true' &
       setsid sh ${stubborn} &
       nohup setsid sh ${stubborn} > /dev/null 2>&1 &
       exec tail -f /dev/null`
    )
    const read = () => {
      try {
        return readFileSync(pids, "utf8").trim().split("\n").map(Number)
      } catch {
        return []
      }
    }
    await until("four processes run", () => read().length === 4)
    assert.isTrue(read().every(isAlive))
    const cancelled = await beat.run(["cancel", id, "--reason", "no longer needed"])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    // Not "soon": when the command has returned.
    assert.deepStrictEqual(read().filter(isAlive), [])
    const [row] = beat.rows<{ status: string; cause: string; cancel_reason: string }>(
      "SELECT status, cause, cancel_reason FROM tasks WHERE id = ?",
      id
    )
    assert.deepStrictEqual(row, { status: "cancelled", cause: "cancelled", cancel_reason: "no longer needed" })
  })

  it("ends a queued task immediately, without a worker", async () => {
    const id = await beat.submit("echo never", ["--not-before", "1h"])
    const cancelled = await beat.run(["cancel", id])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    assert.strictEqual(beat.status(id).status, "cancelled")
    assert.strictEqual(beat.output(id).length, 0)
  })

  it("spares a task that the agent delegated, and the worker that runs it", async () => {
    const beatCommand = `${process.execPath} ${binary}`
    const childFile = join(beat.home, "child")
    const parent = await beat.submit(
      `${beatCommand} run -a shell -- 'echo child; exec tail -f /dev/null' > ${childFile}; exec tail -f /dev/null`
    )
    const child = await until("the child prints", () => {
      const [row] = beat.rows<{ id: string; depth: number }>("SELECT id, depth FROM tasks WHERE parent_id = ?", parent)
      return row !== undefined && beat.output(row.id).length > 0 ? row : null
    })
    assert.strictEqual(child.depth, 1)
    const workers = beat.workers()
    const childProcesses = marked(beat, child.id)
    assert.isAtLeast(childProcesses.length, 2)

    const cancelled = await beat.run(["cancel", parent])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    assert.strictEqual(beat.status(child.id).status, "running")
    assert.isTrue(childProcesses.every(isAlive))
    assert.isTrue(workers.every(isAlive))

    const all = await beat.run(["cancel", "--tree", child.id])
    assert.strictEqual(all.code, 0, all.stderr)
    assert.deepStrictEqual(childProcesses.filter(isAlive), [])
  })

  it("ends delegated tasks too with --tree", async () => {
    const beatCommand = `${process.execPath} ${binary}`
    const parent = await beat.submit(
      `${beatCommand} run -a shell -- 'echo child; exec tail -f /dev/null'; exec tail -f /dev/null`
    )
    const child = await until("the child prints", () => {
      const [row] = beat.rows<{ id: string }>("SELECT id FROM tasks WHERE parent_id = ?", parent)
      return row !== undefined && beat.output(row.id).length > 0 ? row.id : null
    })
    const processes = [...marked(beat, parent), ...marked(beat, child)]
    const cancelled = await beat.run(["cancel", "--tree", parent])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    assert.deepStrictEqual([beat.status(parent).status, beat.status(child).status], ["cancelled", "cancelled"])
    assert.deepStrictEqual(processes.filter(isAlive), [])
  })

  it("refuses to delegate deeper than the limit", async () => {
    const refused = await beat.run(["run", "-a", "shell", "--", "echo deep"], { env: { BACKBEAT_DEPTH: "3" } })
    assert.notStrictEqual(refused.code, 0)
    assert.include(refused.stderr, "maxDepth")
  })

  it("ends and counts what an agent leaves behind", async () => {
    const id = await beat.submit("nohup setsid tail -f /dev/null > /dev/null 2>&1 & echo done")
    await until("it ends", () => beat.status(id).status === "completed")
    const [row] = beat.rows<{ leftovers: number }>("SELECT leftovers FROM tasks WHERE id = ?", id)
    assert.strictEqual(row?.leftovers, 1)
  })
})
