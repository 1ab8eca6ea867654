/** The claim from a long queue whose tasks wait for the limits of accounts: 40 lanes, with all, one or none of them open. */
import Database from "better-sqlite3"
import { fill } from "../databases.mjs"
import { bundled } from "../inside/bundle.mjs"
import { makeHome } from "../measure.mjs"

const lanes = 40
const longAfter = Date.now() + 365 * 24 * 3_600_000

/** Moves the queued tasks into lanes of accounts; in lane 1, which is always open, none is left. */
const distribute = (file) => {
  const database = new Database(file)
  database.pragma("synchronous = OFF")
  database.transaction(() => {
    const account = database.prepare("INSERT INTO accounts (key, agent, seen_at) VALUES (?, 'claude', 0)")
    const lane = database.prepare("INSERT INTO lanes (id, account, gate, family) VALUES (?, ?, ?, '')")
    for (let id = 2; id <= lanes + 1; id++) {
      const key = `anthropic/key/${String(id).padStart(10, "0")}`
      account.run(key)
      lane.run(id, key, key)
    }
    database.prepare(`UPDATE tasks SET lane = 2 + seq % ${lanes}`).run()
  })()
  database.close()
}

/** Closes all lanes but the first so many. */
const close = (file, open) => {
  const database = new Database(file)
  database.prepare(`UPDATE lanes SET opens_at = 0, "window" = NULL`).run()
  database.prepare(`UPDATE lanes SET opens_at = ?, "window" = 'five_hour' WHERE id > ?`).run(longAfter, 1 + open)
  database.close()
}

export const claim = async ({ quick, report }) => {
  const program = await bundled("claim")
  const count = quick ? 100_000 : 1_000_000
  const rounds = quick ? 100 : 500
  const home = makeHome()
  try {
    await home.node([program, "seed"])
    fill(home.database, count - 1, { queued: true })
    distribute(home.database)
    const title = `${count.toLocaleString("en")} queued, ${lanes} lanes`
    for (const [open, name, limit] of [
      [lanes, "all open", 20],
      [1, "one open", 20],
      [0, "all closed", 1]
    ]) {
      close(home.database, open)
      const samples = JSON.parse((await home.node([program, "claim", String(rounds)])).stdout)
      const p99 = [...samples].sort((one, other) => one - other)[Math.floor(samples.length * 0.99)]
      report({
        name: `claim, ${title}, ${name}`,
        unit: "ms",
        beat: samples,
        original: "no limits",
        goal: { text: `<= ${limit} ms`, limit },
        note: `p99 ${p99.toFixed(2)} ms${open === 0 ? "" : ", with its commit"}`
      })
    }
  } finally {
    await home.close()
  }
}
