/** Stores a contest whose tasks are stored already; it must run inside a transaction. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ContestId } from "../../../domain/contest/Contest.ts"
import type { NewContest } from "../../../domain/contest/NewContest.ts"
import { TaskId, titleOf } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { ContestRow, Role } from "./ContestRows.ts"
import { makeContestEnds } from "./contestEnds.ts"

/** The task after those of all candidates, which sets a workspace to the work of the candidate that is kept. */
const choicePosition = 100

interface StoredContest {
  readonly id: ContestId
  readonly contest: NewContest
  /** The ids of its tasks, in the order of the candidates. */
  readonly taskIds: ReadonlyArray<TaskId>
  /** The task of the pipeline step that the contest is for. */
  readonly choice: TaskId | null
  readonly at: number
}

export const makeStoreContest = (sql: SqlClient.SqlClient) => {
  const { afterEnds } = makeContestEnds(sql)

  const insertContest = Statement.run(() => ({
    Request: ContestRow.pick("id", "title", "directory", "rules", "createdAt"),
    execute: (row) => sql`INSERT INTO contests ${sql.insert({ ...row, status: "running" })}`
  }))

  const insertTask = Statement.run(() => ({
    Request: Schema.Struct({
      contestId: ContestId,
      number: Schema.Int,
      position: Schema.Int,
      role: Role,
      taskId: TaskId
    }),
    execute: (row) => sql`INSERT INTO contest_tasks ${sql.insert(row)}`
  }))

  return ({ at, choice, contest, id, taskIds }: StoredContest) =>
    Effect.gen(function* () {
      const { candidates, directory, prompt, rules } = contest
      yield* insertContest({ id, title: titleOf(prompt), directory, rules, createdAt: at })
      let member = 0
      for (const [index, tasks] of candidates.entries()) {
        const number = index + 1
        yield* sql`INSERT INTO contest_candidates (contest_id, number) VALUES (${id}, ${number})`
        for (const [position, { role }] of tasks.entries()) {
          const taskId = taskIds[member++]
          if (taskId === undefined) return yield* Effect.dieMessage("a candidate without a task")
          yield* insertTask({ contestId: id, number, position, role, taskId })
        }
      }
      if (choice !== null) {
        yield* insertTask({ contestId: id, number: 0, position: choicePosition, role: "choice", taskId: choice })
      }
      // Tasks that can never start, because of what they were to follow, have ended on arrival.
      yield* afterEnds(taskIds, at)
    })
}
