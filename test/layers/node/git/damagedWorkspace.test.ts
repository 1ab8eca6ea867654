/**
 * A workspace whose `.git` its agent has changed: neither the user's files nor a repository above it are taken for those of the
 * workspace.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { CommitId } from "../../../../src/domain/workspace/Workspace.ts"
import { knowWorkspaces, workspaceOf } from "../../../../src/layers/node/git/WorkspacePlaces.ts"
import { gitIn, makeRepository, writeIn } from "../../../support/repository.ts"
import { makeWorkspace } from "./support.ts"

const root = realpathSync(mkdtempSync(join(tmpdir(), "beat-test-")))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let made = 0

/** A user whose whole directory is a repository, the repository of a task below it, and its workspace. */
const world = async () => {
  const user = join(root, String(++made))
  makeRepository(user, { ".profile": "mine\n", ".gitignore": "shop\nstate\n" })
  const shop = join(user, "shop")
  makeRepository(shop, { "a.txt": "one\n" })
  writeIn(shop, { "a.txt": "edited\n", "notes.txt": "mine\n" })
  writeIn(user, { ".profile": "edited\n" })
  const { run, seal, workspace } = await makeWorkspace(shop, join(user, "state"))
  writeIn(workspace.path, { "w.txt": "work\n" })
  return { user, shop, workspace, run, seal, start: () => run((git) => git.startAt(workspace, workspace.base)) }
}
type World = Awaited<ReturnType<typeof world>>

/** What is the user's is as it was: files, indexes and the branches that are checked out. */
const isUntouched = ({ shop, user }: World) => {
  assert.strictEqual(readFileSync(join(shop, "a.txt"), "utf8"), "edited\n")
  assert.strictEqual(readFileSync(join(shop, "notes.txt"), "utf8"), "mine\n")
  assert.strictEqual(readFileSync(join(user, ".profile"), "utf8"), "edited\n")
  for (const repository of [shop, user]) {
    assert.strictEqual(gitIn(repository, "symbolic-ref", "HEAD"), "refs/heads/main")
    assert.strictEqual(gitIn(repository, "ls-files", "--deleted"), "")
  }
  assert.strictEqual(gitIn(user, "for-each-ref", "refs/heads/beat", "refs/backbeat"), "")
}

describe("a workspace whose configuration names another work tree", () => {
  const changes: ReadonlyArray<readonly [string, (world: World) => void]> = [
    ["by core.worktree", ({ shop, workspace }) => gitIn(workspace.path, "config", "core.worktree", shop)],
    [
      "by an included file",
      ({ shop, workspace }) => {
        writeFileSync(join(workspace.path, ".git", "more"), `[core]\n\tworktree = ${shop}\n`)
        gitIn(workspace.path, "config", "include.path", "more")
      }
    ],
    [
      "by a configuration of the work tree",
      ({ shop, workspace }) => {
        gitIn(workspace.path, "config", "extensions.worktreeConfig", "true")
        gitIn(workspace.path, "config", "--worktree", "core.worktree", shop)
      }
    ],
    ["in vain, being bare", ({ workspace }) => gitIn(workspace.path, "config", "core.bare", "true")]
  ]
  for (const [name, change] of changes) {
    it(`${name} is sealed and set back as it is`, async () => {
      const found = await world()
      change(found)
      const sealed = await found.seal()
      assert(sealed._tag === "Right")
      assert.strictEqual(gitIn(found.shop, "ls-tree", "--name-only", sealed.right.commit), "a.txt\nw.txt")
      assert.strictEqual(gitIn(found.shop, "show", `${sealed.right.commit}:a.txt`), "one")
      assert.strictEqual((await found.start())._tag, "Right")
      isUntouched(found)
    })
  }
})

