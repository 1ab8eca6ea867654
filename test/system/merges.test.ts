/** `beat diff` and `beat merge` with the built program: the user's branch and files change in one step, or not at all. */
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, locksIn, makeBusyRepository, makeRepository, userState, writeIn } from "../support/repository.ts"
import { Beat, until } from "./Beat.ts"

/** Kills of one apply. `BACKBEAT_MERGE_KILLS=50` is the whole of it. */
const kills = Number(process.env.BACKBEAT_MERGE_KILLS ?? 4)

/** Processes whose parent is this one. */
const childrenOf = (parent: number): ReadonlyArray<number> =>
  readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const fields = readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
      return Number(fields[1]) === parent ? [Number(name)] : []
    } catch {
      return []
    }
  })

describe("the work of an isolated task", () => {
  let beat: Beat
  let home: string

  beforeEach(() => {
    beat = new Beat()
    home = join(beat.home, "shop")
  })

  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>, cwd = home) => beat.run(args, { cwd })
  const work = async (command: string, ...args: ReadonlyArray<string>) => {
    const { code, stderr } = await run(["run", "-f", "--isolate", "-a", "shell", ...args, "--", command])
    assert.strictEqual(code, 0, stderr)
    return beat.rows<{ id: string }>("SELECT id FROM tasks ORDER BY seq DESC LIMIT 1")[0]?.id ?? ""
  }
  const head = () => gitIn(home, "rev-parse", "HEAD")

  it("is told apart from none where the repository was away when the task ended, and is sealed by the next task", async () => {
    makeRepository(home, { "a.txt": "one\n" })
    const [begun, go] = [join(beat.home, "begun"), join(beat.home, "go")]
    const wait = `while [ ! -e '${go}' ]; do sleep 0.1; done`
    const { stdout } = await run(["run", "--isolate", "-a", "shell", "--", `echo n > new; : > '${begun}'; ${wait}`])
    const id = stdout.trim()
    await until("the agent works", () => existsSync(begun))
    renameSync(home, `${home}.away`)
    writeFileSync(go, "")
    assert.strictEqual((await run(["wait", id], beat.home)).code, 0)
    renameSync(`${home}.away`, home)
    assert.match((await run(["status", id])).stdout, /^not sealed +The workspace \S+ could not be sealed: /m)
    for (const command of ["merge", "diff"]) {
      const { code, stderr } = await run([command, id])
      assert.strictEqual(code, 1)
      assert.include(stderr, `The work of task ${id} is in no commit. The workspace `)
      assert.include(stderr, `beat run --in ${id} -a shell true`)
    }
    assert.strictEqual((await run(["run", "-f", "--in", id, "-a", "shell", "true"])).code, 0)
    assert.strictEqual((await run(["merge", "@last"])).code, 0)
    assert.strictEqual(readFileSync(join(home, "new"), "utf8"), "n\n")
  })

  it("is merged after the user has rewritten all history", async () => {
    makeRepository(home, { "a.txt": "one\n" })
    const id = await work("echo n > new")
    writeFileSync(join(home, "b.txt"), "mine\n")
    gitIn(home, "add", "b.txt")
    gitIn(home, "commit", "--quiet", "--amend", "-m", "first, again")
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.deepStrictEqual(
      ["a.txt", "b.txt", "new"].map((name) => readFileSync(join(home, name), "utf8")),
      ["one\n", "mine\n", "n\n"]
    )
    assert.strictEqual((await run(["merge", "--undo", id])).code, 0)
    assert.isFalse(existsSync(join(home, "new")))
  })

  it("is not called moved where the work tree of its merge is gone", async () => {
    makeRepository(home)
    const side = join(beat.home, "side")
    gitIn(home, "worktree", "add", "--quiet", side, "-b", "side")
    const id = await work("echo n > new")
    assert.strictEqual((await run(["merge", id], side)).code, 0)
    gitIn(home, "worktree", "remove", "--force", side)
    const { code, stderr } = await run(["merge", "--undo", id])
    assert.strictEqual(code, 1)
    assert.include(stderr, `${side}, where it was merged, is no longer a git repository: undo it with git revert`)
  })

  it("is shown as names, counts, a patch that applies, and JSON", async () => {
    makeRepository(home, { "a.txt": "one\n", "sub/b.txt": "two\n" })
    const id = await work("echo more >> a.txt; echo n > new; printf '\\000\\001' > bin; rm sub/b.txt")
    assert.strictEqual((await run(["diff", id, "--name-only"])).stdout, "a.txt\nbin\nnew\nsub/b.txt\n")
    assert.match((await run(["diff", id, "--stat"])).stdout, /a\.txt +\| +1 \+\n[\s\S]*4 files changed/)
    const json = JSON.parse((await run(["diff", id, "--json"])).stdout)
    assert.deepStrictEqual(json.files, [
      { path: "a.txt", insertions: 1, deletions: 0 },
      { path: "bin", insertions: null, deletions: null },
      { path: "new", insertions: 1, deletions: 0 },
      { path: "sub/b.txt", insertions: 0, deletions: 1 }
    ])
    const text = await work("echo x >> a.txt")
    gitIn(home, "config", "diff.noprefix", "true")
    const { stdout } = await run(["diff", text, "--patch"])
    execFileSync("git", ["-C", home, "apply"], { input: stdout })
    assert.strictEqual(readFileSync(join(home, "a.txt"), "utf8"), "one\nx\n")
    assert.strictEqual((await run(["diff", id, text, "--name-only"])).stdout, "a.txt\nbin\nnew\nsub/b.txt\n")
    assert.strictEqual((await run(["diff", id, "--stat", "--name-only"])).code, 2)
    assert.strictEqual((await run(["diff", "zzzz"])).code, 3)
    const plain = await beat.submit("true", ["-f"])
    assert.isString(plain)
    const last = await run(["diff", "@last"])
    assert.strictEqual(last.code, 1)
    assert.include(last.stderr, "is not isolated")
  })

  it("is merged as one commit while a file is dirty, and taken back", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const start = head()
    const id = await work("echo agent > sub/c.txt; git commit --quiet -am inner; echo n > new")
    const merged = await run(["merge", id])
    assert.strictEqual(merged.code, 0, merged.stderr)
    assert.match(
      merged.stdout,
      new RegExp(`^${id} merged  main ${start.slice(0, 7)} -> [0-9a-f]{7}  .*\\(2 files, \\+2 -1\\)$`, "m")
    )
    assert.strictEqual(gitIn(home, "rev-list", "--count", `${start}..HEAD`), "1")
    assert.match(gitIn(home, "log", "-1", "--format=%an %b"), new RegExp(`^Ann Backbeat-Task: ${id}`))
    assert.strictEqual(readFileSync(join(home, "sub/c.txt"), "utf8"), "agent\n")
    assert.strictEqual(readFileSync(join(home, "a.txt"), "utf8"), "dirty\n")
    assert.strictEqual(gitIn(home, "diff", "--cached", "--name-only"), "b.txt")
    assert.include((await run(["merge", id])).stdout, "unchanged")
    assert.strictEqual((await run(["merge", "--undo", id])).code, 0)
    assert.deepStrictEqual({ ...userState(home), index: "" }, { ...before, index: "" })
    assert.strictEqual((await run(["merge", "--undo", id])).code, 1)
  })

  it("changes nothing when a file in the way is dirty, when it does not fit, or when a commit came on top", async () => {
    makeRepository(home)
    const first = await work("echo first > a.txt")
    const second = await work("echo second > a.txt; echo n > other")
    writeIn(home, { "a.txt": "mine\n" })
    const dirty = userState(home)
    const refused = await run(["merge", first])
    assert.strictEqual(refused.code, 1)
    assert.match(refused.stdout, /refused .*local changes/)
    assert.deepStrictEqual(userState(home), dirty)
    gitIn(home, "checkout", "--quiet", "a.txt")
    writeIn(home, { other: "" })
    const taken = await run(["merge", second])
    assert.strictEqual(taken.code, 1)
    assert.include(taken.stdout, "refused  files that are in no commit are in the way: other")
    assert.strictEqual(gitIn(home, "status", "--porcelain"), "?? other")
    rmSync(join(home, "other"))
    const both = await run(["merge", first, second])
    assert.strictEqual(both.code, 1)
    assert.match(both.stdout, new RegExp(`${first} merged[\\s\\S]*${second} conflict  in a\\.txt`))
    assert.include(both.stderr, "1 of 2 were not merged")
    assert.strictEqual(gitIn(home, "status", "--porcelain"), "")
    assert.isFalse(existsSync(join(home, ".git", "MERGE_HEAD")))
    gitIn(home, "commit", "--quiet", "--allow-empty", "-m", "on top")
    const undone = await run(["merge", "--undo", first])
    assert.strictEqual(undone.code, 1)
    assert.include(undone.stderr, "git revert")
  })

  it("is merged only where the check passes, each on top of the last", async () => {
    makeRepository(home)
    const good = await work("echo a > one")
    const bad = await work("echo b > two; echo broken > broken")
    const last = await work("echo c > three")
    const { code, stdout } = await run(["merge", good, bad, last, "--check", "! test -e broken && test -e a.txt"])
    assert.strictEqual(code, 1, stdout)
    assert.match(
      stdout,
      new RegExp(
        `${good} merged[\\s\\S]*${bad} refused  the check failed: beat logs [0-9a-z]{12}[\\s\\S]*${last} merged`
      )
    )
    assert.deepStrictEqual(gitIn(home, "ls-files").split("\n"), ["a.txt", "one", "three"])
    assert.strictEqual(gitIn(home, "status", "--porcelain"), "")
    const json = JSON.parse((await run(["merge", bad, "--json", "--dry-run"])).stdout)
    assert.deepInclude(json[0], { taskId: bad, state: "fits", branch: "main", after: null })
  })

  it("moves no other branch when the user switches branches during the check", async () => {
    makeRepository(home)
    const start = head()
    const id = await work("echo agent > a.txt; echo n > new")
    const go = join(beat.home, "go")
    /** Merges with a check that ends once the user has done this. */
    const during = async (user: () => void, ...args: ReadonlyArray<string>) => {
      rmSync(go, { force: true })
      const tasks = beat.rows("SELECT id FROM tasks WHERE status = 'running'").length
      const running = beat.start(["merge", id, ...args, "--check", `until test -e ${go}; do sleep 0.1; done`], {
        cwd: home
      })
      await until("the check runs", () => beat.rows("SELECT id FROM tasks WHERE status = 'running'").length > tasks)
      user()
      const before = userState(home)
      writeFileSync(go, "")
      const { code, stdout } = await running.done
      assert.strictEqual(code, 1, stdout)
      assert.deepStrictEqual(userState(home), before)
      assert.strictEqual(gitIn(home, "for-each-ref", "refs/backbeat/merge"), "")
      return stdout
    }
    const isElsewhere = "refused  the branch was switched during the check: main is no longer checked out"
    for (const words of [["other"], ["--create", "feature"], ["--detach"]]) {
      assert.include(await during(() => gitIn(home, "switch", "--quiet", ...words)), isElsewhere)
      gitIn(home, "switch", "--quiet", "main")
    }
    const isHere = "refused  the branch was switched during the check: other is checked out in"
    assert.include(await during(() => gitIn(home, "switch", "--quiet", "other"), "--into", "other"), isHere)
    assert.strictEqual(gitIn(home, "rev-parse", "main"), start)
    assert.strictEqual((await run(["merge", id])).code, 0)
  })

  it("moves no branch once another process has ended its record during the check", async () => {
    makeRepository(home)
    const before = userState(home)
    const id = await work("echo agent > a.txt")
    const go = join(beat.home, "go")
    const running = beat.start(["merge", id, "--check", `until test -e ${go}; do sleep 0.1; done`], { cwd: home })
    await until("the check runs", () => beat.rows("SELECT 1 FROM tasks WHERE status = 'running'").length > 0)
    const database = new Database(beat.databaseFile)
    database.exec("UPDATE merges SET state = 'refused'")
    database.close()
    writeFileSync(go, "")
    const { code, stdout } = await running.done
    assert.strictEqual(code, 1, stdout)
    assert.include(stdout, "refused  another process has ended its record meanwhile")
    assert.deepStrictEqual(userState(home), before)
  })

  it("is merged after a merge that was killed in another work tree of the repository has been finished there", async () => {
    makeRepository(home, { "a.txt": "one\n", "b.txt": "two\n" })
    const first = await work("echo agent > a.txt")
    const second = await work("echo agent > b.txt")
    const linked = join(beat.home, "linked")
    gitIn(home, "worktree", "add", "--quiet", linked, "other")
    const env = { BACKBEAT_FAILPOINTS: "merge.recorded:kill" }
    assert.strictEqual((await beat.run(["merge", first], { cwd: linked, env })).signal, "SIGKILL")
    const merged = await run(["merge", second])
    assert.strictEqual(merged.code, 0, merged.stdout + merged.stderr)
    assert.deepStrictEqual(
      beat.rows<{ state: string }>("SELECT state FROM merges ORDER BY seq").map(({ state }) => state),
      ["merged", "merged"]
    )
    assert.strictEqual(gitIn(linked, "show", "HEAD:a.txt"), "agent")
    assert.strictEqual(gitIn(linked, "status", "--porcelain"), "")
    assert.strictEqual(gitIn(home, "show", "HEAD:a.txt"), "one")
    assert.strictEqual(gitIn(home, "status", "--porcelain"), "")
    // One that is carried out keeps others waiting in every work tree.
    const go = join(beat.home, "go")
    const running = beat.start(["merge", second, "--check", `until test -e ${go}; do sleep 0.1; done`], { cwd: linked })
    await until("its check runs", () => beat.rows("SELECT 1 FROM merges WHERE state = 'testing'").length > 0)
    for (const args of [
      ["merge", first],
      ["merge", "--undo", second]
    ]) {
      const refused = await run(args)
      assert.strictEqual(refused.code, 1, refused.stdout)
      assert.include(refused.stderr, `Another merge into ${linked} is being carried out`)
    }
    writeFileSync(go, "")
    assert.strictEqual((await running.done).code, 0)
  })

  it("brings only what the agent changed when it began with uncommitted files", async () => {
    makeBusyRepository(home)
    const id = await work("echo agent >> sub/c.txt", "--base", "tree")
    const merged = await run(["merge", id])
    assert.strictEqual(merged.code, 0, merged.stdout)
    assert.strictEqual(gitIn(home, "show", "--name-only", "--format=", "HEAD"), "sub/c.txt")
    assert.strictEqual(readFileSync(join(home, "a.txt"), "utf8"), "dirty\n")
    assert.strictEqual(readFileSync(join(home, "untracked.txt"), "utf8"), "mine\n")
  })

  it("goes into another branch, a new branch, or keeps its commits", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const id = await work("echo agent > new; git add new; git commit --quiet -m inner; echo m > more")
    assert.strictEqual((await run(["merge", id, "--into", "other"])).code, 0)
    assert.strictEqual(gitIn(home, "show", "other:new"), "agent")
    assert.strictEqual((await run(["merge", id, "--branch", "fresh"])).code, 0)
    assert.strictEqual(gitIn(home, "show", "fresh:more"), "m")
    assert.strictEqual((await run(["merge", id, "--branch", "fresh"])).code, 1)
    const now = userState(home)
    assert.deepStrictEqual({ ...now, refs: "" }, { ...before, refs: "" })
    assert.strictEqual((await run(["merge", id, "--keep-commits"])).code, 0)
    assert.include(gitIn(home, "log", "--format=%s"), "inner")
    assert.strictEqual((await run(["merge", id, "--into", "nothing"])).code, 1)
    gitIn(home, "checkout", "--quiet", "--force", "--detach")
    const detached = await run(["merge", id])
    assert.strictEqual(detached.code, 1)
    assert.include(detached.stderr, "--into")
    assert.strictEqual((await run(["merge", id, "--into", "a", "--branch", "b"])).code, 2)
    const elsewhere = await beat.run(["merge", id], { cwd: beat.home })
    assert.strictEqual(elsewhere.code, 1)
    assert.include(elsewhere.stderr, `Run this in ${home}`)
  })

  it("merges the best round of a loop", async () => {
    makeRepository(home)
    const id = (await run(["loop", "-a", "shell", "--until", "test $(wc -l < n) -ge 2", "echo x >> n"])).stdout.trim()
    await run(["wait", id, "--timeout", "280s"])
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(readFileSync(join(home, "n"), "utf8"), "x\nx\n")
  })

  it("is merged by an agent into its own workspace alone", async () => {
    makeRepository(home)
    const script = [
      `id=$(beat run --isolate -a shell 'echo child > child')`,
      "beat wait $id && beat merge $id && cat child",
      `cd ${home} && env -u BACKBEAT_WORKSPACE_HOME beat merge $id --dry-run || echo refused`
    ].join("\n")
    const beatOn = join(beat.home, "bin")
    execFileSync("mkdir", ["-p", beatOn])
    writeFileSync(
      join(beatOn, "beat"),
      `#!/bin/sh\nexec ${process.execPath} ${join(import.meta.dirname, "../../dist/beat.cjs")} "$@"\n`,
      { mode: 0o755 }
    )
    const done = await beat.run(["run", "-f", "--isolate", "-a", "shell", script], {
      cwd: home,
      env: { PATH: `${beatOn}:${process.env.PATH}` }
    })
    assert.strictEqual(done.code, 0, done.stdout + done.stderr)
    assert.match(done.stdout, /^child$/m)
    assert.strictEqual(gitIn(home, "log", "--format=%s").split("\n").length, 1)
    const id = beat.rows<{ id: string }>("SELECT id FROM tasks WHERE parent_id IS NULL")[0]?.id ?? ""
    assert.strictEqual(gitIn(home, "show", `refs/backbeat/task/${id}:child`), "child")
  })

  for (const step of ["merge.begun", "merge.applying", "merge.recorded", "merge.applied"]) {
    it(`is merged or not, never in between, after a kill at ${step}`, async () => {
      makeBusyRepository(home)
      const id = await work("echo agent > sub/c.txt; echo n > new")
      const before = userState(home)
      const start = head()
      const killed = await beat.run(["merge", id], { cwd: home, env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
      assert.strictEqual(killed.signal, "SIGKILL")
      if (step !== "merge.applied") assert.deepStrictEqual(userState(home), before)
      const again = await run(["merge", id])
      assert.strictEqual(again.code, 0, again.stdout + again.stderr)
      assert.strictEqual(gitIn(home, "rev-list", "--count", `${start}..HEAD`), "1")
      assert.strictEqual(readFileSync(join(home, "new"), "utf8"), "n\n")
      assert.strictEqual(readFileSync(join(home, "a.txt"), "utf8"), "dirty\n")
      assert.deepStrictEqual(locksIn(home), [])
    })
  }

  it("is finished by the doctor after a kill", async () => {
    makeBusyRepository(home)
    const id = await work("echo agent > sub/c.txt; echo n > new")
    const start = head()
    await beat.run(["merge", id], { cwd: home, env: { BACKBEAT_FAILPOINTS: "merge.recorded:kill" } })
    assert.include((await run(["doctor"])).stdout, `interrupted: of task ${id} into main`)
    // As if it had been killed while it recorded the files.
    const merge = beat.rows<{ id: string }>("SELECT id FROM merges")[0]?.id ?? ""
    const state = join(beat.home, "state")
    writeIn(state, { [`index-${merge}`]: "", [`index-${merge}.lock`]: "" })
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} merged`)
    assert.deepStrictEqual(
      readdirSync(state).filter((name) => name.startsWith("index-")),
      []
    )
    assert.strictEqual(gitIn(home, "rev-list", "--count", `${start}..HEAD`), "1")
    assert.match((await run(["doctor"])).stdout, /merges +ok/)
  })

  it("leaves what the user has edited, before or after a kill, and is refused", async () => {
    makeBusyRepository(home)
    const id = await work("echo agent > sub/c.txt; echo agent > a.txt; echo n > new")
    const before = userState(home)
    const start = head()
    const die = (step: string, ...args: ReadonlyArray<string>) =>
      beat.run(["merge", ...args, id], { cwd: home, env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
    // a.txt is dirty, and git has not been asked yet.
    assert.strictEqual((await die("merge.recorded")).signal, "SIGKILL")
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} refused`)
    assert.deepStrictEqual({ ...userState(home), index: "" }, { ...before, index: "" })
    // Edited and made after the kill.
    gitIn(home, "checkout", "--quiet", "a.txt")
    assert.strictEqual((await die("merge.recorded")).signal, "SIGKILL")
    writeIn(home, { "sub/c.txt": "mine\n", new: "mine too\n" })
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} refused`)
    assert.strictEqual(readFileSync(join(home, "sub/c.txt"), "utf8"), "mine\n")
    assert.strictEqual(readFileSync(join(home, "new"), "utf8"), "mine too\n")
    assert.strictEqual(head(), start)
    assert.deepStrictEqual(locksIn(home), [])
  })

  it("is taken back by the doctor after a kill, unless its files were edited: then it is merged", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const id = await work("echo agent > sub/c.txt; rm b.txt; echo n > new")
    gitIn(home, "reset", "--quiet", "--hard")
    assert.strictEqual((await run(["merge", id])).code, 0)
    const merged = userState(home)
    const die = () =>
      beat.run(["merge", "--undo", id], { cwd: home, env: { BACKBEAT_FAILPOINTS: "undo.putBack:kill" } })
    // An untracked file in the place of one that the merge deleted is the user's.
    writeIn(home, { "b.txt": "mine\n" })
    assert.include((await run(["merge", "--undo", id])).stderr, "these files have changed since: b.txt")
    assert.strictEqual(readFileSync(join(home, "b.txt"), "utf8"), "mine\n")
    gitIn(home, "clean", "--quiet", "--force", "b.txt")
    assert.strictEqual((await die()).signal, "SIGKILL")
    assert.include((await run(["doctor"])).stdout, "interrupted")
    writeIn(home, { "sub/c.txt": "edited\n" })
    // Locks of the git that was killed with it.
    for (const lock of ["index.lock", "HEAD.lock", "refs/heads/main.lock"]) writeIn(join(home, ".git"), { [lock]: "" })
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} merged`)
    assert.deepStrictEqual(locksIn(home), [])
    assert.strictEqual(readFileSync(join(home, "sub/c.txt"), "utf8"), "edited\n")
    assert.strictEqual(gitIn(home, "diff", "HEAD", "--name-only"), "sub/c.txt")
    gitIn(home, "checkout", "--quiet", "sub/c.txt")
    assert.deepStrictEqual({ ...userState(home), index: "" }, { ...merged, index: "" })
    assert.strictEqual((await die()).signal, "SIGKILL")
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} undone`)
    assert.strictEqual(head(), gitIn(home, "rev-parse", "other"))
    assert.strictEqual(gitIn(home, "status", "--porcelain", "--untracked-files=no"), "")
    assert.notDeepEqual(before, merged)
  })

  it("leaves no lock of a git that was killed after it had moved the branch", async () => {
    makeRepository(home)
    const id = await work("echo b > new")
    const env = { BACKBEAT_FAILPOINTS: "merge.applied:kill" }
    assert.strictEqual((await beat.run(["merge", id], { cwd: home, env })).signal, "SIGKILL")
    const { mtimeMs } = statSync(join(home, ".git", "refs/heads/main"))
    // One recovery was killed too: the locks are older than the second one, and those of another command older than the merge.
    const again = { BACKBEAT_FAILPOINTS: "changeMerge.committed:kill" }
    assert.strictEqual((await beat.run(["merge", id], { cwd: home, env: again })).signal, "SIGKILL")
    const locks = ["HEAD.lock", "packed-refs.lock", "refs/heads/main.lock"]
    for (const lock of [...locks, "index.lock"]) writeIn(join(home, ".git"), { [lock]: "" })
    for (const lock of locks) utimesSync(join(home, ".git", lock), mtimeMs / 1000, mtimeMs / 1000)
    utimesSync(join(home, ".git", "index.lock"), mtimeMs / 1000 - 3600, mtimeMs / 1000 - 3600)
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} merged`)
    assert.deepStrictEqual(locksIn(home), [join(home, ".git", "index.lock")])
  })

  it("changes nothing where git refuses in a sparse checkout, and where it would stash the user's files", async () => {
    makeRepository(home, { "in/a": "1\n", "out/b": "2\n", "mine.txt": "mine\n" })
    const id = await work("echo agent | tee in/a > out/b; mkdir new; echo n > new/file")
    gitIn(home, "sparse-checkout", "set", "in")
    gitIn(home, "config", "merge.autoStash", "true")
    writeIn(home, { "in/a": "dirty\n", "mine.txt": "edited\n" })
    const state = () => ({ ...userState(home), index: gitIn(home, "ls-files", "-t", "-s") })
    const before = state()
    const refused = await run(["merge", id])
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stdout, "refused")
    assert.deepStrictEqual(state(), before)
    gitIn(home, "checkout", "--quiet", "in/a")
    const clean = state()
    const held = join(home, ".git", "HEAD.lock")
    writeFileSync(held, "")
    assert.strictEqual((await run(["merge", id])).code, 1)
    rmSync(held)
    assert.deepStrictEqual(state(), clean)
    assert.deepStrictEqual(readFileSync(join(home, "mine.txt"), "utf8"), "edited\n")
    for (const step of ["merge.recorded", "merge.applied"]) {
      const env = { BACKBEAT_FAILPOINTS: `${step}:kill` }
      assert.strictEqual((await beat.run(["merge", id], { cwd: home, env })).signal, "SIGKILL")
      assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} merged`)
      const undone = await run(["merge", "--undo", id])
      assert.strictEqual(undone.code, 0, undone.stderr)
      assert.deepStrictEqual(state(), clean, step)
    }
  })

  it("changes nothing where another command holds a lock, and says so", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const id = await work("echo agent > sub/c.txt; mkdir d; echo n > d/new")
    for (const lock of ["HEAD.lock", "index.lock", "refs/heads/main.lock"]) {
      const held = join(home, ".git", lock)
      writeFileSync(held, "")
      const refused = await run(["merge", id])
      assert.strictEqual(refused.code, 1, lock)
      assert.include(refused.stdout, "refused", lock)
      assert.include(refused.stdout, lock.startsWith("refs") ? "cannot lock ref" : lock, lock)
      rmSync(held)
      assert.deepStrictEqual({ ...userState(home), index: "" }, { ...before, index: "" }, lock)
    }
    assert.strictEqual((await run(["merge", id])).code, 0)
    const merged = userState(home)
    for (const lock of ["HEAD.lock", "refs/heads/main.lock"]) {
      const held = join(home, ".git", lock)
      writeFileSync(held, "")
      assert.strictEqual((await run(["merge", "--undo", id])).code, 1, lock)
      rmSync(held)
      assert.deepStrictEqual({ ...userState(home), index: "" }, { ...merged, index: "" }, lock)
    }
  })

  it("puts back what git had written before it failed", async () => {
    makeRepository(home, { "a.txt": "one\n", "b.txt": "two\n", "mine.txt": "mine\n" })
    const id = await work("echo agent > a.txt; rm b.txt; echo n > aa; seq 200000 > z")
    writeIn(home, { "mine.txt": "dirty\n", "untracked.txt": "u\n" })
    const before = userState(home)
    // The git that merges can write no file of more than 8 kB: it reports that, and has written the others by then.
    const limited = join(beat.home, "git")
    const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim()
    const limit = (signal: string) => `case " $* " in *" merge --ff-only "*) ${signal} ulimit -f 8 ;; esac`
    const path = { PATH: `${beat.home}:${process.env.PATH}` }
    writeFileSync(limited, `#!/bin/sh\n${limit("trap '' XFSZ;")}\nexec ${git} "$@"\n`)
    chmodSync(limited, 0o755)
    const refused = await beat.run(["merge", id], { cwd: home, env: path })
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stdout, "refused")
    assert.deepStrictEqual({ ...userState(home), index: "" }, { ...before, index: "" })
    // A git that dies of it says nothing, and leaves its lock.
    writeFileSync(limited, `#!/bin/sh\n${limit("")}\nexec ${git} "$@"\n`)
    const killed = await beat.run(["merge", id], { cwd: home, env: path })
    assert.strictEqual(killed.code, 1)
    assert.include(killed.stderr, "git merge was killed (SIGXFSZ). To end what it has begun: beat doctor --fix")
    assert.include((await run(["doctor", "--fix"])).stdout, `task ${id} merged`)
    assert.deepStrictEqual(locksIn(home), [])
    assert.strictEqual((await run(["merge", "--undo", id])).code, 0)
    assert.deepStrictEqual({ ...userState(home), index: "" }, { ...before, index: "" })
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(readFileSync(join(home, "mine.txt"), "utf8"), "dirty\n")
  })

  it("leaves no private name where nothing was changed", async () => {
    makeRepository(home)
    const id = await work("echo b > broken")
    const names = () => gitIn(home, "for-each-ref", "refs/backbeat/merge")
    assert.strictEqual((await run(["merge", id, "--check", "! test -e broken"])).code, 1)
    assert.strictEqual(names(), "")
    for (const step of ["beginMerge.committed", "merge.begun"]) {
      await beat.run(["merge", id], { cwd: home, env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
      await run(["doctor", "--fix"])
      assert.strictEqual(names(), "")
    }
  })

  it("is taken back after a kill in the middle, and not over an edit", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const id = await work("echo agent > sub/c.txt; echo n > new")
    await run(["merge", id])
    writeIn(home, { new: "edited\n" })
    const refused = await run(["merge", "--undo", id])
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "these files have changed since: new")
    writeIn(home, { new: "n\n" })
    const env = { BACKBEAT_FAILPOINTS: "undo.putBack:kill" }
    assert.strictEqual((await beat.run(["merge", "--undo", id], { cwd: home, env })).signal, "SIGKILL")
    assert.strictEqual((await run(["merge", "--undo", id])).code, 0)
    assert.deepStrictEqual({ ...userState(home), index: "" }, { ...before, index: "" })
  })

  it("leaves the files as they were before an undo under a private name, and none where the undo is refused", async () => {
    makeBusyRepository(home)
    const id = await work("echo agent > sub/c.txt; echo n > new")
    assert.strictEqual((await run(["merge", id])).code, 0)
    const merge = beat.rows<{ id: string }>("SELECT id FROM merges")[0]?.id ?? ""
    const name = `refs/backbeat/merge/${merge}.undo`
    writeIn(home, { new: "edited\n" })
    assert.strictEqual((await run(["merge", "--undo", id])).code, 1)
    assert.strictEqual(gitIn(home, "for-each-ref", name), "")
    writeIn(home, { new: "n\n" })
    assert.strictEqual((await run(["merge", "--undo", id])).code, 0)
    const files = ["new", "sub/c.txt", "a.txt", "untracked.txt"]
    assert.deepStrictEqual(
      files.map((file) => gitIn(home, "show", `${name}:${file}`)),
      ["n", "agent", "dirty", "mine"]
    )
    assert.isFalse(existsSync(join(home, "new")))
  })

  it("ends with all of it or nothing of it, whenever the git that applies it is killed", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 1500 }, (_, at) => [`d${at % 30}/f${at}`, `${at}\n`.repeat(20)])
    )
    makeRepository(home, { ...files, "mine.txt": "mine\n" })
    const id = await work("for f in d*/f*; do echo changed >> $f; done; echo n > new")
    writeIn(home, { "mine.txt": "dirty\n", "untracked.txt": "u\n" })
    const start = head()
    for (let kill = 0; kill < kills; kill += 1) {
      const running = beat.start(["merge", id], { cwd: home })
      await until("it applies", () => beat.rows("SELECT 1 FROM merges WHERE state = 'applying'").length > 0)
      await new Promise((done) => setTimeout(done, 20 + kill * 40))
      // The program and the git that it runs, as a power cut would end them.
      const children = childrenOf(running.child.pid ?? 0)
      running.child.kill("SIGKILL")
      for (const pid of children) {
        try {
          process.kill(pid, "SIGKILL")
        } catch {
          // It has ended.
        }
      }
      await running.done
      const again = await run(["merge", id])
      assert.include([0, 1], again.code, again.stderr)
      const now = head()
      assert.notStrictEqual(now, start, again.stdout + again.stderr)
      assert.strictEqual(gitIn(home, "diff", "--name-only", "HEAD"), "mine.txt")
      assert.deepStrictEqual(locksIn(home), [])
      assert.strictEqual((await run(["merge", "--undo", id])).code, 0)
      assert.strictEqual(head(), start)
      assert.strictEqual(gitIn(home, "diff", "--name-only", "HEAD"), "mine.txt")
    }
  }, 400_000)
})
