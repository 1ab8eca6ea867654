/** Git as it is, in repositories of its own: what is told of them, and that nothing of it can hang or hurt. */
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as GitLayer from "../../../../src/layers/node/git/Git.ts"
import { headFromFiles } from "../../../../src/layers/node/git/GitFiles.ts"
import { Git } from "../../../../src/services/Git.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "beat-git-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const git = (directory: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"]
  }).trim()

const repository = Effect.tap(temporary, (directory) => Effect.sync(() => git(directory, "init", "-q", "-b", "main")))

const commit = (directory: string, file: string, text: string): string => {
  writeFileSync(join(directory, file), text)
  git(directory, "add", "-A")
  git(directory, "commit", "-q", "-m", "x")
  return git(directory, "rev-parse", "HEAD")
}

const test = (name: string, body: Effect.Effect<void, unknown, Git | import("effect/Scope").Scope>) =>
  it.scopedLive(name, () => Effect.provide(body, GitLayer.layer))

describe("Git", () => {
  test(
    "tells branch, commit, files that differ, and what changed since a commit",
    Effect.gen(function* () {
      const git_ = yield* Git
      const directory = yield* repository
      const first = commit(directory, "a.txt", "1\n2\n")
      assert.deepStrictEqual(yield* git_.head(directory), { branch: "main", commit: first })
      const second = commit(directory, "b ü.txt", "1\n")
      writeFileSync(join(directory, "a.txt"), "1\n")
      mkdirSync(join(directory, "new"))
      writeFileSync(join(directory, "new", "c.txt"), "")
      assert.deepStrictEqual(yield* git_.state(join(directory, "new")), {
        branch: "main",
        commit: second,
        dirty: [".M a.txt", "?? new/"],
        dirtyCount: 2
      })
      const stat = yield* git_.diffStat(directory, { branch: "main", commit: first })
      assert.match(stat ?? "", /a\.txt +\| 1 -\n b ü\.txt +\| 1 \+\n 2 files changed, 1 insertion\(\+\), 1 deletion/)
      git(directory, "checkout", "-q", "--detach")
      assert.deepStrictEqual(yield* git_.head(directory), { branch: null, commit: second })
      assert.isNull((yield* git_.state(directory))?.branch)
    })
  )

  test(
    "knows a repository before its first commit",
    Effect.gen(function* () {
      const git_ = yield* Git
      const directory = yield* repository
      const before = { branch: "main", commit: null }
      assert.deepStrictEqual(yield* git_.head(directory), before)
      assert.deepStrictEqual(yield* git_.state(directory), { ...before, dirty: [], dirtyCount: 0 })
      commit(directory, "a.txt", "1\n")
      assert.match((yield* git_.diffStat(directory, before)) ?? "", /a\.txt/)
    })
  )

  test(
    "tells the commit wherever git keeps it: packed, in a linked work tree, in another directory of the tree",
    Effect.gen(function* () {
      const git_ = yield* Git
      const directory = yield* repository
      const first = commit(directory, "a.txt", "1\n")
      git(directory, "checkout", "-q", "-b", "feature/x")
      const second = commit(directory, "a.txt", "2\n")
      git(directory, "pack-refs", "--all")
      assert.deepStrictEqual(yield* git_.head(directory), { branch: "feature/x", commit: second })
      const linked = join(yield* temporary, "linked")
      git(directory, "worktree", "add", "-q", linked, "main")
      mkdirSync(join(linked, "deep"))
      assert.deepStrictEqual(yield* git_.head(join(linked, "deep")), { branch: "main", commit: first })
      const third = commit(linked, "b.txt", "3\n")
      assert.deepStrictEqual(yield* git_.head(linked), { branch: "main", commit: third })
      assert.strictEqual((yield* git_.state(linked))?.commit, third)
      git(directory, "symbolic-ref", "HEAD", "refs/odd/place")
      git(directory, "update-ref", "refs/odd/place", first)
      assert.strictEqual((yield* git_.head(directory))?.commit, first)
    })
  )

  test(
    "says nothing of a directory without a repository, of one that is gone, and of a commit that is none",
    Effect.gen(function* () {
      const git_ = yield* Git
      const bare = yield* temporary
      for (const directory of [bare, join(bare, "gone")]) {
        assert.isNull(yield* git_.head(directory))
        assert.isNull(yield* git_.state(directory))
        assert.isNull(yield* git_.diffStat(directory, { branch: null, commit: "a".repeat(40) }))
      }
      const directory = yield* repository
      commit(directory, "a.txt", "1\n")
      assert.isNull(yield* git_.diffStat(directory, { branch: null, commit: "--output=/tmp/x" }))
      assert.isNull(yield* git_.diffStat(directory, { branch: null, commit: "a".repeat(40) }))
    })
  )

  test(
    "waits for no named pipe and reads no device in a repository's place",
    Effect.gen(function* () {
      const directory = yield* repository
      const head = join(directory, ".git", "HEAD")
      for (const trap of [() => execFileSync("mkfifo", [head]), () => symlinkSync("/dev/zero", head)]) {
        rmSync(head)
        trap()
        const found = yield* Effect.timeoutOption(
          Effect.promise(() => headFromFiles(directory)),
          2000
        )
        assert.deepStrictEqual(found, Option.some("unclear" as const))
      }
    })
  )

  test(
    "reports the whole repository where its settings say less",
    Effect.gen(function* () {
      const directory = yield* repository
      const first = commit(directory, "a.txt", "1\n")
      git(directory, "config", "diff.relative", "true")
      mkdirSync(join(directory, "deep"))
      writeFileSync(join(directory, "a.txt"), "2\n")
      const stat = yield* (yield* Git).diffStat(join(directory, "deep"), { branch: null, commit: first })
      assert.match(stat ?? "", /a\.txt/)
    })
  )

  test(
    "names a hundred files and counts them all",
    Effect.gen(function* () {
      const directory = yield* repository
      for (let index = 0; index < 130; index += 1) writeFileSync(join(directory, `${index}.txt`), "")
      const state = yield* (yield* Git).state(directory)
      assert.deepStrictEqual([state?.dirty.length, state?.dirtyCount], [100, 130])
    })
  )

  test(
    "runs no program that a repository names, and asks no repository that a variable names",
    Effect.gen(function* () {
      const directory = yield* repository
      const elsewhere = yield* repository
      const first = commit(directory, "a.txt", "1\n")
      const trap = join(directory, "trap.sh")
      writeFileSync(trap, `#!/bin/sh\ntouch ${join(directory, "sprung")}\n`, { mode: 0o755 })
      git(directory, "config", "core.fsmonitor", trap)
      git(directory, "config", "diff.external", trap)
      writeFileSync(join(directory, "a.txt"), "2\n")
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.env.GIT_DIR = join(elsewhere, ".git")
        }),
        () => Effect.sync(() => delete process.env.GIT_DIR)
      )
      const git_ = yield* Git
      assert.deepStrictEqual(yield* git_.head(directory), { branch: "main", commit: first })
      assert.match((yield* git_.diffStat(directory, { branch: null, commit: first })) ?? "", /a\.txt/)
      const state = yield* git_.state(directory)
      assert.deepStrictEqual(state?.dirty, [".M a.txt", "?? trap.sh"])
    })
  )
})
