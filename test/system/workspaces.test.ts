/** Isolated tasks with the built program: what they leave is in the repository, and nothing of the user's has changed. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import Database from "better-sqlite3"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, locksIn, makeBusyRepository, makeRepository, userState, writeIn } from "../support/repository.ts"
import { Beat, until } from "./Beat.ts"

interface Row {
  readonly id: string
  readonly path: string
  readonly state: string
  readonly slot: number | null
}

describe("beat run --isolate", () => {
  let beat: Beat
  let home: string

  beforeEach(() => {
    beat = new Beat()
    home = join(beat.home, "shop")
  })

  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>, cwd = home) => beat.run(args, { cwd })
  const isolated = (command: string, ...args: ReadonlyArray<string>) =>
    run(["run", "-f", "--isolate", "-a", "shell", ...args, "--", command])
  const newest = () => beat.rows<{ id: string }>("SELECT id FROM tasks ORDER BY seq DESC LIMIT 1")[0]?.id ?? ""
  const workspaces = () => beat.rows<Row>("SELECT id, path, state, slot FROM workspaces ORDER BY created_at, id")
  const workspaceOf = (task: string) =>
    beat.rows<Row>(
      "SELECT workspaces.id, path, state, slot FROM workspaces JOIN tasks ON workspace_id = workspaces.id WHERE tasks.id = ?",
      task
    )[0]
  const sealed = (task: string) => gitIn(home, "ls-tree", "-r", "--name-only", `refs/backbeat/task/${task}`).split("\n")
  const shown = (task: string, file: string) => gitIn(home, "show", `refs/backbeat/task/${task}:${file}`)

  it("leaves the repository as it was, and what the agent left in a private commit", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const { code, stderr } = await isolated("echo x > new; cat a.txt")
    assert.strictEqual(code, 0, stderr)
    assert.include(stderr, "3 uncommitted files are not in its workspace; --base tree takes them along")
    assert.deepStrictEqual(userState(home), before)
    assert.isFalse(existsSync(join(home, "new")))
    assert.deepStrictEqual(sealed(newest()), ["a.txt", "b.txt", "new", "sub/c.txt"])
    assert.strictEqual(beat.output(newest()).toString(), "one\n")
    const status = JSON.parse((await run(["status", "@last", "--json"])).stdout)
    assert.deepInclude(status.result, { files: 1, insertions: 1, deletions: 0, commits: 0, home: true, problem: null })
    assert.match(
      (await run(["status", "@last"])).stdout,
      /^workspace +\S+\/workspaces\/[0-9a-z]{12}\/shop, slot 1, from /m
    )
  })

  it("says that nothing could be sealed where the repository of the workspace is broken or gone", async () => {
    makeRepository(home)
    const words = { ".git": "it is no longer the repository that was cut", "": "its files were removed" }
    for (const [what, word] of Object.entries(words)) {
      const command = `echo n > new; rm -rf "$BACKBEAT_WORKSPACE/${what}"`
      const { code, stderr } = await isolated(command)
      assert.strictEqual(code, 0, stderr)
      assert.match(
        (await run(["status", "@last"])).stdout,
        new RegExp(`^not sealed .*could not be sealed: ${word}$`, "m")
      )
      assert.include((await run(["merge", "@last"])).stderr, `is in no commit. The workspace `)
    }
  })

  it("holds against an agent that rewrites the repository, by git and by path", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const script = [
      "git stash pop; git stash clear; git branch -D other; git config user.email e@example.com",
      "git update-ref refs/heads/main $(git commit-tree HEAD^{tree} -m evil)",
      "git gc --quiet --prune=now; GIT_DIR=.git git init --quiet; echo y > y",
      'mounted=$(test "$PWD" = "$BACKBEAT_WORKSPACE_HOME" && echo yes || echo no); echo "mounted $mounted"',
      `if test $mounted = yes; then echo z > ${home}/z; git -C ${home} commit --quiet --allow-empty -m z; fi`
    ]
    const { code, stdout } = await isolated(script.join("\n"))
    assert.strictEqual(code, 0, stdout)
    assert.deepStrictEqual(userState(home), before)
    gitIn(home, "fsck", "--strict")
    assert.include(sealed(newest()), "y")
    if (stdout.includes("mounted yes")) assert.include(sealed(newest()), "z")
    else assert.isFalse(existsSync(join(home, "z")))
  })

  it("is not mounted over a repository that contains the home of Backbeat or of the user", async () => {
    makeRepository(beat.home, { ".gitignore": "state\nshop\n" })
    const outer = await run(["run", "-f", "--isolate", "-a", "shell", "--", "pwd; echo x > new"], beat.home)
    assert.strictEqual(outer.code, 0, outer.stderr)
    assert.match(outer.stdout, /\/workspaces\/[0-9a-z]{12}\//)
    assert.include(
      gitIn(beat.home, "ls-tree", "-r", "--name-only", `refs/backbeat/task/${newest()}`).split("\n"),
      "new"
    )
    makeRepository(home)
    mkdirSync(join(home, "me"))
    const inner = await beat.run(["run", "-f", "--isolate", "-a", "shell", "--", "pwd"], {
      cwd: home,
      env: { HOME: join(home, "me") }
    })
    assert.match(inner.stdout, /\/workspaces\/[0-9a-z]{12}\/shop$/m)
    await beat.run(["config", "set", "workspaceMount", "always"])
    const refused = await run(["run", "-f", "--isolate", "-a", "shell", "--", "pwd"], beat.home)
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "the repository contains the home of Backbeat, which the mount would hide")
  })

  it("gives each of many tasks its own workspace and slot", async () => {
    makeRepository(home)
    await beat.run(["config", "set", "maxConcurrency", "8"])
    const runs = Array.from({ length: 8 }, (_, at) =>
      run(["run", "--isolate", "-a", "shell", `echo $BACKBEAT_SLOT > slot; echo ${at} > n`])
    )
    const ids = (await Promise.all(runs)).map(({ stdout }) => stdout.trim())
    assert.strictEqual((await run(["wait", ...ids, "--timeout", "280s"])).code, 0)
    assert.strictEqual(workspaces().length, 8)
    assert.deepStrictEqual(ids.map((id) => shown(id, "slot")).sort(), ["1", "2", "3", "4", "5", "6", "7", "8"])
    assert.deepStrictEqual(
      ids.map((id) => shown(id, "n")),
      ["0", "1", "2", "3", "4", "5", "6", "7"]
    )
    assert.deepStrictEqual(locksIn(home), [])
  })

  it("seals what is staged, unstaged, untracked and committed, and a link, and leaves the index of the workspace", async () => {
    makeRepository(home, { "a.txt": "one\n", "b.txt": "two\n", "c.txt": "three\n" })
    const { code, stderr } = await isolated(
      [
        "echo committed > c.txt; git commit --quiet -am mine",
        "echo staged > b.txt; git add b.txt; echo unstaged > a.txt; echo new > untracked; ln -s a.txt link",
        "cp .git/index before"
      ].join("\n")
    )
    assert.strictEqual(code, 0, stderr)
    const id = newest()
    assert.deepStrictEqual(
      ["a.txt", "b.txt", "c.txt", "untracked"].map((file) => shown(id, file)),
      ["unstaged", "staged", "committed", "new"]
    )
    assert.strictEqual(gitIn(home, "ls-tree", `refs/backbeat/task/${id}`, "link").split(" ")[0], "120000")
    const path = workspaceOf(id)?.path ?? ""
    assert.deepStrictEqual(readFileSync(join(path, ".git", "index")), readFileSync(join(path, "before")))
    assert.strictEqual(gitIn(home, "log", "-1", "--format=%s", `refs/backbeat/task/${id}^`), "mine")
  })

  it("keeps the agent's branches and its stash", async () => {
    makeRepository(home)
    await isolated(
      "git checkout --quiet -b side; echo s > s; git add s; git commit --quiet -m side; echo t > a.txt; git stash --quiet"
    )
    const id = newest()
    const names = gitIn(home, "for-each-ref", "--format=%(refname)", `refs/backbeat/task/${id}.refs`).split("\n")
    assert.deepStrictEqual(names, [`refs/backbeat/task/${id}.refs/heads/side`, `refs/backbeat/task/${id}.refs/stash`])
  })

  it("names a nested repository, seals the rest, and refuses to reclaim it", async () => {
    makeRepository(home)
    await isolated("mkdir in; git -C in init --quiet; echo n > in/n; echo f > f")
    const id = newest()
    assert.include(sealed(id), "f")
    assert.match((await run(["status", id])).stdout, /^nested +repositories that are in no commit: in$/m)
    const reclaimed = await run(["workspace", "reclaim", id])
    assert.strictEqual(reclaimed.code, 1)
    assert.include(reclaimed.stderr, "these repositories inside it are in no commit of it: in")
    assert.strictEqual(workspaceOf(id)?.state, "ready")
  })

  /** A repository inside the workspace has no author yet. */
  const identity = "-c user.name=n -c user.email=n@example.com"

  for (const [name, script, named] of [
    [
      "below an untracked directory",
      "mkdir -p deep/er && git -C deep/er init --quiet && echo n > deep/er/n",
      "deep/er"
    ],
    [
      "that the agent has committed like a file",
      `git init --quiet lib && git -C lib ${identity} commit --quiet --allow-empty -m n && git add lib 2> /dev/null && git commit --quiet -m lib`,
      "lib"
    ],
    [
      "whose commit is in the index alone",
      `git init --quiet lib && git -C lib ${identity} commit --quiet --allow-empty -m n && git add lib 2> /dev/null`,
      "lib"
    ]
  ] as const) {
    it(`names a repository ${name}, and refuses to reclaim it`, async () => {
      makeRepository(home)
      const { code, stderr } = await isolated(`${script} && echo f > f`)
      assert.strictEqual(code, 0, stderr)
      const id = newest()
      assert.include(sealed(id), "f")
      const status = (await run(["status", id])).stdout
      assert.include(status, `repositories that are in no commit: ${named}\n`)
      assert.include(
        (await run(["workspace", "reclaim", id])).stderr,
        `these repositories inside it are in no commit of it: ${named}`
      )
      assert.strictEqual(workspaceOf(id)?.state, "ready")
    })
  }

  it("names a changed submodule, committed or not, and not one that is as it was", async () => {
    const upstream = join(beat.home, "upstream")
    makeRepository(upstream)
    makeRepository(home)
    gitIn(home, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", upstream, "lib")
    gitIn(home, "commit", "--quiet", "-m", "lib")
    const change = `git -C lib ${identity} commit --quiet --allow-empty -m more`
    for (const [script, expected] of [
      ["true", []],
      [change, ["lib"]],
      [`${change}; git commit --quiet -am bump`, ["lib"]],
      ["echo x > lib/new", ["lib"]]
    ] as const) {
      const { code, stderr } = await isolated(script)
      assert.strictEqual(code, 0, stderr)
      const status = JSON.parse((await run(["status", "@last", "--json"])).stdout)
      assert.deepStrictEqual(status.result.nested, expected, script)
      assert.strictEqual((await run(["workspace", "reclaim", newest()])).code, expected.length === 0 ? 0 : 1, script)
    }
  })

  it("brings every commit and every stash home, from all branches, before its files are deleted", async () => {
    makeRepository(home)
    const stash = (text: string) => `echo ${text} > a.txt; git stash --quiet`
    await isolated(
      [
        "git commit --quiet --allow-empty -m left-behind",
        "git checkout --quiet -b side HEAD^; git commit --quiet --allow-empty -m side",
        `${stash("s1")}; ${stash("s2")}; ${stash("s3")}`
      ].join("\n")
    )
    const id = newest()
    const path = workspaceOf(id)?.path ?? ""
    const commits = gitIn(path, "log", "--all", "--reflog", "--format=%H").split("\n")
    assert.strictEqual((await run(["workspace", "reclaim", id])).code, 0)
    execFileSync("rm", ["-rf", join(beat.home, "state", "trash")])
    gitIn(home, "reflog", "expire", "--expire=now", "--all")
    gitIn(home, "gc", "--quiet", "--prune=now")
    for (const commit of commits) gitIn(home, "cat-file", "-e", commit)
    const names = gitIn(home, "for-each-ref", "--format=%(refname)", `refs/backbeat/task/${id}.refs`).split("\n")
    assert.lengthOf(names, 5, names.join(", "))
    // The next seal of fewer stashes has fewer names.
    assert.strictEqual((await run(["run", "-f", "--in", id, "-a", "shell", "git stash clear"])).code, 0)
    assert.strictEqual(gitIn(home, "for-each-ref", `refs/backbeat/task/${newest()}.refs/stashes`), "")
  })

  it("says which files it could not seal, and refuses to reclaim them", async () => {
    makeRepository(home)
    // No index takes this name: on Windows it means the directory of the repository.
    await isolated("echo x > git~1; echo y > ok")
    const id = newest()
    assert.deepStrictEqual(sealed(id), ["a.txt", "ok"])
    assert.match((await run(["status", id])).stdout, /^result .*; not complete: .*git~1/m)
    assert.include((await run(["workspace", "reclaim", id])).stderr, "not all of its files can be read")
  })

  it("works in the same subdirectory, and from a detached HEAD", async () => {
    makeBusyRepository(home)
    gitIn(home, "checkout", "--quiet", "--detach")
    const { code, stdout } = await beat.run(["run", "-f", "--isolate", "-a", "shell", "pwd; echo x > here"], {
      cwd: join(home, "sub")
    })
    assert.strictEqual(code, 0)
    assert.match(stdout, /\/sub\n$/)
    assert.include(sealed(newest()), "sub/here")
  })

  it("takes uncommitted files along with --base tree, and starts from a revision or a result", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    await isolated("cat a.txt b.txt untracked.txt; echo r > r", "--base", "tree")
    assert.strictEqual(beat.output(newest()).toString(), "dirty\nstaged\nmine\n")
    assert.deepStrictEqual(userState(home), before)
    const first = newest()
    await isolated("cat r", "--base", first)
    assert.strictEqual(beat.output(newest()).toString(), "r\n")
    await isolated("ls", "--base", "other")
    assert.strictEqual(beat.output(newest()).toString(), "a.txt\nb.txt\nsub\n")
    const unknown = await isolated("ls", "--base", "nonsense")
    assert.strictEqual(unknown.code, 2)
    assert.include(unknown.stderr, "has no revision 'nonsense'")
  })

  it("copies ignored files that .worktreeinclude names, and no others", async () => {
    makeRepository(home, { ".gitignore": ".env\nbuild/\nsecret\n", ".worktreeinclude": ".env\nbuild/keep\n" })
    writeIn(home, { ".env": "A=1\n", "build/keep": "k\n", "build/drop": "d\n", secret: "s\n" })
    await isolated("cat .env build/keep; ls build secret 2>&1; echo A=2 > .env")
    assert.match(beat.output(newest()).toString(), /^A=1\nk\n(.*secret.*\n)?build:\nkeep\n/)
    assert.strictEqual(readFileSync(join(home, ".env"), "utf8"), "A=1\n")
  })

  it("copies links that .worktreeinclude names as links", async () => {
    makeRepository(home, { ".gitignore": "links\n", ".worktreeinclude": "links\n" })
    writeIn(home, { "links/file": "f\n", "elsewhere/x": "x\n" })
    for (const [name, target] of [
      ["directory", "../elsewhere"],
      ["dangling", "nowhere"],
      ["tool", "file"]
    ] as const) {
      symlinkSync(target, join(home, "links", name))
    }
    const { code, stderr } = await isolated(
      "for f in directory dangling tool; do readlink links/$f; done; cat links/tool"
    )
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(beat.output(newest()).toString(), "../elsewhere\nnowhere\nfile\nf\n")
  })

  it("refuses a directory that is not a repository, one without a commit, and what says nothing", async () => {
    mkdirSync(home)
    const outside = await isolated("true")
    assert.strictEqual(outside.code, 2)
    assert.include(outside.stderr, "git init")
    gitIn(home, "init", "--quiet")
    const empty = await isolated("true")
    assert.strictEqual(empty.code, 2)
    assert.include(empty.stderr, "has no commit yet")
    for (const words of [
      ["--base", "HEAD"],
      ["--setup", "true"],
      ["--isolate", "--in", "@last"]
    ]) {
      assert.strictEqual((await run(["run", ...words, "-a", "shell", "true"])).code, 2, words.join(" "))
    }
    assert.strictEqual(beat.rows("SELECT id FROM tasks").length, 0)
    assert.strictEqual(workspaces().length, 0)
  })

  it("runs the setup first, in the same workspace, and not the task when it fails", async () => {
    makeRepository(home)
    const { code, stderr } = await isolated("cat ready; echo done > result", "--setup", "echo set > ready")
    assert.strictEqual(code, 0, stderr)
    assert.deepStrictEqual(sealed(newest()), ["a.txt", "ready", "result"])
    assert.strictEqual(workspaces().length, 1)
    assert.strictEqual((await isolated("true", "--setup", "exit 3")).code, 6)
  })

  it("works in the workspace of another task after it", async () => {
    makeRepository(home)
    await isolated("echo 1 > one")
    const first = newest()
    const second = await run(["run", "-f", "--in", first, "-a", "shell", "cat one; echo 2 > two"])
    assert.strictEqual(second.code, 0, second.stderr)
    assert.deepStrictEqual(sealed(newest()), ["a.txt", "one", "two"])
    assert.strictEqual(workspaces().length, 1)
    assert.strictEqual((await run(["run", "--in", "zzzz", "-a", "shell", "true"])).code, 3)
  })

  it("runs one task at a time in a workspace", async () => {
    makeRepository(home)
    const id = (
      await run(["run", "--isolate", "-a", "shell", "echo 1 > one; while ! test -e go; do sleep 0.05; done"])
    ).stdout.trim()
    await until("it runs", () => beat.status(id).status === "running" && workspaceOf(id)?.state === "ready")
    const path = workspaceOf(id)?.path ?? ""
    await until("it works", () => existsSync(join(path, "one")))
    const retry = beat.rows<{ workspace_id: string }>("SELECT workspace_id FROM tasks WHERE id = ?", id)[0]
    assert.isString(retry?.workspace_id)
    const busy = await run(["workspace", "reclaim", id])
    assert.strictEqual(busy.code, 1)
    assert.include(busy.stderr, "a task in it waits or runs")
    writeFileSync(join(path, "go"), "")
    await run(["wait", id, "--timeout", "30s"])
    assert.strictEqual(beat.status(id).status, "completed")
  })

  it("copies hooks, settings and links of the repository, so that the agent's commits obey them", async () => {
    makeRepository(home)
    writeFileSync(join(home, ".git", "hooks", "commit-msg"), '#!/bin/sh\ngrep -q TICKET "$1"\n', { mode: 0o755 })
    symlinkSync("a.txt", join(home, "l"))
    gitIn(home, "add", "l")
    gitIn(home, "commit", "--quiet", "--no-verify", "-m", "link")
    gitIn(home, "config", "alias.hello", "!echo hello from an alias")
    gitIn(home, "remote", "add", "origin", "../elsewhere.git")
    await isolated(
      "git hello; git remote get-url origin; git commit --quiet --allow-empty -m no || echo refused; git log --oneline | wc -l"
    )
    assert.strictEqual(
      beat.output(newest()).toString().replaceAll(/ +/g, ""),
      `hellofromanalias\n${join(beat.home, "elsewhere.git")}\nrefused\n2\n`
    )
  })

  it("cuts shallow, partial and sparse repositories, and fills submodules from the user's copy", async () => {
    const upstream = join(beat.home, "upstream")
    makeRepository(upstream, { "a.txt": "one\n", "deep/b.txt": "two\n" })
    writeIn(upstream, { "a.txt": "more\n" })
    gitIn(upstream, "commit", "--quiet", "-am", "more")
    gitIn(upstream, "config", "uploadpack.allowFilter", "true")
    const url = `file://${upstream}`
    for (const [name, ...options] of [
      ["shallow", "--depth=1"],
      ["partial", "--filter=blob:none"],
      ["sparse", "--sparse"]
    ] as const) {
      const clone = join(beat.home, name)
      execFileSync("git", ["clone", "--quiet", ...options, url, clone], { stdio: "ignore" })
      const done = await beat.run(["run", "-f", "--isolate", "-a", "shell", "cat a.txt; git status --porcelain; ls"], {
        cwd: clone
      })
      assert.strictEqual(done.code, 0, `${name}: ${done.stderr}`)
      assert.strictEqual(
        beat.output(newest()).toString(),
        name === "sparse" ? "more\na.txt\n" : "more\na.txt\ndeep\n",
        name
      )
    }
    makeRepository(home)
    gitIn(home, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", upstream, "lib")
    gitIn(home, "commit", "--quiet", "-m", "lib")
    gitIn(home, "config", "submodule.lib.url", "https://unreachable.invalid/lib.git")
    await isolated("cat lib/a.txt")
    assert.strictEqual(beat.output(newest()).toString(), "more\n")
  })

  it("says that it makes the workspace; large files come from the user's store and go to it", async () => {
    makeRepository(home, { ".gitattributes": "*.bin filter=lfs\n" })
    const go = join(beat.home, "go")
    const store = `store=$(git config lfs.storage || echo "$(git rev-parse --absolute-git-dir)/lfs"); mkdir -p "$store"`
    // What git-lfs does, in two lines: the repository has the name of the content, the store has the content.
    const clean = `${store}; cat >"$store/new"; name=$(cksum <"$store/new" | cut -d" " -f1); mv "$store/new" "$store/$name"; echo "$name"`
    const smudge = `${store}; until test -e ${go}; do sleep 0.05; done; read -r name; cat "$store/$name"`
    gitIn(home, "config", "filter.lfs.clean", clean)
    gitIn(home, "config", "filter.lfs.smudge", smudge)
    gitIn(home, "config", "filter.lfs.required", "true")
    writeIn(home, { "large.bin": "large\n" })
    gitIn(home, "add", ".")
    gitIn(home, "commit", "--quiet", "-m", "large")
    const name = gitIn(home, "show", "HEAD:large.bin")
    assert.match(name, /^\d+$/)
    const words = ["run", "--isolate", "-a", "shell", "cat large.bin; echo larger > large.bin; echo new > new.bin"]
    const id = (await run(words)).stdout.trim()
    await until("a worker has it", () => beat.rows("SELECT pid FROM claims WHERE task_id = ?", id)[0])
    const why = await run(["why", id])
    assert.match(why.stdout, /^Its workspace is being made/)
    writeFileSync(go, "")
    assert.strictEqual((await run(["wait", id])).code, 0)
    assert.strictEqual(beat.output(id).toString(), "large\n")
    const kept = (file: string) => readFileSync(join(home, ".git", "lfs", shown(id, file)), "utf8")
    assert.deepStrictEqual([kept("large.bin"), kept("new.bin")], ["larger\n", "new\n"])
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(readFileSync(join(home, "large.bin"), "utf8"), "larger\n")
  })

  it("reclaims by way of the trash, tells what came late, and restores from the trash and from the seal", async () => {
    makeRepository(home, { "a.txt": "one\n", ".gitignore": "cache\n" })
    await isolated("echo x > new; echo c > cache")
    const id = newest()
    const { id: workspace = "", path = "" } = workspaceOf(id) ?? {}
    writeFileSync(join(path, "late"), "l\n")
    const reclaimed = await run(["workspace", "reclaim", id])
    assert.strictEqual(reclaimed.code, 0, reclaimed.stderr)
    assert.include(reclaimed.stderr, `refs/backbeat/ws/${workspace}/late`)
    assert.strictEqual(gitIn(home, "show", `refs/backbeat/ws/${workspace}/late:late`), "l")
    assert.isFalse(existsSync(path))
    assert.strictEqual((await run(["workspace", "path", id])).code, 1)
    assert.strictEqual((await run(["workspace", "restore", id])).stdout.trim(), path)
    assert.strictEqual(readFileSync(join(path, "cache"), "utf8"), "c\n")
    await run(["workspace", "reclaim", workspace])
    // Without the trash it comes from the commit: ignored files are in none.
    execFileSync("rm", ["-rf", join(beat.home, "state", "trash")])
    const again = await run(["retry", id])
    assert.strictEqual(again.code, 0, again.stderr)
    await run(["wait", again.stdout.trim(), "--timeout", "30s"])
    assert.strictEqual(beat.status(again.stdout.trim()).status, "completed")
    assert.strictEqual(workspaceOf(again.stdout.trim())?.path, path)
    assert.isTrue(existsSync(join(path, "new")))
    assert.strictEqual(readFileSync(join(path, "late"), "utf8"), "l\n", "what came late is in its newest commit")
    execFileSync("rm", [join(path, "late")])
    await run(["workspace", "reclaim", workspace])
    const names = gitIn(home, "for-each-ref", "--format=%(refname)", "refs/backbeat/task").split("\n")
    assert.isTrue(names.some((name) => gitIn(home, "ls-tree", "--name-only", name).split("\n").includes("late")))
  })

  it("refuses to reclaim while a process works in it, and keeps what is to be kept", async () => {
    makeRepository(home)
    await isolated("true")
    const { id = "", path = "" } = workspaceOf(newest()) ?? {}
    const sleeper = beat.start(["wait", "zzzz"], { cwd: path })
    await sleeper.done
    const { spawn } = await import("node:child_process")
    const child = spawn("sleep", ["60"], { cwd: path, stdio: "ignore" })
    try {
      await until("it is there", () => existsSync(`/proc/${child.pid}/cwd`))
      const busy = await run(["workspace", "reclaim", id])
      assert.strictEqual(busy.code, 1)
      assert.include(busy.stderr, `it is the working directory of sleep (pid ${child.pid})`)
    } finally {
      child.kill("SIGKILL")
      await new Promise((done) => child.once("exit", done))
    }
    // From below, and in the mounts that only an agent has.
    await beat.run(["config", "set", "leftovers", "keep"])
    await isolated(
      "mkdir -p in/side; cd in/side; setsid sleep 61 < /dev/null > /dev/null 2>&1 & echo $! > $BACKBEAT_WORKSPACE/../pid; sleep 0.2"
    )
    const below = workspaceOf(newest())
    const left = Number(readFileSync(join(below?.path ?? "", "..", "pid"), "utf8"))
    try {
      assert.match(
        (await run(["workspace", "reclaim", below?.id ?? ""])).stderr,
        new RegExp(`it is the working directory of sleep \\(pid ${left}\\)`)
      )
    } finally {
      process.kill(left, "SIGKILL")
    }
    await run(["workspace", "keep", id])
    assert.include((await run(["workspace", "reclaim", id])).stderr, "it is kept")
    assert.match((await run(["workspace", "list"])).stdout, /kept/)
    await run(["workspace", "keep", "--off", id])
    assert.strictEqual((await run(["workspace", "reclaim", id])).code, 0)
    assert.strictEqual(
      beat.rows<Row>("SELECT id, path, state, slot FROM workspaces WHERE id = ?", id)[0]?.state,
      "trashed"
    )
  })

  for (const step of [
    "cut.begun",
    "cut.linked",
    "cut.configured",
    "cut.filled",
    "cut.whole",
    "cut.renamed",
    "enter.provided"
  ]) {
    it(`completes once, and leaves nothing half made, after a kill at ${step}`, async () => {
      makeBusyRepository(home)
      const before = userState(home)
      const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
      await until("it serves", () => beat.workers().length === 1)
      const id = (await run(["run", "--isolate", "-a", "shell", "echo x >> count"])).stdout.trim()
      assert.strictEqual((await doomed.done).signal, "SIGKILL")
      const { code, stderr } = await run(["wait", id, "--timeout", "280s"])
      assert.strictEqual(code, 0, stderr)
      assert.strictEqual(shown(id, "count"), "x")
      const { path = "" } = workspaceOf(id) ?? {}
      assert.deepStrictEqual(readdirSync(join(path, "..")), ["shop"])
      assert.deepStrictEqual(userState(home), before)
    })
  }

  for (const step of ["seal.tree", "seal.committed", "seal.named", "seal.home", "seal.taken", "seal.stored"]) {
    it(`has one result, which is in the repository, after a kill at ${step}`, async () => {
      makeBusyRepository(home)
      const before = userState(home)
      const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
      await until("it serves", () => beat.workers().length === 1)
      const id = (await run(["run", "--isolate", "-a", "shell", "echo x >> count"])).stdout.trim()
      assert.strictEqual((await doomed.done).signal, "SIGKILL")
      assert.strictEqual((await run(["wait", id, "--timeout", "280s"])).code, 0)
      const results = beat.rows<{ commit: string; home: number }>('SELECT "commit", home FROM results')
      const { path = "" } = workspaceOf(id) ?? {}
      assert.deepStrictEqual(results, [{ commit: gitIn(path, "rev-parse", "refs/backbeat/seal"), home: 1 }])
      assert.strictEqual(gitIn(home, "rev-parse", `refs/backbeat/task/${id}`), results[0]?.commit)
      assert.strictEqual(shown(id, "count"), "x")
      assert.deepStrictEqual(userState(home), before)
      assert.deepStrictEqual(
        readdirSync(join(path, ".git")).filter((name) => name.startsWith("backbeat-index")),
        []
      )
    })
  }

  for (const step of ["reclaim.begun", "seal.home", "reclaim.sealed", "reclaim.renamed"]) {
    it(`loses nothing when a reclaim is killed at ${step}`, async () => {
      makeRepository(home, { "a.txt": "one\n", ".gitignore": "cache\n" })
      await isolated("echo x > new; echo c > cache")
      const { id = "", path = "" } = workspaceOf(newest()) ?? {}
      writeFileSync(join(path, "late"), "l\n")
      const killed = await beat.run(["workspace", "reclaim", id], { env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
      assert.strictEqual(killed.signal, "SIGKILL")
      const again = await run(["workspace", "reclaim", id])
      assert.strictEqual(again.code, 0, again.stderr)
      assert.strictEqual(workspaceOf(newest())?.state, "trashed")
      assert.strictEqual((await run(["workspace", "restore", id])).code, 0)
      assert.deepStrictEqual(
        ["new", "cache", "late"].map((file) => readFileSync(join(path, file), "utf8")),
        ["x\n", "c\n", "l\n"]
      )
    })
  }

  it("has a seal although a git that was killed has left the locks of its private names", async () => {
    makeRepository(home)
    const go = join(beat.home, "go")
    const command = `git stash list; echo 1 > a.txt; git stash; echo 2 > a.txt; git stash; until [ -e '${go}' ]; do sleep 0.05; done; echo x > new`
    const id = (await run(["run", "--isolate", "-a", "shell", "--", command])).stdout.trim()
    await until("it is cut", () => workspaceOf(id)?.state === "ready")
    const { path = "" } = workspaceOf(id) ?? {}
    writeIn(join(home, ".git"), {
      [`refs/backbeat/task/${id}.lock`]: "",
      [`refs/backbeat/task/${id}.refs/stash.lock`]: ""
    })
    writeIn(join(path, ".git"), { "refs/backbeat/seal.lock": "", "refs/backbeat/stash/1.lock": "" })
    utimesSync(join(path, ".git/refs/backbeat/seal.lock"), 1, 1)
    writeFileSync(go, "")
    assert.strictEqual((await run(["wait", id, "--timeout", "100s"])).code, 0)
    assert.deepStrictEqual(sealed(id), ["a.txt", "new"])
    assert.strictEqual(shown(id, "a.txt"), "one")
    assert.lengthOf(gitIn(home, "for-each-ref", `refs/backbeat/task/${id}.refs`).split("\n"), 2)
    assert.deepStrictEqual([...locksIn(home), ...locksIn(path)], [])
    assert.deepStrictEqual(beat.rows("SELECT problem, home FROM results"), [{ problem: null, home: 1 }])
  })

  /** A worker that takes all for as old as is needed, until `condition` holds. */
  const tidied = async (what: string, condition: () => boolean) => {
    await beat.run(["config", "set", "workspaceTrashMs", "1ms"])
    const worker = beat.start(["worker", "--keep"])
    await until(what, condition)
    worker.child.kill("SIGKILL")
    await worker.done
  }

  for (const [from, setUp] of [
    ["the trash", () => {}],
    ["its commit", () => execFileSync("rm", ["-rf", join(beat.home, "state", "trash")])]
  ] as const) {
    it(`is taken for restored after a kill of its restore from ${from}, although the trash is emptied`, async () => {
      makeRepository(home, { "a.txt": "one\n" })
      await isolated("echo x > new")
      const { id = "", path = "" } = workspaceOf(newest()) ?? {}
      await run(["workspace", "reclaim", id])
      setUp()
      const killed = await beat.run(["workspace", "restore", id], {
        env: { BACKBEAT_FAILPOINTS: "restore.placed:kill" }
      })
      assert.strictEqual(killed.signal, "SIGKILL")
      assert.strictEqual(workspaceOf(newest())?.state, "trashed")
      await tidied("it is ready", () => workspaceOf(newest())?.state === "ready")
      assert.strictEqual(readFileSync(join(path, "new"), "utf8"), "x\n")
      assert.strictEqual((await run(["workspace", "reclaim", id])).code, 0)
    })
  }

  it("loses its trash in time, with what no record names, and no directory of the user's", async () => {
    makeRepository(home)
    await isolated("echo x > new")
    const { id = "", path = "" } = workspaceOf(newest()) ?? {}
    await run(["workspace", "reclaim", id])
    const trash = join(beat.home, "state", "trash")
    for (const name of ["000000000000", `${id}-2`, `${id}-3.erased`, "mine", "0000"]) mkdirSync(join(trash, name))
    await tidied("the trash is empty", () => readdirSync(trash).length === 2)
    assert.sameMembers(readdirSync(trash), ["mine", "0000"])
    assert.strictEqual(workspaceOf(newest())?.state, "gone")
    assert.isFalse(existsSync(path))
    assert.strictEqual((await run(["workspace", "restore", id])).code, 0)
    assert.strictEqual(readFileSync(join(path, "new"), "utf8"), "x\n")
  })

  it("is left to the process that reclaims it while that lives, stopped or not", async () => {
    makeRepository(home)
    const holder = beat.start(["worker", "--keep"])
    await until("it serves", () => beat.workers().length === 1)
    await isolated("true")
    const { id = "", path = "" } = workspaceOf(newest()) ?? {}
    const [owner] = beat.rows<{ pid: number; start_time: string; boot_id: string }>("SELECT * FROM workers")
    assert.isDefined(owner)
    const database = new Database(beat.databaseFile)
    database
      .prepare("UPDATE workspaces SET state = 'reclaiming', reclaimer = ?")
      .run(JSON.stringify({ pid: owner?.pid, startTime: owner?.start_time, bootId: owner?.boot_id }))
    database.close()
    const refused = await run(["workspace", "reclaim", id])
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, `another process reclaims it (pid ${owner?.pid})`)
    assert.isTrue(existsSync(path))
    holder.child.kill("SIGKILL")
    await holder.done
    const again = await run(["workspace", "reclaim", id])
    assert.strictEqual(again.code, 0, again.stderr)
    assert.isFalse(existsSync(path))
  })

  for (const step of ["reclaim.begun", "reclaim.renamed"]) {
    it(`is given to the task that waits for it after its reclaim was killed at ${step}`, async () => {
      makeRepository(home, { "a.txt": "one\n", ".gitignore": "cache\n" })
      await isolated("echo c > cache")
      const { id = "" } = workspaceOf(newest()) ?? {}
      const killed = await beat.run(["workspace", "reclaim", id], { env: { BACKBEAT_FAILPOINTS: `${step}:kill` } })
      assert.strictEqual(killed.signal, "SIGKILL")
      const next = (await run(["run", "--in", newest(), "-a", "shell", "cat cache"])).stdout.trim()
      assert.strictEqual((await run(["wait", next, "--timeout", "60s"])).code, 0)
      assert.strictEqual(beat.output(next).toString(), "c\n")
    })
  }
})
