/** Finding the tasks of a list: along one index, newest first, never further than the page and its count need. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { Fragment } from "@effect/sql/Statement"
import type { TaskStatus } from "../../../domain/task/Task.ts"
import type { ListFilter } from "../../../services/Tasks.ts"

/** Tasks beyond the page that are counted at most. */
export const moreBound = 1000

const open: ReadonlyArray<TaskStatus> = ["queued", "running"]

/** What the list walks along. The others are looked at row by row: the `+` before them keeps the planner from them. */
type Driver = "parent" | "label" | "status" | "directory" | "agent" | "seq"

const driverOf = (filter: ListFilter, status: TaskStatus | null): Driver => {
  if (filter.parentId !== null) return "parent"
  if (Object.keys(filter.labels).length > 0) return "label"
  // Few tasks are open at any time; of ended ones there may be a million.
  if (status !== null && open.includes(status)) return "status"
  if (filter.directory !== null) return "directory"
  if (filter.agent !== null) return "agent"
  return status !== null ? "status" : "seq"
}

/** The seqs of the newest tasks that fit, at most `count`. */
export const seqsOf = (sql: SqlClient.SqlClient, filter: ListFilter, count: number) => {
  const before = filter.before ?? Number.MAX_SAFE_INTEGER
  const labels = Object.entries(filter.labels)

  const walk = (status: TaskStatus | null): Fragment => {
    const driver = driverOf(filter, status)
    const column = (name: string, is: Driver) => sql.literal(driver === is ? name : `+${name}`)
    const conditions: Array<Fragment> = []
    if (filter.parentId !== null) conditions.push(sql`${column("tasks.parent_id", "parent")} = ${filter.parentId}`)
    if (status !== null) conditions.push(sql`${column("tasks.status", "status")} = ${status}`)
    if (filter.directory !== null) {
      conditions.push(sql`${column("tasks.directory", "directory")} = ${filter.directory}`)
    }
    if (filter.agent !== null) conditions.push(sql`${column("tasks.agent", "agent")} = ${filter.agent}`)
    if (filter.since !== null) {
      // Clocks are set back at times: the first by arrival, not by time, is where the walk may stop.
      conditions.push(
        sql`+tasks.created_at >= ${filter.since}`,
        sql`tasks.seq >= (SELECT min(seq) FROM tasks INDEXED BY tasks_created WHERE created_at >= ${filter.since})`
      )
    }
    const [along, ...others] = driver === "label" ? labels : [undefined, ...labels]
    for (const [key, value] of others.filter((label) => label !== undefined)) {
      conditions.push(sql`
        EXISTS (SELECT 1 FROM task_labels WHERE key = ${key} AND value = ${value} AND task_seq = tasks.seq)
      `)
    }
    if (along === undefined) {
      return sql`
        SELECT tasks.seq FROM tasks WHERE ${sql.and([...conditions, sql`tasks.seq < ${before}`])}
        ORDER BY tasks.seq DESC LIMIT ${count}
      `
    }
    const [key, value] = along
    const labelled = sql`label.key = ${key} AND label.value = ${value} AND label.task_seq < ${before}`
    return sql`
      SELECT label.task_seq AS seq FROM task_labels AS label CROSS JOIN tasks ON tasks.seq = label.task_seq
      WHERE ${sql.and([labelled, ...conditions])}
      ORDER BY label.task_seq DESC LIMIT ${count}
    `
  }

  const statuses = Array.from(new Set(filter.status))
  const [first, ...rest] = statuses
  if (first === undefined || statuses.length === 5) return sql`${walk(null)}`
  if (rest.length === 0) return sql`${walk(first)}`
  const walks = statuses.map((status) => sql`SELECT seq FROM (${walk(status)})`)
  return sql`${sql.join(" UNION ALL ", false)(walks)} ORDER BY seq DESC LIMIT ${count}`
}
