/** Messages to agents that run, with processes killed meanwhile: each reaches the model once, or is on record as moved. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { outputFile } from "../support/processes.ts"
import { Beat, children, isAlive, kill, until } from "./Beat.ts"

const claude = resolve(import.meta.dirname, "../support/steeredClaude.cjs")

interface Row {
  readonly id: string
  readonly state: string
  readonly moved_to: string | null
  readonly body: string
}

/** A home with an agent that takes messages, whose journal shows what reached its model. */
class Steered extends Beat {
  readonly files = join(this.home, "agent")

  constructor() {
    super({ BACKBEAT_MAX_CONCURRENCY: "8" })
    mkdirSync(this.files, { recursive: true })
    mkdirSync(join(this.home, "state"), { recursive: true, mode: 0o700 })
    const agents = { claude: { program: claude, apiKey: "sk-none" } }
    writeFileSync(join(this.home, "state", "config.json"), JSON.stringify({ agents }))
  }

  override get environment() {
    return { ...super.environment, STEERED_HOME: this.files }
  }

  /** Starts a task whose turn lasts until `release(name)`, and waits until it is in that turn. */
  async hold(name: string, words = "until", steer = true): Promise<string> {
    const option = steer ? ["--steer"] : []
    const started = await this.run(["run", ...option, "-a", "claude", `${words} ${name}`])
    assert.strictEqual(started.code, 0, started.stderr)
    await until("the turn runs", () => this.reached().some((text) => text.includes(` ${name}`)))
    return started.stdout.trim()
  }

  release(name: string): void {
    writeFileSync(join(this.files, name), "")
  }

  /** The texts that reached the model, in order. */
  reached(): ReadonlyArray<string> {
    const journal = join(this.files, "journal")
    if (!existsSync(journal)) return []
    return readFileSync(journal, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => String(JSON.parse(line)[3]))
  }

  messages(): ReadonlyArray<Row> {
    return this.rows<Row>("SELECT id, state, moved_to, body FROM messages ORDER BY seq")
  }

  ended(id: string) {
    return until(`${id} has ended`, () => {
      const { status } = this.status(id)
      return status !== "queued" && status !== "running" ? status : null
    })
  }

  killWorkers(): void {
    for (const pid of this.workers()) kill(pid, "SIGKILL")
  }

  once(text: string): void {
    const times = this.reached().filter((line) => line.includes(text)).length
    assert.strictEqual(times, 1, `${text}: ${this.reached().join("; ")}`)
  }
}

