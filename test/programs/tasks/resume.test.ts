/** Going on with ended work: in the agent's session where there is one, else with what is known of it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { outcome } from "../../../src/domain/task/Outcome.ts"
import type { Submission } from "../../../src/programs/tasks/prepareTask.ts"
import { type ResumeOptions, resume } from "../../../src/programs/tasks/resume.ts"
import { retry } from "../../../src/programs/tasks/retry.ts"
import { type SubmitResult, submit } from "../../../src/programs/tasks/submit.ts"
import { Checkpoints } from "../../../src/services/Checkpoints.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { bytesOf } from "../../support/output.ts"
import { claimNext, failed } from "../../support/tasks.ts"
import { finish, layer, person, submission } from "../world.ts"

const firstOf = ({ tasks }: SubmitResult) =>
  Effect.fromNullable(tasks[0]?.task).pipe(Effect.orDieWith(() => "nothing was submitted"))

/** A task that ran, printed and ended. */
const ran = (
  overrides: Partial<Submission> = {},
  how = outcome({ status: "completed", cause: "exit", answer: "built" })
) =>
  Effect.gen(function* () {
    const given = { ...person, environment: { PATH: "/then" } }
    const task = yield* firstOf(
      yield* submit([submission({ agent: "claude", prompt: "build it", ...overrides })], given)
    )
    yield* claimNext()
    const bytes = bytesOf("compiling\nlinking\n")
    yield* (yield* OutputStore).append({ taskId: task.id, stream: "stdout", offset: 0, bytes }, { cap: 1000 })
    yield* finish(task.id, how)
    return task
  })

const go = (id: Parameters<typeof resume>[0], options: Partial<ResumeOptions> = {}) =>
  Effect.flatMap(resume(id, { context: null, fresh: false, ...options }, person), firstOf)

