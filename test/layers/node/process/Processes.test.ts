/** Identities of processes, through /proc and through ps. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { placeText } from "../../../../src/domain/worker/Process.ts"
import { linuxReader, parseMarks, parseStat } from "../../../../src/layers/node/process/LinuxProcesses.ts"
import { parseCpuTime, parseLine, portableReader } from "../../../../src/layers/node/process/PortableProcesses.ts"
import type { ProcessEntry, ProcessReader } from "../../../../src/layers/node/process/ProcessEntry.ts"
import * as ProcessesNode from "../../../../src/layers/node/process/Processes.ts"
import { Processes } from "../../../../src/services/Processes.ts"
import { fileWith, home, programPath, until } from "../support.ts"

const Place = Schema.Struct({
  host: Schema.Literal("h1", "h2"),
  boot: Schema.Literal("b1", "b2"),
  pids: Schema.Literal("", "1", "2")
})

const sleeper = Effect.acquireRelease(
  Effect.sync(() => spawn("/bin/sleep", ["300"], { stdio: "ignore" })),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
)

describe("parseStat", () => {
  it("reads past a name with blanks, parentheses and digits", () => {
    const entry = parseStat(
      "4242 (a) S 1 (b c) R 7 42 43 34816 0 4194304 100 0 0 0 11 12 13 14 20 0 1 0 168153 3133440 390 0\n"
    )
    assert.deepStrictEqual(entry, {
      pid: 4242,
      parent: 7,
      group: 42,
      session: 43,
      startTime: "168153",
      ended: false,
      stopped: false,
      ownMillis: 230,
      waitedMillis: 270
    })
  })

  it("refuses a line of another form", () => {
    for (const text of ["", "x", "12", "12 (a) S 1 2"]) assert.isNull(parseStat(text))
  })
})

describe("parseMarks", () => {
  it("takes whole names only", () => {
    assert.deepStrictEqual(parseMarks("A=BACKBEAT_TASK_ID=no\0XBACKBEAT_TASK_ID=no\0BACKBEAT_TASK_ID=yes\0B=1\0"), {
      taskId: "yes",
      worker: false
    })
    assert.deepStrictEqual(parseMarks("BACKBEAT_TASK_ID=last"), { taskId: "last", worker: false })
    assert.deepStrictEqual(parseMarks("BACKBEAT_WORKER=1\0BACKBEAT_TASK_ID=\0"), { taskId: null, worker: true })
    assert.deepStrictEqual(parseMarks(""), { taskId: null, worker: false })
  })
})

describe("ps", () => {
  it("gives one line per process", () => {
    assert.deepStrictEqual(parseLine("  501   1   501 Ss+  1-02:03:04 Thu Oct  1 09:08:07 2026    "), {
      pid: 501,
      parent: 1,
      group: 501,
      session: null,
      startTime: "Thu Oct 1 09:08:07 2026",
      ended: false,
      stopped: false,
      ownMillis: 93_784_000,
      waitedMillis: 0
    })
    assert.isTrue(parseLine("2 1 2 Z 0:00.01 Thu Oct  1 09:08:07 2026")?.ended)
    assert.isNull(parseLine("  "))
  })

  it("gives CPU times in several ways", () => {
    assert.strictEqual(parseCpuTime("0:01.25"), 1250)
    assert.strictEqual(parseCpuTime("12:34:56"), 45_296_000)
    assert.strictEqual(parseCpuTime("100:00.00"), 6_000_000)
  })
})

for (const [name, layer, reader, isHere] of [
  ["/proc", ProcessesNode.layerLinux, linuxReader, process.platform === "linux"],
  ["ps", ProcessesNode.layerPortable, portableReader, programPath("ps") !== null]
] as const) {
  describe.skipIf(!isHere)(`Processes through ${name}`, () => {
    it.scopedLive("knows itself, and a child while it lives", () =>
      Effect.gen(function* () {
        const processes = yield* Processes
        const self = yield* processes.self
        assert.strictEqual(self.pid, process.pid)
        assert.strictEqual(self.bootId, yield* processes.bootId)
        assert.strictEqual(yield* processes.alive(self), "alive")

        const child = yield* sleeper
        const entry = yield* reader.entry(child.pid ?? 0)
        assert.isTrue(entry !== null && entry !== "unknown")
        if (entry === null || entry === "unknown") return
        assert.strictEqual(entry.parent, process.pid)
        const identity = { pid: entry.pid, startTime: entry.startTime, bootId: self.bootId }
        assert.strictEqual(yield* processes.alive(identity), "alive")
        assert.strictEqual(yield* processes.alive({ ...identity, startTime: `1${identity.startTime}` }), "dead")
        assert.strictEqual(yield* processes.alive({ ...identity, bootId: "another/host/1" }), "unknown")
        assert.isFalse(yield* processes.stopped(identity))
        assert.isFalse(yield* processes.wake(identity))
        child.kill("SIGSTOP")
        yield* until("its stop", processes.stopped(identity))
        assert.strictEqual(yield* processes.alive(identity), "alive")
        assert.isFalse(yield* processes.stopped({ ...identity, bootId: "another/host/1" }))
        assert.isTrue(yield* processes.wake(identity))
        yield* until(
          "that it goes on",
          Effect.map(processes.stopped(identity), (stopped) => !stopped)
        )
        assert.isTrue((yield* reader.all).some((other) => other.pid === identity.pid))
        child.kill("SIGKILL")
        yield* until(
          "its end",
          Effect.map(processes.alive(identity), (alive) => alive === "dead")
        )
        assert.isNull(yield* reader.entry(4_194_000))
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("takes a zombie for dead", () =>
      Effect.gen(function* () {
        const processes = yield* Processes
        const directory = yield* home
        // The shell becomes a sleep that never asks for the status of the child it inherits.
        const parent = spawn("/bin/sh", ["-c", "sh -c 'echo $$ >pid' & exec sleep 300"], {
          cwd: directory,
          stdio: "ignore"
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => parent.kill("SIGKILL")))
        const pid = Number(yield* fileWith(join(directory, "pid")))
        const entry = yield* until(
          "a zombie",
          Effect.map(reader.entry(pid), (found) =>
            found !== null && found !== "unknown" && found.ended ? found : null
          )
        )
        const identity = { pid, startTime: entry.startTime, bootId: yield* processes.bootId }
        assert.strictEqual(yield* processes.alive(identity), "dead")
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("cannot tell where a start time could not be had", () =>
      Effect.gen(function* () {
        const processes = yield* Processes
        const bootId = yield* processes.bootId
        const child = yield* sleeper
        assert.strictEqual(yield* processes.alive({ pid: child.pid ?? 0, startTime: "unknown", bootId }), "unknown")
        assert.strictEqual(yield* processes.alive({ pid: 4_194_000, startTime: "unknown", bootId }), "dead")
        assert.strictEqual(yield* processes.alive({ pid: 1, startTime: "unknown", bootId }), "dead")
      }).pipe(Effect.provide(layer))
    )
  })
}

describe("BACKBEAT_BOOT_ID", () => {
  it.scopedLive("pretends another boot", () =>
    Effect.gen(function* () {
      const real = yield* Effect.provide(
        Effect.flatMap(Processes, (processes) => processes.self),
        ProcessesNode.layer
      )
      process.env.BACKBEAT_BOOT_ID = "pretended"
      yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env.BACKBEAT_BOOT_ID))
      const processes = yield* Effect.provide(Processes, Layer.fresh(ProcessesNode.layer))
      assert.include(yield* processes.bootId, "/pretended/")
      assert.strictEqual(yield* processes.alive(real), "dead")
      assert.strictEqual(yield* processes.alive(yield* processes.self), "alive")
    })
  )
})

/** A pid that is there and may be asked for, and one that no Linux gives. */
const there = process.pid
const nowhere = 4_194_000

