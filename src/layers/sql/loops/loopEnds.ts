/** What the end of a task means for its loop: the verdict of the round, and the next round or the end of the loop. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Evaluation, evaluate } from "../../../domain/loop/Evaluation.ts"
import { type LoopRound, unpricedShare, Verdict } from "../../../domain/loop/Loop.ts"
import { decideLoop, type NextStep, recentRounds } from "../../../domain/loop/LoopDecision.ts"
import { LoopId } from "../../../domain/loop/LoopId.ts"
import { EndCause, TaskId, TerminalStatus } from "../../../domain/task/Task.ts"
import type { Ids } from "../../../services/Ids.ts"
import * as Statement from "../database/Statement.ts"
import { makeTailOf, tailBytes } from "../output/tailOf.ts"
import { makeEndLoop } from "./endLoop.ts"
import { type LoopRow, makeLoopRows, Role } from "./LoopRows.ts"
import { makeStoreRound } from "./storeRound.ts"

interface Judged extends Evaluation {
  readonly title: string
  readonly printed: string
  readonly answer: string | null
  readonly error: string | null
}

/** No evaluation can judge a round whose last work is not sealed: what it looked at is in no commit. */
const unsealed = { verdict: "error", score: null } as const
const unsealedWords = "its work could not be sealed"

/** Deeper than any limit: the depth was checked when the loop was submitted. */
const anyDepth = Number.MAX_SAFE_INTEGER

