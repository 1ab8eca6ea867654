/** What every store promises of the ledger: each run once, sessions taken apart, and sums that outlive tasks. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import type { PricedUse, Spending } from "../../src/domain/usage/ModelUse.ts"
import { noTokens } from "../../src/domain/usage/TokenCounts.ts"
import type { Dimension } from "../../src/domain/usage/UsageReport.ts"
import { Ledger } from "../../src/services/Ledger.ts"
import { type ClaimedTask, Queue } from "../../src/services/Queue.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, parked, submitAndClaim, workerB } from "../support/tasks.ts"

const account = { key: AccountKey.make("openai/login/8w1p5c0xnd"), agent: "codex" }
const hour = 3_600_000
const day = 24 * hour

const use = (fields: Partial<PricedUse> = {}): PricedUse => ({
  ...noTokens,
  model: "gpt-5",
  inputTokens: 100,
  costMicro: 1000,
  costBy: "reported",
  ...fields
})

const spent = (uses: ReadonlyArray<PricedUse>, fields: Partial<Spending> = {}): Spending => ({
  sessionId: null,
  cumulative: false,
  uses,
  ...fields
})

const end = ({ claim, task }: ClaimedTask, spending: Spending) =>
  Effect.flatMap(Queue, (queue) => queue.finish(task.id, { ...completed, spending }, claim))

const park = ({ claim }: ClaimedTask, spending: Spending, resetsAt: number) =>
  Effect.flatMap(Queue, (queue) => queue.park(claim, parked({ resetsAt, spending })))

const reportBy = (...by: ReadonlyArray<Dimension>) =>
  Effect.flatMap(Ledger, (ledger) => ledger.report({ from: 0, to: 1000 * day, by, days: [] }))

export const ledgerContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`${subject.name}: the ledger`, () => {
    test(
      "is empty where no agent ran",
      Effect.gen(function* () {
        const { rows, total } = yield* reportBy("agent")
        assert.deepStrictEqual([rows.length, total.runs, total.costUsd], [0, 0, 0])
      })
    )

    test(
      "counts the end of a claim once, whichever process ends it",
      Effect.gen(function* () {
        const claimed = yield* submitAndClaim({ agent: "codex" })
        yield* end(claimed, spent([use()]))
        const again = yield* Effect.either(end(claimed, spent([use()])))
        const other = { ...claimed, claim: { ...claimed.claim, workerId: workerB } }
        const stranger = yield* Effect.either(end(other, spent([use()])))
        assert.deepStrictEqual([again._tag, stranger._tag], ["Left", "Left"])
        const { total } = yield* reportBy()
        assert.deepStrictEqual([total.tasks, total.runs, total.inputTokens, total.costUsd], [1, 1, 100, 0.001])
      })
    )

    test(
      "takes the counts of a session apart, over tasks, and begins again where they are lower",
      Effect.gen(function* () {
        for (const inputTokens of [6706, 13_417, 20_135, 500]) {
          const claimed = yield* submitAndClaim({ agent: "codex" })
          yield* end(claimed, spent([use({ inputTokens })], { cumulative: true, sessionId: "thread" }))
        }
        const other = yield* submitAndClaim({ agent: "claude" })
        yield* end(other, spent([use({ inputTokens: 7 })], { cumulative: true, sessionId: "thread" }))
        const { rows } = yield* reportBy("agent")
        assert.deepStrictEqual(
          rows.map(({ group, inputTokens, runs }) => [group[0], inputTokens, runs]),
          [
            ["codex", 20_635, 4],
            ["claude", 7, 1]
          ]
        )
        // The same cost was told four times: three of the runs added nothing to it, one began again.
        assert.approximately(rows[0]?.costUsd ?? 0, 0.002, 1e-9)
      })
    )

    test(
      "counts each run of a parked task, and how long it was parked",
      Effect.gen(function* () {
        yield* TestClock.setTime(day)
        const first = yield* submitAndClaim({ agent: "codex", account })
        yield* park(first, spent([use(), use({ model: "gpt-5-mini" })]), day + hour)
        yield* TestClock.setTime(day + 2 * hour)
        const second = yield* claimNext()
        yield* end(second, spent([use(), use({ model: "gpt-5-mini" })]))
        const { rows, total } = yield* reportBy("account", "model")
        assert.deepStrictEqual([total.tasks, total.runs, total.inputTokens, total.parkedMs], [1, 2, 400, 2 * hour])
        assert.sameDeepMembers(
          rows.map(({ group }) => [...group]),
          [
            [account.key, "gpt-5"],
            [account.key, "gpt-5-mini"]
          ]
        )
      })
    )

    test(
      "counts what a parked task used that was cancelled meanwhile",
      Effect.gen(function* () {
        const claimed = yield* submitAndClaim({ agent: "codex", account })
        const queue = yield* Queue
        yield* queue.cancel(claimed.task.id, { reason: null, by: "test" })
        yield* park(claimed, spent([use()]), hour)
        assert.strictEqual((yield* reportBy()).total.inputTokens, 100)
      })
    )

    test(
      "groups by labels and directories, the most expensive first, and tells apart where a cost comes from",
      Effect.gen(function* () {
        const run = (labels: Record<string, string>, fields: Partial<PricedUse>) =>
          Effect.flatMap(submitAndClaim({ agent: "codex", labels }), (claimed) => end(claimed, spent([use(fields)])))
        yield* run({ "team.x/1": "web" }, { costMicro: 10 })
        yield* run({ "team.x/1": "core" }, { costMicro: 2_000_000, costBy: "estimated" })
        yield* run({}, { costMicro: null, costBy: "unpriced" })
        yield* run({}, { costMicro: null, costBy: "unreported", inputTokens: 0 })
        const { rows, total } = yield* reportBy("label:team.x/1", "directory")
        assert.deepStrictEqual(
          rows.map(({ costUsd, group, runs }) => [...group, runs, costUsd]),
          [
            ["core", "/tmp", 1, 2],
            ["web", "/tmp", 1, 0.00001],
            ["", "/tmp", 2, 0]
          ]
        )
        assert.deepStrictEqual([total.estimatedUsd, total.unpriced, total.unreported], [2, 1, 1])
      })
    )

    test(
      "groups by the days that it is given, oldest first",
      Effect.gen(function* () {
        for (const at of [day, 2 * day - 1, 2 * day]) {
          yield* TestClock.setTime(at)
          yield* Effect.flatMap(submitAndClaim({ agent: "codex" }), (claimed) => end(claimed, spent([use()])))
        }
        const ledger = yield* Ledger
        const days = [
          { name: "second", from: day, to: 2 * day },
          { name: "third", from: 2 * day, to: 3 * day }
        ]
        const { rows, total } = yield* ledger.report({ from: day, to: 3 * day, by: ["day"], days })
        assert.deepStrictEqual(
          rows.map(({ group, runs }) => [group[0], runs]),
          [
            ["second", 2],
            ["third", 1]
          ]
        )
        assert.strictEqual(total.runs, 3)
        assert.strictEqual((yield* ledger.report({ from: 0, to: day, by: [], days: [] })).total.runs, 0)
      })
    )

    test(
      "keeps what pruned tasks used",
      Effect.gen(function* () {
        const claimed = yield* submitAndClaim({ agent: "codex" })
        yield* end(claimed, spent([use()]))
        yield* TestClock.adjust("1 hour")
        const queue = yield* Queue
        const before = yield* reportBy("agent", "model")
        const gone = yield* queue.prune({ endedBefore: 2 * hour, limit: 10, dryRun: false })
        assert.strictEqual(gone.length, 1)
        assert.deepStrictEqual(yield* reportBy("agent", "model"), before)
      })
    )

    test(
      "counts nothing for a claim whose agent never started",
      Effect.gen(function* () {
        const queue = yield* Queue
        const claimed = yield* submitAndClaim({ agent: "codex" })
        yield* queue.requeue(claimed.claim)
        assert.strictEqual((yield* reportBy()).total.runs, 0)
        assert.isTrue(Option.isSome(yield* Effect.option(claimNext())))
      })
    )
  })
}
