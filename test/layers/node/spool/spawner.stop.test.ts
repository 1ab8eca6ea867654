/** Ending process trees: everything of the task goes, nothing else does. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { reader } from "../../../../src/layers/node/process/ProcessReader.ts"
import { Spawner } from "../../../../src/services/Spawner.ts"
import { claimOf, ended, gone, lives, pidsIn, script, start, targetOf, until, withSpawner } from "../support.ts"

/** Writes a file that appears whole. */
const note = (name: string) => `echo $$ >${name}.new; mv ${name}.new ${name}`

/** A shell command that notes its pid, ignores TERM and stays. */
const stubborn = (name: string) => `sh -c 'trap "" TERM HUP INT; ${note(name)}; while :; do sleep 1; done'`

const identityOf = (pid: number, bootId: string) =>
  Effect.map(reader.entry(pid), (entry) => {
    if (entry === null || entry === "unknown") throw new Error(`no process ${pid}`)
    return { pid, startTime: entry.startTime, bootId }
  })

describe("Spawner.stop", () => {
  it.scopedLive("ends an agent that obeys, with the status it leaves", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({
          directory,
          bootId,
          launch: script(`trap 'echo bye; exit 7' TERM; ${note("agent")}; while :; do sleep 0.05; done`)
        })
        const shim = yield* start(claimed)
        const pids = yield* pidsIn(directory, "agent")
        const begin = performance.now()
        const report = yield* spawner.stop(targetOf(claimed), 60_000)
        assert.strictEqual(report.left, 0)
        assert.isAtLeast(report.ended, 1)
        // Not the whole time of grace.
        assert.isBelow(performance.now() - begin, 50_000)
        assert.isFalse(yield* lives(shim.pid))
        yield* gone(...pids)
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 7, signal: null })
        assert.deepStrictEqual(yield* spawner.stop(targetOf(claimed), 5000), { ended: 0, left: 0 })
      })
    )
  )

  it.scopedLive("kills what ignores TERM, grandchildren in separate sessions included", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({
          directory,
          bootId,
          launch: script(
            `trap '' TERM; setsid ${stubborn("tool")} & (setsid ${stubborn("orphan")} &) ; nohup sleep 300 >/dev/null 2>&1 & echo $! >nohup; ${note("agent")}; while :; do sleep 1; done`
          )
        })
        const shim = yield* start(claimed)
        const pids = yield* pidsIn(directory, "agent", "tool", "orphan", "nohup")
        const report = yield* spawner.stop(targetOf(claimed, { process: shim }), 100)
        assert.strictEqual(report.left, 0)
        assert.isAtLeast(report.ended, 4)
        for (const pid of [shim.pid, ...pids]) assert.isFalse(yield* lives(pid))
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 137, signal: "SIGKILL" })
      })
    )
  )

  it.scopedLive("finds a tool that dropped the marker by its descent, even after its parent has died of TERM", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({
          directory,
          bootId,
          launch: script(`env -i PATH="$PATH" setsid ${stubborn("tool")} & ${note("agent")}; wait`)
        })
        yield* start(claimed)
        const pids = yield* pidsIn(directory, "agent", "tool")
        assert.strictEqual((yield* spawner.stop(targetOf(claimed), 100)).left, 0)
        for (const pid of pids) assert.isFalse(yield* lives(pid))
      })
    )
  )

  it.scopedLive("reaches a stopped agent", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({
          directory,
          bootId,
          launch: script(`trap 'exit 9' TERM; ${note("agent")}; kill -STOP $$; sleep 9`)
        })
        yield* start(claimed)
        const [pid = 0] = yield* pidsIn(directory, "agent")
        yield* until(
          "the stop",
          Effect.map(reader.entry(pid), (entry) => entry !== null && entry !== "unknown" && entry.stopped)
        )
        assert.strictEqual((yield* spawner.stop(targetOf(claimed), 5000)).left, 0)
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 9, signal: null })
      })
    )
  )

  it.scopedLive("leaves other tasks, workers and what those started alone", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const stay = (name: string) => `sh -c '${note(name)}; exec sleep 300'`
        const claimed = claimOf({
          directory,
          bootId,
          launch: script(
            [
              // Another task's agent, in our tree and even in our group, with a child that lost its marker.
              `BACKBEAT_TASK_ID=zzzzzzzzzzzz sh -c '${note("other")}; env -i PATH="$PATH" ${stay("helper").replaceAll("'", '"').replaceAll("$$", "\\$\\$")} & wait' &`,
              // A detached worker.
              `BACKBEAT_WORKER=1 setsid ${stay("worker")} &`,
              // A worker known by its identity, in our group: an MCP server. One child is its own, one is ours.
              `sh -c '${note("server")}; env -u BACKBEAT_TASK_ID sh -c "echo \\$\\$ >own; exec sleep 300" & sh -c "echo \\$\\$ >ours; exec sleep 300" & wait' &`,
              `${note("agent")}; wait`
            ].join("\n")
          )
        })
        const shim = yield* start(claimed)
        const [other = 0, helper = 0, worker = 0, server = 0, own = 0] = yield* pidsIn(
          directory,
          "other",
          "helper",
          "worker",
          "server",
          "own"
        )
        const [ours = 0, agent = 0] = yield* pidsIn(directory, "ours", "agent")
        const spare = [yield* identityOf(server, bootId)]
        const report = yield* spawner.stop(targetOf(claimed, { spare }), 2000)
        assert.deepStrictEqual(report, { ended: 2, left: 0 })
        for (const pid of [other, helper, worker, server, own]) assert.isTrue(yield* lives(pid))
        for (const pid of [shim.pid, ours, agent]) assert.isFalse(yield* lives(pid))
      })
    )
  )

  it.scopedLive("does not take another process with the same number for it", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const bystander = spawn("/bin/sleep", ["300"], { detached: true, stdio: "ignore" })
        yield* Effect.addFinalizer(() => Effect.sync(() => bystander.kill("SIGKILL")))
        const pid = bystander.pid ?? 0
        const { startTime } = yield* identityOf(pid, bootId)
        const claimed = claimOf({ directory, bootId, launch: script("true") })
        const reused = { pid, startTime: `${Number(startTime) - 1}`, bootId }
        const [host, , pids] = bootId.split("/")
        const lastBoot = { pid, startTime, bootId: `${host}/another/${pids}` }
        for (const process of [reused, lastBoot]) {
          const target = targetOf(claimed, { process })
          assert.deepStrictEqual(yield* spawner.observe(target), { _tag: "Lost", survivors: 0 })
          assert.deepStrictEqual(yield* spawner.stop(target, 50), { ended: 0, left: 0 })
          assert.strictEqual(yield* spawner.sweep(target, 50), 0)
        }
        assert.isTrue(yield* lives(pid))
      })
    )
  )

  it.scopedLive("counts and ends what survives a killed shim", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({
          directory,
          bootId,
          launch: script(`setsid ${stubborn("tool")} & ${note("agent")}; wait`)
        })
        const shim = yield* start(claimed)
        const [agent = 0, tool = 0] = yield* pidsIn(directory, "agent", "tool")
        process.kill(shim.pid, "SIGKILL")
        yield* gone(shim.pid)
        const seen = yield* spawner.observe(targetOf(claimed))
        assert.isTrue(seen._tag === "Lost" && seen.survivors >= 2)
        assert.strictEqual((yield* spawner.stop(targetOf(claimed), 100)).left, 0)
        for (const pid of [agent, tool]) assert.isFalse(yield* lives(pid))
        assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "Lost", survivors: 0 })
      })
    )
  )
})

