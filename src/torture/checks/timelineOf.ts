/** What is on record of the task of a breach, wherever it is: the chronicle, the agent's journal, the logs and the database. */
import type { Breach } from "../Chronicle.ts"
import { keyIn } from "../load/Script.ts"
import type { Store } from "../Store.ts"
import type { World } from "../World.ts"
import { journalLines } from "./AgentJournal.ts"
import { logLines } from "./logLines.ts"

export const timelineOf = (
  breach: Breach,
  world: World,
  store: Store,
  words: ReadonlyMap<string, string>
): ReadonlyArray<string> => {
  if (breach.task === null) return []
  const row = store.task(breach.task)
  const named = row === undefined ? undefined : words.get(row.id)
  const key = row === undefined ? breach.task : named === undefined ? null : keyIn(named)
  const names = [breach.task, ...(key === null ? [] : [key])]
  const stored = (what: string, statement: string) =>
    store.rows(statement, breach.task ?? "").map((found) => `${what} ${JSON.stringify(found)}`)
  return [
    ...world.chronicle.about(names),
    ...(key === null ? [] : journalLines(world.root, key).map((line) => `agent: ${line}`)),
    ...logLines(world, breach.task),
    ...stored("claim", "SELECT claim_id, claimed_at FROM claim_history WHERE task_id = ? ORDER BY claimed_at"),
    ...stored("worker", "SELECT * FROM claims WHERE task_id = ?"),
    ...stored("stream", "SELECT * FROM task_streams WHERE task_id = ?"),
    ...stored("event", "SELECT * FROM outbox WHERE id = ?"),
    ...stored(
      "message",
      "SELECT hook, seq, id, kind, state, attempts, next_at, sender, last FROM deliveries WHERE task_id = ?"
    ),
    ...(row === undefined ? [] : [`task ${JSON.stringify({ ...row, answer: undefined })}`])
  ]
}
