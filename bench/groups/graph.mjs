/** Tasks that wait for one another: many resolved by one end, and the search for a cycle in a large graph. */
import Database from "better-sqlite3"
import { bundled } from "../inside/bundle.mjs"
import { another, makeHome } from "../measure.mjs"
import { fill, layered } from "../sql.mjs"

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

export const graph = async ({ ends, quick, report }) => {
  const end = ends()
  const program = await bundled("graph")
  for (const [label, status] of [
    ["resolve", "completed"],
    ["cancel", "failed"]
  ]) {
    const times = []
    for (let round = 0; another(round, quick ? 1 : 3, end); round++) times.push(await resolved(program, status))
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
    const { highest, lowest } = layered(home.database, levels, width)
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
