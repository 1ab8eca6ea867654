/** Seals and starts read and write the files as they are, whatever the agent has told its git, and run no program of the agent. */
import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { branchOf } from "../../../../src/domain/workspace/Workspace.ts"
import { gitIn, makeRepository, writeIn } from "../../../support/repository.ts"
import { makeWorkspace } from "./support.ts"

const root = realpathSync(mkdtempSync(join(tmpdir(), "beat-test-")))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let made = 0

const world = async (files: Readonly<Record<string, string>>, format: "sha1" | "sha256" = "sha1") => {
  const place = join(root, String(++made))
  const shop = join(place, "shop")
  makeRepository(shop, files, format)
  return { shop, make: () => makeWorkspace(shop, join(place, "state")) }
}

/** Leaves a merge that has a conflict in this file. */
const leaveConflict = (path: string, file: string) => {
  gitIn(path, "checkout", "--quiet", "-b", "theirs")
  writeIn(path, { [file]: "theirs\n" })
  gitIn(path, "commit", "--quiet", "--all", "--message", "theirs")
  gitIn(path, "checkout", "--quiet", "-")
  writeIn(path, { [file]: "ours\n" })
  gitIn(path, "commit", "--quiet", "--all", "--message", "ours")
  spawnSync("git", ["-C", path, "merge", "theirs"])
}

describe("a seal holds a change", () => {
  const changes: ReadonlyArray<readonly [string, (path: string) => void]> = [
    ["of a file that is assumed to be unchanged", (path) => gitIn(path, "update-index", "--assume-unchanged", "a.txt")],
    ["of a file that the work tree skips", (path) => gitIn(path, "update-index", "--skip-worktree", "a.txt")],
    [
      "of a file with both marks",
      (path) => {
        gitIn(path, "update-index", "--assume-unchanged", "a.txt")
        gitIn(path, "update-index", "--skip-worktree", "a.txt")
      }
    ],
    ["where git is to trust no times", (path) => gitIn(path, "config", "core.checkStat", "minimal")],
    [
      "where git marks all that it writes as unchanged",
      (path) => {
        gitIn(path, "config", "core.ignoreStat", "true")
        gitIn(path, "checkout", "--force", "HEAD", "--", "a.txt")
        gitIn(path, "reset", "--quiet", "--hard")
      }
    ],
    [
      "of a file with a filter of the agent",
      (path) => {
        gitIn(path, "config", "filter.same.clean", "git show HEAD:a.txt")
        gitIn(path, "config", "filter.same.required", "true")
        writeFileSync(join(path, ".git", "info", "attributes"), "a.txt filter=same\n")
      }
    ],
    [
      "of a file that a filter of the agent hid for a moment",
      (path) => {
        writeIn(path, { "a.txt": "changed\n" })
        gitIn(path, "config", "filter.same.clean", "git show HEAD:a.txt")
        writeFileSync(join(path, ".git", "info", "attributes"), "a.txt filter=same\n")
        // The index is newer than the file, so git trusts the times in it.
        utimesSync(join(path, "a.txt"), 1, 1)
        gitIn(path, "add", "a.txt")
        gitIn(path, "config", "--unset", "filter.same.clean")
        rmSync(join(path, ".git", "info", "attributes"))
      }
    ],
    [
      "where a replacement of the commit has it already",
      (path) => {
        writeIn(path, { "a.txt": "changed\n", "dir/new.txt": "new\n" })
        gitIn(path, "add", ".")
        const other = gitIn(path, "commit-tree", gitIn(path, "write-tree"), "-m", "other")
        gitIn(path, "replace", gitIn(path, "rev-parse", "HEAD"), other)
      }
    ],
    ["with an index that cannot be read", (path) => writeFileSync(join(path, ".git", "index"), "junk")],
    ["in a merge that has conflicts", (path) => leaveConflict(path, "a.txt")],
    [
      "of a new file that the agent excludes",
      (path) => writeFileSync(join(path, ".git", "info", "exclude"), "new.txt\n")
    ],
    [
      "on a branch that has no commit yet",
      (path) => {
        gitIn(path, "checkout", "--quiet", "--orphan", "fresh")
        gitIn(path, "reset", "--quiet")
      }
    ],
    ["without the rules that were kept", (path) => rmSync(join(path, ".git", "backbeat-git"), { recursive: true })],
    [
      "in a sparse checkout of the agent",
      (path) => {
        gitIn(path, "sparse-checkout", "set", "--no-cone", "/b.txt")
        writeIn(path, { "a.txt": "one\n" })
      }
    ]
  ]
  for (const [name, hide] of changes) {
    it(name, async () => {
      const { make, shop } = await world({ "a.txt": "one\n", "b.txt": "two\n" })
      const { seal, workspace } = await make()
      hide(workspace.path)
      writeIn(workspace.path, { "a.txt": "changed\n", "dir/new.txt": "new\n" })
      const sealed = await seal()
      assert(sealed._tag === "Right")
      const { commit } = sealed.right
      assert.strictEqual(gitIn(shop, "show", `${commit}:a.txt`), "changed")
      assert.strictEqual(gitIn(shop, "show", `${commit}:b.txt`), "two")
      assert.strictEqual(gitIn(shop, "show", `${commit}:dir/new.txt`), "new")
    })
  }

  it("that is the removal of a skipped file, and not of one that a sparse checkout leaves out", async () => {
    const { make, shop } = await world({ "a.txt": "one\n", "b.txt": "two\n" })
    const { seal, workspace } = await make()
    gitIn(workspace.path, "update-index", "--skip-worktree", "a.txt")
    rmSync(join(workspace.path, "a.txt"))
    const sealed = await seal()
    assert(sealed._tag === "Right")
    assert.strictEqual(gitIn(shop, "ls-tree", "--name-only", sealed.right.commit), "b.txt")

    const sparse = await world({ "a.txt": "one\n", "b.txt": "two\n" })
    const second = await sparse.make()
    gitIn(second.workspace.path, "sparse-checkout", "set", "--no-cone", "/b.txt")
    assert.isFalse(existsSync(join(second.workspace.path, "a.txt")))
    const again = await second.seal()
    assert(again._tag === "Right")
    assert.strictEqual(gitIn(sparse.shop, "ls-tree", "--name-only", again.right.commit), "a.txt\nb.txt")
  })
})

