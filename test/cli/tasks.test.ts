/** The commands that submit, watch and end tasks, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { CancelDocument } from "../../src/cli/commands/tasks/cancel.ts"
import { WaitResult } from "../../src/cli/commands/tasks/wait.ts"
import { JsonError } from "../../src/cli/framework/Json.ts"
import { OutputChunk } from "../../src/domain/output/Output.ts"
import { outcome } from "../../src/domain/task/Outcome.ts"
import { type FailureClass, Task, type TaskId } from "../../src/domain/task/Task.ts"
import { LivingProcesses } from "../../src/layers/memory/fakes/Processes.ts"
import { TaskPage } from "../../src/programs/reports/taskPage.ts"
import { OutputStore } from "../../src/services/OutputStore.ts"
import { Schedules } from "../../src/services/Schedules.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { finish, workerOf } from "../programs/world.ts"
import { createLoop } from "../support/loops.ts"
import { bytesOf } from "../support/output.ts"
import { create } from "../support/pipelines.ts"
import { claimNext, completed, ended, failed, submit } from "../support/tasks.ts"
import { beat, world } from "./world.ts"

const decode = <A, I>(schema: Schema.Schema<A, I>, text: string) =>
  Schema.decodeUnknown(Schema.parseJson(schema), { onExcessProperty: "error" })(text)

/** The newest task, once a command that runs beside the test has stored it: what the command loads takes real time. */
const newest = Effect.flatMap(Tasks, (tasks) =>
  Effect.flatMap(tasks.resolve("@last"), tasks.get).pipe(
    Effect.tapErrorTag("TaskNotFound", () => TestServices.provideLive(Effect.sleep("20 millis"))),
    Effect.retry({ times: 3000, while: ({ _tag }) => _tag === "TaskNotFound" })
  )
)

/** A task that ended as given. */
const over = (how: Parameters<typeof finish>[1]) =>
  Effect.gen(function* () {
    const task = yield* submit()
    yield* claimNext()
    yield* finish(task.id, how)
    return task.id
  })

/** What an agent printed, one chunk each. */
const printed = (taskId: TaskId, ...parts: ReadonlyArray<readonly ["stdout" | "stderr", string]>) =>
  Effect.gen(function* () {
    const output = yield* OutputStore
    const offsets = { stdout: 0, stderr: 0 }
    for (const [stream, text] of parts) {
      const bytes = bytesOf(text)
      yield* output.append({ taskId, stream, offset: offsets[stream], bytes }, { cap: 1_000_000 })
      offsets[stream] += bytes.length
      yield* TestClock.adjust("1 second")
    }
  })

