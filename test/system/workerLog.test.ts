/** The log of a worker: as text or as JSON, kept within its bound while the worker runs. */
import { spawn } from "node:child_process"
import { appendFileSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, binary, until } from "./Beat.ts"

const most = 5 * 1024 * 1024

describe("the log of a worker", { timeout: 60_000 }, () => {
  const beat = new Beat({ BACKBEAT_LOG_FORMAT: "json" })
  afterAll(() => beat.close())

  it("is one JSON document on each line where that is asked for, and is put aside while it runs", async () => {
    const logs = join(beat.home, "state", "logs")
    const log = join(logs, "worker.log")
    mkdirSync(logs, { recursive: true, mode: 0o700 })
    writeFileSync(log, "x".repeat(most + 1))
    appendFileSync(log, "\n")
    const file = openSync(log, "a")
    const worker = spawn(process.execPath, [binary, "worker", "--keep"], {
      env: beat.environment,
      stdio: ["ignore", "ignore", file]
    })
    await until("it serves", () => beat.workers().includes(worker.pid ?? 0))
    const id = await beat.submit("true")
    await until("the task ends", () => beat.status(id).status === "completed")
    await until("the log is put aside", () => (statSync(`${log}.1`, { throwIfNoEntry: false })?.size ?? 0) > most)
    assert.isBelow(statSync(log).size, most)
    await until("the end is in the log", () => readFileSync(log, "utf8").includes(`${id} completed`))
    const ended = new Promise((done) => worker.once("exit", done))
    worker.kill("SIGTERM")
    await ended
    const lines = readFileSync(log, "utf8").split("\n").filter(Boolean)
    assert.isNotEmpty(lines)
    for (const line of lines) {
      const { level, message, pid, time } = JSON.parse(line)
      assert.deepStrictEqual([typeof level, typeof message, pid], ["string", "string", worker.pid], line)
      assert.isFalse(Number.isNaN(Date.parse(time)))
    }
    const tasks = lines.map((line) => JSON.parse(line).task)
    assert.include(tasks, id)
  })
})
