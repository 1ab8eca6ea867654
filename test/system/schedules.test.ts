/** Schedules under several workers that are killed at random: each time has exactly one execution or is in one recorded miss. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Schedules } from "../../src/services/Schedules.ts"
import { newSchedule } from "../support/schedules.ts"
import { Beat, kill, type RunningBeat, until } from "./Beat.ts"
import { shellTask, withStore } from "./Store.ts"

/** `SCHEDULES=50 SCHEDULE_WORKERS=8 SCHEDULE_SECONDS=60` is the full size. */
const size = {
  schedules: Number(process.env.SCHEDULES ?? 10),
  workers: Number(process.env.SCHEDULE_WORKERS ?? 3),
  seconds: Number(process.env.SCHEDULE_SECONDS ?? 8)
}

interface Row {
  readonly schedule_id: string
  readonly due_at: number
  readonly until_at: number | null
  readonly status: string
  readonly task_id: string | null
}

const sleep = (ms: number) => new Promise((resume) => setTimeout(resume, ms))

describe.skipIf(process.platform !== "linux")("schedules under workers that are killed", () => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "4", BACKBEAT_MEMORY_PER_TASK_BYTES: "1000000" })
  afterAll(() => beat.close())

  const create = (index: number) =>
    Effect.gen(function* () {
      const schedules = yield* Schedules
      return yield* schedules.create(
        newSchedule({
          work: { kind: "task", task: shellTask(beat, "true") },
          timing: { kind: "cron", expression: "* * * * * *", timezone: "UTC" },
          missed: (["skip", "run-once", "run-all"] as const)[index % 3] ?? "skip",
          graceMs: index % 2 === 0 ? 300 : 5000,
          overlap: index % 5 === 0 ? "allow" : "skip"
        })
      )
    })

  it(`fire each time once: ${size.schedules} every second for ${size.seconds} s, ${size.workers} workers`, {
    timeout: 120_000 + size.seconds * 4000
  }, async () => {
    const made = await withStore(
      beat,
      Effect.forEach(
        Array.from({ length: size.schedules }, (_, at) => at),
        create
      )
    )
    const start = () => beat.start(["worker", "--keep"])
    const workers: Array<RunningBeat> = Array.from({ length: size.workers }, start)
    const end = Date.now() + size.seconds * 1000
    let killed = 0
    while (Date.now() < end) {
      await sleep(300 + Math.random() * 500)
      const at = Math.floor(Math.random() * workers.length)
      const victim = workers[at]
      if (victim?.child.pid !== undefined && kill(victim.child.pid, "SIGKILL")) killed += 1
      // Now and then nobody is there for a while.
      if (Math.random() < 0.2) for (const { child } of workers) if (child.pid !== undefined) kill(child.pid, "SIGKILL")
      await Promise.all(
        workers.map(async (worker, index) => {
          if (worker.child.exitCode === null && worker.child.signalCode === null && index !== at) return
          await worker.done
          workers[index] = start()
        })
      )
    }
    await until(
      "all are fired up to the end",
      () =>
        beat.rows<{ late: number }>("SELECT count(*) AS late FROM schedules WHERE next_fire_at <= ?", end)[0]?.late ===
        0
    )
    const reasons = beat.rows<{ reason: string }>("SELECT reason FROM schedules WHERE status <> 'active'")
    assert.deepStrictEqual(reasons, [], "none of them is paused by itself")
    await withStore(
      beat,
      Effect.flatMap(Schedules, (schedules) =>
        Effect.forEach(made, ({ id }) => schedules.pause(id, { reason: null, revision: null }), { discard: true })
      )
    )
    const rows = beat.rows<Row>("SELECT * FROM schedule_executions WHERE origin = 'time' ORDER BY schedule_id, due_at")
    assert.isAbove(killed, 0)
    assert.isAtLeast(rows.length, size.schedules)
    for (const schedule of made) {
      const own = rows.filter((row) => row.schedule_id === schedule.id)
      const covered = own.flatMap(({ due_at, until_at }) =>
        Array.from({ length: ((until_at ?? due_at) - due_at) / 1000 + 1 }, (_, second) => due_at + second * 1000)
      )
      // Without a gap and without a time that is there twice, from the first to the last.
      const first = schedule.nextDueAt ?? 0
      assert.deepStrictEqual(
        covered,
        Array.from({ length: covered.length }, (_, second) => first + second * 1000)
      )
      assert.isAtLeast(first + covered.length * 1000, end, "every time up to the end is there")
    }
    // A run is a task, and a task is a run.
    const started = rows.flatMap(({ task_id }) => task_id ?? [])
    const tasks = beat.rows<{ id: string }>("SELECT id FROM tasks ORDER BY id").map(({ id }) => id)
    assert.deepStrictEqual([...started].sort(), tasks)
    // What was started ends, and its execution with it.
    await until(
      "all runs are over",
      () =>
        beat.rows<{ open: number }>("SELECT count(*) AS open FROM schedule_executions WHERE status = 'running'")[0]
          ?.open === 0
    )
    const counts = beat.rows<{ line: string }>(
      "SELECT count(*) || ' ' || status AS line FROM schedule_executions GROUP BY status"
    )
    if (process.env.SCHEDULES !== undefined) {
      process.stdout.write(`${killed} workers killed; ${counts.map(({ line }) => line).join(", ")}\n`)
    }
  })
})
