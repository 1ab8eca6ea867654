/** An agent that asks over its stdin: answered in its turn by rules and persons, with workers killed, and after it was parked. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, kill, until } from "./Beat.ts"

const claude = resolve(import.meta.dirname, "../support/steeredClaude.cjs")
const approve = { allow: ["Bash(git diff:*)"], deny: ["Bash(git push:*)"] }

class Asking extends Beat {
  readonly files = join(this.home, "agent")

  constructor() {
    super({ BACKBEAT_MAX_CONCURRENCY: "8" })
    mkdirSync(this.files, { recursive: true })
    mkdirSync(join(this.home, "state"), { recursive: true, mode: 0o700 })
    const agents = { claude: { program: claude, apiKey: "sk-none", approve } }
    writeFileSync(join(this.home, "state", "config.json"), JSON.stringify({ agents }))
  }

  override get environment() {
    return { ...super.environment, STEERED_HOME: this.files }
  }

  async begin(prompt: string, ...args: ReadonlyArray<string>): Promise<string> {
    const started = await this.run(["run", ...args, "-a", "claude", prompt])
    assert.strictEqual(started.code, 0, started.stderr)
    return started.stdout.trim()
  }

  question(id: string) {
    return until(`task ${id} asks`, () => {
      const [row] = this.rows<{ id: number; text: string }>(
        "SELECT id, text FROM questions WHERE task_id = ? AND state = 'open'",
        id
      )
      return row === undefined ? null : `q${row.id}`
    })
  }

  async answerOf(id: string): Promise<string> {
    const { code, stderr } = await this.run(["wait", id, "--timeout", "60s"])
    assert.strictEqual(code, 0, stderr)
    return (await this.run(["result", id])).stdout
  }

  killWorkers(): void {
    for (const pid of this.workers()) kill(pid, "SIGKILL")
  }
}

describe.skipIf(process.platform !== "linux")("an agent that asks over its stdin", { timeout: 120_000 }, () => {
  const beat = new Asking()
  afterAll(() => beat.close())

  it("gets the answer in its turn, also when its worker is killed before and after the answer", async () => {
    const id = await beat.begin("asks Which one?", "--ask")
    const name = await beat.question(id)
    beat.killWorkers()
    assert.match((await beat.run(["inbox"])).stdout, new RegExp(`${name} .*Which one\\? .*1 one.*2 two`))
    assert.strictEqual((await beat.run(["answer", name, "2"])).code, 0)
    beat.killWorkers()
    assert.strictEqual(await beat.answerOf(id), "heard: asks Which one? | told two\n")
    const [row] = beat.rows<{ state: string }>("SELECT state FROM questions WHERE task_id = ?", id)
    assert.strictEqual(row?.state, "taken")
  })

  it("gets one answer when its worker is killed right after it was written", async () => {
    const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: "reply.written:kill" } })
    await until("it serves", () => beat.workers().includes(doomed.child.pid ?? 0))
    for (const pid of beat.workers()) if (pid !== doomed.child.pid) kill(pid, "SIGKILL")
    const id = await beat.begin("asks Once?", "--ask")
    assert.strictEqual((await beat.run(["answer", await beat.question(id), "other words"])).code, 0)
    assert.strictEqual(await beat.answerOf(id), "heard: asks Once? | told other words\n")
    assert.strictEqual((await doomed.done).signal, "SIGKILL")
    const lines = readFileSync(join(beat.files, "journal"), "utf8").split("\n")
    assert.lengthOf(
      lines.filter((line) => line.includes("answered") && line.includes("other words")),
      1
    )
  })

  it("is allowed and denied by the rules, and by the person for the rest", async () => {
    const id = await beat.begin("uses git diff\nuses git push\nuses make\nuses make all\nuses make", "--approve")
    const first = await beat.question(id)
    assert.strictEqual((await beat.run(["answer", first, "always"])).code, 0)
    await until("the next is asked", () => beat.rows("SELECT 1 FROM questions WHERE task_id = ?", id).length === 2)
    assert.strictEqual((await beat.run(["answer", await beat.question(id), "--deny", "not all"])).code, 0)
    const answer = await beat.answerOf(id)
    assert.match(answer, /used git diff \| refused git push: The rule Bash\(git push:\*\)/)
    assert.match(answer, /used make \[.*"destination":"session".*\] \| refused make all: not all \| used make /)
    assert.notInclude(answer, "acceptEdits")
    assert.match((await beat.run(["status", id])).stdout, /May I use Bash\? make all.*declined: not all/)
  })

  it("is parked when its question is open for --ask-timeout, and continues its session with the answer", async () => {
    const id = await beat.begin("asks Tomorrow?", "--ask", "--ask-timeout", "1s")
    const name = await beat.question(id)
    await until("it is parked", () => beat.status(id).status === "queued")
    assert.isNull(beat.shim(id))
    assert.match((await beat.run(["why", id])).stdout, /needs input/)
    assert.strictEqual((await beat.run(["answer", name, "1"])).code, 0)
    assert.match(await beat.answerOf(id), /You asked: Tomorrow\?\nThe answer is: one/)
  })

  it("is refused where it could not ask", async () => {
    for (const args of [
      ["run", "--approve", "-a", "shell", "true"],
      ["run", "--ask-timeout", "1s", "-a", "claude", "x"],
      ["run", "--approve", "--fallback", "codex", "-a", "claude", "x"]
    ]) {
      assert.strictEqual((await beat.run(args)).code, 2, args.join(" "))
    }
    const noted = await beat.run(["run", "--ask", "-a", "shell", "true"])
    assert.deepStrictEqual([noted.code, /beat ask/.test(noted.stderr)], [0, true], noted.stderr)
  })
})
