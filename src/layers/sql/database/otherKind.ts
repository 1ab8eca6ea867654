/** Looks an id up among the things of all kinds: a person or a model may have taken it for one of another kind. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { OtherKind } from "../../../domain/OtherKind.ts"
import * as Statement from "./Statement.ts"

/** A shorter beginning of an id says too little about what was meant. */
const shortest = 4

/** For the attributes of an error: `other` is the first thing whose id begins so, if there is one. */
export const makeOtherKind = (sql: SqlClient.SqlClient) => {
  const find = Statement.findAll(() => ({
    Request: Schema.Struct({ from: Schema.String, to: Schema.String }),
    Result: OtherKind,
    execute: ({ from, to }) => {
      const among = (table: string, kind: string) =>
        sql`SELECT ${kind} AS kind, id FROM ${sql(table)} WHERE id >= ${from} AND id < ${to}`
      return sql`
        ${among("tasks", "task")} UNION ALL ${among("pipelines", "pipeline")} UNION ALL ${among("schedules", "schedule")}
        UNION ALL ${among("contests", "contest")}
        UNION ALL SELECT CASE WHEN goals.loop_id IS NULL THEN 'loop' ELSE 'goal' END AS kind, loops.id
        FROM loops LEFT JOIN goals ON goals.loop_id = loops.id WHERE loops.id >= ${from} AND loops.id < ${to}
        LIMIT 1
      `
    }
  }))
  return (reference: string) =>
    reference.length < shortest || reference === "@last"
      ? Effect.succeed({})
      : Effect.map(find({ from: reference, to: `${reference}~` }), ([other]) => (other === undefined ? {} : { other }))
}
