/** What may be changed of a task that has not started. */
import * as Schema from "effect/Schema"
import { Account } from "../limits/Account.ts"
import { Environment, Launch, NewDependency } from "./NewTask.ts"
import { Fallback, Labels, Millis, Priority, TaskId, Timestamp } from "./Task.ts"

/** A field that is missing does not change. */
export const TaskEdit = Schema.partialWith(
  Schema.Struct({
    prompt: Schema.String,
    systemPrompt: Schema.NullOr(Schema.String),
    priority: Priority,
    agent: Schema.NonEmptyString,
    model: Schema.NullOr(Schema.String),
    account: Schema.NullOr(Account),
    fallback: Fallback,
    spare: Schema.Boolean,
    directory: Schema.String,
    timeoutMs: Schema.NullOr(Millis),
    stallMs: Schema.NullOr(Millis),
    notBefore: Schema.NullOr(Timestamp),
    labels: Labels,
    /** The whole list: the task no longer waits for tasks that are not named. */
    dependsOn: Schema.Array(Schema.Struct({ ...NewDependency.fields, upstream: TaskId })),
    launch: Launch,
    environment: Environment,
    sessionId: Schema.NullOr(Schema.String)
  }),
  { exact: true }
)
export type TaskEdit = typeof TaskEdit.Type
