/** How fast a queue of tasks that do nothing is worked off. */
import Database from "better-sqlite3"
import { connect } from "../mcpClient.mjs"
import { another, binary, makeHome, now, sleep, until } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"
import { fill } from "../sql.mjs"

const count = 100

/** Tasks per second from the start of the worker to the last end. */
const drained = async () => {
  const home = makeHome({ BACKBEAT_MAX_CONCURRENCY: "8", BACKBEAT_IDLE_MS: "0" })
  try {
    await home.beat("run", "-a", "shell", "true")
    await home.beat("wait", "@last")
    await home.quiet()
    fill(home.database, count, { queued: true })
    const began = now()
    await home.node([binary, "worker"])
    const database = new Database(home.database, { readonly: true })
    const { last, over } = database
      .prepare("SELECT max(ended_at) AS last, count(*) AS over FROM tasks WHERE status = 'completed'")
      .get()
    database.close()
    if (over !== count + 1) throw new Error(`${over} of ${count + 1} tasks completed`)
    return (count * 1000) / (last - began)
  } finally {
    await home.close()
  }
}

/** The original with its own defaults: it leaves ten seconds between two starts, and later ones are the same. */
const paced = async (file) => {
  const home = makeOriginal(file)
  try {
    const server = connect(home, [file, "mcp", "start"])
    await server.initialize()
    const tasks = 2
    for (let task = 0; task < tasks; task++) {
      await server.request("tools/call", { name: "DelegateTask", arguments: { prompt: "true", agent: "claude" } })
    }
    const starts = () => {
      const database = new Database(home.database, { readonly: true })
      try {
        const all = database.prepare("SELECT started_at FROM tasks WHERE started_at IS NOT NULL ORDER BY started_at")
        return all.pluck().all()
      } finally {
        database.close()
      }
    }
    const all = async () => {
      await sleep(200)
      return starts().length === tasks ? starts() : null
    }
    const times = await until("the original's starts", all, 45_000).catch(starts)
    await server.kill()
    return times.slice(1).map((at, index) => 1000 / (at - times[index]))
  } finally {
    await home.close()
  }
}

export const drain = async ({ ends, original, quick, report, reason }) => {
  const rates = []
  const end = ends()
  for (let round = 0; another(round, quick ? 1 : 2, end); round++) rates.push(await drained())
  const theirs = original === null ? reason : await paced(original)
  report({
    name: `${count} tasks that do nothing, limit 8`,
    unit: "tasks/s",
    beat: rates,
    original: theirs.length === 0 ? "started one in 45 s" : theirs,
    goal: { text: ">= 60", limit: 60, atLeast: true }
  })
}
