/** Databases with many tasks: one real task, copied by SQL with everything that hangs on it. Kept between runs. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import Database from "better-sqlite3"
import { cache, makeHome, scratch } from "./measure.mjs"
import { makeOriginal } from "./original.mjs"

/** Raised when copies are made differently. */
const generation = 1

/** Tasks in one transaction: what the write-ahead log has to hold. */
const batch = 100_000

const databases = join(cache, "databases")
mkdirSync(databases, { recursive: true })

const quoted = (name) => `"${name}"`

/** The columns that are empty in a task before its first claim. */
const ends = new Set(
  ["started_at", "ended_at", "cancel_requested_at", "cause", "exit_code", "signal", "error", "failure_class"].concat([
    "failure_reset_at",
    "session_id",
    "usage",
    "answer",
    "retried_by"
  ])
)

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

/** `INSERT ... SELECT` of the rows of one task for the ids `prefix` + n, n in the batch. */
const copy = (database, { changes = {}, id, key, table, prefix }) => {
  const columns = database.pragma(`table_info(${table})`)
  const keys = columns.filter(({ pk }) => pk > 0)
  const counted = keys.length === 1 && keys[0].type === "INTEGER" ? keys[0].name : null
  const fresh = `'${prefix}' || printf('%0${12 - prefix.length}d', n)`
  const template = database.prepare(`SELECT * FROM ${table} WHERE ${key} = ?`).get(id)
  const taken = columns.map(({ name }) => name).filter((name) => name !== counted && name !== "idempotency_key")
  const value = (name) => {
    if (changes[name] !== undefined) return changes[name]
    if (template[name] === id || name === "claim_id") return fresh
    return quoted(name)
  }
  const statement = database.prepare(`
    WITH RECURSIVE number(n) AS (SELECT @first UNION ALL SELECT n + 1 FROM number WHERE n < @last)
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
    : { created_at: "created_at + n" }
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
  return id
}

/** The id of the one task that was really run; its log is asked for. */
export const templateOf = (file) => {
  const database = new Database(file, { readonly: true })
  try {
    return database.prepare("SELECT id FROM tasks ORDER BY rowid LIMIT 1").pluck().get()
  } finally {
    database.close()
  }
}

const schemaOf = (file) => {
  const database = new Database(file, { readonly: true })
  try {
    const lines = database.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").pluck().all()
    return createHash("sha256")
      .update(`${generation}\n${lines.join("\n")}`)
      .digest("hex")
      .slice(0, 12)
  } finally {
    database.close()
  }
}

/** The kept directory called `name`, made by `make` where it is missing; half of one is never taken for a whole. */
const keep = async (name, make) => {
  const directory = join(databases, name)
  if (existsSync(directory)) return directory
  const unfinished = `${directory}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  await make(unfinished)
  renameSync(unfinished, directory)
  return directory
}

const script = "echo one; echo two"

/** Runs the one task that is copied. */
const seeded = async (directory) => {
  const home = makeHome({ BACKBEAT_IDLE_MS: "0" }, directory)
  await home.beat("run", "-a", "shell", script)
  await home.beat("wait", "@last")
  await home.quiet()
  await home.close()
  return home.database
}

let schema = null

/** A Backbeat home with `count` tasks that are over. */
export const manyTasks = async (count) => {
  if (schema === null) {
    const { directory, remove } = scratch()
    schema = schemaOf(await seeded(directory))
    remove()
    // Databases of other schemas are never used again.
    for (const name of readdirSync(databases)) {
      if (name.startsWith("beat-") && !name.startsWith(`beat-${schema}`))
        rmSync(join(databases, name), { recursive: true })
    }
  }
  return keep(`beat-${schema}-${count}`, async (directory) => {
    fill(await seeded(directory), count - 1)
  })
}

/** The same for the original, in a HOME. */
export const manyTasksOfOriginal = (file, count) =>
  keep(`original-${generation}-${count}`, async (directory) => {
    const home = makeOriginal(file, {}, directory)
    await home.beat("run", "-a", "claude", script)
    for (let tries = 0; ; tries++) {
      const { stderr } = await home.beat("status")
      if (stderr.includes("completed")) break
      if (tries === 60) throw new Error("the original did not run the task that is to be copied")
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    await home.close()
    fill(join(dirname(home.database), "autobeat.db"), count - 1)
  })
