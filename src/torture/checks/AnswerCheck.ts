/** Compares what commands answered about a task with what is stored in the end. */
import type { Answer } from "../Chronicle.ts"
import type { Store, TaskRow } from "../Store.ts"
import type { World } from "../World.ts"

const lastTry = (store: Store, id: string): TaskRow | undefined => {
  const row = store.task(id)
  return row === undefined || row.retried_by === null ? row : lastTry(store, row.retried_by)
}

const exitCodes: Readonly<Record<string, ReadonlyArray<number>>> = {
  completed: [0],
  cancelled: [4],
  doomed: [6],
  failed: [1, 5, 75]
}

export const checkAnswer = (answer: Answer, store: Store, { chronicle }: World): void => {
  const asked = store.task(answer.task)
  // A task that waits for another waits for its latest attempt.
  const row = answer.by === "wait" ? lastTry(store, answer.task) : asked
  if (row === undefined) return
  const ending = row.cause === "dependency-failed" ? "doomed" : row.status
  if (answer.by === "wait" && exitCodes[ending]?.includes(answer.code) !== true) {
    chronicle.breach("an end never changes", row.id, `beat wait left with ${answer.code}, and it is ${row.status}`)
  }
  const dropped = store.one<{ dropped: number }>(
    "SELECT dropped FROM task_streams WHERE task_id = ? AND stream = 'stdout'",
    row.id
  )
  if (answer.by === "logs" && answer.code === 0 && (dropped?.dropped ?? 0) === 0) {
    const stored = Buffer.concat(
      store
        .rows<{ bytes: Buffer }>(
          "SELECT bytes FROM task_output WHERE task_id = ? AND stream = 'stdout' ORDER BY seq",
          row.id
        )
        .map(({ bytes }) => bytes)
    )
    if (!answer.stdout.equals(stored)) {
      chronicle.breach(
        "who follows sees everything",
        row.id,
        `${answer.stdout.length} of ${stored.length} bytes were shown`
      )
    }
  }
}
