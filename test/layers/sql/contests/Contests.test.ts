/** What the store of contests promises: the transactions that end tasks judge the candidates and decide. */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import type { ContestId, ContestRules } from "../../../../src/domain/contest/Contest.ts"
import type { CandidateRole, NewCandidate } from "../../../../src/domain/contest/NewContest.ts"
import { type Outcome, outcome } from "../../../../src/domain/task/Outcome.ts"
import type { TaskId } from "../../../../src/domain/task/Task.ts"
import type { WorkspaceRequest } from "../../../../src/domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../../../src/domain/workspace/WorkspaceId.ts"
import { Contests } from "../../../../src/services/Contests.ts"
import { OutputStore } from "../../../../src/services/OutputStore.ts"
import { type ClaimedTask, Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { WorkerWorkspaces } from "../../../../src/services/WorkerWorkspaces.ts"
import { bytesOf } from "../../../support/output.ts"
import { testSql } from "../../../support/stores.ts"
import { anyTask, claimNext, claimOptions, completed, failed, newTask, submit } from "../../../support/tasks.ts"

type Needs = Contests | Queue | Tasks | WorkerWorkspaces | OutputStore | SqlClient.SqlClient

const test = (name: string, effect: Effect.Effect<unknown, unknown, Needs>) =>
  it.effect(name, () => Effect.provide(effect, testSql))

const commit = (fill: string) => fill.repeat(40)

const rulesOf = (fields: Partial<ContestRules> = {}): ContestRules => ({
  check: "npm test",
  score: null,
  better: "lower",
  protect: [],
  evaluationMs: 60_000,
  ...fields
})

const workspace = (number: number): Extract<WorkspaceRequest, { readonly kind: "new" }> => ({
  kind: "new",
  id: WorkspaceId.make(`ws0000000${String(number).padStart(3, "0")}`),
  home: "/home/you/shop",
  subdirectory: "",
  base: commit("b"),
  baseKind: "head",
  path: `/workspaces/${number}/shop`
})

const existing = (number: number): WorkspaceRequest => ({
  kind: "existing",
  id: workspace(number).id,
  startCommit: null
})

const candidateOf = (
  number: number,
  { check, score }: ContestRules,
  work: Parameters<typeof newTask>[0]
): NewCandidate => {
  const at = existing(number)
  const evaluation = (role: CandidateRole, prompt: string) => ({ role, task: newTask({ prompt, workspace: at }) })
  return [
    { role: "work", task: newTask({ prompt: "fix it", agent: "claude", workspace: workspace(number), ...work }) },
    ...(check === null ? [] : [evaluation("check", check)]),
    ...(score === null ? [] : [evaluation("score", score)])
  ]
}

const create = (times: number, rules = rulesOf(), work: Parameters<typeof newTask>[0] = {}) =>
  Effect.gen(function* () {
    const candidates = Array.from({ length: times }, (_, index) => candidateOf(index + 1, rules, work))
    const contest = { rules, prompt: "fix it", directory: "/home/you/shop", candidates }
    return yield* (yield* Contests).create(contest, { maxDepth: 10 })
  })

const finish = (
  { claim, task }: ClaimedTask,
  ending: Outcome,
  retry: Parameters<(typeof Queue)["Service"]["finish"]>[3] = null
) =>
  Effect.flatMap(Queue, (queue) =>
    queue.finish(task.id, ending, { claimId: claim.claimId, workerId: claim.workerId }, retry)
  )

const seal = (taskId: TaskId, number: number, lines: number) =>
  Effect.flatMap(WorkerWorkspaces, (workspaces) =>
    workspaces.sealed({
      taskId,
      workspaceId: workspace(number).id,
      base: commit("b"),
      commit: commit(String(number)),
      tree: commit("f"),
      files: lines === 0 ? 0 : 1,
      insertions: lines,
      deletions: 0,
      commits: 0,
      nested: [],
      home: true,
      problem: null,
      sealedAt: 0
    })
  )

interface Sketch {
  readonly work?: Outcome
  readonly check?: Outcome
  readonly score?: string
  readonly lines?: number
}

const print = (taskId: TaskId, stdout: string) =>
  Effect.flatMap(OutputStore, (output) =>
    output.append({ taskId, stream: "stdout", offset: 0, bytes: bytesOf(stdout) }, { cap: 1_000_000 })
  )

/** Ends the tasks of the contest as the sketches say, the works of all candidates first. */
const play = (id: ContestId, sketches: ReadonlyArray<Sketch>) =>
  Effect.gen(function* () {
    const contests = yield* Contests
    for (let turn = 0; turn < sketches.length * 3; turn += 1) {
      const next = yield* (yield* Queue).claim(claimOptions())
      if (Option.isNone(next)) return
      const { task } = next.value
      const place = Option.getOrThrow(yield* contests.placeOf(task.id))
      assert.strictEqual(place.id, id)
      const sketch = sketches[place.number - 1] ?? {}
      if (place.role === "work") yield* seal(task.id, place.number, sketch.lines ?? 1)
      if (place.role === "score") yield* print(task.id, `${sketch.score ?? ""}\n`)
      const end = place.role === "work" ? sketch.work : place.role === "check" ? sketch.check : completed
      yield* finish(next.value, end ?? completed)
    }
  })

const shown = (id: ContestId) =>
  Effect.map(
    Effect.flatMap(Contests, (contests) => contests.get(id)),
    ({ candidates, status, winner }) => [status, winner, ...candidates.map(({ score, verdict }) => [verdict, score])]
  )

describe("a contest", () => {
  test(
    "starts the work of all candidates side by side, and an evaluation after the work of its candidate",
    Effect.gen(function* () {
      const contest = yield* create(3, rulesOf({ score: "node bench.js" }))
      assert.deepInclude(contest, { status: "running", winner: null, title: "fix it", directory: "/home/you/shop" })
      assert.deepStrictEqual(
        contest.candidates.map(({ evaluationTasks, number }) => [number, evaluationTasks.length]),
        [
          [1, 2],
          [2, 2],
          [3, 2]
        ]
      )
      const claimed = yield* Effect.all([claimNext(), claimNext(), claimNext()])
      assert.deepStrictEqual(
        claimed.map(({ task }) => task.agent),
        ["claude", "claude", "claude"]
      )
      assert.isTrue(Option.isNone(yield* (yield* Queue).claim(claimOptions())))
    })
  )

  test(
    "keeps the best of those that pass, in the transaction that ends the last evaluation",
    Effect.gen(function* () {
      const { id } = yield* create(4, rulesOf({ score: "node bench.js" }))
      yield* play(id, [{ score: "5" }, { score: "3" }, { check: failed, score: "1" }, { score: "nan" }])
      assert.deepStrictEqual(yield* shown(id), ["passed", 2, ["pass", 5], ["pass", 3], ["fail", null], ["error", null]])
      const { candidates } = yield* (yield* Contests).get(id)
      assert.deepInclude(candidates[1] ?? {}, { commit: commit("2"), files: 1, insertions: 1, failedTask: null })
      assert.strictEqual(candidates[2]?.failedTask, candidates[2]?.evaluationTasks[0])
    })
  )

  test(
    "does not let work that failed pass, and never starts its evaluation",
    Effect.gen(function* () {
      const { id } = yield* create(2)
      yield* play(id, [{ work: failed, lines: 0 }, { lines: 40 }])
      assert.deepStrictEqual(yield* shown(id), ["passed", 2, ["fail", null], ["pass", null]])
      const { tasks } = yield* (yield* Tasks).list(anyTask)
      assert.strictEqual(tasks.filter(({ cause }) => cause === "dependency-failed").length, 1)
    })
  )

  test(
    "fails when none passes, and never changes after its end",
    Effect.gen(function* () {
      const contests = yield* Contests
      const sql = yield* SqlClient.SqlClient
      const { id } = yield* create(2)
      const [first] = (yield* contests.get(id)).candidates
      yield* contests.tampered(first?.workTask ?? (yield* Effect.dieMessage("no candidate")), "test/a.js")
      yield* play(id, [{}, { check: failed }])
      assert.deepStrictEqual(yield* shown(id), ["failed", null, ["tampered", null], ["fail", null]])
      for (const change of [
        sql`UPDATE contests SET status = 'passed', winner = 1 WHERE id = ${id}`,
        sql`UPDATE contest_candidates SET verdict = 'pass' WHERE contest_id = ${id} AND number = 1`
      ]) {
        assert.strictEqual((yield* Effect.either(change))._tag, "Left")
      }
      assert.strictEqual(yield* contests.cancel(id, { by: "you", reason: null }), "over")
    })
  )

  test(
    "is decided when what its candidates wait for fails, before and after they are stored",
    Effect.gen(function* () {
      const before = yield* submit()
      const waits = { dependsOn: [{ upstream: before.id, policy: "success" as const }] }
      const { id } = yield* create(2, rulesOf(), waits)
      yield* finish(yield* claimNext(), failed)
      assert.deepStrictEqual(yield* shown(id), ["failed", null, ["fail", null], ["fail", null]])
      const late = yield* create(2, rulesOf(), waits)
      assert.strictEqual(late.status, "failed")
    })
  )

  test(
    "continues with the automatic retry of work that failed",
    Effect.gen(function* () {
      const { id } = yield* create(2)
      const first = yield* claimNext()
      yield* finish(first, failed, newTask({ retryOf: first.task.id, workspace: existing(1) }))
      assert.deepStrictEqual((yield* shown(id)).slice(0, 3), ["running", null, [null, null]])
      yield* play(id, [{}, { lines: 9 }])
      assert.deepStrictEqual(yield* shown(id), ["passed", 1, ["pass", null], ["pass", null]])
      const { candidates } = yield* (yield* Contests).get(id)
      assert.notStrictEqual(candidates[0]?.workTask, first.task.id)
    })
  )

  test(
    "ends as cancelled once its last running task has ended",
    Effect.gen(function* () {
      const contests = yield* Contests
      const { id } = yield* create(3)
      const running = yield* claimNext()
      assert.strictEqual(yield* contests.cancel(id, { by: "you", reason: "enough" }), "requested")
      assert.strictEqual((yield* contests.get(id)).status, "running")
      yield* finish(running, outcome({ status: "cancelled", cause: "cancelled" }))
      assert.deepInclude(yield* contests.get(id), { status: "cancelled", winner: null })
      const waiting = yield* create(2)
      assert.strictEqual(yield* contests.cancel(waiting.id, { by: "you", reason: null }), "ended")
      assert.strictEqual((yield* contests.get(waiting.id)).status, "cancelled")
    })
  )

  test(
    "is found by the beginning of its id, and pruned as a whole",
    Effect.gen(function* () {
      const contests = yield* Contests
      const queue = yield* Queue
      const { id } = yield* create(2)
      assert.strictEqual(yield* contests.resolve(id.slice(0, 11)), id)
      assert.strictEqual((yield* Effect.flip(contests.resolve("zzz")))._tag, "ContestNotFound")
      const taken = yield* Effect.flip((yield* Tasks).resolve(id))
      assert.include(taken.message, `${id} is a contest, not a task: 'beat status ${id}' shows it.`)
      const prune = Effect.zipRight(
        TestClock.adjust("1 hour"),
        queue.prune({ endedBefore: 30 * 60_000, limit: 100, dryRun: false })
      )
      yield* finish(yield* claimNext(), failed)
      assert.lengthOf(yield* prune, 0)
      yield* play(id, [{}, {}])
      assert.lengthOf(yield* queue.prune({ endedBefore: Number.MAX_SAFE_INTEGER, limit: 100, dryRun: false }), 4)
      assert.strictEqual((yield* Effect.flip(contests.get(id)))._tag, "ContestNotFound")
    })
  )
})
