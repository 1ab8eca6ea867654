/** Databases with many tasks: one real task, copied by SQL with everything that hangs on it. Kept between runs. */
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import Database from "better-sqlite3"
import { cache, makeHome, now, scratch } from "./measure.mjs"
import { makeOriginal } from "./original.mjs"
import { fill } from "./sql.mjs"

/** Raised when copies are made differently. */
const generation = 1

const databases = join(cache, "databases")

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

let preparation = 0

/** Milliseconds that databases took which were not kept yet. */
export const preparationMs = () => preparation

/** The kept directory called `name`, made by `make` where it is missing; half of one is never taken for a whole. */
const keep = async (name, make) => {
  const directory = join(databases, name)
  if (existsSync(directory)) return directory
  const began = now()
  const unfinished = `${directory}.${process.pid}`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  await make(unfinished)
  renameSync(unfinished, directory)
  preparation += now() - began
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

/** The present schema. */
const presentSchema = async () => {
  if (schema === null) {
    const { directory, remove } = scratch()
    schema = schemaOf(await seeded(directory))
    remove()
    // Databases of other schemas are never used again.
    for (const name of existsSync(databases) ? readdirSync(databases) : []) {
      if (name.startsWith("beat-") && !name.startsWith(`beat-${schema}`))
        rmSync(join(databases, name), { recursive: true })
    }
  }
  return schema
}

/** A Backbeat home with `count` tasks that are over. */
export const manyTasks = async (count) =>
  keep(`beat-${await presentSchema()}-${count}`, async (directory) => {
    fill(await seeded(directory), count - 1)
  })

/** The same with tasks that have not started; `seed` submits the first of them to a home. */
export const manyQueued = async (count, seed) =>
  keep(`beat-${await presentSchema()}-${count}-queued`, async (directory) => {
    const home = makeHome({}, directory)
    await seed(home)
    await home.close()
    fill(home.database, count - 1, { queued: true })
  })

/** A copy of a kept directory, for processes that write. */
export const copied = (kept) => {
  const { directory, remove } = scratch()
  cpSync(kept, directory, { recursive: true })
  return { directory, remove }
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
