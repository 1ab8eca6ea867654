/** The commands that look, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { ConfigView, SettingView } from "../../src/cli/commands/setup/config.ts"
import { Resumed } from "../../src/cli/commands/tasks/resume.ts"
import { JsonError } from "../../src/cli/framework/Json.ts"
import { widthOf } from "../../src/cli/output/Layout.ts"
import { WorkerUnavailable } from "../../src/domain/Errors.ts"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import { AgentList } from "../../src/domain/task/Agent.ts"
import { Task, type TaskId } from "../../src/domain/task/Task.ts"
import { ProcessIdentity } from "../../src/domain/worker/Process.ts"
import { HostControl } from "../../src/layers/memory/fakes/Host.ts"
import { LivingProcesses } from "../../src/layers/memory/fakes/Processes.ts"
import { Launches } from "../../src/layers/memory/fakes/WorkerLauncher.ts"
import { Overview } from "../../src/programs/reports/overview.ts"
import { TaskPage } from "../../src/programs/reports/taskPage.ts"
import { TaskReport } from "../../src/programs/reports/taskReport.ts"
import { WorkersReport } from "../../src/programs/reports/workers.ts"
import { DoctorReport } from "../../src/programs/setup/Doctor.ts"
import { InitReport } from "../../src/programs/setup/init.ts"
import { PruneReport } from "../../src/programs/setup/prune.ts"
import { Why } from "../../src/programs/why/WhyAnswer.ts"
import { Limits } from "../../src/services/Limits.ts"
import { Queue } from "../../src/services/Queue.ts"
import { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import { finish, workerOf } from "../programs/world.ts"
import { claimNext, completed, ended, failed, parked, submit } from "../support/tasks.ts"
import { beat, type Screen, world } from "./world.ts"

/** Runs with `--json`, expects exit code `code` and a value of the schema, alone on stdout. */
const json = <A, I>(schema: Schema.Schema<A, I>, words: ReadonlyArray<string>, code = 0) =>
  Effect.gen(function* () {
    const seen = yield* beat([...words, "--json"])
    assert.strictEqual(seen.code, code, seen.stdout)
    assert.strictEqual(seen.stderr, "")
    return yield* Schema.decodeUnknown(Schema.parseJson(schema), { onExcessProperty: "error" })(seen.stdout)
  })

const text = (words: ReadonlyArray<string>, screen: Screen = {}) =>
  Effect.map(beat(words, screen), ({ stdout }) => stdout)

/** A live worker, registered. */
const serve = (pid: number) =>
  Effect.gen(function* () {
    const registry = yield* WorkerRegistry
    const living = yield* LivingProcesses
    const worker = workerOf(pid)
    yield* registry.register(worker)
    yield* living.add(worker.process)
    return worker
  })

describe("bare beat", () => {
  it.effect("says how to begin where there is nothing", () =>
    Effect.gen(function* () {
      const seen = yield* beat([])
      assert.strictEqual(seen.code, 0)
      assert.include(seen.stdout, "No tasks yet")
      assert.deepStrictEqual((yield* json(Overview, [])).running, [])
    }).pipe(Effect.provide(world()))
  )

  it.effect("shows what runs with its silence, what waits, and what ended", () =>
    Effect.gen(function* () {
      const worker = yield* serve(100)
      const done = yield* submit({ prompt: "first" })
      yield* claimNext({ workerId: worker.id })
      yield* finish(done.id, completed)
      const running = yield* submit({ prompt: "second" })
      yield* claimNext({ workerId: worker.id })
      const waiting = yield* submit({ prompt: "third", notBefore: 7_200_000 })
      yield* TestClock.adjust("5 minutes")
      const shown = yield* text([])
      assert.match(shown, /^1 running, 1 queued, 1 completed; 1 worker process\n/)
      assert.match(shown, new RegExp(`${running.id}  5m, silent 5m +shell +\\S+ +second`))
      assert.match(shown, new RegExp(`${waiting.id}  starts in 1h 55m +shell +\\S+ +third`))
      assert.match(shown, new RegExp(`${done.id}  completed 5m ago +shell +\\S+ +first`))
      assert.strictEqual(shown, yield* text(["status"]))
      const view = yield* json(Overview, ["status"])
      assert.deepStrictEqual([view.running[0]?.silentMs, view.nextDue], [300_000, 7_200_000])
    }).pipe(Effect.provide(world()))
  )

  it.effect("says when work waits and no worker serves it", () =>
    Effect.gen(function* () {
      yield* submit()
      assert.include(yield* text([]), "no worker")
      assert.include(yield* text([]), "beat worker --detach")
    }).pipe(Effect.provide(world()))
  )
})

