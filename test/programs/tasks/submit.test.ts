/** Handing tasks over: what is stored, who is told, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { WorkerUnavailable } from "../../../src/domain/Errors.ts"
import { TaskId } from "../../../src/domain/task/Task.ts"
import { Launches } from "../../../src/layers/memory/fakes/WorkerLauncher.ts"
import { edit } from "../../../src/programs/tasks/edit.ts"
import { submitterOf } from "../../../src/programs/tasks/Submitter.ts"
import { submit } from "../../../src/programs/tasks/submit.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { layer, Prepared, person, submission } from "../world.ts"

const marks = (task: TaskId, depth: number) => ({ BACKBEAT_TASK_ID: task, BACKBEAT_DEPTH: String(depth) })

const one = (overrides: Parameters<typeof submission>[0] = {}, submitter = person) =>
  Effect.flatMap(submit([submission(overrides)], submitter), ({ tasks }) =>
    Effect.fromNullable(tasks[0]).pipe(Effect.map(({ task }) => task))
  )

describe("submit", () => {
  it.effect("stores the task with what its agent needs and launches a worker", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const launches = yield* Launches
      const result = yield* submit([submission({ agent: "claude", extra: { TOKEN: "t" } })], person)
      const [first] = result.tasks
      assert.strictEqual(first?.task.status, "queued")
      assert.deepStrictEqual(first?.warnings, ["no credentials were seen"])
      assert.isTrue(result.launched)
      assert.strictEqual(yield* launches.count, 1)
      const captured = yield* queue.captured(first?.task.id ?? (yield* Effect.dieMessage("no task")))
      assert.deepStrictEqual(captured.environment, { PATH: "/bin", TOKEN: "t" })
      assert.deepStrictEqual(captured.launch.args, ["--session-id", "session-1"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("fills in defaults: the task's own word, then the agent's, then the settings'", () =>
    Effect.gen(function* () {
      const plain = yield* one()
      assert.deepStrictEqual([plain.timeoutMs, plain.stallMs, plain.maxOutputBytes], [5000, 7000, 4096])
      assert.strictEqual((yield* one({ agent: "claude" })).stallMs, 60_000)
      const own = yield* one({ agent: "claude", stallMs: null, timeoutMs: null, maxOutputBytes: 2048 })
      assert.deepStrictEqual([own.timeoutMs, own.stallMs, own.maxOutputBytes], [null, null, 2048])
    }).pipe(Effect.provide(layer({ timeoutMs: 5000, stallMs: 7000, maxOutputBytes: 4096 })))
  )

  it.effect("knows the agent that submits, one level deeper, and stops at the limit", () =>
    Effect.gen(function* () {
      const parent = yield* one()
      const child = yield* one({}, submitterOf({ BACKBEAT_TASK_ID: parent.id, BACKBEAT_DEPTH: "0" }))
      assert.strictEqual(child.parentId, parent.id)
      assert.strictEqual(child.depth, 1)
      const refused = yield* Effect.flip(one({}, submitterOf({ BACKBEAT_TASK_ID: child.id, BACKBEAT_DEPTH: "1" })))
      assert.strictEqual(refused._tag, "DepthExceeded")
    }).pipe(Effect.provide(layer({ maxDepth: 1 })))
  )

  it.effect("lets no agent redirect the requests of a task that it delegates, by whatever way", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const prepared = yield* Prepared
      const base = { OPENAI_BASE_URL: "http://mine", PATH: "/person" }
      const top = yield* one({}, { ...person, environment: base })
      const script = yield* one(
        { agent: "shell", extra: { ANTHROPIC_BASE_URL: "http://evil" } },
        submitterOf(marks(top.id, 0))
      )
      assert.strictEqual(script.agent, "shell")
      for (const [extra, words] of [
        [{ ANTHROPIC_BASE_URL: "http://evil" }, /may not set ANTHROPIC_BASE_URL for a task.*decides which server/],
        [{ OPENAI_BASE_URL: "" }, /may not set OPENAI_BASE_URL/],
        [{ https_proxy: "http://evil" }, /decides which proxy/],
        [{ CODEX_HOME: "/tmp/x" }, /decides which set-up/],
        [{ FIXED: "2" }, /the settings fix this variable for claude/]
      ] as const) {
        const refused = yield* Effect.flip(one({ agent: "claude", extra }, submitterOf(marks(top.id, 0))))
        assert.strictEqual(refused._tag, "OutsideTask")
        assert.match(String(refused.message), words)
      }
      // The same value, and what decides nothing of it.
      const allowed = { OPENAI_BASE_URL: "http://mine", FIXED: "1", CI: "1" }
      yield* one({ agent: "claude", extra: allowed }, submitterOf(marks(top.id, 0)))
      // From a script that was given another server, and with one in the environment of the process.
      // What Claude Code tells its servers about itself is no attempt to redirect anything.
      const told = { CLAUDE_PROJECT_DIR: "/shop", CLAUDE_CODE_CHILD_NOTES_DIR: "/tmp/notes" }
      const moved = { ...marks(script.id, 1), ...told, ANTHROPIC_BASE_URL: "http://evil", PATH: "/evil" }
      const result = yield* submit([submission({ agent: "claude" })], submitterOf(moved))
      const [below] = result.tasks
      assert.match(below?.warnings[0] ?? "", /^ANTHROPIC_BASE_URL: taken from the task at the top/)
      const { environment } = yield* queue.captured(below?.task.id ?? top.id)
      assert.isUndefined(environment.ANTHROPIC_BASE_URL)
      assert.strictEqual(environment.OPENAI_BASE_URL, "http://mine")
      assert.strictEqual((yield* prepared.requests).at(-1)?.programPath, "/person")
      // A task of another home: only what is given explicitly can be told apart.
      const elsewhere = submitterOf({ ...marks(TaskId.make("zzzzzzzzzzzz"), 0), HTTP_PROXY: "http://p" })
      assert.strictEqual((yield* one({ agent: "claude" }, elsewhere)).agent, "claude")
      assert.strictEqual(
        (yield* Effect.flip(one({ agent: "claude", extra: { HTTP_PROXY: "http://evil" } }, elsewhere)))._tag,
        "OutsideTask"
      )
      // What a person edits is the person's; what the agent edits is not.
      const edited = yield* Effect.either(edit(script.id, { agent: "claude" }, submitterOf(marks(top.id, 0))))
      assert.strictEqual(Either.isLeft(edited) ? edited.left._tag : "allowed", "OutsideTask")
      assert.strictEqual((yield* edit(script.id, { agent: "claude" })).agent, "claude")
    }).pipe(Effect.provide(layer({ maxDepth: 5, agents: { claude: { env: { FIXED: "1" } } } })))
  )

  it.effect("stores all or none", () =>
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const both = yield* Effect.either(submit([submission(), submission({ agent: "nobody" })], person))
      assert.isTrue(Either.isLeft(both))
      assert.strictEqual((yield* tasks.counts).queued, 0)
      const two = yield* submit([submission({ prompt: "a" }), submission({ prompt: "b" })], person)
      assert.deepStrictEqual(
        two.tasks.map(({ task }) => task.prompt),
        ["a", "b"]
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("keeps the task when no worker can be launched, and says so", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      const tasks = yield* Tasks
      yield* launches.failNext(new WorkerUnavailable({ detail: "EAGAIN", log: "/log" }))
      const result = yield* submit([submission()], person)
      assert.strictEqual(Option.getOrNull(result.problem)?._tag, "WorkerUnavailable")
      assert.isFalse(result.launched)
      assert.strictEqual((yield* tasks.counts).queued, 1)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("gives the same task for the same key", () =>
    Effect.gen(function* () {
      const first = yield* submit([submission({ idempotencyKey: "k" })], person)
      const second = yield* submit([submission({ idempotencyKey: "k" })], person)
      assert.strictEqual(second.tasks[0]?.task.id, first.tasks[0]?.task.id)
      assert.deepStrictEqual([first.tasks[0]?.created, second.tasks[0]?.created], [true, false])
    }).pipe(Effect.provide(layer()))
  )

  for (const prompt of ["", " \n", "a\0b"]) {
    it.effect(`refuses the prompt ${JSON.stringify(prompt)}`, () =>
      Effect.gen(function* () {
        const prepared = yield* Prepared
        assert.strictEqual((yield* Effect.flip(one({ prompt })))._tag, "InvalidInput")
        assert.strictEqual((yield* prepared.requests).length, 0)
      }).pipe(Effect.provide(layer()))
    )
  }
})

describe("submitterOf", () => {
  const id = "k3v9x2m7q4ab"
  const cases: ReadonlyArray<readonly [Record<string, string>, string | null, number]> = [
    [{}, null, 0],
    [{ BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: "0" }, id, 1],
    [{ BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: "2" }, id, 3],
    [{ BACKBEAT_TASK_ID: id }, id, 1],
    [{ BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: "lots" }, id, 1],
    [{ BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: "-5" }, id, 1],
    [{ BACKBEAT_TASK_ID: "; rm -rf /", BACKBEAT_DEPTH: "1.5" }, null, 0],
    [{ BACKBEAT_TASK_ID: "", BACKBEAT_DEPTH: "2" }, null, 3]
  ]
  for (const [environment, taskId, depth] of cases) {
    it(`reads ${JSON.stringify(environment)}`, () => {
      const submitter = submitterOf(environment)
      assert.deepStrictEqual([submitter.taskId, submitter.depth], [taskId, depth])
    })
  }
})
