/** Stores a captured environment under its hash: one row for all tasks that were submitted with the same variables. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Schema from "effect/Schema"
import * as Statement from "../database/Statement.ts"
import { StoredEnvironment } from "./Rows.ts"

/** A row that is there already is written again only where it holds something else. */
export const makeInsertEnvironment = (sql: SqlClient.SqlClient) =>
  Statement.run(() => ({
    Request: Schema.Struct({ id: Schema.String, variables: StoredEnvironment }),
    execute: (row) => sql`INSERT INTO environments ${sql.insert(row)}
      ON CONFLICT (id) DO UPDATE SET variables = excluded.variables WHERE environments.variables <> excluded.variables
    `
  }))
