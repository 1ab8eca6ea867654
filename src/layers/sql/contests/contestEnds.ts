/** What the end of tasks means for their contests: the verdict of a candidate, and the decision of the contest. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ContestId } from "../../../domain/contest/Contest.ts"
import { decideContest, judgeCandidate } from "../../../domain/contest/ContestDecision.ts"
import type { Evaluation } from "../../../domain/loop/Evaluation.ts"
import { Verdict } from "../../../domain/loop/Loop.ts"
import { isTerminal, TaskId, type TaskStatus, type TerminalStatus } from "../../../domain/task/Task.ts"
import * as Statement from "../database/Statement.ts"
import { makeTailOf } from "../output/tailOf.ts"
import { makeReleaseDependents } from "../queue/releaseDependents.ts"
import { type CandidateTaskRow, makeContestRows } from "./ContestRows.ts"

/** Ids as one parameter of a statement, whatever their number. */
const Ids = Schema.parseJson(Schema.Array(TaskId))

/** Only candidates whose tasks have all ended are judged. */
const endOf = (status: TaskStatus): TerminalStatus => (isTerminal(status) ? status : "cancelled")

export const makeContestEnds = (sql: SqlClient.SqlClient) => {
  const { candidatesOf, findContest, findTasks } = makeContestRows(sql)
  const tailOf = makeTailOf(sql)
  const { releaseAwaiting } = makeReleaseDependents(sql)

  /** Candidates of these tasks that have no verdict, and no task that has not ended. */
  const findEnded = Statement.findAll(() => ({
    Request: Ids,
    Result: Schema.Struct({ contestId: ContestId, number: Schema.Int, tampered: Schema.NullOr(Schema.String) }),
    execute: (ended) => sql`
      SELECT DISTINCT own.contest_id, own.number, judged.tampered
      FROM contest_tasks own
      JOIN contest_candidates judged ON judged.contest_id = own.contest_id AND judged.number = own.number
      WHERE own.task_id IN (SELECT value FROM json_each(${ended})) AND judged.verdict IS NULL AND NOT EXISTS (
        SELECT 1 FROM contest_tasks other JOIN tasks ON tasks.id = other.task_id
        WHERE other.contest_id = own.contest_id AND other.number = own.number AND tasks.ended_at IS NULL
      )
      ORDER BY own.contest_id, own.number
    `
  }))

  const writeVerdict = Statement.run(() => ({
    Request: Schema.Struct({
      contestId: ContestId,
      number: Schema.Int,
      verdict: Verdict,
      score: Schema.NullOr(Schema.Finite),
      at: Schema.Int
    }),
    execute: ({ at, contestId, number, score, verdict }) => sql`
      UPDATE contest_candidates SET verdict = ${verdict}, score = ${score}, judged_at = ${at}
      WHERE contest_id = ${contestId} AND number = ${number} AND verdict IS NULL
    `
  }))

  const evaluationOf = ({ cause, role, status, taskId }: CandidateTaskRow) =>
    Effect.map(
      tailOf(taskId),
      ({ stdout }): Evaluation => ({
        kind: role === "score" ? "score" : "until",
        status: endOf(status),
        cause: cause ?? "cancelled",
        stdout
      })
    )

  const judge = (contestId: ContestId, number: number, tampered: string | null, at: number) =>
    Effect.gen(function* () {
      const tasks = (yield* findTasks(contestId)).filter((task) => task.number === number)
      const work = tasks.find(({ role }) => role === "work")
      const evaluations = yield* Effect.forEach(
        tasks.filter(({ role }) => role === "check" || role === "score"),
        evaluationOf
      )
      const judged = judgeCandidate(endOf(work?.status ?? "cancelled"), evaluations, tampered)
      yield* writeVerdict({ contestId, number, ...judged, at })
    })

  const decide = (id: ContestId, at: number) =>
    Effect.gen(function* () {
      const contest = yield* findContest(id)
      if (Option.isNone(contest) || contest.value.status !== "running") return
      const { cancelRequestedAt, rules } = contest.value
      const end = decideContest(rules, yield* candidatesOf(id), cancelRequestedAt !== null)
      if (end === null) return
      yield* sql`
        UPDATE contests SET status = ${end.status}, winner = ${end.winner}, ended_at = ${at}
        WHERE id = ${id} AND status = 'running'
      `
      yield* releaseAwaiting(id)
    })

  return {
    /** After these tasks have ended and what waited for them is resolved, in the transaction that ended them. */
    afterEnds: (ended: ReadonlyArray<TaskId>, at: number) =>
      Effect.gen(function* () {
        const candidates = yield* findEnded(ended)
        for (const { contestId, number, tampered } of candidates) yield* judge(contestId, number, tampered, at)
        for (const id of new Set(candidates.map(({ contestId }) => contestId))) yield* decide(id, at)
      }),
    /** An automatic retry takes the place of the attempt that failed. */
    replaceTask: (failed: TaskId, retry: TaskId) =>
      Effect.zipRight(
        sql`UPDATE contest_tasks SET task_id = ${retry} WHERE task_id = ${failed}`,
        sql`UPDATE tasks SET pipeline_id = (SELECT pipeline_id FROM tasks WHERE id = ${failed}) WHERE id = ${retry}`
      )
  }
}
