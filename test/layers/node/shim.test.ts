/** The shim by itself, under every shell that is here: what it promises to whoever comes later. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { reader } from "../../../src/layers/node/ProcessReader.ts"
import { endOf, shimArguments } from "../../../src/layers/node/Shim.ts"
import { parseIdentity } from "../../../src/layers/node/Spool.ts"
import { endLater, fakeBeat, fileWith, gone, home, lives, programPath } from "./support.ts"

const shells: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]> = [
  ["/bin/sh"],
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "sh"]
]

/** Who owns a shim whose owner is there to stay, and one whose owner is gone or is somebody else by now. */
const owners = Effect.map(reader.entry(process.pid), (entry) => {
  const startTime = entry === null || entry === "unknown" ? "unknown" : entry.startTime
  return {
    alive: `${process.pid}\n${startTime}\nboot\n`,
    reused: `${process.pid}\n${Number(startTime) + 1}\nboot\n`,
    gone: "4194000\n1\nboot\n"
  }
})

describe("endOf", () => {
  it("reads a shell's status", () => {
    assert.deepStrictEqual(endOf(0), { exitCode: 0, signal: null })
    assert.deepStrictEqual(endOf(129), { exitCode: 129, signal: "SIGHUP" })
    assert.deepStrictEqual(endOf(139), { exitCode: 139, signal: "SIGSEGV" })
    for (const own of [1, 128, 144, 145, 148, 151, 156, 173, 244, 255]) {
      assert.deepStrictEqual(endOf(own), { exitCode: own, signal: null })
    }
  })
})

const system = fs.realpathSync("/bin/sh")

