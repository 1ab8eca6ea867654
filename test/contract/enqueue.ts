/** What every queue promises of tasks handed over. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { anyTask, claimNext, completed, newTask, submit } from "../support/tasks.ts"

export const enqueueContract = (subject: Subject) => {
  const test = testsOver(subject)
  const stranger = TaskId.make("zzzzzzzzzzzz")

  describe(`Queue.enqueue over ${subject.name}`, () => {
    test(
      "stores what was handed over",
      Effect.gen(function* () {
        yield* TestClock.adjust("5 seconds")
        const given = newTask({
          prompt: "  \n first line \n -- \"quoted\" 'single' \\ 漢字 🎉\nlast",
          systemPrompt: "be brief",
          priority: "P0",
          agent: "claude",
          model: "opus",
          account: { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" },
          directory: "/srv/work",
          timeoutMs: 60_000,
          stallMs: 5000,
          maxOutputBytes: 1234,
          notBefore: 9000,
          depth: 2,
          idempotencyKey: "nightly",
          labels: { team: "core", "a/b-c.d_e": "" },
          launch: { file: "/bin/agent", args: ["-p", "{prompt}", "--", "{x}"], promptAt: [1], stdin: "prompt" },
          environment: { PATH: "/bin", EMPTY: "", "weird key": "line\nbreak" },
          sessionId: "11111111-1111-4111-8111-111111111111"
        })
        const queue = yield* Queue
        const [enqueued] = yield* queue.enqueue([given], { maxDepth: 3 })
        assert(enqueued !== undefined)
        const { account, environment, launch, workspace: _, ...fields } = given
        const { id, seq, ...rest } = enqueued.task
        assert.isTrue(enqueued.created)
        assert.match(id, /^[0-9a-hjkmnp-tv-z]{12}$/)
        assert.isAtLeast(seq, 1)
        assert.deepStrictEqual(rest, {
          ...fields,
          account: account?.key ?? null,
          group: null,
          goalId: null,
          onLimit: "park",
          giveUpMs: 604_800_000,
          fallback: [],
          spare: false,
          parks: 0,
          parkedAt: null,
          wakes: 0,
          title: "first line",
          status: "queued",
          attempt: 1,
          rootId: null,
          retriedBy: null,
          waitingOn: 0,
          frozenAt: null,
          asks: 0,
          pipelineId: null,
          workspaceId: null,
          dependsOn: [],
          continueFrom: null,
          createdAt: 5000,
          startedAt: null,
          endedAt: null,
          cancelRequestedAt: null,
          cancelReason: null,
          cancelledBy: null,
          cause: null,
          exitCode: null,
          signal: null,
          error: null,
          failureClass: null,
          failureResetAt: null,
          bytesStored: 0,
          bytesDropped: 0,
          leftovers: 0,
          usage: null,
          answer: null
        })
        assert.deepStrictEqual(yield* (yield* Tasks).get(id), enqueued.task)
        assert.deepStrictEqual(yield* queue.captured(id), { launch, environment, revision: 0, resumeSession: null })
      })
    )

    test(
      "stores a prompt of 5 MB as it is",
      Effect.gen(function* () {
        const prompt = "0123456789 漢字 🎉 ".repeat(220_000)
        const task = yield* submit({ prompt })
        assert.isTrue((yield* (yield* Tasks).get(task.id)).prompt === prompt)
      })
    )

    test(
      "stores a list in its order, and an empty one",
      Effect.gen(function* () {
        const queue = yield* Queue
        assert.deepStrictEqual(yield* queue.enqueue([], { maxDepth: 3 }), [])
        const prompts = ["a", "b", "c", "d"]
        const all = yield* queue.enqueue(
          prompts.map((prompt) => newTask({ prompt })),
          { maxDepth: 3 }
        )
        assert.deepStrictEqual(
          all.map(({ task }) => task.prompt),
          prompts
        )
        const seqs = all.map(({ task }) => task.seq)
        assert.deepStrictEqual(
          seqs,
          Array.from(new Set(seqs)).sort((a, b) => a - b)
        )
      })
    )

    test(
      "stores all or none",
      Effect.gen(function* () {
        const queue = yield* Queue
        const batch = [newTask({ idempotencyKey: "k" }), newTask({ depth: 9 })]
        const error = yield* Effect.flip(queue.enqueue(batch, { maxDepth: 3 }))
        assert.strictEqual(error._tag, "DepthExceeded")
        assert.deepStrictEqual((yield* (yield* Tasks).list(anyTask)).tasks, [])
        assert.strictEqual((yield* (yield* Tasks).counts).queued, 0)
        assert.strictEqual((yield* submit({ idempotencyKey: "k", prompt: "another" })).prompt, "another")
      })
    )

    test(
      "takes the depth from the parent's row, else from the submitter, up to the limit",
      Effect.gen(function* () {
        const queue = yield* Queue
        const parent = yield* submit({ depth: 1 })
        const child = yield* submit({ parentId: parent.id, depth: 0 })
        assert.strictEqual(child.depth, 2)
        assert.strictEqual((yield* submit({ parentId: stranger, depth: 4 })).depth, 4)
        const [atLimit] = yield* queue.enqueue([newTask({ parentId: child.id })], { maxDepth: 3 })
        assert.strictEqual(atLimit?.task.depth, 3)
        const error = yield* Effect.flip(queue.enqueue([newTask({ parentId: child.id })], { maxDepth: 2 }))
        assert(error._tag === "DepthExceeded")
        assert.deepStrictEqual([error.depth, error.limit], [3, 2])
      })
    )

    test(
      "answers a repeated key with the task it made",
      Effect.gen(function* () {
        const queue = yield* Queue
        const task = newTask({ idempotencyKey: "once" })
        const [first, second] = yield* queue.enqueue([task, task], { maxDepth: 3 })
        assert.deepStrictEqual([first?.created, second?.created], [true, false])
        assert.strictEqual(second?.task.id, first?.task.id)
        const claimed = yield* claimNext()
        yield* queue.finish(claimed.task.id, completed, claimed.claim)
        const [again] = yield* queue.enqueue([newTask({ idempotencyKey: "once", priority: "P0" })], { maxDepth: 3 })
        assert.isFalse(again?.created)
        assert.strictEqual(again?.task.id, first?.task.id)
        assert.strictEqual(again?.task.status, "completed")
        assert.strictEqual((yield* (yield* Tasks).list(anyTask)).tasks.length, 1)
      })
    )

    test(
      "refuses a key that belongs to something else",
      Effect.gen(function* () {
        const queue = yield* Queue
        const first = yield* submit({ idempotencyKey: "once" })
        for (const other of [{ prompt: "other" }, { agent: "claude" }, { directory: "/else" }]) {
          const error = yield* Effect.flip(
            queue.enqueue([newTask({ idempotencyKey: "once", ...other })], { maxDepth: 3 })
          )
          assert(error._tag === "IdempotencyConflict")
          assert.deepStrictEqual([error.key, error.existing], ["once", first.id])
        }
      })
    )

    test(
      "counts the attempts of retries",
      Effect.gen(function* () {
        const queue = yield* Queue
        const first = yield* submit()
        const second = yield* submit({ retryOf: first.id })
        const third = yield* submit({ retryOf: second.id })
        assert.deepStrictEqual([second.attempt, third.attempt], [2, 3])
        assert.strictEqual(third.retryOf, second.id)
        const error = yield* Effect.flip(queue.enqueue([newTask({ retryOf: stranger })], { maxDepth: 3 }))
        assert(error._tag === "TaskNotFound")
        assert.strictEqual(error.reference, stranger)
      })
    )

    test(
      "keeps a session to one task at a time, however many ask at the same time",
      Effect.gen(function* () {
        const queue = yield* Queue
        const inSession = newTask({ agent: "claude", continuation: "session", sessionId: "s-1" })
        const ask = Effect.either(queue.enqueue([inSession], { maxDepth: 3 }))
        const answers = yield* Effect.all([ask, ask, ask], { concurrency: 3 })
        const [taken, ...others] = answers.flatMap((answer) => (answer._tag === "Right" ? answer.right : []))
        assert(taken !== undefined && others.length === 0)
        for (const answer of answers.filter((one) => one._tag === "Left")) {
          assert(answer._tag === "Left" && answer.left._tag === "TaskStateConflict")
          assert.deepStrictEqual([answer.left.id, answer.left.actual], [taken.task.id, "queued"])
        }
        yield* queue.enqueue([{ ...inSession, directory: "/srv/elsewhere" }], { maxDepth: 3 })
        yield* queue.cancel(taken.task.id, { reason: null, by: "me" })
        assert.strictEqual((yield* ask)._tag, "Right")
      })
    )

    test(
      "knows nothing captured of a task that is not there",
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* Queue).captured(stranger))
        assert.strictEqual(error._tag, "TaskNotFound")
      })
    )
  })
}
