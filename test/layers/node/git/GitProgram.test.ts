/** The runner of git commands over real git: what it hides from git, its bounds, and what its errors say. */
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { git, gitText, said } from "../../../../src/layers/node/git/GitProgram.ts"
import { until } from "../support.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "beat-git-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const repository = Effect.tap(temporary, (directory) =>
  Effect.sync(() => {
    execFileSync("git", ["init", "-q", "-b", "main"], { cwd: directory })
    execFileSync("git", ["config", "user.name", "t"], { cwd: directory })
    execFileSync("git", ["config", "user.email", "t@example.com"], { cwd: directory })
  })
)

/** A variable of this process for the length of an effect. */
const withVariable = (name: string, value: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env[name]
      process.env[name] = value
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env[name]
        else process.env[name] = before
      })
  )

/** Puts a program called git in front of the real one. */
const fakeGit = (script: string) =>
  Effect.flatMap(temporary, (directory) => {
    writeFileSync(join(directory, "git"), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, "git"), 0o755)
    return Effect.as(withVariable("PATH", `${directory}:${process.env.PATH}`), directory)
  })

describe("git", () => {
  it.scopedLive("passes bytes to stdin and gives bytes back", () =>
    Effect.gen(function* () {
      const directory = yield* repository
      const bytes = Uint8Array.from([0, 255, 10, 13, 128])
      const blob = yield* gitText({ directory, args: ["hash-object", "-w", "--stdin"], stdin: bytes })
      const { stdout } = yield* git({ directory, args: ["cat-file", "blob", blob] })
      assert.deepStrictEqual(Uint8Array.from(stdout), bytes)
    })
  )

  it.scopedLive("lets the directory alone name the repository, and runs no hook", () =>
    Effect.gen(function* () {
      const [directory, other] = [yield* repository, yield* repository]
      yield* withVariable("GIT_DIR", join(other, ".git"))
      const hook = join(directory, ".git", "hooks", "pre-commit")
      writeFileSync(hook, "#!/bin/sh\ntouch hooked\nexit 1\n")
      chmodSync(hook, 0o755)
      yield* git({ directory, args: ["commit", "-q", "--allow-empty", "-m", "x"] })
      assert.lengthOf(yield* gitText({ directory, args: ["rev-parse", "HEAD"] }), 40)
      assert.isFalse(existsSync(join(directory, "hooked")))
    })
  )

  it.scopedLive("leaves the user's settings as they are for a call that says so", () =>
    Effect.gen(function* () {
      const directory = yield* repository
      yield* gitText({ directory, args: ["config", "core.quotePath", "true"] })
      const args = ["config", "core.quotePath"]
      assert.strictEqual(yield* gitText({ directory, args }), "false")
      assert.strictEqual(yield* gitText({ directory, args, variables: { GIT_CONFIG_COUNT: "0" } }), "true")
    })
  )

  it.scopedLive("leaves the index alone where a private one is given", () =>
    Effect.gen(function* () {
      const directory = yield* repository
      writeFileSync(join(directory, "a"), "1")
      yield* git({ directory, args: ["add", "-A"] })
      const before = readFileSync(join(directory, ".git", "index"))
      writeFileSync(join(directory, "b"), "2")
      const index = join(directory, ".git", "private-index")
      yield* git({ directory, args: ["add", "-A"], variables: { GIT_INDEX_FILE: index } })
      assert.strictEqual(
        yield* gitText({ directory, args: ["ls-files"], variables: { GIT_INDEX_FILE: index } }),
        "a\nb"
      )
      assert.deepStrictEqual(readFileSync(join(directory, ".git", "index")), before)
    })
  )

  it.scopedLive("fails with the line in which git says why, and takes other exit codes as answers on request", () =>
    Effect.gen(function* () {
      const directory = yield* repository
      const failed = yield* Effect.flip(git({ directory, args: ["rev-parse", "--verify", "nothing"] }))
      assert.deepStrictEqual([failed.reason, failed.code, failed.detail], ["exit", 128, "Needed a single revision"])
      const args = ["config", "--get", "no.such"]
      assert.strictEqual((yield* git({ directory, args, accepts: [0, 1] })).code, 1)
      assert.strictEqual((yield* Effect.flip(git({ directory, args }))).code, 1)
    })
  )

  it.scopedLive("says that there is no git", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      yield* withVariable("PATH", directory)
      assert.strictEqual((yield* Effect.flip(git({ directory, args: ["version"] }))).reason, "missing")
    })
  )

  it.scopedLive("lets a command that takes too long remove its locks", () =>
    Effect.gen(function* () {
      const fake = yield* fakeGit(
        `cd "$(dirname "$0")"; trap 'rm index.lock; kill $!; exit 143' TERM; touch index.lock; sleep 60 & wait`
      )
      const failed = yield* Effect.flip(git({ directory: fake, args: ["merge"], patienceMs: 2000 }))
      assert.deepStrictEqual([failed.reason, failed.detail], ["slow", "git merge did not end within 2 s"])
      assert.isFalse(existsSync(join(fake, "index.lock")))
    })
  )

  it.scopedLive("ends a command that takes too long and ignores SIGTERM", () =>
    Effect.gen(function* () {
      const fake = yield* fakeGit(`trap '' TERM; echo $$ > "$(dirname "$0")/pid"; exec sleep 60`)
      const failed = yield* Effect.flip(git({ directory: fake, args: ["gc"], patienceMs: 2000 }))
      assert.strictEqual(failed.reason, "slow")
      const pid = readFileSync(join(fake, "pid"), "utf8").trim()
      yield* until(
        "the end of git",
        Effect.sync(() => !existsSync(`/proc/${pid}`))
      )
    })
  )

  it.scopedLive("ends a command that prints without end", () =>
    Effect.gen(function* () {
      const fake = yield* fakeGit("exec yes")
      const failed = yield* Effect.flip(git({ directory: fake, args: ["log"] }))
      assert.deepStrictEqual([failed.reason, failed.detail], ["long", "the answer of git is longer than 64 MB"])
    })
  )

  it.scopedLive("ends the command when it is interrupted, and waits for its end", () =>
    Effect.gen(function* () {
      const fake = yield* fakeGit(`echo $$ > "$(dirname "$0")/pid"; exec sleep 60`)
      const fiber = yield* Effect.fork(git({ directory: fake, args: ["fetch"] }))
      const file = join(fake, "pid")
      yield* until(
        "the start of git",
        Effect.sync(() => existsSync(file) && readFileSync(file, "utf8").endsWith("\n"))
      )
      yield* Fiber.interrupt(fiber)
      assert.isFalse(existsSync(`/proc/${readFileSync(file, "utf8").trim()}`))
    })
  )
})