describe.skipIf(process.platform !== "linux")("messages to a running agent", () => {
  const beat = new Steered()
  afterAll(() => beat.close())

  it("are taken into the running turn, also after its worker was killed", async () => {
    const id = await beat.hold("one")
    const first = await beat.run(["send", id, 'first\nwith a line \u2028 and "quotes" `x` $HOME ünï'])
    assert.strictEqual(first.code, 0, first.stderr)
    assert.include(first.stdout, `Taken by ${id}`)
    beat.killWorkers()
    const key = "0a0b0c0d-1111-4222-8333-444455556666"
    const second = await beat.run(["send", id, "second", "--id", key, "--timeout", "280s", "--json"])
    assert.strictEqual(second.code, 0, second.stderr)
    assert.strictEqual(JSON.parse(second.stdout).state, "taken")
    const again = await beat.run(["send", id, "second", "--id", key])
    assert.strictEqual(again.code, 0, again.stderr)
    beat.release("one")
    assert.strictEqual(await beat.ended(id), "completed")
    const { stdout } = await beat.run(["result", id])
    assert.strictEqual(stdout, 'heard: until one | first\nwith a line \u2028 and "quotes" `x` $HOME ünï | second\n')
    beat.once("second")
  })

  it("carry a megabyte whole", async () => {
    const id = await beat.hold("big")
    const text = "0123456789abcdef".repeat(65_536)
    const sent = await beat.run(["send", id, "-", "--timeout", "280s"], { input: text })
    assert.strictEqual(sent.code, 0, sent.stderr)
    beat.release("big")
    await beat.ended(id)
    assert.isTrue(beat.reached().includes(text))
    const larger = await beat.run(["send", id, "-"], { input: `${text}x` })
    assert.strictEqual(larger.code, 2)
  })

  it("interrupt the turn, and the next one runs in the same process", async () => {
    const id = await beat.hold("never")
    const shim = beat.shim(id)
    const sent = await beat.run(["interrupt", id, "-m", "the test first", "--timeout", "280s"])
    assert.strictEqual(sent.code, 0, sent.stderr)
    assert.strictEqual(await beat.ended(id), "completed")
    assert.isNotNull(shim)
    const { stdout } = await beat.run(["result", id])
    assert.strictEqual(stdout, "heard: the test first\n")
    const late = await beat.run(["interrupt", id])
    assert.strictEqual(late.code, 1)
    assert.include(late.stderr, "has ended")
  })

  it("become the next turn of its session where it has ended, or takes nothing while it runs", async () => {
    const id = await beat.hold("plain", "until", false)
    const stored = await beat.run(["send", id, "and the docs?"])
    assert.strictEqual(stored.code, 0, stored.stderr)
    assert.include(stored.stdout, "Stored")
    const refused = await beat.run(["send", id, "now", "--no-next-turn"])
    assert.strictEqual(refused.code, 1)
    beat.release("plain")
    await beat.ended(id)
    const moved = await until(
      "it is moved",
      () => beat.messages().find(({ body }) => body === "and the docs?")?.moved_to
    )
    await beat.ended(moved)
    const next = await beat.run(["send", id, "and the tests?", "--json"])
    const { movedTo } = JSON.parse(next.stdout)
    assert.strictEqual(await beat.ended(movedTo), "completed")
    beat.once("and the docs?")
    beat.once("and the tests?")
  })

  it("are moved where the process that hands them over is killed, and the task completes", async () => {
    const id = await beat.hold("pump")
    const shim = beat.shim(id) ?? 0
    const isPump = (pid: number) => outputFile(pid)?.endsWith("/stdin")
    const pump = await until("the pump runs", () => children(shim).find(isPump))
    kill(pump, "SIGKILL")
    const sent = await beat.run(["send", id, "too late", "--no-wait"])
    assert.strictEqual(sent.code, 0, sent.stderr)
    beat.release("pump")
    assert.strictEqual(await beat.ended(id), "completed")
    const moved = await until("it is moved", () => beat.messages().find(({ body }) => body === "too late")?.moved_to)
    await beat.ended(moved)
    beat.once("too late")
  })

  it("are written to the stdin of a shell command, and refused where it has none", async () => {
    const without = await beat.submit("sleep 60")
    const refused = await beat.run(["send", without, "x"])
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, "beat run --steer")
    await beat.run(["cancel", without])
    const id = await beat.submit('read -r one; read -r two; echo "$one|$two"', ["--steer"])
    assert.strictEqual((await beat.run(["send", id, "say 'x' y", "--timeout", "280s"])).code, 0)
    assert.strictEqual((await beat.run(["send", id, "close", "--timeout", "280s"])).code, 0)
    await beat.ended(id)
    assert.strictEqual(beat.output(id).toString(), "say 'x' y|close\n")
  })

  it("are none: the task ends as it does without --steer", async () => {
    beat.release("both")
    const ends = []
    for (const option of [["--steer"], []]) {
      const { code, stdout } = await beat.run(["run", "-f", ...option, "-a", "claude", "until both"])
      ends.push([code, stdout])
    }
    assert.deepStrictEqual(ends[0], ends[1])
  })

  it("a worker comes back without a command where all were killed at the end of a turn", async () => {
    const id = await beat.hold("alone")
    beat.killWorkers()
    await until("no worker lives", () => beat.workers().every((pid) => !isAlive(pid)))
    beat.release("alone")
    assert.strictEqual(await beat.ended(id), "completed")
  })

  for (const place of ["send.stored", "send.written", "send.rung", "send.taken"]) {
    it(`reach the model once though a process is killed at ${place}`, async () => {
      const failing = { BACKBEAT_FAILPOINTS: `${place}:kill` }
      // In the command for the first place, in the worker for the others.
      const own = place === "send.stored"
      beat.killWorkers()
      await until("no worker lives", () => beat.workers().every((pid) => !isAlive(pid)))
      const name = place.replace(".", "-")
      const started = await beat.run(["run", "--steer", "-a", "claude", `until ${name}`], own ? {} : { env: failing })
      const id = started.stdout.trim()
      await until("the turn runs", () => beat.reached().includes(`until ${name}`))
      const key = `00000000-0000-4000-8000-${name.length.toString().padStart(12, "0")}`
      const text = `at ${place}`
      const words = ["send", id, text, "--id", key, "--timeout", "280s"]
      const first = await beat.run(words, own ? { env: failing } : {})
      assert.strictEqual(first.signal, own ? "SIGKILL" : null, first.stderr)
      const second = await beat.run(words)
      assert.strictEqual(second.code, 0, second.stderr)
      beat.release(name)
      assert.strictEqual(await beat.ended(id), "completed")
      assert.strictEqual(beat.messages().find(({ body }) => body === text)?.state, "taken")
      beat.once(text)
    })
  }
})
