/** The floor of claim and finish: the same rows changed as durably by plain statements, with nothing in between. */
import { join } from "node:path"
import BetterSqlite3 from "better-sqlite3"
import { bareCycle } from "./bareStatements.ts"
import { together, warmUpCycles } from "./together.ts"

const [seconds = 1] = process.argv.slice(2).map(Number)

const database = new BetterSqlite3(join(process.env.BACKBEAT_HOME ?? "", "backbeat.db"), { timeout: 20_000 })
database.pragma("synchronous = FULL")
const owner = String(process.pid).padStart(16, "0")

const cycleOnce = bareCycle(database, owner)

let cycles = 0
let errors = 0
const cycle = (): void => {
  try {
    if (cycleOnce()) cycles += 1
  } catch {
    errors += 1
  }
}
for (let warm = 0; warm < warmUpCycles; warm++) cycle()
await together()
cycles = 0
const until = Date.now() + seconds * 1000
while (Date.now() < until) cycle()
process.stdout.write(JSON.stringify({ cycles, errors }))