describe("list", () => {
  it.effect("goes through all tasks page by page", () =>
    Effect.gen(function* () {
      for (let at = 0; at < 7; at += 1) yield* submit({ prompt: `task ${at}` })
      const seen: Array<string> = []
      let before: ReadonlyArray<string> = []
      for (let page = 0; page < 4; page += 1) {
        const found = yield* json(TaskPage, ["list", "-n", "3", ...before])
        seen.push(...found.tasks.map(({ title }) => title))
        if (found.next === null) break
        before = [page === 0 ? "--cursor" : "--before", String(found.next)]
      }
      assert.deepStrictEqual(
        seen,
        [6, 5, 4, 3, 2, 1, 0].map((at) => `task ${at}`)
      )
      const first = yield* beat(["ls", "-n", "3"])
      assert.match(first.stderr, /^4 more: --before \d+\n$/)
      assert.strictEqual(first.stdout.trimEnd().split("\n").length, 4)
    }).pipe(Effect.provide(world()))
  )

  it.effect("filters", () =>
    Effect.gen(function* () {
      yield* submit({ prompt: "a", agent: "claude", labels: { team: "web", kind: "fix" }, directory: "/srv/x" })
      yield* submit({ prompt: "b", labels: { team: "web" } })
      yield* TestClock.adjust("1 hour")
      const last = yield* submit({ prompt: "c" })
      yield* finish(last.id, failed)
      const titles = (...words: ReadonlyArray<string>) =>
        Effect.map(json(TaskPage, ["list", ...words]), ({ tasks }) => tasks.map(({ title }) => title).join(""))
      assert.strictEqual(yield* titles("-a", "claude"), "a")
      assert.strictEqual(yield* titles("-l", "team=web"), "ba")
      assert.strictEqual(yield* titles("-l", "team=web", "--label=kind=fix"), "a")
      assert.strictEqual(yield* titles("-C", "x"), "a")
      assert.strictEqual(yield* titles("-s", "failed"), "c")
      assert.strictEqual(yield* titles("-s", "failed", "-s", "queued"), "cba")
      assert.strictEqual(yield* titles("--since", "30m"), "c")
      assert.strictEqual(yield* titles("-s", "running"), "")
      const misspelt = yield* beat(["list", "-s", "done"])
      assert.strictEqual(misspelt.code, 2)
      assert.include(misspelt.stderr, "--status: 'done' is not one of queued, running, completed, failed, cancelled")
      assert.deepStrictEqual(yield* beat(["list", "-s", "running"]), {
        code: 0,
        stdout: "",
        stderr: "No tasks match.\n"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("fits 40 columns, and keeps control bytes and line breaks out", () =>
    Effect.gen(function* () {
      yield* submit({
        prompt: "\u001b[31mred\u001b[0m \u001b]0;title\u0007 語語語語語語語語語語語語語語語語語語語語語語"
      })
      yield* submit({ prompt: "x".repeat(300), agent: "a-very-long-name-of-an-agent" })
      for (const columns of [40, 60, 80, 120]) {
        for (const words of [["list"], ["list", "-n1"], [], ["workers"]]) {
          const shown = yield* text(words, { columns })
          assert.notInclude(shown, "\u001b")
          for (const line of shown.split("\n")) assert.isAtMost(widthOf(line), Math.max(columns, 62), line)
        }
        for (const line of (yield* text(["list"], { columns })).split("\n"))
          assert.isAtMost(widthOf(line), columns, line)
      }
      assert.include(yield* text(["list"], { colour: true }), "\u001b[34mqueued")
    }).pipe(Effect.provide(world()))
  )
})

describe("status", () => {
  it.effect("is the whole task, with its worker and its place in the queue", () =>
    Effect.gen(function* () {
      const worker = yield* serve(100)
      const parent = yield* submit({ prompt: "parent\nwith two lines", timeoutMs: 60_000, labels: { a: "b" } })
      const claimed = yield* claimNext({ workerId: worker.id })
      const child = yield* submit({ prompt: "child", parentId: parent.id, priority: "P2" })
      yield* submit({ prompt: "before it", priority: "P0" })
      const report = yield* json(TaskReport, ["status", parent.id.slice(0, 6)])
      assert.strictEqual(report.claim?.claimId, claimed.claim.claimId)
      assert.deepStrictEqual(report.children, [child.id])
      assert.strictEqual((yield* json(TaskReport, ["status", child.id])).ahead, 1)
      // It is a task like any other to whoever reads only that.
      const seen = yield* beat(["status", parent.id, "--json"])
      assert.strictEqual((yield* Schema.decodeUnknown(Schema.parseJson(Task))(seen.stdout)).id, parent.id)
      const shown = yield* text(["status", parent.id])
      for (const part of [parent.id, "running", "1m", "a=b", "with two lines", worker.id, child.id]) {
        assert.include(shown, part)
      }
      assert.include(yield* text(["status", child.id]), "1 task")
    }).pipe(Effect.provide(world()))
  )

  it.effect("names what has to end first, and no place in the queue until it has", () =>
    Effect.gen(function* () {
      const first = yield* submit({ prompt: "first" })
      const second = yield* submit({ prompt: "second" })
      const edge = (upstream: TaskId) => ({ upstream, policy: "success" as const })
      const one = yield* submit({ dependsOn: [edge(first.id)] })
      const two = yield* submit({ dependsOn: [edge(first.id), edge(second.id)] })
      assert.match(yield* text(["status", one.id]), new RegExp(`waits for +task ${first.id}\n`))
      assert.match(yield* text(["status", two.id]), /waits for +2 tasks, \w+ among them\n/)
      assert.notInclude(yield* text(["status", two.id]), "position")
      yield* claimNext()
      yield* finish(first.id, completed)
      assert.match(yield* text(["status", two.id]), new RegExp(`waits for +task ${second.id}\n`))
      const free = yield* text(["status", one.id])
      assert.notInclude(free, "waits for")
      assert.match(free, /position +1 task starts before it/)
    }).pipe(Effect.provide(world()))
  )

  it.effect("tells who cancelled, why, and how it ended", () =>
    Effect.gen(function* () {
      const task = yield* submit()
      const queue = yield* Queue
      yield* queue.cancel(task.id, { reason: "wrong \u001b[2Jbranch", by: "tester" })
      const shown = yield* text(["status", "@last"])
      assert.match(shown, /status +cancelled/)
      assert.match(shown, /cancelled by +tester/)
      assert.match(shown, /reason +wrong branch/)
    }).pipe(Effect.provide(world()))
  )
})

describe("a word of another program", () => {
  for (const [word, hint] of [
    ["stop", "Did you mean 'beat cancel'?"],
    ["kill", "Did you mean 'beat cancel'?"],
    ["show", "Did you mean 'beat status'?"],
    ["tail", "Did you mean 'beat logs -f'?"],
    ["version", "Did you mean 'beat --version'?"],
    ["ps", "Did you mean 'beat list'?"],
    ["rm", "'beat cancel' cancels a task"]
  ] as const) {
    it.effect(`is answered with the one of this: ${word}`, () =>
      Effect.gen(function* () {
        const seen = yield* beat([word, "x"])
        assert.strictEqual(seen.code, 2)
        assert.include(seen.stderr, hint)
      }).pipe(Effect.provide(world()))
    )
  }
})

describe("status of a task that a limit parked", () => {
  it.effect("counts the time that it waited, and promises no start once it has ended", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
      const { id } = yield* submit({ account })
      const { claim } = yield* claimNext()
      yield* queue.park(claim, parked({ resetsAt: 7_200_000 }))
      yield* TestClock.adjust("1 hour")
      const waiting = yield* text(["status", id])
      assert.match(waiting, /parked +once, 1h in all, by the usage limit, since .*; it starts again/)
      assert.notInclude(waiting, "running for")
      yield* queue.cancel(id, { reason: null, by: "tester" })
      yield* TestClock.adjust("1 hour")
      assert.match(yield* text(["status", id]), /parked +once, 1h in all, by the usage limit\n/)
    }).pipe(Effect.provide(world()))
  )
})

describe("why", () => {
  const reason = (id: string) => Effect.map(json(Why, ["why", id]), (answer) => answer.reason)

  it.effect("names the one thing, from the first to the last", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      const later = yield* submit({ prompt: "later", notBefore: 3_600_000 })
      const task = yield* submit()
      assert.strictEqual(yield* reason(later.id), "not-before")
      assert.match(yield* text(["why", later.id]), /waits for its start time: .*\(in 1h\)/)
      assert.strictEqual(yield* reason(task.id), "no-worker")
      assert.include(yield* text(["why", task.id]), "it is next in the queue")

      const worker = yield* serve(100)
      assert.strictEqual(yield* reason(task.id), "starting")
      const first = yield* submit({ prompt: "urgent", priority: "P0" })
      assert.strictEqual(yield* reason(task.id), "behind")
      const { claim } = yield* claimNext({ workerId: worker.id })
      assert.strictEqual(yield* reason(first.id), "starting")
      yield* registry.startFailed(claim, "No room.")
      assert.strictEqual(yield* reason(first.id), "starting-fails")
      assert.match(yield* text(["why", first.id]), /^It cannot start: No room\. 1 start failed; /)
      yield* registry.started(claim, { pid: 4711, startTime: "1", bootId: "boot-1" })
      assert.strictEqual(yield* reason(first.id), "running")

      const host = yield* HostControl
      yield* host.setAvailableMemory(1000)
      assert.strictEqual(yield* reason(task.id), "memory")
      assert.match(yield* text(["why", task.id]), /Memory is low: 1.0 kB available/)
      yield* host.setAvailableMemory(8e9)

      const second = yield* submit({ prompt: "urgent too", priority: "P0" })
      yield* claimNext({ workerId: worker.id })
      assert.strictEqual(yield* reason(task.id), "concurrency-limit")
      assert.match(yield* text(["why", task.id]), /All slots are in use \(2 of 2\); it is next in the queue/)

      const queue = yield* Queue
      yield* queue.cancel(second.id, { reason: null, by: "tester" })
      assert.strictEqual(yield* reason(second.id), "ending")
      yield* finish(first.id, failed)
      assert.strictEqual(yield* reason(first.id), "ended")
    }).pipe(Effect.provide(world({ maxConcurrency: 2 })))
  )

  it.effect("names the task that asks whether a limit is over, and then how many may start", () =>
    Effect.gen(function* () {
      const account = { key: AccountKey.make("anthropic/login/a4tz9kq2mv"), agent: "claude" }
      const limits = yield* Limits
      const worker = yield* serve(100)
      const all = yield* Effect.replicateEffect(submit({ account }), 5)
      const last = all[4]?.id ?? ""
      assert.strictEqual(yield* reason(last), "behind")
      yield* TestClock.adjust("1 hour")
      yield* limits.close(account.key, 7_200_000, null)
      assert.strictEqual(yield* reason(last), "limit")
      yield* limits.open(account.key)
      assert.strictEqual(yield* reason(last), "behind")
      const { task } = yield* claimNext({ workerId: worker.id })
      assert.strictEqual(yield* reason(last), "account-places")
      const words = `It waits for the answer to task ${task.id}, which asks whether a limit of account a4tz9kq2mv is over; 3 tasks start before it. To see that task: beat why ${task.id}\n`
      assert.strictEqual(yield* text(["why", last]), words)
      assert.match(yield* text(["status", last]), /waits for +the answer to task/)
      yield* finish(task.id, completed)
      yield* claimNext({ workerId: worker.id })
      assert.strictEqual(yield* reason(last), "behind")
      yield* claimNext({ workerId: worker.id })
      assert.match(
        yield* text(["why", last]),
        /waits for a place at account a4tz9kq2mv after its limit \(2 of 2 in use; more every 20 seconds\); 1 task starts/
      )
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* reason(last), "behind")
    }).pipe(Effect.provide(world({ maxConcurrency: 5 })))
  )
})

