/** Gates and groups: what a person pauses, and how many tasks of a group may run at the same time. */
import * as Schema from "effect/Schema"
import { type Task, Timestamp } from "../task/Task.ts"
import { GroupName } from "./GroupName.ts"

/** `name` of a gate: empty for `all`, else a group, an agent, or the id of a pipeline or a task. */
export const GateScope = Schema.Literal("all", "group", "agent", "pipeline", "task")
export type GateScope = typeof GateScope.Type

const GateReason = Schema.String.pipe(Schema.maxLength(500))

/** No task behind it starts. Tasks that run continue, except behind one of scope `task`, which parks or freezes its task. */
export const Gate = Schema.Struct({
  scope: GateScope,
  name: Schema.String,
  /** When it opens again; null: when a person opens it. */
  until: Schema.NullOr(Timestamp),
  reason: Schema.NullOr(GateReason),
  /** The user, client or task that closed it. */
  by: Schema.String,
  at: Timestamp,
  /** Of scope `task`: a running task keeps its processes, which are stopped until the gate opens. */
  freeze: Schema.Boolean
}).annotations({ identifier: "Gate" })
export type Gate = typeof Gate.Type

export const Group = Schema.Struct({
  name: GroupName,
  /** How many of its tasks may run at the same time; null: as many as the other limits allow. */
  limit: Schema.NullOr(Schema.Int),
  running: Schema.Int,
  /** Queued tasks, counted up to 1000. */
  waiting: Schema.Int
}).annotations({ identifier: "Group" })
export type Group = typeof Group.Type

/** What keeps a queued task from being claimed: a gate, or the limit of its group. */
export const Hold = Schema.Union(
  Schema.Struct({ gate: Gate }),
  Schema.Struct({ group: GroupName, running: Schema.Int, limit: Schema.Int })
)
export type Hold = typeof Hold.Type

/** What decides which gates a task is behind. */
type Gated = Pick<Task, "id" | "agent" | "group" | "pipelineId">

const isInForce = ({ until }: Pick<Gate, "until">, now: number): boolean => until === null || until > now

const isBehind = ({ agent, group, id, pipelineId }: Gated, { name, scope }: Pick<Gate, "scope" | "name">): boolean => {
  switch (scope) {
    case "all":
      return true
    case "group":
      return group === name
    case "agent":
      return agent === name
    case "pipeline":
      return pipelineId === name
    case "task":
      return id === name
  }
}

/** The gates that a task is behind now; the one that stays closed the longest comes first. */
export const gatesBefore = <G extends Pick<Gate, "scope" | "name" | "until">>(
  gates: ReadonlyArray<G>,
  task: Gated,
  now: number
): ReadonlyArray<G> =>
  gates
    .filter((gate) => isInForce(gate, now) && isBehind(task, gate))
    .sort((one, other) => (other.until ?? Number.POSITIVE_INFINITY) - (one.until ?? Number.POSITIVE_INFINITY))

export const holdOf = (
  task: Gated,
  gates: ReadonlyArray<Gate>,
  /** The group of the task. */
  group: Pick<Group, "name" | "limit" | "running"> | null,
  now: number
): Hold | null => {
  const [gate] = gatesBefore(gates, task, now)
  if (gate !== undefined) return { gate }
  return group === null || group.limit === null || group.running < group.limit
    ? null
    : { group: group.name, running: group.running, limit: group.limit }
}
