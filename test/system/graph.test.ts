/** Real workers work through random graphs while they are killed: every task ends as the policies say, in its turn, once. */
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as FastCheck from "effect/FastCheck"
import { afterAll, assert, describe, it } from "vitest"
import { anyGraph, expected, type Node } from "../support/graphs.ts"
import { Beat, kill } from "./Beat.ts"

const sleep = (ms: number) => new Promise((resume) => setTimeout(resume, ms))

interface Row {
  readonly id: string
  readonly status: string
  readonly cause: string | null
}

const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** On a busy machine a worker may need longer to start than the next kill takes to come. */
const mostKills = 15

/** No task is cancelled by a person here: that would be a race with its end. */
const graphs = FastCheck.sample(anyGraph, { numRuns: 3, seed }).map((graph) =>
  graph.map((node): Node => ({ ...node, ending: node.ending === "cancelled" ? "failed" : node.ending }))
)

describe.skipIf(process.platform !== "linux")("graphs of tasks", () => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "6", BACKBEAT_MEMORY_PER_TASK_BYTES: "1000000" })
  const notes = join(beat.home, "notes")
  mkdirSync(notes)
  afterAll(() => beat.close())

  it(`hold through kills of every worker (seed ${seed}; CHAOS_SEED repeats it)`, { timeout: 720_000 }, async () => {
    const plans = graphs.map((graph) => ({ graph, ids: [] as string[] }))
    let submitting = true
    let killed = 0
    const rows = () => beat.rows<Row>("SELECT id, status, cause FROM tasks")
    const disturb = async () => {
      while (submitting || rows().some(({ status }) => status === "queued" || status === "running")) {
        await sleep(400)
        const [victim] = beat.workers()
        if (victim !== undefined && killed < mostKills && kill(victim, "SIGKILL")) killed += 1
      }
    }

    const disturbance = disturb()
    for (const { graph, ids } of plans) {
      for (const [index, node] of graph.entries()) {
        const after = node.edges.map(({ policy, to }) => `${ids[to]}:${policy}`)
        const script = `echo start >>"${notes}/$BACKBEAT_TASK_ID.starts"; sleep 0.1; exit ${node.ending === "completed" ? 0 : 1}`
        const flags = after.length === 0 ? [] : ["--after", after.join(",")]
        const { code, stderr, stdout } = await beat.run(["run", "-a", "shell", ...flags, "--", script])
        assert.strictEqual(code, 0, `task ${index}: ${stderr}`)
        ids.push(stdout.trim())
      }
    }
    submitting = false
    const all = plans.flatMap(({ ids }) => ids)
    const waited = await beat.run(["wait", "--timeout", "360s", ...all])
    assert.notStrictEqual(waited.code, 124, JSON.stringify(rows()))
    await disturbance

    const ended = new Map(rows().map((row) => [row.id, row]))
    for (const { graph, ids } of plans) {
      const ends = expected(graph)
      const found = ids.map((id) => {
        const row = ended.get(id)
        return row?.cause === "dependency-failed" ? "doomed" : row?.status
      })
      assert.deepStrictEqual(found, [...ends])
      for (const [index, id] of ids.entries()) {
        const file = join(notes, `${id}.starts`)
        const starts = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0
        assert.strictEqual(starts, ends[index] === "doomed" ? 0 : 1, `task ${index}`)
      }
    }
    const doubled = beat.rows("SELECT id FROM outbox GROUP BY id, kind HAVING count(*) <> 1")
    assert.deepStrictEqual(doubled, [], "each ends once")
    const early = beat.rows(
      `SELECT task.id FROM tasks task
      JOIN task_dependencies edge ON edge.task_id = task.id
      JOIN tasks upstream ON upstream.id = edge.upstream_id
      WHERE task.started_at < upstream.ended_at`
    )
    assert.deepStrictEqual(early, [], "nothing starts before what it waits for has ended")
    assert.isAtLeast(killed, 1)
    process.stdout.write(`graphs: ${all.length} tasks, ${killed} workers killed; seed ${seed}\n`)
  })
})
