/** What the benchmark does to databases by SQL. `test/architecture/bench.test.ts` does all of it with the present schema. */
import { closeSync, fsyncSync, openSync } from "node:fs"
import Database from "better-sqlite3"

/** Tasks in one transaction: what the write-ahead log has to hold. */
const batch = 100_000

const quoted = (name) => `"${name}"`

/** The columns that are empty in a task before its first claim. */
const ends = new Set([
  ...["started_at", "ended_at", "cancel_requested_at", "cancel_reason", "cancelled_by", "cause", "exit_code", "signal"],
  ...["error", "failure_class", "failure_reset_at", "session_id", "usage", "answer", "retried_by", "start_commit"]
])

/** The tables whose rows belong to a task, and the column that says so. */
const belongings = (database, id) => {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
  return tables
    .pluck()
    .all()
    .filter((table) => table !== "tasks" && table !== "workers")
    .flatMap((table) => {
      const columns = database.pragma(`table_info(${table})`).map(({ name }) => name)
      const key = ["task_id", "id"].find((name) => columns.includes(name))
      if (key === undefined) return []
      const there = database.prepare(`SELECT count(*) FROM ${table} WHERE ${key} = ?`).pluck().get(id)
      return there === 0 ? [] : [{ table, key }]
    })
}

/** `INSERT ... SELECT` of the rows of one task for the ids `prefix` + number, of the numbers in the batch. */
const copy = (database, { changes = {}, id, key, table, prefix }) => {
  const columns = database.pragma(`table_info(${table})`)
  const keys = columns.filter(({ pk }) => pk > 0)
  const counted = keys.length === 1 && keys[0].type === "INTEGER" ? keys[0].name : null
  const fresh = `'${prefix}' || printf('%0${12 - prefix.length}d', copied)`
  const template = database.prepare(`SELECT * FROM ${table} WHERE ${key} = ?`).get(id)
  const taken = columns.map(({ name }) => name).filter((name) => name !== counted && name !== "idempotency_key")
  const value = (name) => {
    if (changes[name] !== undefined) return changes[name]
    if (template[name] === id || name === "claim_id") return fresh
    return quoted(name)
  }
  const statement = database.prepare(`
    WITH RECURSIVE number(copied) AS (SELECT @first UNION ALL SELECT copied + 1 FROM number WHERE copied < @last)
    INSERT INTO ${table} (${taken.map(quoted).join(", ")})
      SELECT ${taken.map(value).join(", ")} FROM number, (SELECT * FROM ${table} WHERE ${key} = @id)
  `)
  return (first, last) => statement.run({ id, first, last })
}

/** Copies the newest task of the file `count` times; no other process may have it open. `queued`: as if never started. */
export const fill = (file, count, { prefix = "", queued = false } = {}) => {
  const database = new Database(file)
  database.pragma("foreign_keys = OFF")
  database.pragma("synchronous = OFF")
  const numbered = database.pragma("table_info(tasks)").some(({ name }) => name === "seq")
  const id = database
    .prepare(`SELECT id FROM tasks ORDER BY ${numbered ? "seq" : "rowid"} DESC LIMIT 1`)
    .pluck()
    .get()
  const columns = database.pragma("table_info(tasks)").map(({ name }) => name)
  // A task starts as queued; these are over from the beginning.
  const triggers = queued
    ? []
    : database
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name = 'tasks_start_queued'")
        .all()
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`)
  const changes = queued
    ? {
        status: "'queued'",
        ...Object.fromEntries(columns.filter((name) => ends.has(name)).map((name) => [name, "NULL"]))
      }
    : { created_at: "created_at + copied" }
  const owned = queued
    ? belongings(database, id).filter(({ table }) => ["task_inputs", "task_dependencies"].includes(table))
    : belongings(database, id)
  const copies = [
    copy(database, { changes, id, key: "id", table: "tasks", prefix }),
    ...owned.map((each) => copy(database, { ...each, id, prefix }))
  ]
  for (let first = 1; first <= count; first += batch) {
    const last = Math.min(count, first + batch - 1)
    database.transaction(() => {
      for (const insert of copies) insert(first, last)
    })()
    database.pragma("wal_checkpoint(TRUNCATE)")
  }
  for (const { sql } of triggers) database.exec(sql)
  database.close()
  // The first commit that is measured would wait until the system has written all of it.
  const opened = openSync(file, "r+")
  fsyncSync(opened)
  closeSync(opened)
  return id
}

/** Lanes of accounts that `distribute` makes. */
export const lanes = 40
/** Behind those that the first task has made. */
const firstLane = 100
const longAfter = Date.now() + 365 * 24 * 3_600_000

/** Moves the queued tasks into lanes of accounts; in the lanes of the others, which are always open, none is left. */
export const distribute = (file) => {
  const database = new Database(file)
  database.pragma("synchronous = OFF")
  database.transaction(() => {
    const account = database.prepare("INSERT INTO accounts (key, agent, seen_at) VALUES (?, 'claude', 0)")
    const lane = database.prepare("INSERT INTO lanes (id, account, gate, family) VALUES (?, ?, ?, '')")
    for (let id = firstLane; id < firstLane + lanes; id++) {
      const key = `anthropic/key/${String(id).padStart(10, "0")}`
      account.run(key)
      lane.run(id, key, key)
    }
    database.prepare(`UPDATE tasks SET lane = ${firstLane} + seq % ${lanes}`).run()
  })()
  database.close()
}

/** Closes all lanes of accounts but the first so many. */
export const closeLanes = (file, open) => {
  const database = new Database(file)
  database.prepare(`UPDATE lanes SET opens_at = 0, "window" = NULL`).run()
  database
    .prepare(`UPDATE lanes SET opens_at = ?, "window" = 'five_hour' WHERE id >= ?`)
    .run(longAfter, firstLane + open)
  database.close()
}

/** A graph in which every task of a level waits for every task of the one below. Returns the lowest and the highest. */
export const layered = (file, levels, width) => {
  fill(file, levels * width, { prefix: "g", queued: true })
  const database = new Database(file)
  const ids = database.prepare("SELECT id FROM tasks WHERE id LIKE 'g%' ORDER BY seq").pluck().all()
  const at = (level) => ids.slice(level * width, (level + 1) * width)
  const draw = database.prepare(
    "INSERT INTO task_dependencies (task_id, upstream_id, policy, state) VALUES (?, ?, 'success', 'pending')"
  )
  const raise = database.prepare("UPDATE tasks SET level = ?, waiting_on = ? WHERE id = ?")
  database.transaction(() => {
    database.prepare("DELETE FROM task_dependencies WHERE task_id LIKE 'g%'").run()
    for (let level = 0; level < levels; level++) {
      for (const id of at(level)) {
        raise.run(level, level === 0 ? 0 : width, id)
        if (level > 0) for (const upstream of at(level - 1)) draw.run(id, upstream)
      }
    }
  })()
  database.close()
  return { lowest: at(0)[0], highest: at(levels - 1) }
}
