/** A seal holds the files as they are, whatever the agent has told git to overlook, and runs no program of the agent. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
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

/** Makes the index longer than what is taken from one answer of git. */
const lengthenIndex = (path: string) => {
  const blob = gitIn(path, "rev-parse", "HEAD:a.txt")
  const long = Array.from({ length: 19 }, () => "x".repeat(200)).join("/")
  const input = Array.from({ length: 18_000 }, (_, index) => `100644 ${blob}\t${long}/${index}\n`).join("")
  execFileSync("git", ["-C", path, "update-index", "--index-info"], { input })
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
      "of a file with a mark in an index that is too long to be listed",
      (path) => {
        lengthenIndex(path)
        gitIn(path, "update-index", "--assume-unchanged", "a.txt")
      }
    ],
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

it("no seal takes the files that a sparse checkout leaves out for removed ones", async () => {
  const { make } = await world({ "a.txt": "one\n", "b.txt": "two\n" })
  const { seal, workspace } = await make()
  gitIn(workspace.path, "sparse-checkout", "set", "--no-cone", "/b.txt")
  lengthenIndex(workspace.path)
  const sealed = await seal()
  assert(sealed._tag === "Left")
  assert.include(sealed.left.detail, "longer than 64 MB")
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