describe("resume", () => {
  it.effect("continues in the agent's own session, where it was and as it was", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const first = yield* ran({ model: "opus", directory: "/srv/app", labels: { team: "web" }, priority: "P0" })
      const next = yield* go(first.id, { context: "now the tests" })
      assert.deepInclude(next, {
        prompt: "now the tests",
        retryOf: first.id,
        rootId: first.id,
        attempt: 2,
        continuation: "session",
        sessionId: "session-1",
        agent: "claude",
        model: "opus",
        directory: "/srv/app",
        priority: "P0"
      })
      const { environment, launch } = yield* queue.captured(next.id)
      assert.deepStrictEqual(launch.args, ["--resume", "session-1"])
      assert.deepStrictEqual(environment, { PATH: "/then" })
    }).pipe(Effect.provide(layer()))
  )

  it.effect("says without a context what is to be done", () =>
    Effect.gen(function* () {
      const done = yield* ran()
      const broken = yield* ran({ prompt: "other" }, outcome({ status: "failed", cause: "timeout" }))
      assert.match((yield* go(done.id)).prompt, /^Continue this work/)
      assert.match((yield* go(broken.id)).prompt, /ended before you were done \(timeout\)/)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("starts over on request, with what was asked, what came of it and what to do now", () =>
    Effect.gen(function* () {
      const checkpoints = yield* Checkpoints
      const first = yield* ran()
      const next = yield* go(first.id, { context: "now the tests", fresh: true })
      assert.deepInclude(next, { continuation: "checkpoint", retryOf: first.id, attempt: 2, sessionId: "session-2" })
      assert.match(next.prompt, /^build it\n\n[\s\S]*Its final answer:\nbuilt\n```\n\nnow the tests$/)
      assert.include(next.prompt, "not instructions")
      // It was missing, and is there now.
      assert.strictEqual((yield* checkpoints.get(first.id))._tag, "Some")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("starts over where there is no session to continue", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const shell = yield* ran({ agent: "shell", prompt: "make" }, failed)
      const next = yield* go(shell.id, { context: "with luck\nrm -rf x" })
      assert.strictEqual(next.continuation, "checkpoint")
      const lines = next.prompt.split("\n")
      assert.strictEqual(lines.at(-1), "make")
      for (const line of lines.slice(0, -1)) assert.match(line, /^#/)
      assert.include(next.prompt, "# linking")
      assert.match(next.title, /^# make \(resumed/)
      // Its id was chosen when it was submitted, and no agent ever had it.
      const unstarted = yield* firstOf(yield* submit([submission({ agent: "claude", prompt: "later" })], person))
      yield* queue.cancel(unstarted.id, { reason: null, by: "me" })
      const again = yield* go(unstarted.id)
      assert.deepStrictEqual([again.continuation, again.sessionId === unstarted.sessionId], ["checkpoint", false])
      assert.include(again.prompt, "cancelled (cancelled) without having started")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("keeps all that was asked, whether in one session or not", () =>
    Effect.gen(function* () {
      const first = yield* ran()
      const second = yield* go(first.id, { context: "now the tests" })
      yield* claimNext()
      yield* finish(second.id, failed)
      const third = yield* go(second.id, { context: "and the docs", fresh: true })
      assert.match(third.prompt, /^build it\n\nnow the tests\n\n[\s\S]*and the docs$/)
      assert.deepStrictEqual([third.rootId, third.attempt, third.retryOf], [first.id, 3, second.id])
      yield* claimNext()
      yield* finish(third.id, failed)
      const fourth = yield* go(third.id, { fresh: true })
      assert.isTrue(fourth.prompt.startsWith(third.prompt))
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuses a task that runs or waits, and a session that another task is in", () =>
    Effect.gen(function* () {
      const waiting = yield* firstOf(yield* submit([submission({ agent: "claude" })], person))
      const queued = yield* Effect.flip(go(waiting.id))
      assert.match(queued.message, /is queued: it cannot be resumed now.*beat wait/)
      yield* claimNext()
      assert.match((yield* Effect.flip(go(waiting.id))).message, /is running/)
      yield* finish(waiting.id, failed)
      const next = yield* go(waiting.id)
      const taken = yield* Effect.flip(go(waiting.id))
      assert.match(taken.message, new RegExp(`task ${next.id} is still using this session.*--fresh`))
      assert.strictEqual((yield* go(waiting.id, { fresh: true })).continuation, "checkpoint")
      const empty = yield* Effect.flip(go(waiting.id, { context: " \n" }))
      assert.strictEqual(empty._tag, "InvalidInput")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("keeps a retry out of a session that another task is in", () =>
    Effect.gen(function* () {
      const first = yield* ran()
      const second = yield* go(first.id, { context: "now the tests" })
      yield* claimNext()
      yield* finish(second.id, failed)
      const third = yield* go(second.id)
      const error = yield* Effect.flip(retry(second.id, person))
      assert.match(error.message, new RegExp(`${third.id} is queued: it cannot share its session now.*beat wait`))
    }).pipe(Effect.provide(layer()))
  )

  it.effect("says in the session what was not said there yet", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const first = yield* ran()
      const second = yield* go(first.id, { context: "now the tests" })
      yield* queue.cancel(second.id, { reason: null, by: "me" })
      const third = yield* go(second.id, { context: "quickly" })
      assert.deepInclude(third, { prompt: "now the tests\n\nquickly", sessionId: "session-1", continuation: "session" })
    }).pipe(Effect.provide(layer()))
  )

  it.effect("stays in the session when what was asked there is tried again", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const first = yield* ran()
      const second = yield* go(first.id, { context: "now the tests" })
      yield* claimNext()
      yield* finish(second.id, failed)
      const third = yield* Effect.flatMap(retry(second.id, person), firstOf)
      assert.deepInclude(third, {
        prompt: "now the tests",
        continuation: "session",
        sessionId: "session-1",
        attempt: 3
      })
      assert.deepStrictEqual((yield* queue.captured(third.id)).launch.args, ["--resume", "session-1"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("continues from what the task continued from, where it has to start over", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const tasks = yield* Tasks
      const base = yield* ran({ prompt: "plan it" }, failed)
      const dependsOn = [{ upstream: base.id, policy: "finished" as const }]
      const first = yield* ran({ continueFrom: base.id, dependsOn })
      const session = yield* go(first.id)
      assert.isNull(session.continueFrom)
      yield* queue.cancel(session.id, { reason: null, by: "me" })
      const fresh = yield* go(first.id, { fresh: true })
      assert.deepStrictEqual([fresh.continueFrom, fresh.status, fresh.waitingOn], [base.id, "queued", 0])
      const again = yield* Effect.flatMap(retry(first.id, person), firstOf)
      assert.deepStrictEqual([again.continueFrom, (yield* tasks.summary(again.id)).status], [base.id, "queued"])
    }).pipe(Effect.provide(layer()))
  )
})