for (const [shell, ...first] of shells) {
  const path = programPath(shell)
  const reason =
    path === null ? " (not installed)" : path !== "/bin/sh" && fs.realpathSync(path) === system ? " (is /bin/sh)" : ""
  describe.skipIf(reason !== "")(`the shim under ${[shell, ...first].join(" ")}${reason}`, () => {
    const launch = (options: {
      readonly agent: string
      readonly owner?: "alive" | "reused" | "gone"
      readonly directory?: string
      readonly before?: (spool: string) => void
    }) =>
      Effect.gen(function* () {
        const directory = yield* home
        const spool = join(directory, "spool")
        fs.mkdirSync(spool)
        fs.writeFileSync(join(spool, "owner"), (yield* owners)[options.owner ?? "alive"])
        options.before?.(spool)
        const call = shimArguments({
          spool,
          bootId: "boot",
          directory: options.directory ?? directory,
          input: "/dev/null",
          toolPath: "/usr/bin:/bin",
          runtime: ["env", "-i", "BACKBEAT_HOME=here", ...fakeBeat(directory), "worker", "a b"],
          agent: ["/bin/sh", "-c", options.agent, "agent", "one", "two  words"]
        })
        const shim = spawn(path ?? "", [...first, ...call], {
          cwd: "/",
          detached: true,
          env: { PATH: "/nowhere", BACKBEAT_TASK_ID: "task", BACKBEAT_DEPTH: "2" },
          stdio: "ignore"
        })
        const pid = shim.pid ?? 0
        yield* endLater(pid)
        return { directory, spool, pid, file: (name: string) => join(spool, name) }
      })

    it.scopedLive("tells who it is, runs the agent once and keeps its status", () =>
      Effect.gen(function* () {
        const { directory, file, pid } = yield* launch({
          agent: 'echo "$PATH"; printf "%s|" "$0" "$@"; pwd >&2; while [ ! -e go ]; do /bin/sleep 0.02; done; exit 3'
        })
        const identity = parseIdentity(yield* fileWith(file("shim")))
        const entry = yield* reader.entry(pid)
        assert.isTrue(entry !== null && entry !== "unknown")
        if (entry === null || entry === "unknown") return
        assert.deepStrictEqual(identity, { pid, startTime: entry.startTime, bootId: "boot" })
        assert.strictEqual(entry.group, pid)
        assert.strictEqual(entry.session, pid)
        fs.writeFileSync(join(directory, "go"), "")
        assert.strictEqual(yield* fileWith(file("exit")), "3\n")
        yield* gone(pid)
        assert.strictEqual(fs.readFileSync(file("stdout"), "utf8"), "/nowhere\nagent|one|two  words|")
        assert.strictEqual(fs.readFileSync(file("stderr"), "utf8"), `${fs.realpathSync(directory)}\n`)
        assert.isFalse(fs.existsSync(join(directory, "called")))
      })
    )

    for (const token of ["directory", "file"]) {
      it.scopedLive(`does nothing when the token is taken by a ${token}`, () =>
        Effect.gen(function* () {
          const { file, pid } = yield* launch({
            agent: "echo ran",
            before: (spool) =>
              token === "file" ? fs.writeFileSync(join(spool, "started"), "") : fs.mkdirSync(join(spool, "started"))
          })
          yield* gone(pid)
          for (const name of ["shim", "stdout", "exit"]) assert.isFalse(fs.existsSync(file(name)), name)
        })
      )
    }

    it.scopedLive("lives on when its group is signalled, and reports the agent's death", () =>
      Effect.gen(function* () {
        for (const [signal, status] of [
          ["SIGTERM", "143\n"],
          ["SIGINT", "130\n"],
          ["SIGHUP", "129\n"],
          ["SIGQUIT", "131\n"]
        ] as const) {
          const { directory, file, pid } = yield* launch({ agent: "echo >ready; exec /bin/sleep 60" })
          yield* fileWith(join(directory, "ready"))
          process.kill(-pid, signal)
          assert.strictEqual(yield* fileWith(file("exit")), status)
          yield* gone(pid)
        }
      })
    )

    for (const owner of ["gone", "reused"] as const) {
      it.scopedLive(`calls for a runtime when its owner is ${owner}, without the task's marks`, () =>
        Effect.gen(function* () {
          const { directory, file } = yield* launch({ agent: "exit 5", owner })
          const called = yield* fileWith(join(directory, "called"))
          assert.strictEqual(called, "worker\na b\nhome=here\ntask=\nruntime=\n")
          assert.strictEqual(yield* fileWith(file("exit")), "5\n")
        })
      )
    }

    it.scopedLive("goes by the owner that is written when the agent ends", () =>
      Effect.gen(function* () {
        const { directory, file, pid } = yield* launch({
          agent: "echo >ready; while [ ! -e go ]; do /bin/sleep 0.02; done",
          owner: "gone"
        })
        yield* fileWith(join(directory, "ready"))
        fs.writeFileSync(file("owner.new"), (yield* owners).alive)
        fs.renameSync(file("owner.new"), file("owner"))
        fs.writeFileSync(join(directory, "go"), "")
        yield* gone(pid)
        assert.isFalse(fs.existsSync(join(directory, "called")))
      })
    )

    it.scopedLive("says in the agent's stderr that the directory cannot be entered", () =>
      Effect.gen(function* () {
        const { file } = yield* launch({ agent: "echo ran", directory: "/nowhere/a b" })
        assert.strictEqual(yield* fileWith(file("exit")), "126\n")
        assert.strictEqual(
          fs.readFileSync(file("stderr"), "utf8"),
          "beat: the directory /nowhere/a b cannot be entered\n"
        )
        assert.strictEqual(fs.readFileSync(file("stdout"), "utf8"), "")
      })
    )

    it.scopedLive("keeps trying while the status cannot be written, and gives up when the spool is gone", () =>
      Effect.gen(function* () {
        const { directory, file, pid } = yield* launch({
          agent: "echo >ready; exit 6",
          before: (spool) => fs.symlinkSync("/dev/full", join(spool, "exit.new"))
        })
        yield* fileWith(join(directory, "ready"))
        yield* Effect.sleep(100)
        assert.isFalse(fs.existsSync(file("exit")))
        assert.isTrue(yield* lives(pid))
        fs.rmSync(file("exit.new"))
        assert.strictEqual(yield* fileWith(file("exit")), "6\n")

        const second = yield* launch({
          agent: "echo >ready; exit 6",
          before: (spool) => fs.symlinkSync("/dev/full", join(spool, "exit.new"))
        })
        yield* fileWith(join(second.directory, "ready"))
        // In one step: the shim may be writing into it right now.
        fs.renameSync(second.spool, join(second.directory, "gone"))
        yield* gone(second.pid)
      })
    )

    it.scopedLive("starts nothing when it cannot tell who it is", () =>
      Effect.gen(function* () {
        const { directory, file, pid } = yield* launch({
          agent: "echo >ran",
          before: (spool) => fs.symlinkSync("/dev/full", join(spool, "shim.new"))
        })
        yield* gone(pid)
        assert.isTrue(fs.statSync(file("started")).isDirectory())
        assert.isFalse(fs.existsSync(join(directory, "ran")))
      })
    )
  })
}
