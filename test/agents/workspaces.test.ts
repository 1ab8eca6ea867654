/** Real agents in separate repositories: three tasks on one file, everything killed twice on the way, two merged, one in conflict. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { gitIn, locksIn, makeRepository, userState, writeIn } from "../support/repository.ts"
import { binary, children, isAlive, kill, until } from "../system/Beat.ts"
import { AgentBench } from "./AgentBench.ts"
import { FakeModel } from "./fakeModel/FakeModel.ts"
import { type Installed, install, type RealAgent, realAgents } from "./RealAgents.ts"

const names = ["claude", "codex"]
const chosen = process.env.BACKBEAT_AGENTS?.split(",") ?? names
const agents: ReadonlyArray<RealAgent> = realAgents.filter(({ name }) => names.includes(name))

const report: Array<string> = []

afterAll(() => {
  if (report.length > 0) process.stderr.write(`\nWorkspaces:\n${report.map((line) => `  ${line}`).join("\n")}\n`)
})

const file = "list.txt"
const numbered = Array.from({ length: 20 }, (_, at) => `${at + 1}`)
const withLine = (at: number, text: string, lines: ReadonlyArray<string> = numbered) =>
  lines.map((line, index) => (index === at - 1 ? text : line))
const textOf = (lines: ReadonlyArray<string>) => `${lines.join("\n")}\n`

/** A home with both agents, and a repository in which the user has begun something. */
class Bench extends AgentBench {
  constructor(fake: FakeModel, installed: ReadonlyArray<Installed>) {
    super(agents, fake, installed, { maxConcurrency: 3 })
    makeRepository(this.shop, { [file]: textOf(numbered), "mine.txt": "mine\n" })
    writeIn(this.shop, { "mine.txt": "half done\n", "untracked.txt": "u\n" })
  }

  /** The newest attempt at the work of a task. */
  newest(id: string): {
    readonly id: string
    readonly status: string
    readonly attempt: number
    readonly error: string | null
  } {
    const [row] = this.beat.rows<{
      id: string
      status: string
      attempt: number
      error: string | null
      retried_by: string | null
    }>("SELECT id, status, attempt, error, retried_by FROM tasks WHERE id = ?", id)
    if (row === undefined) throw new Error(`no task ${id}`)
    return row.retried_by === null ? row : this.newest(row.retried_by)
  }

  /** Whether the agent of the newest attempt has done its step, and runs. */
  hasWritten(id: string, words: string): boolean {
    const task = this.newest(id)
    const [place] = this.beat.rows<{ path: string }>(
      "SELECT path FROM workspaces JOIN tasks ON tasks.workspace_id = workspaces.id WHERE tasks.id = ?",
      task.id
    )
    const path = join(place?.path ?? "", file)
    return task.status === "running" && existsSync(path) && readFileSync(path, "utf8").includes(words)
  }

  override async restart(): Promise<void> {
    const pids = this.#pids()
    assert.isNotEmpty(pids)
    await super.restart()
    assert.deepStrictEqual(pids.filter(isAlive), [])
  }

  /** Kills workers first, so that none of them sees the end of the shims and agents that follow. */
  async killAll(): Promise<void> {
    const pids = this.#pids()
    for (const pid of pids) kill(pid, "SIGKILL")
    await until("they have ended", () => !pids.some(isAlive))
  }

  /** Workers, shims and agents. */
  #pids(): ReadonlyArray<number> {
    const shims = this.beat.rows<{ pid: number | null }>("SELECT pid FROM claims").flatMap(({ pid }) => pid ?? [])
    return [...this.beat.workers(), ...shims, ...shims.flatMap(children)]
  }
}