describe("a seal of a repository with a sparse checkout", () => {
  const sparse = async () => {
    const made = await world({ "in/a": "one\n", "out/b": "two\n", "out/c": "three\n" })
    gitIn(made.shop, "sparse-checkout", "set", "in")
    return made
  }

  it("keeps what is left out, and holds what the agent writes there", async () => {
    const { make, shop } = await sparse()
    const { seal, workspace } = await make()
    assert.isFalse(existsSync(join(workspace.path, "out")))
    writeIn(workspace.path, { "in/a": "changed\n", "out/b": "changed too\n", "out/new": "new\n" })
    const sealed = await seal()
    assert(sealed._tag === "Right")
    assert.isNull(sealed.right.problem)
    const { commit } = sealed.right
    assert.strictEqual(gitIn(shop, "ls-tree", "-r", "--name-only", commit), "in/a\nout/b\nout/c\nout/new")
    assert.strictEqual(gitIn(shop, "show", `${commit}:in/a`), "changed")
    assert.strictEqual(gitIn(shop, "show", `${commit}:out/b`), "changed too")
  })

  const states: ReadonlyArray<readonly [string, (path: string) => void]> = [
    ["in a merge that has conflicts", (path) => leaveConflict(path, "in/a")],
    ["without an index", (path) => rmSync(join(path, ".git", "index"))],
    ["with an index that cannot be read", (path) => writeFileSync(join(path, ".git", "index"), "junk")],
    ["with an index without marks", (path) => gitIn(path, "read-tree", "HEAD")]
  ]
  for (const [name, change] of states) {
    it(`removes nothing ${name}`, async () => {
      const { make, shop } = await sparse()
      const { seal, workspace } = await make()
      change(workspace.path)
      writeIn(workspace.path, { "in/a": "changed\n", "in/new": "new\n" })
      const sealed = await seal()
      assert(sealed._tag === "Right")
      const names = gitIn(shop, "ls-tree", "-r", "--name-only", sealed.right.commit)
      assert.strictEqual(names, "in/a\nin/new\nout/b\nout/c")
    })
  }
})

describe("a file that git ignores", () => {
  it("is sealed where the agent has added it all the same", async () => {
    const { make, shop } = await world({ "a.txt": "one\n", ".gitignore": "*.log\n" })
    const { seal, workspace } = await make()
    writeIn(workspace.path, { "added.log": "added\n", "other.log": "other\n" })
    gitIn(workspace.path, "add", "--force", "added.log")
    const sealed = await seal()
    assert(sealed._tag === "Right")
    assert.strictEqual(gitIn(shop, "ls-tree", "--name-only", sealed.right.commit), ".gitignore\na.txt\nadded.log")
  })
})