describe("workers", () => {
  it.effect("tells living workers from dead ones, and orphans", () =>
    Effect.gen(function* () {
      const alive = yield* serve(100)
      const registry = yield* WorkerRegistry
      const dead = workerOf(200)
      yield* registry.register(dead)
      yield* submit({ prompt: "kept" })
      const kept = yield* claimNext({ workerId: alive.id })
      yield* submit({ prompt: "lost" })
      yield* claimNext({ workerId: dead.id })
      const process = ProcessIdentity.make({ pid: 300, startTime: "5", bootId: "boot-1" })
      yield* (yield* LivingProcesses).add(process)
      yield* registry.started({ claimId: kept.claim.claimId, workerId: alive.id }, process)
      const report = yield* json(WorkersReport, ["workers"])
      assert.deepStrictEqual(
        report.workers.map(({ serving }) => serving),
        ["serves", "dead"]
      )
      assert.deepStrictEqual(
        report.claims.map((claim) => [claim.title, claim.alive, claim.orphaned]),
        [
          ["kept", "alive", false],
          ["lost", null, true]
        ]
      )
      const shown = yield* text(["workers"])
      assert.match(shown, /300 .*kept/)
      assert.match(shown, /orphaned.*lost/)
      assert.include(shown, "2 of 2 workers busy")
    }).pipe(Effect.provide(world({ maxConcurrency: 2 })))
  )
})

