/** What surrounds isolated tasks: the setting that isolates, the limit on their disk, and pull requests from their work. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, makeBusyRepository, makeRepository, userState } from "../support/repository.ts"
import { Beat, until } from "./Beat.ts"

describe("isolation", () => {
  let beat: Beat
  let home: string

  beforeEach(() => {
    beat = new Beat()
    home = join(beat.home, "shop")
  })

  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>, env: Record<string, string> = {}) => beat.run(args, { cwd: home, env })
  const newest = () => beat.rows<{ id: string }>("SELECT id FROM tasks ORDER BY seq DESC LIMIT 1")[0]?.id ?? ""

  it("is what the setting says for a directory and those below it, unless the command says otherwise", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    assert.strictEqual((await run(["config", "set", "isolate", JSON.stringify([home])])).code, 0)
    const told = await beat.run(["run", "-f", "-a", "shell", "echo 1 > n"], { cwd: home })
    assert.strictEqual(told.code, 0, told.stderr)
    assert.match(told.stderr, /isolated, as the setting 'isolate' says/)
    assert.deepStrictEqual(userState(home), before)
    assert.strictEqual((await run(["diff", newest(), "--name-only"])).stdout.trim(), "n")
    assert.match((await run(["status", newest()])).stdout, /workspace .*\/workspaces\//)
    assert.strictEqual(
      (await run(["run", "-f", "--no-isolate", "-a", "shell", "test $PWD = $(pwd -P); echo 2 > here"])).code,
      0
    )
    assert.strictEqual(readFileSync(join(home, "here"), "utf8"), "2\n")
    assert.strictEqual((await run(["run", "--no-isolate", "--isolate", "-a", "shell", "true"])).code, 2)
    mkdirSync(join(beat.home, "elsewhere"))
    const outside = await beat.run(["run", "-f", "-a", "shell", "true"], { cwd: join(beat.home, "elsewhere") })
    assert.notMatch(outside.stderr, /isolated/)
  })

  it("waits for disk where workspaces hold as much as they may, with a reason, and reclaims those that no task needs", async () => {
    makeRepository(home, { "a.txt": "one\n" })
    await run(["config", "set", "workspaceMaxBytes", "1"])
    assert.strictEqual((await run(["run", "-f", "--isolate", "-a", "shell", "echo 1 > n"])).code, 0)
    const first = newest()
    await run(["workspace", "keep", first])
    assert.match((await run(["workspace", "list"])).stderr, /1 workspace, .* of 1 B/)
    const second = (await run(["run", "--isolate", "-a", "shell", "echo 2 > n"])).stdout.trim()
    await until("it is told", async () => /waits for disk/.test((await run(["why", second])).stdout))
    assert.match((await run(["status", second])).stdout, /queued/)
    assert.match((await run(["doctor"])).stdout, /workspaces .*none is made until others are reclaimed/)
    await run(["workspace", "keep", "--off", first])
    assert.strictEqual((await run(["wait", second, "--timeout", "280s"])).code, 0)
    assert.strictEqual(gitIn(home, "show", `refs/backbeat/task/${first}:n`), "1")
    assert.deepStrictEqual(beat.rows("SELECT state FROM workspaces ORDER BY created_at LIMIT 1"), [
      { state: "trashed" }
    ])
    const third = (await run(["run", "--isolate", "-a", "shell", "sleep 2; echo 3 > n"])).stdout.trim()
    const beside = (await run(["run", "--in", third, "-a", "shell", "true"])).stdout.trim()
    assert.strictEqual((await run(["wait", third, beside, "--timeout", "280s"])).code, 0)
  })

  describe("proposed with --pr", () => {
    let bin: string
    let remote: string

    /** A `gh` that writes down what it was asked, and knows the pull requests that it has made. */
    const fakeGh = `#!/bin/sh
printf '%s\\n' "$*" >> "$0.log"
case "$1 $2" in
  "pr view") test -e "$0.made" && cat "$0.made";;
  "pr create") test ! -e "$0.broken" || { echo "error: it is broken" >&2; exit 1; }
    echo https://github.example/shop/pull/7 | tee "$0.made";;
esac
`

    beforeEach(() => {
      bin = join(beat.home, "bin")
      remote = join(beat.home, "remote.git")
      mkdirSync(bin)
      makeRepository(home, { "a.txt": "one\n" })
      gitIn(beat.home, "init", "-q", "--bare", remote)
      gitIn(home, "remote", "add", "origin", remote)
      gitIn(home, "push", "-q", "origin", "HEAD")
    })

    const withGh = () => {
      writeFileSync(join(bin, "gh"), fakeGh)
      chmodSync(join(bin, "gh"), 0o755)
      return { PATH: `${bin}:${process.env.PATH ?? ""}` }
    }
    const work = async () => {
      assert.strictEqual((await run(["run", "-f", "--isolate", "-a", "shell", "echo 1 > n"])).code, 0)
      return newest()
    }

    it("is a branch of the remote and a pull request, once, and changes nothing here", async () => {
      const id = await work()
      const env = withGh()
      const own = () => [
        gitIn(home, "for-each-ref", "refs/heads", "refs/tags"),
        gitIn(home, "status", "--porcelain=v2")
      ]
      const before = own()
      const { code, stderr, stdout } = await run(["merge", id, "--pr", "-m", "Add n"], env)
      assert.strictEqual(code, 0, stderr)
      assert.match(stdout, /proposed {2}https:\/\/github\.example\/shop\/pull\/7/)
      assert.strictEqual(gitIn(remote, "show", `beat/${id}:n`), "1")
      assert.strictEqual(gitIn(remote, "log", "--format=%s", `beat/${id}`).split("\n").length, 2)
      // The remote's branch has its name here, as after every push.
      assert.deepStrictEqual(own(), before)
      const asked = readFileSync(join(bin, "gh.log"), "utf8")
      assert.match(asked, new RegExp(`pr create --head beat/${id} --base \\w+ --title Add n`))
      assert.strictEqual((await run(["merge", id, "--pr", "--json"], env)).code, 0)
      assert.lengthOf(readFileSync(join(bin, "gh.log"), "utf8").match(/pr create/g) ?? [], 1)
      assert.deepStrictEqual(beat.rows("SELECT state, reason, url FROM merges"), [
        { state: "proposed", reason: null, url: "https://github.example/shop/pull/7" }
      ])
    })

    it("continues with the same commit after it was killed or gh failed", async () => {
      const id = await work()
      const env = withGh()
      for (const step of ["propose.recorded", "propose.pushed"]) {
        const killed = await run(["merge", id, "--pr"], { ...env, BACKBEAT_FAILPOINTS: `${step}:kill` })
        assert.strictEqual(killed.signal, "SIGKILL")
      }
      const pushed = gitIn(remote, "rev-parse", `beat/${id}`)
      writeFileSync(join(bin, "gh.broken"), "")
      const broken = await run(["merge", id, "--pr"], env)
      assert.notStrictEqual(broken.code, 0)
      assert.match(broken.stderr, /it is broken/)
      writeFileSync(join(bin, "gh"), fakeGh.replace('test ! -e "$0.broken" ||', "true ||"))
      assert.strictEqual((await run(["merge", id, "--pr"], env)).code, 0)
      assert.strictEqual(gitIn(remote, "rev-parse", `beat/${id}`), pushed)
      assert.lengthOf(beat.rows("SELECT id FROM merges"), 1)
    })

    it("is refused in one sentence without gh, without a remote, and with what does not belong to it", async () => {
      const id = await work()
      const git = gitIn(home, "--exec-path")
      const noGh = await run(["merge", id, "--pr"], { PATH: `/usr/bin:/bin:${git}` })
      if (!/github\.com|cli\.github/.test(noGh.stderr)) assert.strictEqual(noGh.code, 0, "gh is installed here")
      else assert.strictEqual(noGh.code, 1)
      gitIn(home, "remote", "remove", "origin")
      const env = withGh()
      assert.match((await run(["merge", id, "--pr"], env)).stderr, /has no remote to push to/)
      assert.strictEqual((await run(["merge", id, "--pr", "--check", "true"], env)).code, 2)
      assert.lengthOf(beat.rows("SELECT id FROM merges"), 0)
    })
  })
})
