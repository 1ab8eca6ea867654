/** Tasks that wait for one another: many resolved by one end, and the search for a cycle in a large graph. */
import Database from "better-sqlite3"
import { fill } from "../databases.mjs"
import { bundled } from "../inside/bundle.mjs"
import { makeHome } from "../measure.mjs"

const dependents = 10_000

/** Levels times width times width: 100 352 edges, and no task with more than the product allows. */
const levels = 99
const width = 32

/** How long the end of one task takes that thousands wait for; checks that all of them were resolved. */
const resolved = async (program, status) => {
  const home = makeHome()
  try {
    await home.node([program, "seed"])
    fill(home.database, dependents - 1, { queued: true })
    const ms = Number((await home.node([program, "finish", "-", status])).stdout)
    const database = new Database(home.database, { readonly: true })
    const left = database.prepare("SELECT count(*) FROM task_dependencies WHERE state = 'pending'").pluck().get()
    const cancelled = database.prepare("SELECT count(*) FROM tasks WHERE status = 'cancelled'").pluck().get()
    database.close()
    if (left !== 0 || cancelled !== (status === "failed" ? dependents : 0)) {
      throw new Error(`${left} edges pending and ${cancelled} tasks cancelled after a task that ${status}`)
    }
    return ms
  } finally {
    await home.close()
  }
}

/** A graph in which every task of a level waits for every task of the one below. Returns the lowest and the highest. */
const layered = (file) => {
  fill(file, levels * width, { prefix: "g", queued: true })
  const database = new Database(file)
  const ids = database.prepare("SELECT id FROM tasks WHERE id LIKE 'g%' ORDER BY seq").pluck().all()
  const at = (level) => ids.slice(level * width, (level + 1) * width)
  const draw = database.prepare("INSERT INTO task_dependencies VALUES (?, ?, 'success', 'pending')")
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

export const graph = async ({ quick, report }) => {
  const program = await bundled("graph")
  for (const [label, status] of [
    ["resolve", "completed"],
    ["cancel", "failed"]
  ]) {
    const times = []
    for (let round = 0; round < (quick ? 1 : 5); round++) times.push(await resolved(program, status))
    report({
      name: `${label} 10,000 dependents`,
      unit: "ms",
      beat: times,
      original: "in memory, one by one",
      goal: { text: "<= 1 s", limit: 1000 }
    })
  }
  const home = makeHome()
  try {
    await home.node([program, "seed"])
    const { highest, lowest } = layered(home.database)
    const samples = JSON.parse((await home.node([program, "cycle", lowest, highest[0]])).stdout)
    report({
      name: `cycle check, ${((levels - 1) * width * width).toLocaleString("en")} edges`,
      unit: "ms",
      beat: samples,
      original: "a graph in memory",
      goal: { text: "<= 50 ms", limit: 50 }
    })
  } finally {
    await home.close()
  }
}
