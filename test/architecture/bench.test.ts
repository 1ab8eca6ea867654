/** The benchmark keeps up with the product: its SQL fits the present schema, and its command line says what it takes. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import BetterSqlite3 from "better-sqlite3"
import * as Effect from "effect/Effect"
import { figuresOf } from "../../bench/figures.mjs"
import { bareCycle } from "../../bench/inside/bareStatements.ts"
import { help, limitSeconds, readOptions, seconds, titles } from "../../bench/options.mjs"
import { type GroupContext, runGroups } from "../../bench/runGroups.mjs"
import { closeLanes, distribute, fill, lanes, layered } from "../../bench/sql.mjs"
import { Queue } from "../../src/services/Queue.ts"
import { testSql } from "../support/stores.ts"
import { claimNext, completed, submit, workerA } from "../support/tasks.ts"

/** A file with one task that was run, or that has not started. */
const withDatabase = (run: boolean, use: (file: string, rows: (query: string) => ReadonlyArray<unknown>) => void) =>
  Effect.gen(function* () {
    yield* submit()
    if (run) {
      const { claim, task } = yield* claimNext()
      const queue = yield* Queue
      yield* queue.finish(task.id, completed, { claimId: claim.claimId, workerId: workerA })
    }
    const directory = mkdtempSync(join(tmpdir(), "beat-test-bench-"))
    const file = join(directory, "backbeat.db")
    const sql = yield* SqlClient.SqlClient
    yield* sql`VACUUM INTO ${file}`
    try {
      use(file, (query) => {
        const database = new BetterSqlite3(file, { readonly: true })
        try {
          return database.prepare(query).pluck().all()
        } finally {
          database.close()
        }
      })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }).pipe(Effect.provide(testSql))

const check = "PRAGMA foreign_key_check"

describe("the databases of the benchmark", () => {
  it.effect("hold copies of a task that was run, with all that belongs to it", () =>
    withDatabase(true, (file, rows) => {
      fill(file, 5)
      assert.deepStrictEqual(rows("SELECT count(*) FROM tasks WHERE status = 'completed'"), [6])
      assert.deepStrictEqual(rows("SELECT DISTINCT n FROM claim_history"), [1])
      assert.deepStrictEqual(rows("SELECT count(*) FROM claim_history"), [6])
      assert.deepStrictEqual(rows(check), [])
    })
  )

  it.effect("hold copies that have not started, which the bare script claims and ends", () =>
    withDatabase(true, (file, rows) => {
      fill(file, 3, { queued: true })
      assert.deepStrictEqual(rows("SELECT count FROM task_counts WHERE status = 'queued'"), [3])
      const database = new BetterSqlite3(file)
      const cycle = bareCycle(database, "bbbbbbbbbbbbbbbb")
      assert.deepStrictEqual([cycle(), cycle(), cycle(), cycle()], [true, true, true, false])
      database.close()
      assert.deepStrictEqual(rows("SELECT count(*) FROM outbox"), [4])
      assert.deepStrictEqual(rows("SELECT count(*) FROM claims"), [0])
    })
  )

  it.effect("have lanes of accounts that open and close", () =>
    withDatabase(false, (file, rows) => {
      fill(file, lanes, { queued: true })
      distribute(file)
      const open = "SELECT count(*) FROM lanes WHERE gate IS NOT NULL AND gate <> '' AND opens_at = 0"
      for (const wanted of [1, lanes, 0]) {
        closeLanes(file, wanted)
        assert.deepStrictEqual(rows(open), [wanted])
      }
    })
  )

  it.effect("have graphs in which each task waits for all of the level below", () =>
    withDatabase(false, (file, rows) => {
      const { highest } = layered(file, 3, 2)
      assert.strictEqual(highest.length, 2)
      assert.deepStrictEqual(rows("SELECT count(*) FROM task_dependencies WHERE state = 'pending'"), [8])
      assert.deepStrictEqual(rows("SELECT DISTINCT level FROM tasks WHERE id LIKE 'g%' ORDER BY level"), [0, 1, 2])
    })
  )
})

/** Runs groups that take no time of their own; the clock moves when they say so. */
const runWith = async (
  groups: Record<string, (context: GroupContext, pass: (seconds: number) => void) => Promise<void>>
) => {
  const lines: Array<string> = []
  let passed = 0
  const pass = (more: number) => {
    passed += more
  }
  const context = { quick: false, instructions: false }
  const result = await runGroups({
    clock: () => passed,
    context,
    groups: Object.fromEntries(
      Object.entries(groups).map(([name, group]) => [name, (given: GroupContext) => group(given, pass)])
    ),
    limitSeconds,
    only: Object.keys(groups),
    say: (line) => lines.push(line),
    seconds,
    titles
  })
  return { ...result, lines, missing: result.notTaken.map(({ name }) => name) }
}

describe("npm run bench", () => {
  it("names the figures of a group that throws, and those without a sample", async () => {
    const { failed, lines, missing, rows } = await runWith({
      graph: async ({ report }) => {
        report({ name: "resolve 10,000 dependents", unit: "ms", beat: [1] })
        throw new Error("no tasks")
      },
      drain: async ({ report }) => report({ name: "100 tasks that do nothing, limit 8", unit: "tasks/s", beat: [] })
    })
    assert.deepStrictEqual(failed, ["graph"])
    assert.deepStrictEqual(missing, [
      "cancel 10,000 dependents",
      "cycle check, 100,352 edges",
      "100 tasks that do nothing, limit 8"
    ])
    assert.include(lines.join("\n"), "stopped: no tasks\n  not taken: cancel 10,000 dependents")
    assert.strictEqual(rows.length, 2)
  })

  it("leaves out a group that would not end in time, and names its figures", async () => {
    const none = async () => {}
    const { failed, missing } = await runWith({
      graph: async (_, pass) => pass(limitSeconds - (seconds.idle ?? 0) + 1),
      idle: async () => {
        throw new Error("it was run")
      },
      drain: none
    })
    const options = { quick: false, instructions: false }
    assert.deepStrictEqual(failed, [])
    assert.deepStrictEqual(
      missing,
      ["graph", "idle", "drain"].flatMap((name) => figuresOf(name, options))
    )
  })

  it("takes figures that have a name, and fits into its time on a quiet machine", async () => {
    const { failed } = await runWith({
      graph: async ({ report }) => report({ name: "a new figure", unit: "ms", beat: [1] })
    })
    assert.deepStrictEqual(failed, ["graph"])
    assert.deepStrictEqual(Object.keys(seconds), Object.keys(titles))
    assert.isBelow(
      Object.values(seconds).reduce((sum, one) => sum + one, 0),
      limitSeconds
    )
    for (const quick of [true, false]) {
      for (const name of Object.keys(titles)) {
        const names = figuresOf(name, { quick, instructions: false })
        assert.isAbove(names.length, 0, name)
        assert.strictEqual(new Set(names).size, names.length, name)
      }
    }
  })

  it("shows its groups and options, and refuses what it does not know", () => {
    assert.isTrue(readOptions(["--help"]).help)
    for (const name of Object.keys(titles)) assert.include(help, `  ${name} `)
    assert.deepStrictEqual(readOptions(["--only", "start, mcp", "--quick"]).only, ["start", "mcp"])
    assert.deepStrictEqual(readOptions([]).only, Object.keys(titles))
    assert.isNull(readOptions(["--no-original"]).problem)
    for (const words of [["--fast"], ["start"], ["--only", "stat"], ["--only"], ["--quick=yes"]]) {
      assert.isNotNull(readOptions(words).problem, words.join(" "))
    }
  })
})
