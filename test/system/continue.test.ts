/** The built `beat`: what ended work leaves behind, and how other work goes on from it. */
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Beat, until } from "./Beat.ts"

const git = (directory: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"]
  }).trim()

/** A repository with one commit. */
const repositoryIn = (home: string): string => {
  const directory = join(home, "project")
  mkdirSync(directory)
  git(directory, "init", "-q", "-b", "main")
  writeFileSync(join(directory, "a.txt"), "1\n")
  git(directory, "add", "-A")
  git(directory, "commit", "-q", "-m", "first")
  return directory
}

const checkpointed = (beat: Beat, id: string) =>
  until(`task ${id} leaves a checkpoint`, () => {
    const [row] = beat.rows<{ content: string }>("SELECT content FROM checkpoints WHERE task_id = ?", id)
    return row === undefined ? null : JSON.parse(row.content)
  })

const commits = "git -c user.name=t -c user.email=t@example.com commit -qam second"

describe("work that continues other work", () => {
  const beat = new Beat()
  let directory = ""
  let first = ""

  beforeAll(async () => {
    directory = repositoryIn(beat.home)
    const script = `echo 2 >>a.txt; ${commits}; echo new >b.txt; echo 'found it in date.ts'; echo broken >&2; exit 3`
    // The start does not wait for the look at its repository.
    const go = join(beat.home, "go")
    first = await beat.submit(`until [ -e '${go}' ]; do sleep 0.05; done; ${script}`, ["-C", directory])
    await until("the repository at the start is known", () => beat.rows("SELECT 1 FROM task_starts").length === 1)
    writeFileSync(go, "")
    await beat.run(["wait", first])
    await checkpointed(beat, first)
  })

  afterAll(() => beat.close())

  it("shows what a task left behind: its repository before and after, and what changed", async () => {
    const { stdout } = await beat.run(["status", first])
    const head = git(directory, "rev-parse", "HEAD").slice(0, 12)
    const before = git(directory, "rev-parse", "HEAD~1").slice(0, 12)
    assert.include(stdout, `git           main at ${before} -> main at ${head}, 1 not committed\n`)
    assert.match(stdout, /changes +a\.txt \| 1 \+\n +1 file changed, 1 insertion\(\+\)\n/)
    const narrow = await beat.run(["status", first], { env: { COLUMNS: "40" } })
    assert.include(narrow.stdout, before)
    const { checkpoint } = JSON.parse((await beat.run(["status", first, "--json"])).stdout)
    assert.deepInclude(checkpoint, { status: "failed", cause: "exit", tail: "found it in date.ts\nbroken" })
    assert.deepStrictEqual([checkpoint.after.dirty, checkpoint.after.dirtyCount], [["?? b.txt"], 1])
  })

  it("resumes a task, in its directory and environment, with its lineage", async () => {
    const resumed = await beat.run(["resume", first, "-f", "--context", "rm -rf a.txt"], {
      env: { PATH: process.env.PATH ?? "" }
    })
    assert.strictEqual(resumed.code, 1, resumed.stderr)
    const task = JSON.parse((await beat.run(["status", "@last", "--json"])).stdout)
    assert.deepInclude(task, { retryOf: first, rootId: first, attempt: 2, continuation: "checkpoint", directory })
    assert.include(task.prompt, "# found it in date.ts")
    assert.include(task.prompt, "# rm -rf a.txt")
    const text = (await beat.run(["status", task.id])).stdout
    assert.include(text, `attempt       2, continues from ${first}`)
    git(directory, "cat-file", "-e", "HEAD:a.txt")
  })

  it("refuses to resume what runs, and what is not there", async () => {
    const id = await beat.submit("sleep 60")
    const running = await beat.run(["resume", id])
    assert.deepStrictEqual([running.code, running.stdout], [1, ""])
    assert.match(running.stderr, /cannot be resumed now\. Wait for its end: beat wait/)
    await beat.run(["cancel", id])
    assert.strictEqual((await beat.run(["resume", "zzzzzzzzzzzz"])).code, 3)
    assert.strictEqual((await beat.run(["resume", first, "--context", ""])).code, 2)
    assert.strictEqual((await beat.run(["resume"])).code, 2)
  })

  it("starts what continues from a task after it, and tells it what was found", async () => {
    const before = await beat.submit(`until [ -e go ]; do sleep 0.05; done; echo 'it is "date.ts"'`, ["-C", directory])
    const after = await beat.submit('cat "$0"', ["--continue-from", before.slice(0, 10)])
    const last = await beat.submit('cat "$0"', ["--continue-from", after])
    await until("the first one runs", () => beat.status(before).status === "running")
    assert.deepStrictEqual([beat.status(after).status, beat.status(last).status], ["queued", "queued"])
    writeFileSync(join(directory, "go"), "")
    await beat.run(["wait", last])
    const { stdout } = await beat.run(["result", after])
    assert.include(stdout, `# The record of task ${before}`)
    assert.include(stdout, '# it is "date.ts"')
    assert.match(stdout, /\ncat "\$0"\n?$/)
    const chain = (await beat.run(["result", last])).stdout
    assert.isAbove(chain.indexOf(`task ${after}`), chain.indexOf(`task ${before}`))
    assert.isAtLeast(chain.indexOf(`task ${before}`), 0)
    const refused = await beat.run(["run", "-a", "shell", "--continue-from", "zzzz", "true"])
    assert.deepStrictEqual([refused.code, refused.stdout], [3, ""])
  })
})

describe("a worker that is killed right after it stored an end", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("leaves the checkpoint to the next one", async () => {
    const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: "release.discarded:kill" } })
    await until("it is on the list", () => beat.rows("SELECT id FROM workers").length === 1)
    const id = await beat.submit("echo kept")
    assert.strictEqual((await doomed.done).signal, "SIGKILL")
    assert.strictEqual(beat.status(id).status, "completed")
    assert.deepStrictEqual(beat.rows("SELECT task_id FROM checkpoints"), [])
    const { code, stderr } = await beat.run(["worker"])
    assert.strictEqual(code, 0, stderr)
    const { tail } = await checkpointed(beat, id)
    assert.strictEqual(tail, "kept")
    assert.deepStrictEqual(beat.rows("SELECT seq FROM outbox_readers WHERE name = 'checkpoints'"), [{ seq: 1 }])
  })
})
