/** Rows that became unreadable under a running queue: tasks end, slots come free, and cancels return. */
import { existsSync } from "node:fs"
import { afterAll, assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Beat, binary, kill, until } from "./Beat.ts"

const homes: Array<Beat> = []
const fresh = (): Beat => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "2" })
  homes.push(beat)
  return beat
}
afterAll(() => Promise.all(homes.map((beat) => beat.close())))

/** What another version, or a fault of the disk, may have left in the file. */
const damage = (beat: Beat, statement: string, ...parameters: ReadonlyArray<string>) => {
  const database = new Database(beat.databaseFile, { timeout: 5000 })
  try {
    database.prepare(statement).run(...parameters)
  } finally {
    database.close()
  }
}

const running = (beat: Beat, id: string) => until("a shim", () => beat.shim(id))
const killWorkers = async (beat: Beat) => {
  const [pid] = await until("a worker", () => (beat.workers().length > 0 ? beat.workers() : null))
  if (pid !== undefined) kill(pid, "SIGKILL")
}

describe.skipIf(!existsSync(binary))("a row that became unreadable", () => {
  it("while its worker was dead: the task is followed to its own end all the same", async () => {
    for (const statement of [
      `UPDATE task_inputs SET launch = '{"file":1}'`,
      `UPDATE environments SET variables = '7'`,
      `UPDATE tasks SET labels = '[' WHERE id = ?`
    ]) {
      const beat = fresh()
      const id = await beat.submit("while [ ! -e go ]; do sleep 0.1; done; echo end", ["--retries", "2"])
      await running(beat, id)
      await killWorkers(beat)
      damage(beat, statement, ...(statement.includes("?") ? [id] : []))
      await beat.run(["run", "-f", "-a", "shell", "touch go"])
      assert.strictEqual((await beat.run(["wait", id, "--timeout", "30s"])).code, 0)
      assert.strictEqual(beat.output(id).toString(), "end\n")
      assert.strictEqual((await beat.run(["list"])).code, 0)
    }
  })

  it("that its end needs: its processes are ended, and so is the task, which says why", async () => {
    const beat = fresh()
    const id = await beat.submit("sleep 1000")
    await running(beat, id)
    await killWorkers(beat)
    damage(beat, "UPDATE tasks SET agent = '' WHERE id = ?", id)
    const other = await beat.run(["run", "-f", "-a", "shell", "echo other"])
    assert.strictEqual(other.stdout, "other\n")
    await until("the end", () => beat.status(id).status === "failed")
    const [row] = beat.rows<{ cause: string; error: string }>("SELECT cause, error FROM tasks WHERE id = ?", id)
    assert.strictEqual(row?.cause, "owner-lost")
    assert.include(row?.error, "cannot be read")
    assert.deepStrictEqual(beat.rows("SELECT * FROM claims"), [])
  })

  it("of the task before: the one that continues from it starts, and can be cancelled", async () => {
    const beat = fresh()
    for (const content of ["{}", "", '{"taskId":1}']) {
      const first = await beat.submit("echo first")
      await beat.run(["wait", first])
      await until("a checkpoint", () => beat.rows("SELECT 1 FROM checkpoints WHERE task_id = ?", first).length > 0)
      damage(beat, "UPDATE checkpoints SET content = ? WHERE task_id = ?", content, first)
      const next = await beat.submit("echo B; sleep 1000", ["--continue-from", first])
      await running(beat, next)
      assert.strictEqual((await beat.run(["cancel", next])).code, 0)
    }
  })
})
