/** The floor of claim and finish: the same rows changed as durably by plain statements, with nothing in between. */
import { join } from "node:path"
import BetterSqlite3 from "better-sqlite3"
import { together, warmUpCycles } from "./together.ts"

const [seconds = 1] = process.argv.slice(2).map(Number)

const database = new BetterSqlite3(join(process.env.BACKBEAT_HOME ?? "", "backbeat.db"), { timeout: 20_000 })
database.pragma("synchronous = FULL")
const owner = String(process.pid).padStart(16, "0")

const ready = database.prepare<[], { id: string }>(
  "SELECT id FROM tasks INDEXED BY tasks_ready WHERE lane = 1 AND status = 'queued' AND waiting_on = 0 ORDER BY priority, seq LIMIT 1"
)
const run = database.prepare("UPDATE tasks SET status = 'running', started_at = ? WHERE id = ? AND status = 'queued'")
const record = database.prepare("INSERT INTO claim_history (claim_id, task_id, claimed_at) VALUES (?, ?, ?)")
const hold = database.prepare(
  "INSERT INTO claims (task_id, claim_id, worker_id, state, boot_id, claimed_at) VALUES (?, ?, ?, 'claimed', 'b', ?)"
)
const release = database.prepare("DELETE FROM claims WHERE claim_id = ?")
const end = database.prepare(
  "UPDATE tasks SET status = 'completed', cause = 'exit', exit_code = 0, ended_at = ? WHERE id = ? AND status = 'running'"
)
const tell = database.prepare(
  "INSERT INTO outbox (kind, id, status, cause, at) VALUES ('task', ?, 'completed', 'exit', ?)"
)

let next = 0
const claim = database.transaction(() => {
  const task = ready.get()
  if (task === undefined) return null
  const claimId = `${owner}${next++}`
  const now = Date.now()
  run.run(now, task.id)
  record.run(claimId, task.id, now)
  hold.run(task.id, claimId, owner, now)
  return { id: task.id, claimId }
})
const finish = database.transaction((id: string, claimId: string) => {
  const now = Date.now()
  release.run(claimId)
  end.run(now, id)
  tell.run(id, now)
})

let cycles = 0
let errors = 0
const cycle = (): void => {
  try {
    const claimed = claim.immediate()
    if (claimed === null) return
    finish.immediate(claimed.id, claimed.claimId)
    cycles += 1
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