describe("Spawner.sweep", () => {
  it.scopedLive("ends and counts what a finished agent left running, without the shim", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({
          directory,
          bootId,
          launch: script("nohup sleep 300 >/dev/null 2>&1 & echo $! >first; setsid sleep 300 & echo $! >second")
        })
        yield* start(claimed)
        const pids = yield* pidsIn(directory, "first", "second")
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
        assert.strictEqual(yield* spawner.sweep(targetOf(claimed), 1000), 2)
        for (const pid of pids) assert.isFalse(yield* lives(pid))
        assert.strictEqual(yield* spawner.sweep(targetOf(claimed), 1000), 0)
      })
    )
  )

  it.scopedLive("finds nothing after a clean end", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        for (let round = 0; round < 5; round++) {
          const claimed = claimOf({ directory, bootId, launch: script("sh -c 'sleep 0.01'") })
          yield* start(claimed)
          yield* ended(claimed)
          assert.strictEqual(yield* spawner.sweep(targetOf(claimed), 1000), 0)
        }
      })
    )
  )
})

describe("Spawner.cpuUse", () => {
  it.scopedLive("tells what is the agent's own from the tools in separate sessions", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const busy = "sleep 300 & i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done >busy; wait"
        const claimed = claimOf({ directory, bootId, launch: script(`setsid sh -c '${busy}' & wait`) })
        yield* start(claimed)
        yield* until(
          "the work",
          Effect.sync(() => fs.existsSync(join(directory, "busy")))
        )
        const use = yield* spawner.cpuUse(targetOf(claimed))
        const of = (role: "agent" | "tool") => use.filter((process) => process.role === role)
        // The shim and the agent; the loop with its `sleep`.
        assert.deepStrictEqual([of("agent").length, of("tool").length], [2, 2])
        assert.isAbove(
          of("tool").reduce((sum, { ownMillis }) => sum + ownMillis, 0),
          20
        )
        assert.isBelow(
          of("agent").reduce((sum, { ownMillis }) => sum + ownMillis, 0),
          20
        )
        assert.strictEqual((yield* spawner.stop(targetOf(claimed), 1000)).left, 0)
        assert.deepStrictEqual(yield* spawner.cpuUse(targetOf(claimed)), [])
      })
    )
  )
})
