/** Which budgets tasks count against: computed when a task arrives, and again when a budget is made or removed. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Budget, BudgetScope, covers, free, labelOf } from "../../../domain/budgets/Budget.ts"
import type { Labels, TaskId } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { orDieWhenMissing } from "../tasks/TaskRows.ts"
import { atOrBelow } from "./atOrBelow.ts"
import { makeReserves } from "./reserves.ts"

/** Before the ids of tasks that an agent submitted: nothing is reserved for them. */
const nestedMark = "+"

/** Ids in order and with commas: equal sets are equal texts. */
const budgetKey = (ids: ReadonlyArray<number>, nested: boolean): string => {
  const sorted = Array.from(new Set(ids)).sort((one, other) => one - other)
  return `${nested ? nestedMark : ""}${sorted.join(",")}`
}

const isNested = (key: string): boolean => key.startsWith(nestedMark)

const idsIn = (key: string): ReadonlyArray<number> => {
  const ids = isNested(key) ? key.slice(nestedMark.length) : key
  return ids === "" ? [] : ids.split(",").map(Number)
}

interface Counted {
  readonly id: TaskId
  readonly rootId: string | null
  readonly parentId: string | null
  readonly agent: string
  readonly directory: string
  readonly labels: Labels
}

/** How many ancestors of a task are considered. */
const mostAbove = 200

const LaneRow = Schema.Struct({ id: Schema.Int })

