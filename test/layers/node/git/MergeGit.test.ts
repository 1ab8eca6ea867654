/** A step of a branch that git refuses, or that is taken back, and what of the user's is in its way. */
import { execFileSync } from "node:child_process"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { CommitId } from "../../../../src/domain/workspace/Workspace.ts"
import * as MergeGitLayer from "../../../../src/layers/node/git/MergeGit.ts"
import { MergeGit } from "../../../../src/services/MergeGit.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import { gitIn, makeRepository, userState, writeIn } from "../../../support/repository.ts"
import { pathsIn } from "../support.ts"

const recorded = "refs/backbeat/merge/test.before"

describe("a step of a branch", () => {
  let directory = ""
  let tree = ""
  let outside = ""

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "beat-test-"))
    tree = join(directory, "shop")
    outside = join(directory, "notes")
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const use = <A, E>(what: (git: MergeGit["Type"]) => Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(
      Effect.flatMap(MergeGit, what).pipe(
        Effect.provide(Layer.provide(MergeGitLayer.layer, Layer.succeed(Paths, pathsIn(directory))))
      )
    )

  const head = () => CommitId.make(gitIn(tree, "rev-parse", "HEAD"))

  /** A commit on top, made in a copy of the repository, as an agent makes it. */
  const commitOf = (work: (copy: string) => void): CommitId => {
    const copy = join(directory, "agent")
    rmSync(copy, { recursive: true, force: true })
    gitIn(directory, "clone", "--quiet", tree, copy)
    work(copy)
    gitIn(copy, "add", "--all", "--force")
    gitIn(copy, "commit", "--quiet", "-m", "work")
    gitIn(tree, "fetch", "--quiet", copy, "HEAD:refs/backbeat/task/test")
    return CommitId.make(gitIn(tree, "rev-parse", "refs/backbeat/task/test"))
  }

  /** Every name below a directory, with the text of a file and the target of a link. */
  const everything = (at: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      readdirSync(at, { withFileTypes: true }).flatMap((entry): ReadonlyArray<[string, string]> => {
        const path = join(at, entry.name)
        if (entry.name === ".git" && entry.isDirectory() && at === tree) return []
        if (entry.isDirectory()) return [[`${path}/`, ""], ...Object.entries(everything(path))]
        return [[path, entry.isFile() ? readFileSync(path, "utf8") : entry.isSymbolicLink() ? "link" : "pipe"]]
      })
    )
  const state = () => ({ ...userState(tree), index: "", files: everything(tree), outside: everything(outside) })

  const apply = async (from: CommitId, to: CommitId) => {
    await use((git) => git.record(tree, recorded, "test"))
    return await use((git) => git.apply(tree, "main", from, to, recorded))
  }

  /** What an agent writes, and what of it is in the user's directory: all of it, a beginning, nothing of it, and another file. */
  const theirs = { "empty.md": "agent\n", "same.md": "same\n", "prefix.md": "beginning\n", "sub/deep.md": "deep\n" }
  const mine = { "empty.md": "", "same.md": "same\n", "prefix.md": "beg", "keep.md": "keep\n", "sub/deep.md": "deep\n" }
  const below = (name: string, files: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(files).map(([file, text]) => [`${name}/${file}`, text]))

  /** Ways in which the same files are in the place of those of the agent. */
  const ways: Readonly<Record<string, () => void>> = {
    "behind a link in the place of a directory": () => symlinkSync(outside, join(tree, "notes")),
    "behind a link to a link": () => {
      symlinkSync(outside, join(directory, "second"))
      symlinkSync("../second", join(tree, "notes"))
    },
    "untracked in the same directory": () => writeIn(tree, below("notes", mine)),
    "ignored in the same directory": () => {
      writeIn(tree, { ".git/info/exclude": "notes\n", ...below("notes", mine) })
    },
    "in another repository of the user's": () => {
      makeRepository(join(tree, "notes"), mine)
    },
    "a file in the place of the directory": () => writeIn(tree, { notes: "" })
  }

  for (const [way, put] of Object.entries(ways)) {
    it(`that is refused changes nothing: the user's files are ${way}`, async () => {
      makeRepository(tree, { "a.txt": "one\n", "b.txt": "two\n" })
      writeIn(outside, mine)
      const to = commitOf((copy) => writeIn(copy, { "a.txt": "agent\n", ...below("notes", theirs) }))
      put()
      writeIn(tree, { "b.txt": "dirty\n" })
      const before = state()
      assert.isNotEmpty(await use((git) => git.inTheWay(tree, head(), to)))
      // Also where they have come between that question and the step.
      assert.isNotNull(await apply(head(), to))
      assert.deepStrictEqual(state(), before)
    })
  }

  it("is not in the way of itself: what it replaces, renames or finds staged", async () => {
    makeRepository(tree, { file: "one\n", "dir/a": "two\n", "Case.txt": "three\n" })
    symlinkSync("dir", join(tree, "link"))
    gitIn(tree, "add", "link")
    gitIn(tree, "commit", "--quiet", "-m", "link")
    const from = head()
    const to = commitOf((copy) => {
      for (const name of ["file", "dir", "link"]) rmSync(join(copy, name), { recursive: true })
      renameSync(join(copy, "Case.txt"), join(copy, "case.txt"))
      writeIn(copy, { "file/below": "a\n", dir: "b\n", "link/a": "c\n", staged: "d\n" })
    })
    writeIn(tree, { staged: "d\n", "mine.txt": "mine\n" })
    gitIn(tree, "add", "staged")
    const before = everything(tree)
    assert.deepStrictEqual(await use((git) => git.inTheWay(tree, from, to)), [])
    assert.isNull(await apply(from, to))
    assert.strictEqual(readFileSync(join(tree, "link/a"), "utf8"), "c\n")
    assert.strictEqual(gitIn(tree, "status", "--porcelain"), "?? mine.txt")
    const undone = await use((git) => git.takeBack(tree, "main", to, from, false))
    assert.isNull(undone)
    const { [join(tree, "staged")]: _, ...rest } = before
    assert.deepStrictEqual(everything(tree), rest)
    assert.isTrue(lstatSync(join(tree, "link")).isSymbolicLink())
  })

  it("ends at a path that leaves the work tree, and what is there stays", async () => {
    makeRepository(tree)
    writeIn(outside, { "same.md": "same\n", "empty.md": "" })
    writeIn(tree, { ".git/beginning": "beg" })
    const from = head()
    const blob = (text: string) =>
      execFileSync("git", ["-C", tree, "hash-object", "-w", "--stdin"], { input: text, encoding: "utf8" }).trim()
    const makeTree = (entries: ReadonlyArray<readonly [string, string, string]>) =>
      execFileSync("git", ["-C", tree, "mktree"], {
        input: entries
          .map(([mode, oid, name]) => `${mode} ${mode === "040000" ? "tree" : "blob"} ${oid}\t${name}\n`)
          .join(""),
        encoding: "utf8"
      }).trim()
    const notes = makeTree([
      ["100644", blob("same\n"), "same.md"],
      ["100644", blob("agent\n"), "empty.md"]
    ])
    const up = makeTree([["040000", notes, "notes"]])
    const git = makeTree([["100644", blob("beginning\n"), "beginning"]])
    const root = makeTree([
      ["040000", up, ".."],
      ["040000", git, ".git"],
      ["100644", blob("agent\n"), "a.txt"]
    ])
    const to = CommitId.make(gitIn(tree, "commit-tree", root, "-p", from, "-m", "work"))
    const before = state()
    assert.isNotNull(await apply(from, to))
    assert.isNotNull(await use((git) => git.finish(tree, "main", from, to)))
    assert.deepStrictEqual(state(), before)
    assert.strictEqual(readFileSync(join(tree, ".git/beginning"), "utf8"), "beg")
  })

  /** What the user puts in the place of the file `a` of a directory, or of the directory. */
  const replacements: Readonly<Record<string, (dir: string, away: string) => void>> = {
    "a link in the place of its directory": (dir, away) => {
      rmSync(dir, { recursive: true })
      symlinkSync(away, dir)
    },
    "its own directory elsewhere, and a link to it": (dir, away) => {
      rmSync(away, { recursive: true })
      renameSync(dir, away)
      symlinkSync(away, dir)
    },
    "a file in the place of its directory": (dir) => {
      rmSync(dir, { recursive: true })
      writeFileSync(dir, "")
    },
    "a directory in its place": (dir) => {
      rmSync(join(dir, "a"))
      writeIn(dir, { "a/mine": "mine\n" })
    },
    "a link in its place": (dir, away) => {
      rmSync(join(dir, "a"))
      symlinkSync(join(away, "a"), join(dir, "a"))
    },
    "a pipe in its place": (dir) => {
      rmSync(join(dir, "a"))
      execFileSync("mkfifo", [join(dir, "a")])
    }
  }

  for (const [what, replace] of Object.entries(replacements)) {
    it(`is not taken back, and not finished after a kill, over ${what}`, async () => {
      makeRepository(tree, { b: "two\n", "changed/a": "one\n", "deleted/a": "one\n" })
      const from = head()
      const to = commitOf((copy) => {
        rmSync(join(copy, "deleted/a"))
        writeIn(copy, { b: "agent\n", "added/a": "agent\n", "changed/a": "agent\n" })
      })
      /** Each of the three directories with this text in its file, and then with what the user puts there. */
      const prepare = (texts: Readonly<Record<string, string>>) => {
        for (const [name, text] of Object.entries(texts)) {
          const [dir, away] = [join(tree, name), join(outside, name)]
          for (const old of [dir, away]) rmSync(old, { recursive: true, force: true })
          writeIn(dir, { a: text })
          writeIn(away, { a: text })
          replace(dir, away)
        }
      }
      const shown = () => ({
        files: everything(tree),
        outside: everything(outside),
        head: head(),
        staged: gitIn(tree, "diff", "--cached", "--name-only")
      })
      // The git that was killed had not begun.
      prepare({ added: "agent\n", changed: "one\n", deleted: "one\n" })
      const before = shown()
      assert.isNotNull(await use((git) => git.finish(tree, "main", from, to)))
      assert.deepStrictEqual(shown(), before)
      for (const name of ["added", "changed", "deleted"]) rmSync(join(tree, name), { recursive: true, force: true })
      gitIn(tree, "reset", "--quiet", "--hard", to)
      prepare({ added: "agent\n", changed: "agent\n", deleted: "one\n" })
      const merged = shown()
      for (const again of [false, true]) {
        assert.isNotNull(await use((git) => git.takeBack(tree, "main", to, from, again)), `again: ${again}`)
        assert.deepStrictEqual(shown(), merged, `again: ${again}`)
      }
    })
  }

  /** What the user does between the first look at the branch and the step. */
  const strays: Readonly<Record<string, () => void>> = {
    "another branch is checked out": () => gitIn(tree, "switch", "--quiet", "other"),
    "a new branch is checked out": () => gitIn(tree, "switch", "--quiet", "--force-create", "feature"),
    "no branch is checked out": () => gitIn(tree, "switch", "--quiet", "--detach"),
    "it is at an older commit": () => gitIn(tree, "reset", "--quiet", "--hard", "HEAD~1")
  }

  for (const [what, stray] of Object.entries(strays)) {
    it(`changes nothing once ${what}, and neither does the end of one that was killed, or an undo`, async () => {
      makeRepository(tree, { "a.txt": "one\n", "b.txt": "two\n" })
      gitIn(tree, "commit", "--quiet", "--allow-empty", "-m", "second")
      gitIn(tree, "branch", "--force", "other")
      writeIn(outside, {})
      mkdirSync(outside)
      const from = head()
      const to = commitOf((copy) => writeIn(copy, { "a.txt": "agent\n", new: "n\n" }))
      await use((git) => git.record(tree, recorded, "test"))
      stray()
      const before = state()
      const reason = /the branch was switched during the merge: main|the branch main was moved by another command/
      assert.match((await use((git) => git.apply(tree, "main", from, to, recorded))) ?? "", reason)
      assert.match((await use((git) => git.finish(tree, "main", from, to))) ?? "", reason)
      assert.deepStrictEqual(state(), before)
      gitIn(tree, "checkout", "--quiet", "--force", "-B", "main", to)
      gitIn(tree, "branch", "--force", "other")
      stray()
      const merged = state()
      assert.match((await use((git) => git.takeBack(tree, "main", to, from, false))) ?? "", reason)
      assert.deepStrictEqual(state(), merged)
    })
  }

  it("that cannot be taken back leaves a file that the user made again as it was", async () => {
    makeRepository(tree, { "a.txt": "one\n", "b.txt": "two\n" })
    const from = head()
    const to = commitOf((copy) => {
      rmSync(join(copy, "b.txt"))
      writeIn(copy, { "a.txt": "agent\n" })
    })
    assert.isNull(await apply(from, to))
    writeIn(tree, { "b.txt": "two\n" })
    writeIn(outside, {})
    mkdirSync(outside)
    const before = state()
    writeIn(tree, { ".git/HEAD.lock": "" })
    assert.isNotNull(await use((git) => git.takeBack(tree, "main", to, from, false)))
    rmSync(join(tree, ".git/HEAD.lock"))
    assert.deepStrictEqual(state(), before)
    assert.isTrue(existsSync(join(tree, "b.txt")))
  })

  it("knows an edit of a file whose name has a line break", async () => {
    makeRepository(tree, { "a\nb": "one\n" })
    const from = head()
    const to = commitOf((copy) => writeIn(copy, { "a\nb": "agent\n" }))
    assert.isNull(await apply(from, to))
    writeIn(tree, { "a\nb": "mine\n" })
    assert.include((await use((git) => git.takeBack(tree, "main", to, from, false))) ?? "", "a\nb")
    assert.strictEqual(readFileSync(join(tree, "a\nb"), "utf8"), "mine\n")
    writeIn(tree, { "a\nb": "agent\n" })
    assert.isNull(await use((git) => git.takeBack(tree, "main", to, from, false)))
    assert.strictEqual(readFileSync(join(tree, "a\nb"), "utf8"), "one\n")
  })

  it("has a patch of at most 64 MB, and says how to see a larger one", async () => {
    makeRepository(tree)
    const before = head()
    const after = commitOf((copy) => writeIn(copy, { "large.txt": "a line of a large file\n".repeat(3_000_000) }))
    const detail = await use((git) => Effect.flip(git.diff(tree, before, after, { form: "patch", columns: null })))
    assert.match(detail.detail, /longer than 64 MB. See its size with --stat, and its files with --name-only$/)
    const names = await use((git) => git.diff(tree, before, after, { form: "names", columns: null }))
    assert.strictEqual(names, "large.txt")
  })
})