describe("a workspace that starts at a commit", () => {
  for (const mark of ["--assume-unchanged", "--skip-worktree"]) {
    it(`has its files, also one with the mark ${mark}`, async () => {
      const { make } = await world({ "a.txt": "one\n" })
      const { run, workspace } = await make()
      gitIn(workspace.path, "update-index", mark, "a.txt")
      writeIn(workspace.path, { "a.txt": "changed\n" })
      assert.strictEqual((await run((git) => git.startAt(workspace, workspace.base)))._tag, "Right")
      assert.strictEqual(readFileSync(join(workspace.path, "a.txt"), "utf8"), "one\n")
    })
  }

  it("has what a sparse checkout of the agent leaves out", async () => {
    const { make } = await world({ "a.txt": "one\n", "b.txt": "two\n" })
    const { run, seal, workspace } = await make()
    gitIn(workspace.path, "sparse-checkout", "set", "--no-cone", "/b.txt")
    const sealed = await seal()
    assert(sealed._tag === "Right")
    // An evaluation compares the two, and starts at the seal where they differ.
    const now = await run((git) => git.tree(workspace, "other"))
    assert(now._tag === "Right")
    assert.notStrictEqual(now.right, sealed.right.tree)
    assert.strictEqual((await run((git) => git.startAt(workspace, sealed.right.commit)))._tag, "Right")
    assert.strictEqual(readFileSync(join(workspace.path, "a.txt"), "utf8"), "one\n")
  })

  it("is clean for the agent's git, and in no merge", async () => {
    const { make } = await world({ "a.txt": "one\n", "b.txt": "two\n", ".gitignore": "*.log\n" })
    const { run, workspace } = await make()
    leaveConflict(workspace.path, "a.txt")
    rmSync(join(workspace.path, "b.txt"))
    writeIn(workspace.path, { "d.txt": "new\n", "some.log": "ignored\n" })
    assert.strictEqual((await run((git) => git.startAt(workspace, workspace.base)))._tag, "Right")
    assert.strictEqual(gitIn(workspace.path, "status", "--porcelain", "--branch"), `## ${branchOf(workspace.id)}`)
    assert.strictEqual(gitIn(workspace.path, "rev-parse", "HEAD"), workspace.base)
    assert.isFalse(existsSync(join(workspace.path, ".git", "MERGE_HEAD")))
    assert.deepStrictEqual(readdirSync(workspace.path).sort(), [".git", ".gitignore", "a.txt", "b.txt", "some.log"])
  })
})

describe("filters", () => {
  const filter = (path: string) => `sh -c 'touch ${path}; tr a-z A-Z'`

  it("of the agent are not run by a seal", async () => {
    const { make } = await world({ "a.txt": "one\n" })
    const { seal, workspace } = await make()
    const ran = join(root, "ran-clean")
    writeFileSync(join(workspace.path, ".git", "more"), `[filter "x"]\n\tclean = "${filter(ran)}"\n`)
    gitIn(workspace.path, "config", "include.path", "more")
    writeIn(workspace.path, { "a.txt": "two\n", ".gitattributes": "a.txt filter=x\n" })
    const sealed = await seal()
    assert.strictEqual(sealed._tag, "Right")
    assert.isFalse(existsSync(ran))
  })

  it("of the user's repository are run, as in the repository", async () => {
    const { make, shop } = await world({ "a.txt": "one\n", ".gitattributes": "a.txt filter=x\n" })
    const ran = join(root, "ran-user")
    gitIn(shop, "config", "filter.x.clean", filter(ran))
    const { seal, workspace } = await make()
    gitIn(workspace.path, "config", "filter.x.clean", "echo other")
    writeIn(workspace.path, { "a.txt": "two\n" })
    const sealed = await seal()
    assert(sealed._tag === "Right")
    assert.strictEqual(gitIn(shop, "show", `${sealed.right.commit}:a.txt`), "TWO")
  })
})

it("a filter of the user runs where the agent has added a process to it", async () => {
  const { make, shop } = await world({ "a.txt": "one\n", ".gitattributes": "a.txt filter=x\n" })
  gitIn(shop, "config", "filter.x.clean", "tr a-z A-Z")
  gitIn(shop, "config", "filter.x.smudge", "cat")
  gitIn(shop, "config", "filter.x.required", "true")
  const { seal, workspace } = await make()
  gitIn(workspace.path, "config", "filter.x.process", "false")
  writeIn(workspace.path, { "a.txt": "two\n" })
  const sealed = await seal()
  assert(sealed._tag === "Right")
  assert.strictEqual(gitIn(shop, "show", `${sealed.right.commit}:a.txt`), "TWO")
})

describe("a workspace of a repository with SHA-256", () => {
  it("knows every branch and tag", async () => {
    const { make, shop } = await world({ "a.txt": "one\n" }, "sha256")
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`)
    for (const name of names) {
      gitIn(shop, "branch", name)
      gitIn(shop, "tag", `v-${name}`)
    }
    const { workspace } = await make()
    for (const name of names) {
      assert.strictEqual(gitIn(workspace.path, "rev-parse", `refs/heads/${name}`), workspace.base)
      assert.strictEqual(gitIn(workspace.path, "rev-parse", `refs/tags/v-${name}`), workspace.base)
    }
  })
})
