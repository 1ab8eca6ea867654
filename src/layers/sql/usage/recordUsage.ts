/** Writes what a run of an agent used, in the transaction that removes its claim: once, whichever process does it. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { costOf, noCost } from "../../../domain/budgets/Spend.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import { asReported, Micro, type PricedUse, type Spending, usedIn } from "../../../domain/usage/ModelUse.ts"
import { added, noTotal, raised, totalOf } from "../../../domain/usage/SessionTotals.ts"
import { TokenCounts } from "../../../domain/usage/TokenCounts.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import { makeSettle, StoredUses } from "../budgets/settle.ts"
import * as Statement from "../database/Statement.ts"

const Key = Schema.Struct({ taskId: Schema.String, sessionId: Schema.String, model: Schema.String })
const Total = Schema.Struct({ ...TokenCounts.fields, costMicro: Micro })

/** What a claim knew when it was removed. */
const Ended = Schema.Struct({ reserveMicro: Schema.Int, reserveTokens: Schema.Int, used: StoredUses })
const readEnded = Schema.decodeUnknownOption(Ended)
const nothing: typeof Ended.Type = { reserveMicro: 0, reserveTokens: 0, used: [] }

/** Must run inside a transaction that has made sure of the claim. */
export const makeRecordUsage = (sql: SqlClient.SqlClient) => {
  const settle = makeSettle(sql)

  const findTotal = Statement.findOne(() => ({
    Request: Key,
    Result: Total,
    execute: ({ model, sessionId, taskId }) => sql`
      SELECT input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_micro FROM session_totals
      WHERE agent = (SELECT agent FROM tasks WHERE id = ${taskId}) AND session_id = ${sessionId} AND model = ${model}
    `
  }))

  const saveTotal = Statement.run(() => ({
    Request: Schema.Struct({ ...Key.fields, ...Total.fields }),
    execute: ({ model, sessionId, taskId, ...total }) => sql`
      INSERT INTO session_totals (agent, session_id, model, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, cost_micro)
      SELECT agent, ${sessionId}, ${model}, ${total.inputTokens}, ${total.outputTokens}, ${total.cacheReadTokens},
        ${total.cacheWriteTokens}, ${total.costMicro}
      FROM tasks WHERE id = ${taskId}
      ON CONFLICT (agent, session_id, model) DO UPDATE SET input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, cache_read_tokens = excluded.cache_read_tokens,
        cache_write_tokens = excluded.cache_write_tokens, cost_micro = excluded.cost_micro
    `
  }))

  // A total that cannot be read is none: the end of a task does not depend on it.
  const totalBefore = (key: typeof Key.Type) =>
    findTotal(key).pipe(
      Effect.catchIf(isParseError, () => Effect.succeedNone),
      Effect.map(Option.getOrElse(() => noTotal))
    )

  /** What the run added to the count of its session. */
  const sinceLast = (taskId: TaskId, sessionId: string, use: PricedUse) =>
    Effect.gen(function* () {
      const key = { taskId, sessionId, model: use.model }
      const before = yield* totalBefore(key)
      yield* saveTotal({ ...key, ...totalOf(use) })
      return added(use, before)
    })

  /** A run that was ended before its agent reported a total is part of the next total of its session. */
  const countAhead = (taskId: TaskId, sessionId: string, use: PricedUse) =>
    Effect.gen(function* () {
      const key = { taskId, sessionId, model: use.model }
      yield* saveTotal({ ...key, ...raised(yield* totalBefore(key), use) })
    })

  /** `row` is what the claim knew when it was taken away. Without spending, what its agent has reported counts. */
  return (taskId: TaskId, claimId: ClaimId, told: Spending | null, row: unknown) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const claim = Option.getOrElse(readEnded(row), () => nothing)
      if (told === null && claim.used.length === 0) return
      const spending = told ?? asReported
      const { cumulative, sessionId } = spending
      const uses = usedIn(spending, claim.used)
      const counted: Array<PricedUse> = []
      for (const [at, use] of uses.entries()) {
        const run = cumulative && sessionId !== null ? yield* sinceLast(taskId, sessionId, use) : use
        if (uses === claim.used && sessionId !== null) yield* countAhead(taskId, sessionId, use)
        counted.push(run)
        // The wait that ended with this claim counts once, whatever the number of models.
        const parked = at === 0 ? claimId : ""
        yield* sql`
          INSERT INTO ledger (claim_id, model, at, task_id, agent, family, account, directory, pipeline_id, labels,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_micro, cost_by, parked_ms)
          SELECT ${claimId}, ${run.model}, ${now}, id, agent,
            coalesce((SELECT family FROM lanes WHERE lanes.id = tasks.lane), ''), account, directory, pipeline_id, labels, ${run.inputTokens},
            ${run.outputTokens}, ${run.cacheReadTokens}, ${run.cacheWriteTokens}, ${run.costMicro}, ${run.costBy},
            coalesce((
              SELECT max(parks.released_at - parks.at) FROM parks
              JOIN claim_history ON claim_history.claim_id = ${parked}
              WHERE parks.task_id = tasks.id AND parks.released_at = claim_history.claimed_at
            ), 0)
          FROM tasks WHERE id = ${taskId}
          ON CONFLICT (claim_id, model) DO NOTHING
        `
      }
      const reserve = { micro: claim.reserveMicro, tokens: claim.reserveTokens }
      yield* settle.ended(taskId, counted.length === 0 ? noCost : costOf(counted, reserve))
    })
}
