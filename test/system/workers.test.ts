/** Several workers on one queue: every task starts exactly once, within the limit, by priority. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, assert, describe, it } from "vitest"
import { Queue } from "../../src/services/Queue.ts"
import { Beat, until } from "./Beat.ts"
import { shellTask, withStore } from "./Store.ts"

const count = 160

describe(`four workers and ${count} tasks`, () => {
  const limit = 6
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: String(limit), BACKBEAT_MEMORY_PER_TASK_BYTES: "1000000" })
  afterAll(() => beat.close())

  it("start each task once, never more than the limit at a time, most urgent first", { timeout: 300_000 }, async () => {
    const log = join(beat.home, "log")
    // One short append per line: the file tells the true order of starts and ends over all processes.
    const command = (meanwhile: string) =>
      `echo "start $BACKBEAT_TASK_ID" >> ${log}; ${meanwhile}; echo "end $BACKBEAT_TASK_ID" >> ${log}`
    // Until all places have been taken at once.
    const untilFull = `for i in $(seq 600); do [ $(grep -c ^start ${log}) -ge ${limit} ] && break; sleep 0.1; done`
    const priorities = ["P2", "P0", "P1"] as const
    const stored = await withStore(
      beat,
      Effect.gen(function* () {
        const queue = yield* Queue
        return yield* queue.enqueue(
          Array.from({ length: count }, (_value, index) =>
            shellTask(beat, command(index < 30 ? untilFull : ":"), { priority: priorities[index % 3] ?? "P1" })
          ),
          { maxDepth: 3 }
        )
      })
    )
    assert.strictEqual(stored.length, count)

    const workers = Array.from({ length: 4 }, () => beat.start(["worker"]))
    const ends = await Promise.all(workers.map((worker) => worker.done))
    for (const end of ends) assert.strictEqual(end.code, 0, end.stderr)

    assert.deepStrictEqual(beat.rows("SELECT status, exit_code, count(*) AS n FROM tasks GROUP BY 1, 2"), [
      { status: "completed", exit_code: 0, n: count }
    ])
    const lines = readFileSync(log, "utf8").trim().split("\n")
    let running = 0
    let most = 0
    const starts = new Map<string, number>()
    for (const line of lines) {
      const [what, id = ""] = line.split(" ")
      running += what === "start" ? 1 : -1
      most = Math.max(most, running)
      if (what === "start") starts.set(id, (starts.get(id) ?? 0) + 1)
    }
    assert.strictEqual(most, limit)
    assert.strictEqual(starts.size, count)
    assert.isTrue([...starts.values()].every((times) => times === 1))

    const spans = beat.rows<{ priority: string; first: number; last: number }>(
      "SELECT priority, min(started_at) AS first, max(started_at) AS last FROM tasks GROUP BY priority ORDER BY priority"
    )
    const [p0, p1, p2] = spans
    assert(p0 !== undefined && p1 !== undefined && p2 !== undefined)
    assert.isAtMost(p0.last, p1.first)
    assert.isAtMost(p1.last, p2.first)

    const shares = ends.map((end) => end.stderr.match(/: starting/g)?.length ?? 0)
    assert.strictEqual(
      shares.reduce((sum, share) => sum + share, 0),
      count
    )
    process.stdout.write(
      `workers: ${count} tasks in shares of ${shares.join(", ")}; at most ${most} of ${limit} at a time\n`
    )
  })
})

describe("an on-demand worker", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("is started by the command that needs it, serves several tasks, and leaves", async () => {
    const ids = [await beat.submit("echo one"), await beat.submit("echo two")]
    await until("both end", () => ids.every((id) => beat.status(id).status === "completed"))
    await until("the worker leaves", () => beat.workers().length === 0)
  })
})