describe("config", () => {
  const secret = "sk-very-secret-1234"
  it.effect("sets, shows and takes back, by JSON, text, times and sizes", () =>
    Effect.gen(function* () {
      const set = (key: string, value: string, code = 0) =>
        Effect.map(beat(["config", "set", key, value]), (seen) => assert.strictEqual(seen.code, code, seen.stderr))
      yield* set("maxConcurrency", "7")
      yield* set("stallMs", "1h30m")
      yield* set("graceMs", "250")
      yield* set("maxOutputBytes", "5MB")
      yield* set("agents.codex.model", "large")
      yield* set("leftovers", "keep")
      yield* set("agents.claude.args", '["--verbose"]')
      yield* set("agents.claude.model", "4")
      const get = (key: string) => Effect.map(json(SettingView, ["config", "get", key]), ({ value }) => value)
      assert.strictEqual(yield* get("maxConcurrency"), 7)
      assert.strictEqual(yield* get("stallMs"), 5_400_000)
      assert.strictEqual(yield* get("graceMs"), 250)
      assert.strictEqual(yield* get("maxOutputBytes"), 5_000_000)
      assert.deepStrictEqual(yield* get("agents.claude.args"), ["--verbose"])
      assert.strictEqual(yield* get("agents.claude.model"), "4")
      assert.strictEqual(yield* text(["config", "get", "agents.codex.model"]), "large\n")

      for (const [key, value] of [
        ["maxConcurrency", "0"],
        ["maxConcurrency", "many"],
        ["leftovers", "burn"],
        ["maxconcurrency", "3"],
        ["agents.Claude!.model", "x"],
        ["agents.claude.modle", "x"],
        ["agents.claude.model.x", "1"],
        ["maxConcurrency.x", "1"],
        ["__proto__.x", "1"]
      ] as const) {
        yield* set(key, value, 2)
      }
      assert.include((yield* beat(["config", "set", "maxconcurrency", "3"])).stderr, "'maxConcurrency'")
      const command = yield* beat(["config", "set", "agents.mine.command", "my-agent {prompt}"])
      assert.include(command.stderr, 'expected a list of texts, for example ["my-agent"')
      assert.strictEqual((yield* beat(["config", "set", "defaultAgent", "nobody"])).code, 2)

      assert.include((yield* beat(["config", "unset", "maxConcurrency"])).stderr, "reset to its default")
      assert.strictEqual(yield* get("maxConcurrency"), 2)
      yield* beat(["config", "unset", "agents.claude.args"])
      yield* beat(["config", "unset", "agents.claude.model"])
      yield* beat(["config", "unset", "agents.codex.model"])
      assert.isFalse(Object.hasOwn((yield* json(ConfigView, ["config"])).file, "agents"))
    }).pipe(Effect.provide(world()))
  )

  it.effect("never shows a secret", () =>
    Effect.gen(function* () {
      const seen = [
        yield* beat(["config", "set", "agents.codex.apiKey", "-"], { stdin: `${secret}\n` }),
        yield* beat(["config", "set", "agents.codex.env.TOKEN", secret]),
        yield* beat(["config", "set", "agents.codex.baseUrl", `https://user:${secret}@gateway.example.com`])
      ]
      for (const words of [
        ["config"],
        ["config", "show", "--json"],
        ["config", "get", "agents"],
        ["config", "get", "agents.codex.apiKey"],
        ["config", "get", "agents.codex.env.TOKEN"],
        ["config", "get", "agents.codex.baseUrl", "--json"],
        ["config", "set", "agents.codex.apiKey", secret, "--json"]
      ]) {
        seen.push(yield* beat(words))
      }
      for (const { code, stderr, stdout } of seen) {
        assert.strictEqual(code, 0)
        assert.notInclude(stdout + stderr, secret)
      }
      const view = yield* json(ConfigView, ["config"])
      assert.deepStrictEqual(view.file, {
        agents: {
          codex: { apiKey: "(hidden)", env: { TOKEN: "(hidden)" }, baseUrl: "https://(hidden)@gateway.example.com" }
        }
      })
      const bad = yield* beat(["config", "set", "agents.codex.retries", secret])
      assert.strictEqual(bad.code, 2)
      assert.notInclude(bad.stderr, secret)
    }).pipe(Effect.provide(world()))
  )
})

