/** Compares checkpoints with the tasks that left them: every task that ran leaves one, whichever process was killed. */
import { wordsIn } from "../load/Script.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"

type Report = (task: string, detail: string) => void

export const checkpointInvariant = "a task that has run leaves a checkpoint"

/** Lines of output up to which the last one is certainly in what the checkpoint keeps of it. */
const fewLines = 20

interface Checkpoint {
  readonly taskId?: unknown
  readonly status?: unknown
  readonly cause?: unknown
  readonly tail?: unknown
}

const lastLine = (store: Store, id: string): string | undefined =>
  Buffer.concat(
    store
      .rows<{ bytes: Buffer }>("SELECT bytes FROM task_output WHERE task_id = ? AND stream = 'stdout' ORDER BY seq", id)
      .map(({ bytes }) => bytes)
  )
    .toString()
    .split("\n")
    .filter(Boolean)
    .at(-1)

/** To be called after a worker that was alone has exited: until then, checkpoints of a killed worker may be missing. */
export const checkCheckpoints = (rows: ReadonlyArray<TaskRow>, store: Store, report: Report): void => {
  const stored = new Map(
    store
      .rows<{ task_id: string; content: string }>("SELECT task_id, content FROM checkpoints")
      .map(({ content, task_id }) => [task_id, content])
  )
  for (const row of rows) {
    if (!ended(row) || row.started_at === null) continue
    const content = stored.get(row.id)
    if (content === undefined) {
      report(row.id, `it is ${row.status} (${row.cause}), and there is none`)
      continue
    }
    const { cause, status, tail, taskId }: Checkpoint = JSON.parse(content)
    if (taskId !== row.id || status !== row.status || cause !== row.cause) {
      report(row.id, `it is ${row.status} (${row.cause}); its checkpoint is of ${taskId}, ${status} (${cause})`)
    }
    const prompt = store.one<{ prompt: string }>("SELECT prompt FROM task_inputs WHERE task_id = ?", row.id)?.prompt
    const [, behaviour = "", lines] = wordsIn(prompt ?? "")?.split(" ") ?? []
    // A stream of JSON is shown as words, not as lines.
    if (behaviour === "" || behaviour.startsWith("claude") || Number(lines) > fewLines) continue
    const last = lastLine(store, row.id)
    if (last !== undefined && (typeof tail !== "string" || !tail.includes(last))) {
      report(row.id, `its checkpoint does not tell the end of its output, '${last}'`)
    }
  }
}