describe("what git said", () => {
  it("is one line, with the files that it announces", () => {
    const list = (count: number) => Array.from({ length: count }, (_, at) => `\tf${at}\n`).join("")
    const dirty = "Your local changes to the following files would be overwritten by merge:"
    for (const [stderr, line] of [
      ["", "git said nothing"],
      ["warning: x\nfatal: bad object\n", "bad object"],
      ["Auto-merging a\nCONFLICT\n", "Auto-merging a"],
      [
        `error: ${dirty}\n\ta.txt\n\tdir/b c.txt\nPlease commit your changes\nAborting\n`,
        `${dirty} a.txt, dir/b c.txt`
      ],
      [
        "error: the following files have changes staged:\n    a.txt\n(use -f)\n",
        "the following files have changes staged: a.txt"
      ],
      [`error: ${dirty}\n${list(14)}Aborting\n`, `${dirty} f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, and 4 more`],
      ["fatal: cannot do it:\nthe reason\nmore\n", "cannot do it: the reason"],
      ["fatal: cannot do it:\n", "cannot do it:"]
    ] as const)
      assert.strictEqual(said(stderr), line)
    assert.isAtMost(said(`error: x:\n\t${"y".repeat(9000)}\n`).length, 500)
  })

  it.scopedLive("names the files in the way of a merge", () =>
    Effect.gen(function* () {
      const directory = yield* repository
      const run = (...args: ReadonlyArray<string>) => execFileSync("git", args, { cwd: directory })
      const commit = (text: string) => {
        writeFileSync(join(directory, "a.txt"), text)
        run("add", ".")
        run("commit", "-qm", text)
      }
      commit("one")
      run("checkout", "-qb", "other")
      commit("two")
      run("checkout", "-q", "main")
      writeFileSync(join(directory, "a.txt"), "mine")
      const failed = yield* Effect.flip(git({ directory, args: ["merge", "--ff-only", "other"] }))
      assert.match(failed.detail, /overwritten by merge: a\.txt$/)
    })
  )
})