describe("resume", () => {
  it.effect("prints what it has resumed, or that nothing was paused", () =>
    Effect.gen(function* () {
      const task = yield* submit({})
      assert.strictEqual((yield* beat(["pause", task.id])).code, 0)
      assert.strictEqual((yield* json(Task, ["resume", task.id])).id, task.id)
      assert.strictEqual((yield* beat(["pause", "--all"])).code, 0)
      const command = ["resume", "--all"]
      assert.deepStrictEqual(yield* json(Resumed, command), { scope: "all", name: "" })
      const { error } = yield* json(JsonError, command, 1)
      assert.deepStrictEqual([error.code, error.exitCode], ["NotPaused", 1])
    }).pipe(Effect.provide(world()))
  )
})

describe("a change that may make a task ready", () => {
  const waiting = submit({ prompt: "waits", notBefore: 86_400_000 })
  const changes = [
    ["a cancel", Effect.map(submit(), ({ id }) => ["cancel", id])],
    ["an edit", Effect.map(waiting, ({ id }) => ["edit", id, "--not-before", "now"])],
    ["a limit of a group", Effect.succeed(["group", "set", "docs", "--limit", "2"])],
    ["a budget", Effect.succeed(["budget", "set", "all", "--month", "100usd"])]
  ] as const
  for (const [what, words] of changes) {
    it.effect(`starts a worker where none is left, and is told where none can be started: ${what}`, () =>
      Effect.gen(function* () {
        const launches = yield* Launches
        yield* waiting
        yield* launches.failNext(new WorkerUnavailable({ detail: "no program", log: "/logs" }))
        const changed = yield* beat(yield* words)
        assert.strictEqual(changed.code, 0)
        assert.match(changed.stderr, /^beat: no worker could be started: .*no program/m)
        assert.notMatch((yield* beat(yield* words)).stderr, /no worker/)
        assert.strictEqual(yield* launches.count, 1)
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("starts none where nothing is queued, and one where a budget is removed", () =>
    Effect.gen(function* () {
      const launches = yield* Launches
      yield* beat(["budget", "set", "all", "--month", "100usd"])
      yield* beat(["cancel", (yield* submit()).id])
      assert.strictEqual(yield* launches.count, 0)
      yield* waiting
      yield* beat(["budget", "remove", "all"])
      assert.strictEqual(yield* launches.count, 1)
    }).pipe(Effect.provide(world()))
  )
})

describe("looking after", () => {
  it.effect("prune deletes what ended long ago, and only that", () =>
    Effect.gen(function* () {
      const old = yield* submit({ prompt: "old" })
      yield* finish(old.id, ended)
      yield* TestClock.adjust("40 days")
      const recent = yield* submit({ prompt: "recent" })
      yield* finish(recent.id, ended)
      yield* submit({ prompt: "waits" })
      const dry = yield* json(PruneReport, ["prune", "--dry-run"])
      assert.deepStrictEqual([dry.dryRun, dry.taskIds], [true, [old.id]])
      assert.match(yield* text(["prune"]), /^Deleted 1 task that ended before/)
      assert.strictEqual((yield* json(PruneReport, ["prune"])).count, 0)
      assert.strictEqual((yield* json(TaskPage, ["list"])).tasks.length, 2)
      assert.deepStrictEqual((yield* json(PruneReport, ["prune", "--older-than", "0"])).count, 0)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* json(PruneReport, ["prune", "--older-than", "0"])).taskIds, [recent.id])
    }).pipe(Effect.provide(world()))
  )

  it.effect("doctor mends dead workers and starts one where work waits", () =>
    Effect.gen(function* () {
      const registry = yield* WorkerRegistry
      yield* registry.register(workerOf(200))
      yield* submit()
      const statusOf = (report: DoctorReport, name: string) =>
        report.checks.find((check) => check.name === name)?.status
      const before = yield* json(DoctorReport, ["doctor"])
      assert.deepStrictEqual([statusOf(before, "workers"), statusOf(before, "queue")], ["warn", "warn"])
      assert.strictEqual((yield* registry.workers).length, 1)
      const mended = yield* json(DoctorReport, ["doctor", "--fix"])
      assert.deepStrictEqual([statusOf(mended, "workers"), statusOf(mended, "queue")], ["fixed", "fixed"])
      assert.strictEqual((yield* registry.workers).length, 0)
      assert.strictEqual(yield* (yield* Launches).count, 1)
    }).pipe(Effect.provide(world()))
  )

  it.effect("doctor reports a database that does not open, and fails", () =>
    Effect.gen(function* () {
      const seen = yield* beat(["doctor"], { broken: "corrupt" })
      assert.strictEqual(seen.code, 1)
      assert.match(seen.stdout, /database +fail/)
    }).pipe(Effect.provide(world()))
  )

  it.effect("init and agents speak of what is there", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* json(InitReport, ["init"])).defaultAgent, null)
      assert.strictEqual((yield* beat(["init", "--agent", "nobody"])).code, 2)
      assert.deepStrictEqual((yield* json(AgentList, ["agents"])).agents, [])
      assert.strictEqual((yield* beat(["agents", "check"])).code, 2)
      assert.strictEqual((yield* beat(["agents", "check", "nobody"])).code, 2)
    }).pipe(Effect.provide(world()))
  )
})
