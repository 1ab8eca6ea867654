/** The statements of the bare script: a claim and an end with the row changes that the product makes for them. */
import type BetterSqlite3 from "better-sqlite3"

/** Claims the next task and ends it; false where there is none. */
export const bareCycle = (database: BetterSqlite3.Database, owner: string): (() => boolean) => {
  // All tasks of the race are in one lane.
  const lane = database.prepare<[], number>("SELECT lane FROM tasks WHERE status = 'queued' LIMIT 1").pluck().get() ?? 1
  const ready = database.prepare<[number], { id: string }>(
    "SELECT id FROM tasks INDEXED BY tasks_ready WHERE lane = ? AND status = 'queued' AND waiting_on = 0 AND asks = 0 ORDER BY priority, seq LIMIT 1"
  )
  const run = database.prepare("UPDATE tasks SET status = 'running', started_at = ? WHERE id = ? AND status = 'queued'")
  const record = database.prepare("INSERT INTO claim_history (claim_id, task_id, n, claimed_at) VALUES (?, ?, 1, ?)")
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
    const task = ready.get(lane)
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

  return () => {
    const claimed = claim.immediate()
    if (claimed === null) return false
    finish.immediate(claimed.id, claimed.claimId)
    return true
  }
}