describe("beat run", () => {
  it.effect("prints the id alone, and stores what the options say", () =>
    Effect.gen(function* () {
      const seen = yield* beat([
        ..."run -a shell -m fast -p p0 -C sub -t 30m --stall 0 --max-output 10MB --not-before 2h --key once".split(" "),
        ..."--system-prompt terse --env A=1 --env B=x=y --label team=web".split(" "),
        "echo hi"
      ])
      const task = yield* newest
      assert.deepStrictEqual(seen, { code: 0, stdout: `${task.id}\n`, stderr: "" })
      assert.deepInclude(task, {
        prompt: "echo hi",
        agent: "shell",
        model: "fast",
        priority: "P0",
        directory: "/srv/sub",
        timeoutMs: 1_800_000,
        stallMs: null,
        maxOutputBytes: 10_000_000,
        notBefore: 7_200_000,
        idempotencyKey: "once",
        systemPrompt: "terse"
      })
      assert.deepStrictEqual(task.labels, { team: "web" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("prints the task with --json, and warnings on stderr", () =>
    Effect.gen(function* () {
      const seen = yield* beat(["run", "--json", "-a", "claude", "x"])
      const task = yield* decode(Task, seen.stdout)
      assert.strictEqual(task.agent, "claude")
      assert.strictEqual(seen.stderr, "beat: no credentials were seen\n")
    }).pipe(Effect.provide(world()))
  )

  for (const [name, words, stdin] of [
    ["a pipe", ["run"], "from\na 'pipe'\n"],
    ["-", ["run", "-"], '-- from\n$(a) "pipe"'],
    ["after --", ["run", "--", "--help"], undefined]
  ] as const) {
    it.effect(`takes the prompt from ${name} as it is`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* beat(words, stdin === undefined ? {} : { stdin })).code, 0)
        assert.strictEqual((yield* newest).prompt, stdin ?? "--help")
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("adds what is piped in to the prompt, between fences that it cannot close", () =>
    Effect.gen(function* () {
      const piped = "a\n```\nb\n"
      for (const words of [["review"], ["review", "-"], ["-", "review"]]) {
        assert.strictEqual((yield* beat(["run", "-a", "claude", ...words], { stdin: piped })).code, 0)
        assert.strictEqual(
          (yield* newest).prompt,
          "review\n\nThe input that was piped in with this prompt:\n\n````text\na\n```\nb\n````"
        )
      }
      yield* beat(["run", "-a", "claude", "alone"], { stdin: " \n" })
      assert.strictEqual((yield* newest).prompt, "alone")
    }).pipe(Effect.provide(world()))
  )

  it.effect("leaves a stdin alone that another process may read, and says how to add it", () =>
    Effect.gen(function* () {
      const seen = yield* beat(["run", "-a", "claude", "review"], { stdin: "text", stdinShared: true })
      assert.include(seen.stderr, "beat: stdin is not added to the prompt; '-' after the prompt adds it\n")
      assert.strictEqual((yield* newest).prompt, "review")
      yield* beat(["run", "-a", "claude", "review", "-"], { stdin: "text", stdinShared: true })
      assert.include((yield* newest).prompt, "text")
    }).pipe(Effect.provide(world()))
  )

  it.effect("never makes what is piped in a part of a script", () =>
    Effect.gen(function* () {
      const seen = yield* beat(["run", "-a", "shell", "true"], { stdin: "rm -rf x\n" })
      assert.strictEqual((yield* newest).prompt, "true")
      assert.include(seen.stderr, "beat: what is piped in is left out: shell runs its prompt as a script.")
    }).pipe(Effect.provide(world()))
  )

  it.effect("adds it to the first step of a pipeline, and to the prompt of a schedule", () =>
    Effect.gen(function* () {
      yield* beat(["pipeline", "run", "-a", "claude", "--step", "one", "--step", "two"], { stdin: "text\n" })
      const { tasks } = yield* decode(TaskPage, (yield* beat(["list", "--json"])).stdout)
      const stored = yield* Effect.forEach(tasks, ({ id }) => Effect.flatMap(Tasks, (all) => all.get(id)))
      const expected = ["one\n\nThe input that was piped in with this prompt:\n\n```text\ntext\n```", "two"]
      assert.deepStrictEqual(stored.map(({ prompt }) => prompt).sort(), expected)
      yield* beat(["schedule", "create", "--every", "1h", "-a", "claude", "triage"], { stdin: "text\n" })
      const schedules = yield* Schedules
      const work = yield* schedules.work(yield* schedules.resolve("@last"))
      assert.include(JSON.stringify(work), "triage\\n\\nThe input that was piped in")
    }).pipe(Effect.provide(world()))
  )

  for (const words of [
    ["run"],
    ["run", " "],
    ["run", "fix", "it"],
    ["run", "-p", "P7", "x"],
    ["run", "--max-output", "10", "x"],
    ["run", "--label", "no space=x", "x"],
    ["run", "--key", "", "x"],
    ["run", "-t", "soon", "x"],
    ["run", "-a", "nobody", "x"]
  ]) {
    it.effect(`refuses ${JSON.stringify(words)} and stores nothing`, () =>
      Effect.gen(function* () {
        const seen = yield* beat(words)
        assert.deepStrictEqual([seen.code, seen.stdout], [2, ""])
        assert.match(seen.stderr, /^beat: /)
        assert.strictEqual((yield* (yield* Tasks).counts).queued, 0)
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("refuses an empty pipe", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* beat(["run"], { stdin: "" })).code, 2)
    }).pipe(Effect.provide(world()))
  )

  it.effect("shows the output in the foreground and exits as the task ends", () =>
    Effect.gen(function* () {
      const worker = workerOf(100)
      yield* (yield* LivingProcesses).add(worker.process)
      yield* (yield* WorkerRegistry).register(worker)
      const fiber = yield* Effect.fork(beat(["run", "-f", "x"]))
      yield* TestClock.adjust("1 second")
      const { id } = yield* newest
      yield* claimNext()
      yield* printed(id, ["stdout", "out\n"], ["stderr", "err\n"], ["stdout", "unfinished"])
      yield* finish(id, outcome({ status: "failed", cause: "timeout", error: "too\u001b[31m slow" }))
      yield* TestClock.adjust("1 second")
      const seen = yield* Fiber.join(fiber)
      assert.strictEqual(seen.code, 5)
      assert.strictEqual(seen.stdout, "out\nunfinished\n")
      assert.match(seen.stderr, /^Task .*\nerr\n.* failed \(timeout\) after 3s: too slow\n$/)
    }).pipe(Effect.provide(world()))
  )

  it.effect("cancels in the foreground when it is interrupted, and waits for the end", () =>
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const fiber = yield* Effect.fork(beat(["run", "-f", "x"]))
      yield* TestClock.adjust("1 second")
      const { id } = yield* newest
      yield* claimNext()
      const leaving = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* TestClock.adjust("1 second")
      const asked = yield* tasks.summary(id)
      assert.deepStrictEqual([asked.status, asked.cancelReason], ["running", "Ctrl-C"])
      assert.strictEqual((yield* Fiber.poll(leaving))._tag, "None")
      yield* finish(id, ended)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(leaving))._tag, "Failure")
    }).pipe(Effect.provide(world()))
  )
})

describe("beat list", () => {
  it.effect("says in NOTE which kind of failure it was, where that is known", () =>
    Effect.gen(function* () {
      const note = Effect.fnUntraced(function* (cause: "agent-error" | "exit" | "stalled", failureClass: FailureClass) {
        const id = yield* over(outcome({ status: "failed", cause, failureClass, exitCode: 7 }))
        const { stdout } = yield* beat(["list"])
        return stdout.split("\n").find((line) => line.startsWith(id)) ?? ""
      })
      assert.include(yield* note("agent-error", "auth"), " auth ")
      assert.include(yield* note("agent-error", "overloaded"), " overloaded ")
      assert.include(yield* note("agent-error", "usage-limit"), " usage-limit ")
      assert.include(yield* note("exit", "network"), " network ")
      assert.include(yield* note("agent-error", "agent"), " agent-error ")
      assert.include(yield* note("exit", "unknown"), " exit 7 ")
      assert.include(yield* note("stalled", "network"), " stalled ")
    }).pipe(Effect.provide(world()))
  )
})

describe("beat wait", () => {
  it.effect("exits like the first that did not succeed", () =>
    Effect.gen(function* () {
      const fine = yield* over(completed)
      const bad = yield* over(failed)
      const gone = yield* over(ended)
      assert.strictEqual((yield* beat(["wait", fine])).code, 0)
      assert.strictEqual((yield* beat(["wait", fine, gone, bad])).code, 4)
      assert.strictEqual((yield* beat(["wait", bad, gone])).code, 1)
      const limit = yield* over(outcome({ status: "failed", cause: "agent-error", failureClass: "usage-limit" }))
      assert.strictEqual((yield* beat(["wait", "@last"])).code, 75)
      assert.strictEqual((yield* beat(["wait", "nope"])).code, 3)
      assert.strictEqual((yield* beat(["wait"])).code, 2)
      const seen = yield* decode(WaitResult, (yield* beat(["wait", limit, fine, limit, "--json"])).stdout)
      assert.deepStrictEqual(
        seen.tasks.map(({ id }) => id),
        [limit, fine]
      )
    }).pipe(Effect.provide(world()))
  )

  it.effect("stops waiting after --timeout with 124", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const fiber = yield* Effect.fork(beat(["wait", id, "--timeout", "2s", "--json"]))
      yield* TestClock.adjust("2100 millis")
      const seen = yield* Fiber.join(fiber)
      assert.strictEqual(seen.code, 124)
      const result = yield* decode(WaitResult, seen.stdout)
      assert.deepStrictEqual([result.timedOut, result.tasks[0]?.status], [true, "queued"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("with --any exits like the one that ended", () =>
    Effect.gen(function* () {
      const bad = yield* over(failed)
      const { id } = yield* submit()
      const seen = yield* beat(["wait", "--any", id, bad])
      assert.strictEqual(seen.code, 1)
      assert.strictEqual(seen.stdout.trim().split("\n").length, 1)
    }).pipe(Effect.provide(world()))
  )

  it.effect("waits for a status, and fails when it is out of reach", () =>
    Effect.gen(function* () {
      const fine = yield* over(completed)
      const bad = yield* over(failed)
      assert.strictEqual((yield* beat(["wait", bad, "--status", "failed"])).code, 0)
      assert.strictEqual((yield* beat(["wait", bad, "--status", "completed"])).code, 1)
      assert.strictEqual((yield* beat(["wait", fine, "--status", "failed"])).code, 1)
      assert.strictEqual((yield* beat(["wait", fine, "--status", "done"])).code, 2)
    }).pipe(Effect.provide(world()))
  )
})

describe("beat cancel", () => {
  it.effect("ends what waits, leaves what is over, and reports both", () =>
    Effect.gen(function* () {
      const fine = yield* over(completed)
      const { id } = yield* submit()
      const seen = yield* beat(["cancel", id.slice(0, 6), fine, "--reason", "wrong\nbranch"])
      assert.strictEqual(seen.code, 0)
      assert.deepStrictEqual(seen.stdout.trim().split("\n"), [
        `${id} cancelled by tester: wrong branch`,
        `${fine} had already ended: completed after 0ms`
      ])
      const again = yield* decode(CancelDocument, (yield* beat(["cancel", id, "--json"])).stdout)
      assert.deepStrictEqual(
        again.tasks.map(({ answer, task }) => [answer, task.status]),
        [["over", "cancelled"]]
      )
      assert.strictEqual((yield* beat(["cancel", "nope"])).code, 3)
    }).pipe(Effect.provide(world()))
  )

  it.effect("ends pipelines and loops, together with tasks", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const pipeline = (yield* create([{}])).id
      const loop = (yield* createLoop()).id
      const seen = yield* beat(["cancel", pipeline, id, loop, "--reason", "enough"])
      assert.strictEqual(seen.code, 0, seen.stderr)
      const [first, second, third, ...others] = seen.stdout.trim().split("\n")
      assert.isTrue(first?.startsWith(`${id} cancelled`), first)
      assert.isTrue(second?.startsWith(`${pipeline} cancelled`), second)
      assert.isTrue(third?.startsWith(`${loop} cancelled`), third)
      assert.deepStrictEqual(others, [])
      const again = yield* decode(CancelDocument, (yield* beat(["cancel", pipeline, loop, "--json"])).stdout)
      assert.deepStrictEqual(
        [...again.pipelines, ...again.loops].map(({ id, status }) => [id, status]),
        [pipeline, loop].map((id) => [id, "cancelled"])
      )
    }).pipe(Effect.provide(world()))
  )
})

describe("beat retry", () => {
  it.effect("prints the new id", () =>
    Effect.gen(function* () {
      const bad = yield* over(failed)
      const seen = yield* beat(["retry", bad])
      const task = yield* newest
      assert.strictEqual(seen.stdout, `${task.id}\n`)
      assert.strictEqual(task.retryOf, bad)
      const refused = yield* beat(["retry", task.id, "--json"])
      assert.strictEqual(refused.code, 1)
      assert.strictEqual((yield* decode(JsonError, refused.stdout)).error.code, "TaskStateConflict")
    }).pipe(Effect.provide(world()))
  )
})

describe("beat result", () => {
  it.effect("prints the answer, without what a terminal obeys", () =>
    Effect.gen(function* () {
      const id = yield* over({ ...completed, answer: "all \u001b[32mgreen\u001b[0m\nreally" })
      assert.deepStrictEqual(yield* beat(["result", id]), { code: 0, stdout: "all green\nreally\n", stderr: "" })
      assert.include((yield* beat(["result", id, "--raw"])).stdout, "\u001b[32m")
      assert.strictEqual((yield* decode(Task, (yield* beat(["result", id, "--json"])).stdout)).id, id)
    }).pipe(Effect.provide(world()))
  )

  it.effect("exits as the task ended, and says when it has not", () =>
    Effect.gen(function* () {
      const bad = yield* over({ ...failed, error: "no key" })
      const seen = yield* beat(["result", bad])
      assert.deepStrictEqual([seen.code, seen.stdout], [1, ""])
      assert.include(seen.stderr, "no key")
      const { id } = yield* submit()
      const early = yield* beat(["result", id])
      assert.strictEqual(early.code, 1)
      assert.include(early.stderr, `${id} is queued`)
      assert.include(early.stderr, `beat wait ${id}`)
    }).pipe(Effect.provide(world()))
  )

  it.effect("says in one short line how it failed, whatever the agent said", () =>
    Effect.gen(function* () {
      const id = yield* over({ ...failed, error: `no key\n${"words of an agent ".repeat(400)}` })
      const { stderr } = yield* beat(["result", id])
      assert.isBelow(stderr.length, 400)
      assert.match(stderr, /no key words of .*…\n$/)
    }).pipe(Effect.provide(world()))
  )

  it.effect("waits first with --wait", () =>
    Effect.gen(function* () {
      const { id } = yield* submit()
      const fiber = yield* Effect.fork(beat(["result", "-w", id]))
      yield* TestClock.adjust("1 second")
      yield* claimNext()
      yield* finish(id, { ...completed, answer: "42" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).stdout, "42\n")
    }).pipe(Effect.provide(world()))
  )
})

describe("beat logs", () => {
  const some = Effect.gen(function* () {
    const { id } = yield* submit()
    yield* printed(
      id,
      ["stdout", "one\ntwo\n"],
      ["stderr", "warn\n"],
      ["stdout", "thr"],
      ["stdout", "ee\u001b[31m\nfour\n"],
      ["stdout", "half"]
    )
    return id
  })

  it.effect("shows each stream on the stream of the same name", () =>
    Effect.gen(function* () {
      const id = yield* some
      const seen = yield* beat(["logs", id])
      assert.deepStrictEqual([seen.code, seen.stdout, seen.stderr], [0, "one\ntwo\nthree\nfour\nhalf\n", "warn\n"])
      assert.deepStrictEqual(yield* beat(["logs", id, "--stderr"]), { code: 0, stdout: "warn\n", stderr: "" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("shows the last lines, or what came since", () =>
    Effect.gen(function* () {
      const id = yield* some
      assert.strictEqual((yield* beat(["logs", id, "-n", "3"])).stdout, "three\nfour\nhalf\n")
      assert.strictEqual((yield* beat(["logs", id, "-n5"])).stderr, "warn\n")
      assert.strictEqual((yield* beat(["logs", id, "-n0"])).stdout, "")
      assert.strictEqual((yield* beat(["logs", id, "-n", "1000"])).stdout, "one\ntwo\nthree\nfour\nhalf\n")
      // Printed 5, 4, 3, 2 and 1 seconds ago.
      const seen = yield* beat(["logs", id, "--since", "3500ms"])
      assert.deepStrictEqual([seen.stdout, seen.stderr], ["three\nfour\nhalf\n", ""])
    }).pipe(Effect.provide(world()))
  )

  it.effect("writes the bytes with --raw, and chunks with --json", () =>
    Effect.gen(function* () {
      const id = yield* some
      const raw = yield* beat(["logs", id, "--raw"])
      assert.strictEqual(raw.stdout, "one\ntwo\nthree\u001b[31m\nfour\nhalf")
      assert.strictEqual(raw.stderr, "warn\n")
      assert.strictEqual((yield* beat(["logs", id, "--raw", "-n2"])).stdout, "four\nhalf")
      const lines = (yield* beat(["logs", id, "--json"])).stdout.trim().split("\n")
      const chunks = yield* Effect.forEach(lines, (line) => decode(OutputChunk, line))
      assert.deepStrictEqual(
        chunks.map(({ stream, bytes }) => [stream, bytes.length]),
        [
          ["stdout", 8],
          ["stderr", 5],
          ["stdout", 3],
          ["stdout", 13],
          ["stdout", 4]
        ]
      )
      assert.strictEqual((yield* beat(["logs", id, "--json", "--raw"])).code, 2)
    }).pipe(Effect.provide(world()))
  )

  it.effect("follows from the last lines to the end of the task", () =>
    Effect.gen(function* () {
      const output = yield* OutputStore
      const id = yield* some
      const fiber = yield* Effect.fork(beat(["logs", "-f", "-n", "1", id]))
      yield* TestClock.adjust("1 second")
      yield* claimNext()
      yield* output.append(
        { taskId: id, stream: "stdout", offset: 28, bytes: bytesOf(" and half\nend") },
        { cap: 1_000_000 }
      )
      yield* TestClock.adjust("1 second")
      yield* finish(id, completed)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { code: 0, stdout: "four\nhalf and half\nend\n", stderr: "" })
    }).pipe(Effect.provide(world()))
  )
})
