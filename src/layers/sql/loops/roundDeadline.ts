/** The deadline of a row of `tasks` that works in a round of a loop, as an expression; null for every other task. */
import type * as SqlClient from "@effect/sql/SqlClient"

/** Evaluations have their own time: what was worked until the deadline is judged after it. */
export const roundDeadline = (sql: SqlClient.SqlClient) => sql`(
  SELECT ${deadlineOfLoop(sql)} FROM loop_round_tasks own
  JOIN loop_tasks ON loop_tasks.loop_id = own.loop_id AND loop_tasks.position = own.position AND loop_tasks.role = 'work'
  JOIN loops ON loops.id = own.loop_id
  WHERE own.task_id = tasks.id
)`

/** The deadline of a row of `loops`; null where it has none. */
export const deadlineOfLoop = (sql: SqlClient.SqlClient) => sql.literal("CAST(loops.rules ->> 'deadline' AS BIGINT)")
