/** Checks what all tasks of a torture run share: the file of the queue, its home, the user's repository, the outbox. */
import { lstatSync, readdirSync, realpathSync } from "node:fs"
import { join } from "node:path"
import { git, stateOf } from "../load/Repository.ts"
import { ended, type Store, type TaskRow } from "../Store.ts"
import type { World } from "../World.ts"

/** Every process has named the directory of the queue in its own way, and another user has looked in. */
export const checkHome = ({ chronicle, home, root }: World): void => {
  const queues = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("backbeat.db"))
  for (const queue of queues) {
    if (realpathSync(join(root, queue)) !== join(home, "backbeat.db"))
      chronicle.breach("there is one queue", null, `another is in ${queue}`)
  }
  for (const name of readdirSync(home)) {
    const { uid } = lstatSync(join(home, name))
    if (uid !== process.geteuid?.()) chronicle.breach("a queue has one user", null, `${name} belongs to user ${uid}`)
  }
}

export const checkFile = (store: Store, { chronicle }: World): void => {
  for (const { integrity_check } of store.rows<{ integrity_check: string }>("PRAGMA integrity_check")) {
    if (integrity_check !== "ok") chronicle.breach("the file is whole", null, integrity_check)
  }
  const dangling = store.rows("PRAGMA foreign_key_check")
  if (dangling.length > 0) chronicle.breach("the file is whole", null, `${dangling.length} rows point at nothing`)
  for (const { task_id } of store.rows<{ task_id: string }>("SELECT task_id FROM claims")) {
    chronicle.breach("nothing remains", task_id, "its claim row is still there")
  }
  const wrong = store.rows<{ status: string; counted: number; found: number }>(`
    SELECT status, count AS counted, (SELECT count(*) FROM tasks WHERE tasks.status = task_counts.status) AS found
    FROM task_counts WHERE counted <> found
  `)
  for (const { counted, found, status } of wrong) {
    chronicle.breach("counts are right", null, `${counted} ${status} are counted, there are ${found}`)
  }
}

/** No merge was asked for: the repository is as it was, and git finds nothing wrong with it. */
export const checkRepository = ({ chronicle, repository, repositoryState }: World): void => {
  if (repository === null) return
  const now = stateOf(repository)
  if (now !== repositoryState) {
    chronicle.breach("the user's repository is the user's", null, `it was ${repositoryState}, it is ${now}`)
  }
  if (git(repository, "fsck", "--no-dangling", "--no-progress") === null) {
    chronicle.breach("the user's repository is the user's", null, "git fsck finds it damaged")
  }
}

interface Event {
  readonly seq: number
  readonly id: string
  readonly status: string
  readonly cause: string | null
}

export const checkOutbox = (rows: ReadonlyArray<TaskRow>, store: Store, { chronicle }: World): void => {
  const events = store.rows<Event>("SELECT seq, id, status, cause FROM outbox WHERE kind = 'task' ORDER BY seq")
  const invariant = "one event for each end"
  const byTask = new Map<string, Array<Event>>()
  for (const event of events) byTask.set(event.id, [...(byTask.get(event.id) ?? []), event])
  for (const row of rows) {
    const [event, ...more] = byTask.get(row.id) ?? []
    if (!ended(row)) {
      if (event !== undefined) chronicle.breach(invariant, row.id, `event ${event.seq} of a task that is ${row.status}`)
    } else if (event === undefined) chronicle.breach(invariant, row.id, "it has ended and the outbox does not tell")
    else if (more.length > 0) chronicle.breach(invariant, row.id, `${more.length + 1} events`)
    else if (event.status !== row.status || event.cause !== row.cause) {
      chronicle.breach(invariant, row.id, `event ${event.status} ${event.cause}, task ${row.status} ${row.cause}`)
    }
  }
}