export const makeLoopEnds = (sql: SqlClient.SqlClient, ids: typeof Ids.Service) => {
  const { findLoop, roundsOf } = makeLoopRows(sql)
  const storeRound = makeStoreRound(sql, ids)
  const tailOf = makeTailOf(sql)
  const endLoop = makeEndLoop(sql)

  /** The round of a task, unless one of its tasks has not ended. */
  const findEnded = Statement.findOne(() => ({
    Request: TaskId,
    Result: Schema.Struct({ loopId: LoopId, round: Schema.Int }),
    execute: (id) => sql`
      SELECT own.loop_id, own.round FROM loop_round_tasks own WHERE own.task_id = ${id} AND NOT EXISTS (
        SELECT 1 FROM loop_round_tasks other JOIN tasks ON tasks.id = other.task_id
        WHERE other.loop_id = own.loop_id AND other.round = own.round AND tasks.ended_at IS NULL
      )
    `
  }))

  const findTasks = Statement.findAll(() => ({
    Request: Schema.Struct({ loopId: LoopId, round: Schema.Int }),
    Result: Schema.Struct({
      taskId: TaskId,
      role: Role,
      title: Schema.String,
      status: TerminalStatus,
      cause: EndCause,
      exitCode: Schema.NullOr(Schema.Int),
      error: Schema.NullOr(Schema.String),
      answer: Schema.NullOr(Schema.String)
    }),
    execute: ({ loopId, round }) => sql`
      SELECT own.task_id, loop_tasks.role, tasks.title, tasks.status, tasks.cause, tasks.exit_code, tasks.error, tasks.answer
      FROM loop_round_tasks own
      JOIN loop_tasks ON loop_tasks.loop_id = own.loop_id AND loop_tasks.position = own.position
      JOIN tasks ON tasks.id = own.task_id
      WHERE own.loop_id = ${loopId} AND own.round = ${round} ORDER BY own.position
    `
  }))

  const findSpent = Statement.findOne(() => ({
    Request: LoopId,
    Result: Schema.Struct({ spent: Schema.Number }),
    execute: (id) => sql`
      WITH own (id) AS (
        SELECT task_id FROM loop_round_tasks WHERE loop_id = ${id} UNION SELECT id FROM tasks WHERE goal_id = ${id}
      )
      SELECT total(ledger.cost_micro) / 1000000.0 AS spent FROM own JOIN ledger ON ledger.task_id = own.id
    `
  }))

  const writeVerdict = Statement.run(() => ({
    Request: Schema.Struct({
      loopId: LoopId,
      round: Schema.Int,
      verdict: Verdict,
      score: Schema.NullOr(Schema.Finite),
      kept: Schema.Literal(0, 1),
      feedback: Schema.String,
      workError: Schema.NullOr(Schema.String),
      at: Schema.Int
    }),
    execute: ({ at, feedback, kept, loopId, round, score, verdict, workError }) => sql`
      UPDATE loop_rounds SET verdict = ${verdict}, score = ${score}, kept = ${kept}, feedback = ${feedback},
        work_error = ${workError}, ended_at = ${at}
      WHERE loop_id = ${loopId} AND round = ${round}
    `
  }))

  /** What an evaluation said: an agent prints a stream, so of a judge it is the answer or the reason. */
  const saidBy = ({ answer, error, kind, printed }: Judged) =>
    kind === "judge" ? [error, answer].filter((text) => text !== null).join("\n") : printed

  /** The text about the evaluations for the next round: what failed, else what was measured. */
  const feedbackOf = (evaluations: ReadonlyArray<Judged>) => {
    const started = evaluations.filter(({ cause }) => cause !== "dependency-failed")
    const failed = started.filter(({ status }) => status !== "completed")
    const shown = failed.length > 0 ? failed : started
    const share = Math.floor(tailBytes / Math.max(1, shown.length))
    return shown
      .map((one) => `${one.kind === "judge" ? "judge:" : "$"} ${one.title}\n${saidBy(one).slice(-share)}`.trimEnd())
      .join("\n\n")
  }

  const judge = (loopId: LoopId, newest: LoopRound) =>
    Effect.gen(function* () {
      const tasks = yield* findTasks({ loopId, round: newest.round })
      const work = tasks.find(({ role, status }) => role === "work" && status !== "completed")
      const evaluations = yield* Effect.forEach(
        tasks.flatMap((task) => (task.role === "work" ? [] : [{ ...task, kind: task.role }])),
        (task) => Effect.map(tailOf(task.taskId), (tail) => ({ ...task, ...tail }))
      )
      const found = evaluate(evaluations, newest.tampered)
      // Work that failed may have left nothing: only a pass would be wrong then.
      const isUnsealed = newest.commit === null && (work === undefined || found.verdict === "pass")
      const { score, verdict } = isUnsealed ? unsealed : found
      const judged: LoopRound = {
        ...newest,
        verdict,
        score,
        feedback: feedbackOf(evaluations),
        workError: work === undefined ? (isUnsealed ? unsealedWords : null) : (work.error ?? work.cause)
      }
      return judged
    })

  const storeNext = (id: LoopId, { round, rules }: typeof LoopRow.Type, next: NextStep, at: number) => {
    switch (next._tag) {
      case "Round":
        return storeRound(id, rules, round + 1, next.startCommit, anyDepth).pipe(
          // A loop inside a goal that has no room for another round.
          Effect.catchTag("GoalLimitReached", () => endLoop(id, "exhausted", at)),
          // A later round has no key, retries nothing and waits for no task that is gone.
          Effect.catchTags({
            DependencyInvalid: Effect.die,
            DepthExceeded: Effect.die,
            IdempotencyConflict: Effect.die,
            TaskNotFound: Effect.die
          })
        )
      case "Paused":
        return sql`UPDATE loops SET status = 'paused' WHERE id = ${id} AND status = 'running'`
      case "End":
        return endLoop(id, next.status, at)
    }
  }

  const conclude = (loopId: LoopId, at: number) =>
    Effect.gen(function* () {
      const found = yield* findLoop(loopId)
      if (Option.isNone(found) || found.value.status !== "running") return
      const loop = found.value
      // What a decision looks at, whatever the number of rounds.
      const rounds = yield* roundsOf({ id: loopId, after: loop.round - recentRounds, kept: loop.bestRound })
      const newest = rounds.at(-1)
      if (newest === undefined || newest.verdict !== null) return
      const judged = yield* judge(loopId, newest)
      const reported = Option.match(yield* findSpent(loopId), { onNone: () => 0, onSome: ({ spent }) => spent })
      const spent = reported + loop.unpriced * unpricedShare(loop.rules.budgetUsd, loop)
      const { kept, next } = decideLoop({ ...loop, spentUsd: spent, rounds: [...rounds.slice(0, -1), judged] }, at)
      yield* writeVerdict({
        loopId,
        round: judged.round,
        verdict: judged.verdict ?? "error",
        score: judged.score,
        kept: kept ? 1 : 0,
        feedback: judged.feedback ?? "",
        workError: judged.workError,
        at
      })
      yield* sql`UPDATE loops SET spent_usd = ${spent} WHERE id = ${loopId}`
      if (kept) {
        yield* sql`UPDATE loops SET best_round = ${judged.round}, best_score = ${judged.score} WHERE id = ${loopId}`
      }
      yield* storeNext(loopId, loop, next, at)
    })

  return {
    /** After this task has ended. It must run inside the transaction that ended it. */
    afterEnd: (id: TaskId, at: number) =>
      Effect.flatMap(
        findEnded(id),
        Option.match({ onNone: () => Effect.void, onSome: ({ loopId }) => conclude(loopId, at) })
      ),
    /** An automatic retry takes the place of the attempt that failed. */
    replaceTask: (failed: TaskId, retry: TaskId) =>
      sql`UPDATE loop_round_tasks SET task_id = ${retry} WHERE task_id = ${failed}`
  }
}
