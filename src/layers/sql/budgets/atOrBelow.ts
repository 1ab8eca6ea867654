/** Whether a directory is another one or lies below it, as a condition: `isAtOrBelow` of the domain. */
import type * as SqlClient from "@effect/sql/SqlClient"

/** SQL counts characters, JavaScript counts some of them twice: the length of a path is left to SQL. */
export const atOrBelow = (sql: SqlClient.SqlClient, column: string, top: string) => {
  const bare = top.replace(/\/+$/, "")
  const path = sql.literal(column)
  return sql`(${path} IN (${bare}, ${top}) OR substr(${path}, 1, length(${`${bare}/`})) = ${`${bare}/`})`
}