/** Must run inside a transaction. */
export const makeLaneBudgets = (sql: SqlClient.SqlClient) => {
  const reserves = makeReserves(sql)

  const findAbove = Statement.findAll(() => ({
    Request: Schema.String,
    Result: Schema.Struct({ id: Schema.String, rootId: Schema.NullOr(Schema.String) }),
    execute: (parent) => sql`
      WITH RECURSIVE above (id, root_id, parent_id) AS (
        SELECT id, root_id, parent_id FROM tasks WHERE id = ${parent}
        UNION SELECT tasks.id, tasks.root_id, tasks.parent_id FROM above JOIN tasks ON tasks.id = above.parent_id
      )
      SELECT id, root_id FROM above LIMIT ${mostAbove}
    `
  }))

  const findCandidates = Statement.findAll(() => ({
    Request: Schema.parseJson(Schema.Array(Schema.String)),
    Result: Schema.Struct({ id: Schema.Int, scope: BudgetScope, value: Schema.String }),
    execute: (ids) => sql`
      SELECT id, scope, value FROM budgets WHERE scope NOT IN ('task', 'tree')
      UNION ALL SELECT budgets.id, budgets.scope, budgets.value FROM json_each(${ids}) AS known
        CROSS JOIN budgets ON budgets.value = known.value AND scope IN ('task', 'tree')
    `
  }))

  const findAny = Statement.findOne(() => ({
    Request: Schema.Void,
    Result: LaneRow,
    execute: () => sql`SELECT id FROM budgets LIMIT 1`
  }))

  /** The budgets that a task counts against, as a key of its lane. */
  const keyOf = ({ agent, directory, id, labels, parentId, rootId }: Counted) =>
    Effect.gen(function* () {
      if (agent === free) return ""
      if (Option.isNone(yield* findAny())) return budgetKey([], parentId !== null)
      const above = parentId === null ? [] : yield* findAbove(parentId)
      const attempts = [id, ...(rootId === null ? [] : [rootId])]
      const from = above.flatMap((one) => [one.id, ...(one.rootId === null ? [] : [one.rootId])])
      const task = { agent, directory, labels, attempts, above: from }
      const found = yield* findCandidates([...attempts, ...from])
      const ids = found.filter((budget) => covers(budget, task)).map((budget) => budget.id)
      return budgetKey(ids, parentId !== null)
    })

  const findLike = Statement.findOne(() => ({
    Request: Schema.Struct({ lane: Schema.Int, key: Schema.String }),
    Result: LaneRow,
    execute: ({ key, lane }) => sql`
      SELECT other.id FROM lanes AS own JOIN lanes AS other ON other.account = own.account AND other.family = own.family
        AND other.agent = own.agent AND other."group" = own."group" AND other.spare = own.spare
      WHERE own.id = ${lane} AND other.budgets = ${key}
    `
  }))

  const copyLane = Statement.single(() => ({
    Request: Schema.Struct({ lane: Schema.Int, key: Schema.String }),
    Result: Schema.Struct({ id: Schema.Int, agent: Schema.String, family: Schema.String }),
    execute: ({ key, lane }) => sql`
      INSERT INTO lanes (account, gate, family, agent, "group", spare, budgets, opens_at, shuts_at, "window")
      SELECT account, gate, family, agent, "group", spare, ${key}, opens_at, shuts_at, "window" FROM lanes WHERE id = ${lane}
      RETURNING id, agent, family
    `
  }))

  /** What a new lane counts against, and what is reserved for its tasks. */
  const enter = (lane: number, key: string, kind: { readonly agent: string; readonly family: string }) =>
    Effect.gen(function* () {
      for (const budget of idsIn(key)) yield* sql`INSERT INTO lane_budgets ${sql.insert({ lane, budget })}`
      if (idsIn(key).length > 0) yield* reserves(kind)
    })

  /** The lane that differs from another one only in its budgets. */
  const laneWith = (lane: number, key: string) =>
    Effect.gen(function* () {
      const found = yield* findLike({ lane, key })
      if (Option.isSome(found)) return found.value.id
      const made = yield* copyLane({ lane, key }).pipe(orDieWhenMissing)
      yield* enter(made.id, key, made)
      return made.id
    })

  /** The queued and running tasks that a budget covers. */
  const matching = ({ scope, value }: Pick<Budget, "scope" | "value">) => {
    const label = labelOf(value)
    switch (scope) {
      case "all":
        return sql`TRUE`
      case "agent":
        return sql`tasks.agent = ${value}`
      case "directory":
        return atOrBelow(sql, "tasks.directory", value)
      case "label":
        return sql`tasks.seq IN (
          SELECT task_seq FROM task_labels WHERE key = ${label.key} AND (${label.value} IS NULL OR value = ${label.value})
        )`
      case "task":
        return sql`(tasks.id = ${value} OR tasks.root_id = ${value})`
      case "tree":
        return sql`tasks.id IN (
          WITH RECURSIVE tree (id) AS (
            SELECT ${value}
            UNION SELECT own.id FROM tree JOIN tasks AS own ON own.root_id = tree.id
            UNION SELECT child.id FROM tree JOIN tasks AS child ON child.parent_id = tree.id
          )
          SELECT id FROM tree
        )`
    }
  }

  /** Whether a budget covers all tasks of a lane, where it covers one of them. */
  const isOfLanes = ({ scope }: Pick<Budget, "scope">) => scope === "all" || scope === "agent"

  const findLanes = (budget: Pick<Budget, "scope" | "value">) =>
    Statement.findAll(() => ({
      Request: Schema.Void,
      Result: Schema.Struct({ id: Schema.Int, budgets: Schema.String }),
      execute: () =>
        isOfLanes(budget)
          ? sql`
              SELECT id, budgets FROM lanes
              WHERE agent <> '' AND agent <> ${free} AND (${budget.scope} = 'all' OR agent = ${budget.value})
            `
          : sql`
              SELECT DISTINCT lanes.id, lanes.budgets FROM tasks JOIN lanes ON lanes.id = tasks.lane
              WHERE tasks.status IN ('queued', 'running') AND tasks.agent <> ${free} AND ${matching(budget)}
            `
    }))()

  /** All tasks of a lane go with it, however many they are. */
  const change = (lane: number, key: string) =>
    Effect.gen(function* () {
      const [kind] = yield* findKind(lane)
      if (kind === undefined) return
      yield* sql`DELETE FROM lane_budgets WHERE lane = ${lane}`
      yield* sql`UPDATE lanes SET budgets = ${key} WHERE id = ${lane}`
      yield* enter(lane, key, kind)
    })

  const findKind = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: Schema.Struct({ agent: Schema.String, family: Schema.String }),
    execute: (lane) => sql`SELECT agent, family FROM lanes WHERE id = ${lane}`
  }))

  const findCounting = Statement.findAll(() => ({
    Request: Schema.Int,
    Result: Schema.Struct({ id: Schema.Int, budgets: Schema.String }),
    execute: (budget) => sql`
      SELECT lanes.id, lanes.budgets FROM lane_budgets JOIN lanes ON lanes.id = lane_budgets.lane
      WHERE lane_budgets.budget = ${budget}
    `
  }))

  return {
    keyOf,
    enter,
    laneWith,

    /** Tasks that wait and run count against a new budget too. */
    join: (id: number, budget: Pick<Budget, "scope" | "value">) =>
      Effect.gen(function* () {
        for (const lane of yield* findLanes(budget)) {
          const key = budgetKey([...idsIn(lane.budgets), id], isNested(lane.budgets))
          if (isOfLanes(budget)) {
            yield* change(lane.id, key)
            continue
          }
          const to = yield* laneWith(lane.id, key)
          yield* sql`
            UPDATE tasks SET lane = ${to}
            WHERE lane = ${lane.id} AND status IN ('queued', 'running') AND agent <> ${free} AND ${matching(budget)}
          `
        }
      }),

    /** No task counts against it now. */
    leave: (id: number) =>
      Effect.gen(function* () {
        for (const lane of yield* findCounting(id)) {
          const left = idsIn(lane.budgets).filter((one) => one !== id)
          const key = budgetKey(left, isNested(lane.budgets))
          const same = yield* findLike({ lane: lane.id, key })
          if (Option.isNone(same)) {
            yield* change(lane.id, key)
            continue
          }
          yield* sql`UPDATE tasks SET lane = ${same.value.id} WHERE lane = ${lane.id} AND status IN ('queued', 'running')`
          yield* sql`DELETE FROM lanes WHERE id = ${lane.id}`
        }
      })
  }
}