describe("a workspace without its repository", () => {
  const changes: ReadonlyArray<readonly [string, boolean, (world: World) => void]> = [
    ["whose HEAD is gone", true, ({ workspace }) => rmSync(join(workspace.path, ".git", "HEAD"))],
    ["that is gone", false, ({ workspace }) => rmSync(join(workspace.path, ".git"), { recursive: true })],
    [
      "in whose place is a link to the user's",
      false,
      ({ shop, workspace }) => {
        cpSync(join(workspace.path, ".git", "backbeat"), join(shop, ".git", "backbeat"))
        rmSync(join(workspace.path, ".git"), { recursive: true })
        symlinkSync(join(shop, ".git"), join(workspace.path, ".git"))
      }
    ],
    [
      "in whose place is a file that leads to the user's",
      false,
      ({ shop, workspace }) => {
        rmSync(join(workspace.path, ".git"), { recursive: true })
        writeFileSync(join(workspace.path, ".git"), `gitdir: ${join(shop, ".git")}\n`)
      }
    ],
    [
      "and in whose place is a link to another directory",
      false,
      ({ shop, workspace }) => {
        renameSync(workspace.path, `${workspace.path}.moved`)
        symlinkSync(shop, workspace.path)
      }
    ]
  ]
  for (const [name, whole, change] of changes) {
    it(`${name} is neither sealed nor set back`, async () => {
      const found = await world()
      change(found)
      const seen = await found.run((git) => git.isWhole(found.workspace))
      assert.deepStrictEqual([seen._tag, seen._tag === "Right" && seen.right], ["Right", whole])
      assert.strictEqual((await found.seal())._tag, "Left")
      assert.strictEqual((await found.start())._tag, "Left")
      const unsealed = await found.run((git) => git.unsealed(found.workspace))
      assert.strictEqual(unsealed._tag, "Left")
      isUntouched(found)
    })
  }
})

describe("a commit with a link in the place of a directory", () => {
  it("does not lead files of the user's that every workspace gets to another place", async () => {
    const found = await world()
    const { shop, user, workspace } = found
    mkdirSync(join(user, "outside"))
    symlinkSync(join(user, "outside"), join(shop, "conf"))
    writeIn(shop, { ".worktreeinclude": ".env\n", ".gitignore": ".env\n" })
    gitIn(shop, "add", "--all")
    gitIn(shop, "commit", "--quiet", "-m", "a link")
    const commit = CommitId.make(gitIn(shop, "rev-parse", "HEAD"))
    rmSync(join(shop, "conf"))
    writeIn(shop, { ".env": "secret\n", "conf/.env": "secret\n" })
    rmSync(workspace.path, { recursive: true })
    const cut = await found.run((git) => git.cut(workspace, commit, "claim", []))
    assert.strictEqual(cut._tag, "Right")
    assert.strictEqual(readFileSync(join(workspace.path, ".env"), "utf8"), "secret\n")
    assert.deepStrictEqual(readdirSync(join(user, "outside")), [])
  })
})

describe("the place of a workspace", () => {
  it("is known by its path alone, and is in the directory of workspaces", () => {
    const workspaces = "/home/me/.local/state/backbeat/workspaces"
    const id = "w".repeat(12)
    knowWorkspaces(workspaces)
    const top = `${workspaces}/${id}/shop`
    for (const path of [top, `${top}/`, `${top}/src/a`, `${top}/.git`]) assert.strictEqual(workspaceOf(path), top, path)
    const others = [workspaces, `${workspaces}/${id}`, `${workspaces}-old/${id}/shop`, "/home/me/shop", ""]
    for (const path of others) assert.isNull(workspaceOf(path), path)
  })

  it("is none of a directory that only looks like one", async () => {
    const { run } = await world()
    const twin = join(root, "twin", "workspaces", "backendteams")
    makeRepository(twin, { "src/a.txt": "one\n" })
    const found = await run((git) => git.inspect(join(twin, "src")))
    assert(found._tag === "Right")
    assert.deepStrictEqual([found.right.home, found.right.subdirectory], [twin, "src"])
  })
})
