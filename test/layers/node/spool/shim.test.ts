/** The shim by itself, under every shell that is here: what it promises to whoever comes later. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { reader } from "../../../../src/layers/node/process/ProcessReader.ts"
import { endOf, shimArguments } from "../../../../src/layers/node/spool/Shim.ts"
import { parseIdentity } from "../../../../src/layers/node/spool/Spool.ts"
import { shimEnvironment } from "../../../../src/layers/node/spool/shimEnvironment.ts"
import { outputFile } from "../../../support/processes.ts"
import { endLater, fakeBeat, fileWith, gone, home, lives, programPath, until } from "../support.ts"

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
      /** The agent's own words, in the place of a script for sh. */
      readonly words?: readonly [string, ...ReadonlyArray<string>]
      readonly owner?: "alive" | "reused" | "gone"
      readonly directory?: string
      readonly before?: (spool: string) => void
      readonly umask?: number
      /** The lines of an agent that takes them while it runs. */
      readonly lines?: string
      /** Of the agent; a shell of before the variables were set aside gets them as they are. */
      readonly environment?: Record<string, string>
      readonly bare?: boolean
    }) =>
      Effect.gen(function* () {
        const directory = yield* home
        const spool = join(directory, "spool")
        fs.mkdirSync(spool)
        fs.writeFileSync(join(spool, "owner"), (yield* owners)[options.owner ?? "alive"])
        if (options.lines !== undefined) {
          fs.writeFileSync(join(spool, "input"), options.lines)
          fs.writeFileSync(join(spool, "stdout"), "")
        }
        options.before?.(spool)
        const variables = { PATH: "/nowhere", ...options.environment }
        const given = shimEnvironment(variables)
        const call = shimArguments({
          spool,
          bootId: "boot",
          directory: options.directory ?? directory,
          input: options.lines === undefined ? "/dev/null" : null,
          pause: 1,
          toolPath: "/usr/bin:/bin",
          umask: options.umask,
          aside: options.bare === true ? 0 : given.aside,
          worker: ["env", "-i", "BACKBEAT_HOME=here", ...fakeBeat(directory), "worker", "a b"],
          agent: options.words ?? ["/bin/sh", "-c", options.agent, "agent", "one", "two  words"]
        })
        const shim = spawn(path ?? "", [...first, ...call], {
          cwd: "/",
          detached: true,
          env: {
            ...(options.bare === true ? variables : given.environment),
            BACKBEAT_TASK_ID: "task",
            BACKBEAT_DEPTH: "2"
          },
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

    const kept = (environment: Record<string, string>) =>
      Effect.gen(function* () {
        const { file } = yield* launch({ agent: "exit 3", environment })
        assert.strictEqual(yield* fileWith(file("exit")), "3\n")
        const agent = [programPath("env") ?? "", "-0"] as const
        const second = yield* launch({ agent: "", words: agent, environment })
        assert.strictEqual(yield* fileWith(second.file("exit")), "0\n")
        assert.strictEqual(fs.readFileSync(second.file("stderr"), "utf8"), "")
        const seen = Object.fromEntries(
          fs
            .readFileSync(second.file("stdout"), "utf8")
            .split("\0")
            .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)])
        )
        for (const [name, value] of Object.entries(environment)) assert.strictEqual(seen[name], value, name)
        assert.deepStrictEqual(
          Object.keys(seen).filter((name) => name.startsWith("backbeat_")),
          []
        )
      })

    for (const option of [
      "errexit",
      "noclobber",
      "noexec",
      "nounset",
      "xtrace",
      "noglob",
      "allexport",
      "verbose",
      "posix"
    ]) {
      it.scopedLive(`starts the agent and keeps its status where SHELLOPTS holds ${option}`, () =>
        kept({ SHELLOPTS: option })
      )
    }

    it.scopedLive("runs its own commands where the environment exports functions of their names", () =>
      kept(
        Object.fromEntries(
          "cd printf command read test [ mkdir mv exec trap set shift eval unset umask env"
            .split(" ")
            .flatMap((name) => [
              [`BASH_FUNC_${name}%%`, '() { echo "the function" >&2; return 9; }'],
              [`BASH_FUNC_${name}()`, '() { echo "the function" >&2; return 9; }']
            ])
        )
      )
    )

    it.scopedLive("hands on what a shell acts on, and acts on none of it", () =>
      kept({
        POSIXLY_CORRECT: "1",
        TMOUT: "1",
        BASH_ENV: "/nowhere/file",
        ENV: "/nowhere/env",
        BASHOPTS: "extglob",
        f: "() { :; }"
      })
    )

    // What shimEnvironment takes away is not needed for these: the text itself sees to them.
    for (const option of ["errexit", "noclobber", "nounset", "noglob", "allexport"]) {
      it.scopedLive(`does not depend on the environment being filtered: ${option}`, () =>
        Effect.gen(function* () {
          const { file } = yield* launch({ agent: "exit 3", environment: { SHELLOPTS: option }, bare: true })
          assert.strictEqual(yield* fileWith(file("exit")), "3\n")
        })
      )
    }

    it.scopedLive("gives the agent its umask, and none where none is known", () =>
      Effect.gen(function* () {
        const own = process.umask().toString(8).padStart(4, "0")
        for (const [umask, seen] of [
          [0o022, "0022"],
          [0o077, "0077"],
          [0, "0000"],
          [0o777, "0777"],
          [undefined, own]
        ] as const) {
          const { file } = yield* launch({ agent: "umask", ...(umask === undefined ? {} : { umask }) })
          assert.strictEqual(yield* fileWith(file("exit")), "0\n")
          assert.strictEqual(fs.readFileSync(file("stdout"), "utf8"), `${seen}\n`)
        }
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
      it.scopedLive(`calls for a worker when its owner is ${owner}, without the task's marks`, () =>
        Effect.gen(function* () {
          const { directory, file } = yield* launch({ agent: "exit 5", owner })
          const called = yield* fileWith(join(directory, "called"))
          assert.strictEqual(called, "worker\na b\nhome=here\ntask=\nworker=\n")
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

    /** Rings as a worker does; false where nobody hears it. */
    const ring = (spool: string): boolean => {
      try {
        const bell = fs.openSync(join(spool, "bell"), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK)
        fs.writeSync(bell, "\n")
        fs.closeSync(bell)
        return true
      } catch {
        return false
      }
    }
    const add = (spool: string, text: string) => {
      fs.appendFileSync(join(spool, "input"), text)
      return ring(spool)
    }
    const printed = (file: string, text: string) =>
      Effect.gen(function* () {
        while (fs.readFileSync(file, "utf8") !== text) yield* Effect.sleep(5)
      })

    it.scopedLive("hands lines to an agent while it runs, whole and unchanged, until the input is closed", () =>
      Effect.gen(function* () {
        const { file, pid, spool } = yield* launch({ agent: "/bin/cat; exit 7", lines: "say 1 one\n" })
        yield* printed(file("stdout"), "one\n")
        assert.isTrue(add(spool, 'say 2  two  \\n "$HOME" `x`\tto\n'))
        yield* printed(file("stdout"), 'one\n two  \\n "$HOME" `x`\tto\n')
        assert.isTrue(add(spool, "say 3 half a"))
        assert.isTrue(add(spool, " line\nsomething else\nsay 4 last\nclose\nsay 5 late\n"))
        assert.strictEqual(yield* fileWith(file("exit")), "7\n")
        assert.strictEqual(
          fs.readFileSync(file("stdout"), "utf8"),
          'one\n two  \\n "$HOME" `x`\tto\nhalf a line\nlast\n'
        )
        yield* gone(pid)
        assert.isFalse(ring(spool))
      })
    )

    it.scopedLive("hands over a long text from a separate file, between lines", () =>
      Effect.gen(function* () {
        const long = "0123456789".repeat(100_000)
        const { file } = yield* launch({
          agent: "/bin/cat",
          lines: "say 1 one\nfile 2\nsay 3 three\nclose\n",
          before: (spool) => fs.writeFileSync(join(spool, "say.2"), `${long}\n`)
        })
        assert.strictEqual(yield* fileWith(file("exit")), "0\n")
        assert.isTrue(fs.readFileSync(file("stdout"), "utf8") === `one\n${long}\nthree\n`)
      })
    )

    it.scopedLive("gives the agent nothing but its stdin, and ends when the agent does though its input is open", () =>
      Effect.gen(function* () {
        const words = ["/bin/sh", "-c", "read -r line; /bin/ls /proc/self/fd; echo $line; exit 4"] as const
        const { file, pid, spool } = yield* launch({ agent: "", words, lines: "say 1 one\n" })
        assert.strictEqual(yield* fileWith(file("exit")), "4\n")
        // 3 is the directory that ls reads. What this process itself has from its parent is above 9.
        const open = fs.readFileSync(file("stdout"), "utf8").split("\n")
        assert.deepStrictEqual(
          open.filter((name) => /^[0-9]$/.test(name)),
          ["0", "1", "2", "3"]
        )
        yield* gone(pid)
        assert.isFalse(ring(spool))
      }).pipe((test) => (process.platform === "linux" ? test : Effect.void))
    )

    it.scopedLive("ends the agent's input where the process that hands it over is killed", () =>
      Effect.gen(function* () {
        const { file, pid, spool } = yield* launch({ agent: "/bin/cat; exit 6", lines: "say 1 one\n" })
        yield* printed(file("stdout"), "one\n")
        const isPump = (entry: { readonly pid: number; readonly parent: number }) =>
          entry.parent === pid && outputFile(entry.pid) === join(spool, "stdin")
        const pump = yield* until(
          "the pump",
          Effect.map(reader.all, (entries) => entries.find(isPump))
        )
        process.kill(pump.pid, "SIGKILL")
        assert.strictEqual(yield* fileWith(file("exit")), "6\n")
        assert.isFalse(ring(spool))
      }).pipe((test) => (process.platform === "linux" ? test : Effect.void))
    )

    it.scopedLive("calls for a worker while an agent waits for lines and the owner is gone, once for each owner", () =>
      Effect.gen(function* () {
        const { directory, file, spool } = yield* launch({ agent: "/bin/cat; exit 5", lines: "", owner: "gone" })
        const called = join(directory, "called")
        assert.strictEqual(yield* fileWith(called), "worker\na b\nhome=here\ntask=\nworker=\n")
        fs.rmSync(called)
        yield* Effect.sleep(2200)
        assert.isFalse(fs.existsSync(called))
        fs.writeFileSync(file("owner.new"), (yield* owners).alive)
        fs.renameSync(file("owner.new"), file("owner"))
        add(spool, "close\n")
        assert.strictEqual(yield* fileWith(file("exit")), "5\n")
      })
    )

    it.scopedLive("ends the agent's input where the shim itself was killed", () =>
      Effect.gen(function* () {
        const { directory, file, pid } = yield* launch({ agent: "/bin/cat; echo >ended", lines: "say 1 one\n" })
        yield* printed(file("stdout"), "one\n")
        process.kill(pid, "SIGKILL")
        yield* fileWith(join(directory, "ended"))
      })
    )

    it.scopedLive("lives on when its group is signalled, and an agent that ignores it gets the end of its input", () =>
      Effect.gen(function* () {
        const { directory, file, pid } = yield* launch({
          agent: "trap : TERM; echo >ready; while read -r line; do :; done; /bin/cat; exit 9",
          lines: ""
        })
        yield* fileWith(join(directory, "ready"))
        // A shell that has just been forked, to hand on the lines, loses a signal that comes before it has reset its traps.
        const signal = Effect.ignore(Effect.try(() => process.kill(-pid, "SIGTERM")))
        yield* Effect.forkScoped(Effect.repeat(signal, Schedule.spaced("1 second")))
        assert.strictEqual(yield* fileWith(file("exit")), "9\n")
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
