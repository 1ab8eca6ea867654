/** The conditions of gates and groups in statements that walk the lanes: `gatesBefore` and `holdOf` of domain/gates. */
import type * as SqlClient from "@effect/sql/SqlClient"

/** No gate for everything, for the group or for the agent of the lane is closed. */
export const laneOpen = (sql: SqlClient.SqlClient, now: number) => sql`
  NOT EXISTS (
    SELECT 1 FROM gates WHERE (until_at IS NULL OR until_at > ${now}) AND (
      scope = 'all' OR (scope = 'group' AND gates.name = lanes."group")
        OR (scope = 'agent' AND gates.name = lanes.agent)
    )
  )
`

export const gateConditions = (sql: SqlClient.SqlClient, now: number) => ({
  /** The lane is open, and its group has room. */
  lane: sql`
    ${laneOpen(sql, now)} AND (lanes."group" = '' OR NOT EXISTS (
      SELECT 1 FROM task_groups WHERE task_groups.name = lanes."group" AND max_running <= (
        SELECT count(*) FROM claims JOIN tasks AS held ON held.id = claims.task_id WHERE held."group" = lanes."group"
      )
    ))
  `,
  /** No gate for the task or its pipeline is closed. */
  task: sql`
    (pipeline_id IS NULL OR NOT EXISTS (
      SELECT 1 FROM gates
      WHERE scope = 'pipeline' AND gates.name = pipeline_id AND (until_at IS NULL OR until_at > ${now})
    )) AND NOT EXISTS (
      SELECT 1 FROM gates WHERE scope = 'task' AND gates.name = tasks.id AND (until_at IS NULL OR until_at > ${now})
    )
  `
})
