/** What the store of loops promises: each transaction that ends an evaluation decides what follows. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { LoopId } from "../../../../src/domain/loop/LoopId.ts"
import { outcome } from "../../../../src/domain/task/Outcome.ts"
import { TaskId } from "../../../../src/domain/task/Task.ts"
import { Loops } from "../../../../src/services/Loops.ts"
import type { OutputStore } from "../../../../src/services/OutputStore.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { loopRules, scoreRules } from "../../../support/loopRules.ts"
import { commitOf, createLoop, endNextTask, endRound, timedOut } from "../../../support/loops.ts"
import { testSql } from "../../../support/stores.ts"
import { anyTask, claimNext, claimOptions, completed, failed, newTask } from "../../../support/tasks.ts"

const test = (
  name: string,
  effect: Effect.Effect<unknown, unknown, Loops | Queue | Tasks | SqlClient.SqlClient | OutputStore>
) => it.effect(name, () => Effect.provide(effect, testSql))

const anyId = TaskId.make("k3v9x2m7q4ab")

const threeSteps = [
  { name: "plan", task: newTask({ prompt: "plan it", agent: "claude" }) },
  { name: "implement", task: newTask({ prompt: "do it", agent: "codex", continueFrom: { member: 0 } }) },
  { name: "review", task: newTask({ prompt: "look", agent: "claude" }) }
]

const passing = { evaluations: [[completed, "ok"] as const] }
const failing = (said = "not yet") => ({ evaluations: [[failed, said] as const] })
const measuring = (printed: string) => ({ evaluations: [[completed, printed] as const] })

const verdictsOf = (id: LoopId) =>
  Effect.map(
    Effect.flatMap(Loops, (loops) => loops.get(id)),
    (loop) => ({
      status: loop.status,
      rounds: loop.rounds.map(({ kept, score, verdict }) => [verdict, score, kept])
    })
  )

describe("a loop", () => {
  test(
    "starts with one round: the work, and evaluations that wait for any end of it",
    Effect.gen(function* () {
      const loop = yield* createLoop(loopRules({ score: "node bench.js", samples: 2 }))
      assert.deepInclude(loop, { status: "running", round: 1, maxRounds: 10, prompt: "make it work", agent: "claude" })
      const [round] = loop.rounds
      assert.lengthOf(round?.evaluationTasks ?? [], 3)
      const { tasks } = yield* (yield* Tasks).list(anyTask)
      assert.deepStrictEqual(
        tasks.map(({ agent, waitingOn }) => [agent, waitingOn]),
        [
          ["shell", 1],
          ["shell", 1],
          ["shell", 1],
          ["claude", 0]
        ]
      )
    })
  )

  test(
    "has rounds of several steps: one follows the other, and the last one speaks for the work",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop(loopRules(), threeSteps)
      const first = yield* loops.get(id)
      assert.deepInclude(first, { steps: 3, agent: "claude" })
      assert.deepStrictEqual(
        first.work.map(({ agent, name }) => [name, agent]),
        [
          ["plan", "claude"],
          ["implement", "codex"],
          ["review", "claude"]
        ]
      )
      assert.strictEqual(
        first.prompt,
        "Step 1 of 3 (plan):\nplan it\n\nStep 2 of 3 (implement):\ndo it\n\nStep 3 of 3 (review):\nlook"
      )
      // The first step has to end next.
      assert.strictEqual(first.rounds[0]?.workTask, first.rounds[0]?.workTasks[0])
      const { tasks } = yield* (yield* Tasks).list(anyTask)
      const [, , second, plan] = tasks
      assert.strictEqual(second?.continueFrom, plan?.id)
      yield* endNextTask(completed, "")
      yield* endNextTask(completed, "")
      yield* endRound(failing())
      const { rounds, status } = yield* loops.get(id)
      assert.strictEqual(status, "running")
      const [one, two] = rounds
      assert.lengthOf(one?.workTasks ?? [], 3)
      assert.strictEqual(one?.workTask, one?.workTasks[2])
      assert.deepInclude(one ?? {}, { verdict: "fail", kept: true, commit: commitOf(one?.workTask ?? "") })
      assert.deepInclude(two ?? {}, { verdict: null, startCommit: one?.commit })
      assert.strictEqual(Option.getOrNull(yield* loops.roundOf(two?.workTasks[1] ?? anyId))?.position, 1)
    })
  )

  test(
    "passes over the steps behind one that failed, and evaluates what there is",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop(loopRules({ maxRounds: 2 }), threeSteps)
      yield* endNextTask(completed, "")
      yield* endNextTask(outcome({ status: "failed", cause: "exit", exitCode: 1, error: "it broke" }), "")
      yield* endNextTask(failed, "not yet")
      const [round, next] = (yield* loops.get(id)).rounds
      assert.deepInclude(round ?? {}, { verdict: "fail", workError: "it broke" })
      assert.strictEqual(round?.workTask, round?.workTasks[1])
      assert.strictEqual(next?.verdict, null)
    })
  )

  test(
    "does not pass with a round whose work could not be sealed",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop(loopRules({ maxRounds: 2 }))
      yield* endNextTask(completed, "")
      yield* endNextTask(completed, "")
      const { rounds, status } = yield* loops.get(id)
      assert.strictEqual(status, "running")
      assert.deepInclude(rounds[0] ?? {}, { verdict: "error", workError: "its work could not be sealed", kept: false })
      yield* endRound({ evaluations: [[completed, ""]] })
      assert.strictEqual((yield* loops.get(id)).status, "passed")
    })
  )

  test(
    "continues the session of the step in the round before, unless that has failed",
    Effect.gen(function* () {
      const queue = yield* Queue
      const loops = yield* Loops
      const sessionOf = (id: TaskId) => Effect.map(queue.captured(id), ({ resumeSession }) => resumeSession)
      const roundsOf = (id: LoopId) => Effect.map(loops.get(id), ({ rounds }) => rounds)
      const { id } = yield* createLoop(loopRules({ session: true, maxRounds: 3 }))
      yield* endRound({ ...failing(), work: { ...completed, sessionId: "s-1" } })
      const [first, second] = yield* roundsOf(id)
      assert.strictEqual(yield* sessionOf(first?.workTask ?? anyId), null)
      assert.strictEqual(yield* sessionOf(second?.workTask ?? anyId), "s-1")
      yield* endRound({ ...failing("again"), work: { ...failed, sessionId: "s-1" } })
      const third = (yield* roundsOf(id))[2]
      assert.strictEqual(yield* sessionOf(third?.workTask ?? anyId), null)
      const other = yield* createLoop(loopRules({ maxRounds: 3 }))
      yield* loops.cancel(id, { reason: null, by: "me" })
      yield* endRound({ ...failing(), work: { ...completed, sessionId: "s-2" } })
      assert.strictEqual(yield* sessionOf((yield* roundsOf(other.id))[1]?.workTask ?? anyId), null)
    })
  )

  test(
    "ends when the command of until passes, and starts nothing more",
    Effect.gen(function* () {
      const { id } = yield* createLoop()
      yield* endRound(failing())
      yield* endRound(passing)
      assert.deepStrictEqual(yield* verdictsOf(id), {
        status: "passed",
        rounds: [
          ["fail", null, true],
          ["pass", null, true]
        ]
      })
      assert.isTrue(Option.isNone(yield* (yield* Queue).claim(claimOptions())))
    })
  )

  test(
    "stores the verdict, what was printed and the next round in the transaction that ends the last evaluation",
    Effect.gen(function* () {
      const loops = yield* Loops
      yield* TestClock.setTime(1000)
      const { id } = yield* createLoop()
      const work = yield* endRound(failing("1 test failed\n"))
      const { rounds } = yield* loops.get(id)
      assert.deepInclude(rounds[0], {
        verdict: "fail",
        feedback: "$ npm test\n1 test failed",
        commit: commitOf(work.id),
        endedAt: 1000
      })
      assert.deepInclude(rounds[1], { round: 2, verdict: null, startCommit: commitOf(work.id) })
      const place = yield* loops.roundOf(rounds[1]?.workTask ?? work.id)
      assert.deepInclude(Option.getOrThrow(place), { round: 2, role: "work" })
    })
  )

  test(
    "uses its rounds up and never one more",
    Effect.gen(function* () {
      const { id } = yield* createLoop(loopRules({ maxRounds: 2 }))
      yield* endRound(failing("a"))
      yield* endRound(failing("b"))
      assert.strictEqual((yield* verdictsOf(id)).status, "exhausted")
      assert.isTrue(Option.isNone(yield* (yield* Queue).claim(claimOptions())))
    })
  )

  test(
    "ranks what has no number below everything, and starts from the best round",
    Effect.gen(function* () {
      const { id } = yield* createLoop(scoreRules({ maxRounds: 5 }))
      yield* endRound(measuring("5\n"))
      const best = yield* endRound(measuring("3\n"))
      yield* endRound(measuring("nan\n"))
      yield* endRound({ evaluations: [[timedOut, "0.1\n"]] })
      yield* endRound(measuring("4\n"))
      assert.deepStrictEqual(yield* verdictsOf(id), {
        status: "exhausted",
        rounds: [
          ["pass", 5, true],
          ["pass", 3, true],
          ["error", null, false],
          ["error", null, false],
          ["pass", 4, false]
        ]
      })
      const { bestRound, bestScore, rounds } = yield* (yield* Loops).get(id)
      assert.deepStrictEqual({ bestRound, bestScore }, { bestRound: 2, bestScore: 3 })
      assert.strictEqual(rounds[4]?.startCommit, commitOf(best.id))
    })
  )

  test(
    "discards a round that changed a protected file, whatever its evaluation says",
    Effect.gen(function* () {
      const { id } = yield* createLoop()
      yield* endRound({ ...passing, tampered: "test/a.test.ts" })
      const { rounds, status } = yield* (yield* Loops).get(id)
      assert.strictEqual(status, "running")
      assert.deepInclude(rounds[0], { verdict: "tampered", kept: false, tampered: "test/a.test.ts" })
      assert.isNull(rounds[1]?.startCommit)
    })
  )

  test(
    "asks its judge once the command has passed, and ends when the judge says PASS",
    Effect.gen(function* () {
      const { id } = yield* createLoop(loopRules({ score: "node bench.js", judge: "The guide is complete" }))
      // The judge of this round never starts.
      yield* endRound({
        evaluations: [
          [failed, "not yet"],
          [completed, "7"]
        ]
      })
      const rejected = outcome({ status: "failed", cause: "rejected", error: "the second step is missing" })
      yield* endRound({
        evaluations: [
          [completed, ""],
          [completed, "3"],
          [rejected, '{"type":"result"}']
        ]
      })
      const unclear = outcome({ status: "failed", cause: "agent-error", error: "neither PASS nor FAIL" })
      yield* endRound({
        evaluations: [
          [completed, ""],
          [completed, "2"],
          [unclear, ""]
        ]
      })
      const { rounds } = yield* (yield* Loops).get(id)
      assert.deepStrictEqual(
        rounds.map(({ verdict }) => verdict),
        ["fail", "fail", "error", null]
      )
      assert.strictEqual(rounds[0]?.feedback, "$ npm test\nnot yet")
      assert.strictEqual(rounds[1]?.feedback, "judge: The guide is complete\nthe second step is missing")
    })
  )

  test(
    "ends when its judge alone says PASS",
    Effect.gen(function* () {
      const { id } = yield* createLoop(loopRules({ until: null, judge: "The guide is complete" }))
      yield* endRound(passing)
      assert.deepStrictEqual(yield* verdictsOf(id), { status: "passed", rounds: [["pass", null, true]] })
    })
  )

  test(
    "takes the median of its samples",
    Effect.gen(function* () {
      const { id } = yield* createLoop(scoreRules({ samples: 3 }))
      yield* endRound({
        evaluations: [
          [completed, "9"],
          [completed, "1"],
          [completed, "4"]
        ]
      })
      assert.strictEqual((yield* (yield* Loops).get(id)).bestScore, 4)
    })
  )

  test(
    "pauses after the round that runs, and resumes with the round that comes next",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop()
      assert.deepInclude(yield* loops.pause(id), { status: "running", round: 1 })
      const work = yield* endRound(failing())
      assert.deepInclude(yield* loops.get(id), { status: "paused", round: 1 })
      assert.isTrue(Option.isNone(yield* (yield* Queue).claim(claimOptions())))
      const resumed = yield* loops.resume(id)
      assert.deepInclude(resumed, { status: "running", round: 2, pauseRequestedAt: null })
      assert.strictEqual(resumed.rounds[1]?.startCommit, commitOf(work.id))
      yield* endRound(passing)
      assert.strictEqual((yield* loops.get(id)).status, "passed")
      const refused = yield* Effect.flip(loops.resume(id))
      assert.strictEqual(refused._tag, "LoopStateConflict")
    })
  )

  test(
    "is one for the key of its work, whose other rounds have none",
    Effect.gen(function* () {
      const loops = yield* Loops
      const keyed = (prompt: string) => [{ name: null, task: newTask({ prompt, idempotencyKey: "once" }) }]
      const { id } = yield* createLoop(loopRules(), keyed("mend it"))
      assert.strictEqual((yield* createLoop(loopRules(), keyed("mend it"))).id, id)
      const other = yield* Effect.flip(createLoop(loopRules(), keyed("break it")))
      assert.strictEqual(other._tag, "IdempotencyConflict")
      yield* endRound(failing())
      yield* endRound(passing)
      const ended = yield* createLoop(loopRules(), keyed("mend it"))
      assert.deepInclude(ended, { id, status: "passed", round: 2 })
      const { tasks } = yield* (yield* Tasks).list(anyTask)
      assert.lengthOf(tasks, 4)
      const plain = newTask({ prompt: "look", idempotencyKey: "plain" })
      yield* (yield* Queue).enqueue([plain], { maxDepth: 3 })
      const taken = yield* Effect.flip(createLoop(loopRules(), [{ name: null, task: plain }]))
      assert.strictEqual(taken._tag, "IdempotencyConflict")
      assert.lengthOf((yield* loops.list({ status: [], goals: false, limit: 10, before: null })).loops, 1)
    })
  )

  test(
    "has its other rounds also where what the first one waited for and continued from was pruned since",
    Effect.gen(function* () {
      const loops = yield* Loops
      const queue = yield* Queue
      const [first] = yield* queue.enqueue([newTask({ prompt: "prepare" })], { maxDepth: 3 })
      const upstream = first?.task.id ?? anyId
      yield* endNextTask(completed, "")
      const task = newTask({ prompt: "go on", continueFrom: upstream, dependsOn: [{ upstream, policy: "success" }] })
      const { id } = yield* createLoop(loopRules(), [{ name: null, task }])
      yield* TestClock.adjust("1 hour")
      const prune = { limit: 10, dryRun: false, endedBefore: 1_800_000 }
      assert.deepStrictEqual(yield* queue.prune(prune), [upstream])
      yield* endRound(failing())
      yield* endRound(passing)
      assert.deepInclude(yield* loops.get(id), { status: "passed", round: 2 })
    })
  )

  test(
    "does not resume past its deadline",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop(loopRules({ deadline: 60_000 }))
      yield* loops.pause(id)
      yield* endRound(failing())
      yield* TestClock.setTime(60_000)
      assert.deepInclude(yield* loops.resume(id), { status: "deadline", endedAt: 60_000 })
    })
  )

  test(
    "is cancelled with the tasks of its round",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop()
      const { claim, task } = yield* claimNext()
      assert.strictEqual(yield* loops.cancel(id, { by: "tester", reason: null }), "requested")
      assert.strictEqual((yield* loops.get(id)).status, "running")
      yield* (yield* Queue).finish(task.id, outcome({ status: "cancelled", cause: "cancelled" }), {
        claimId: claim.claimId,
        workerId: claim.workerId
      })
      assert.strictEqual((yield* loops.get(id)).status, "cancelled")
      assert.strictEqual(yield* loops.cancel(id, { by: "tester", reason: null }), "over")
    })
  )

  test(
    "is cancelled immediately while its round waits",
    Effect.gen(function* () {
      const loops = yield* Loops
      const { id } = yield* createLoop()
      assert.strictEqual(yield* loops.cancel(id, { by: "tester", reason: null }), "ended")
      const { rounds, status } = yield* loops.get(id)
      assert.strictEqual(status, "cancelled")
      assert.lengthOf(rounds, 1)
    })
  )

  test(
    "counts the cost that its agents report, and starts no round once it is spent",
    Effect.gen(function* () {
      const { id } = yield* createLoop(loopRules({ budgetUsd: 1 }))
      const counts = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 }
      const use = { model: "opus", ...counts, costMicro: 600_000, costBy: "reported" as const }
      const spending = { sessionId: null, cumulative: false, uses: [use] }
      const work = outcome({ status: "completed", cause: "exit", exitCode: 0, spending })
      yield* endRound({ ...failing("a"), work })
      assert.strictEqual((yield* verdictsOf(id)).status, "running")
      yield* endRound({ ...failing("b"), work })
      const { spentUsd, status } = yield* (yield* Loops).get(id)
      assert.strictEqual(status, "budget")
      assert.approximately(spentUsd, 1.2, 1e-9)
    })
  )

  test(
    "is kept by prune while it is open, and goes with its tasks afterwards",
    Effect.gen(function* () {
      const loops = yield* Loops
      const queue = yield* Queue
      const prune = queue.prune({ endedBefore: 1_000_000, limit: 100, dryRun: false })
      const { id } = yield* createLoop(loopRules({ maxRounds: 2 }))
      yield* endRound(failing("a"))
      assert.lengthOf(yield* prune, 0)
      yield* endRound(failing("b"))
      assert.lengthOf(yield* prune, 4)
      assert.strictEqual((yield* Effect.flip(loops.get(id)))._tag, "LoopNotFound")
      const sql = yield* SqlClient.SqlClient
      assert.lengthOf(yield* sql`SELECT id FROM environments`, 0)
    })
  )

  test(
    "is found by its id, by a beginning of it, and as the newest",
    Effect.gen(function* () {
      const loops = yield* Loops
      assert.strictEqual((yield* Effect.flip(loops.resolve("@last"))).message.includes("no loop yet"), true)
      const { id } = yield* createLoop()
      const other = yield* createLoop()
      assert.strictEqual(yield* loops.resolve("@last"), other.id)
      assert.strictEqual(yield* loops.resolve(id.slice(0, 11)), id)
      assert.strictEqual((yield* Effect.flip(loops.resolve("~")))._tag, "LoopNotFound")
      const page = yield* loops.list({ status: ["running"], goals: false, limit: 1, before: null })
      assert.deepStrictEqual([page.loops.map((loop) => loop.id), page.more], [[other.id], true])
    })
  )
})