/** Changes a line, is killed; changes it again, is killed; changes it as it should be. A step that is done again does the same. */
const prompt = (line: number, word: string) =>
  [
    `TOOL: sed -i '${line}s/.*/${word} one/' ${file}`,
    `HANG: x1`,
    `TOOL: sed -i '${line}s/.*/${word} two/' ${file}`,
    `HANG: x1`,
    `TOOL: sed -i '${line}s/.*/${word}/' ${file}`,
    `SAY: line ${line} is ${word}`
  ].join("\n")

describe.skipIf(!names.every((name) => chosen.includes(name)))("claude and codex, isolated", () => {
  it("leave three results of one file over two kills of everything; two are merged, and a conflict changes nothing", {
    timeout: 300_000
  }, async (context) => {
    if (!existsSync(binary)) throw new Error(`no built binary at ${binary}: npm run build`)
    const installed: Array<Installed> = []
    for (const agent of agents) {
      const found = install(agent)
      if (typeof found === "string") return context.skip(found)
      installed.push(found)
    }
    const fake = await FakeModel.start()
    const bench = new Bench(fake, installed)
    const { beat, shop } = bench
    try {
      const untouched = userState(shop)
      const start = (agent: string, line: number, word: string) =>
        bench.ok(
          ["run", "--isolate", "-a", agent, "-t", "120s", "--retries", "3", "--backoff", "0s", "-"],
          prompt(line, word)
        )
      const works = [
        { id: await start("claude", 1, "first"), word: "first" },
        { id: await start("codex", 20, "last"), word: "last" },
        { id: await start("codex", 1, "other"), word: "other" }
      ] as const
      const allWrote = (step: string) => () => works.every(({ id, word }) => bench.hasWritten(id, `${word} ${step}`))

      await until("all three have changed the file", allWrote("one"))
      await bench.restart()
      await bench.ok(["worker", "--detach"])
      await until("all three have continued", allWrote("two"))
      await bench.killAll()
      await bench.ok(["worker", "--detach"])

      await until("all three have ended", () =>
        works.every(({ id }) => !["queued", "running"].includes(bench.newest(id).status))
      )
      for (const { id } of works) assert.deepInclude(bench.newest(id), { status: "completed", error: null, attempt: 3 })
      assert.deepStrictEqual(userState(shop), untouched, "what agents do in their workspaces changes nothing here")
      const [one, two, three] = works.map(({ id }) => bench.newest(id).id)
      if (one === undefined || two === undefined || three === undefined) throw new Error("a task is missing")

      // The merges are killed twice too: before their first change, and before they could say that they were done.
      assert.strictEqual((await bench.run(["merge", one], { dieAt: "merge.recorded" })).signal, "SIGKILL")
      await bench.ok(["merge", one])
      assert.strictEqual((await bench.run(["merge", two], { dieAt: "merge.applied" })).signal, "SIGKILL")
      await bench.ok(["merge", two])
      const both = textOf(withLine(20, "last", withLine(1, "first")))
      assert.strictEqual(readFileSync(join(shop, file), "utf8"), both)
      const merged = userState(shop)

      const conflict = await bench.run(["merge", three])
      assert.strictEqual(conflict.code, 1, conflict.stdout + conflict.stderr)
      assert.include(conflict.stdout, `${three} conflict  in ${file}`)
      assert.deepStrictEqual(userState(shop), merged, "a conflict changes nothing")
      assert.isFalse(existsSync(join(shop, ".git", "MERGE_HEAD")))
      assert.deepStrictEqual(locksIn(shop), [])
      assert.include(await bench.ok(["diff", three, "--patch"]), "+other")
      assert.strictEqual(
        gitIn(shop, "log", "--format=%s").split("\n").length,
        3,
        "the first commit and one for each merge"
      )
      assert.strictEqual(readFileSync(join(shop, "mine.txt"), "utf8"), "half done\n")
      assert.deepStrictEqual(beat.rows("SELECT 1 FROM claims"), [])
      report.push(agents.map(({ name }, at) => `${name} ${installed[at]?.version}`).join(", "))
    } finally {
      fake.close()
      await beat.close()
    }
  })
})