describe("alive", () => {
  it.effect.prop(
    "has three answers, and says dead only of what this place can see or has outlived",
    {
      place: Arbitrary.make(Place),
      asked: Arbitrary.make(Place),
      pid: Arbitrary.make(Schema.Literal(there, nowhere)),
      shown: Arbitrary.make(Schema.Literal("same", "other start", "zombie", "hidden", "none"))
    },
    ({ asked, pid, place, shown }) =>
      Effect.gen(function* () {
        const entry: ProcessEntry = {
          pid,
          parent: 1,
          group: pid,
          session: pid,
          startTime: shown === "other start" ? "2" : "1",
          ended: shown === "zombie",
          stopped: false,
          ownMillis: 0,
          waitedMillis: 0
        }
        const reader: ProcessReader = {
          ...portableReader,
          entry: () => Effect.succeed(shown === "none" ? null : shown === "hidden" ? "unknown" : entry),
          place: Effect.succeed(place)
        }
        const processes = yield* Effect.provide(Processes, Layer.fresh(ProcessesNode.layerOf(reader)))
        const answer = yield* processes.alive({ pid, startTime: "1", bootId: placeText(asked) })
        const same = asked.host === place.host && asked.boot === place.boot && asked.pids === place.pids
        const expected = !same
          ? asked.host === place.host && asked.boot !== place.boot
            ? "dead"
            : "unknown"
          : shown === "same"
            ? "alive"
            : shown === "hidden" && pid === there
              ? "unknown"
              : "dead"
        assert.strictEqual(answer, expected)
      }),
    { fastCheck: { numRuns: 300 } }
  )
})
