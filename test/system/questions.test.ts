/** Questions and pauses with real processes: what waits for a person has no process, and nothing of it is lost. */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"
import { Beat, isAlive, kill, until } from "./Beat.ts"

const program = resolve(import.meta.dirname, "askingClaude.cjs")
const launcher = resolve(import.meta.dirname, "../../dist/beat.cjs")

/** A home whose `claude` asks. */
const asking = (settings: Readonly<Record<string, string>> = {}) => {
  const beat = new Beat(settings)
  const bin = join(beat.home, "bin")
  const sessions = join(beat.home, "sessions")
  mkdirSync(bin)
  mkdirSync(sessions)
  symlinkSync(program, join(bin, "claude"))
  const env = {
    PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`,
    ASKING_HOME: sessions,
    ASKING_BEAT: JSON.stringify([process.execPath, launcher]),
    ANTHROPIC_API_KEY: "sk-test"
  }
  const turns = (): ReadonlyArray<{ resumed: boolean; session: string; prompt: string }> =>
    readFileSync(join(sessions, "journal"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  const submit = async (prompt: string, args: ReadonlyArray<string> = []) => {
    const { code, stderr, stdout } = await beat.run(["run", "-a", "claude", ...args, prompt], { env })
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  const waitingFor = (id: string) =>
    beat.rows<{ asks: number }>("SELECT asks FROM tasks WHERE id = ? AND status = 'queued' AND asks > 0", id)[0]
  const forget = () => {
    for (const name of readdirSync(sessions)) if (name.startsWith("session-")) rmSync(join(sessions, name))
  }
  return { beat, env, forget, submit, turns, waitingFor }
}

const ended = async (beat: Beat, id: string) => {
  const { code, stderr } = await beat.run(["wait", "--timeout", "280s", id])
  assert.strictEqual(code, 0, stderr)
  return (await beat.run(["result", id])).stdout
}

describe("a question", () => {
  it("of a paused task is answered without a promise that it continues", async () => {
    const { beat, submit, waitingFor } = asking()
    try {
      const id = await submit("asks 0s")
      await until("it waits for a person", () => waitingFor(id))
      assert.strictEqual((await beat.run(["pause", id])).code, 0)
      const { code, stderr } = await beat.run(["answer", "q1", "1"])
      assert.deepStrictEqual([code, stderr], [0, `Answered q1. Task ${id} is paused: beat resume ${id}\n`])
      assert.strictEqual((await beat.run(["cancel", id])).code, 0)
      assert.match((await beat.run(["why", id])).stdout, /^It was cancelled, and waits for nothing/)
    } finally {
      await beat.close()
    }
  })

  it("that has no answer in time parks its task, and the answer continues the session, after a kill of all and a reboot", async () => {
    const { beat, submit, turns, waitingFor } = asking()
    try {
      const id = await submit("asks 0s")
      await until("it waits for a person", () => waitingFor(id))
      assert.deepStrictEqual(beat.rows("SELECT * FROM claims"), [])
      const waited = await beat.run(["wait", id])
      assert.strictEqual(waited.code, 7)
      assert.match(waited.stderr, /asks q1: Which database\? {2}1 sqlite {2}2 postgres/)
      for (const [args, expected] of [
        [["list"], /asks .*needs input/],
        [["status", id], /status +asks \(needs input\)/],
        [[], /1 asks/],
        [["why", id], /It needs input\. q1: Which database\?/],
        [["inbox"], /q1 +[0-9a-z]{12} +claude +parked/]
      ] as const) {
        assert.match((await beat.run(args)).stdout, expected)
      }
      for (const pid of beat.workers()) kill(pid, "SIGKILL")
      const reboot = { env: { BACKBEAT_BOOT_ID: "another-boot" } }
      const answered = await beat.run(["answer", "q1", "2"], reboot)
      assert.strictEqual(answered.code, 0, answered.stderr)
      const late = await beat.run(["answer", "q1", "1"], reboot)
      assert.strictEqual(late.code, 1)
      assert.match(late.stderr, /q1 was answered before, by .*: postgres/)
      assert.match(await ended(beat, id), /heard: You asked: Which database\?\nThe answer is: postgres/)
      const [first, second, ...more] = turns()
      assert.deepStrictEqual([first?.resumed, second?.resumed, more.length], [false, true, 0])
      assert.strictEqual(second?.session, first?.session)
      assert.deepStrictEqual(beat.rows("SELECT attempt, parks FROM tasks"), [{ attempt: 1, parks: 0 }])
    } finally {
      await beat.close()
    }
  })

  it("is answered in the turn where a person is quick, and its task is not parked", async () => {
    const { beat, submit, turns } = asking()
    try {
      const id = await submit("asks 60s")
      await until("it asks", () => beat.rows("SELECT 1 FROM questions WHERE state = 'open'")[0])
      assert.strictEqual((await beat.run(["answer", id, "mysql"])).code, 0)
      assert.match(await ended(beat, id), /heard in the turn: mysql/)
      assert.strictEqual(turns().length, 1)
      assert.deepStrictEqual(beat.rows("SELECT state FROM questions"), [{ state: "taken" }])
    } finally {
      await beat.close()
    }
  })

  it("stops the clocks of its task, and one that stays open for long ends the turn: no process, no slot", async () => {
    const { beat, submit, turns, waitingFor } = asking({ BACKBEAT_ASK_PARK_MS: "3000", BACKBEAT_STALL_MS: "1000" })
    try {
      const id = await submit("asks 10m", ["--timeout", "30s"])
      await until("it asks", () => beat.rows("SELECT 1 FROM questions WHERE state = 'open'")[0])
      const shim = beat.shim(id) ?? 0
      await until("it waits for a person", () => waitingFor(id))
      assert.isFalse(isAlive(shim))
      assert.strictEqual((await beat.run(["answer", "q1", "--deny", "not on main"])).code, 0)
      assert.match(await ended(beat, id), /heard: You asked: Which database\?\nThe person declined: not on main/)
      assert.strictEqual(turns().length, 2)
    } finally {
      await beat.close()
    }
  })

  it("is open after a reboot in the middle of the turn; the answer continues the session", async () => {
    const { beat, submit, turns } = asking()
    try {
      const id = await submit("asks 10m")
      await until("it asks", () => beat.rows("SELECT 1 FROM questions WHERE state = 'open'")[0])
      const shim = beat.shim(id) ?? 0
      for (const pid of [...beat.workers(), -shim]) kill(pid, "SIGKILL")
      const reboot = { env: { BACKBEAT_BOOT_ID: "another-boot" } }
      assert.match((await beat.run(["inbox"], reboot)).stdout, /q1/)
      assert.strictEqual((await beat.run(["answer", "q1", "1"], reboot)).code, 0)
      const waited = await beat.run(["wait", "--timeout", "280s", id], reboot)
      assert.strictEqual(waited.code, 0, waited.stderr)
      assert.match(turns()[1]?.prompt ?? "", /The answer is: sqlite/)
    } finally {
      await beat.close()
    }
  })

  it("is gone with a cancelled task, and a session that is gone by then does not end the work", async () => {
    const { beat, forget, submit, turns, waitingFor } = asking()
    try {
      const first = await submit("asks 0s")
      await until("it waits for a person", () => waitingFor(first))
      assert.strictEqual((await beat.run(["cancel", first])).code, 0)
      assert.deepStrictEqual(beat.rows("SELECT state FROM questions"), [{ state: "gone" }])
      const late = await beat.run(["answer", "q1", "1"])
      assert.strictEqual(late.code, 1)
      assert.match(late.stderr, /has ended, and needs no answer/)
      const second = await submit("asks 0s")
      await until("it waits for a person", () => waitingFor(second))
      forget()
      assert.strictEqual((await beat.run(["answer", "q2", "1"])).code, 0)
      await ended(beat, second)
      const last = turns().at(-1)
      assert.isFalse(last?.resumed)
      assert.match(last?.prompt ?? "", /^asks 0s[\s\S]*You asked: Which database\?\nThe answer is: sqlite/)
    } finally {
      await beat.close()
    }
  })

  it("of a script ends it with 75, and it is run again with the answer", async () => {
    const { beat } = asking()
    try {
      const ask = `'${process.execPath}' '${launcher}' ask 'Which port?' --wait 0s`
      const id = await beat.submit(`echo begin; port=$(${ask}) || exit; echo "port $port"`)
      await until(
        "it waits for a person",
        () => beat.rows("SELECT 1 FROM tasks WHERE status = 'queued' AND asks > 0")[0]
      )
      assert.strictEqual((await beat.run(["answer", id, "8080"])).code, 0)
      assert.strictEqual((await beat.run(["wait", "--timeout", "280s", id])).code, 0)
      assert.strictEqual(beat.output(id).toString(), "begin\nbegin\nport 8080\n")
    } finally {
      await beat.close()
    }
  })
})

describe("a pause of one task", () => {
  const workingAt = async (worked: ReturnType<typeof asking>) => {
    const id = await worked.submit("works")
    await until("it works", () => worked.beat.output(id).includes("I begin") || undefined)
    return id
  }

  it("ends its turn, keeps its session, holds what waits for it, and resume continues it", async () => {
    const worked = asking()
    const { beat, turns } = worked
    try {
      const id = await workingAt(worked)
      const after = await beat.submit("echo after", ["--after", id])
      const shim = beat.shim(id) ?? 0
      const paused = await beat.run(["pause", id, "-m", "demo"])
      assert.strictEqual(paused.code, 0, paused.stderr)
      assert.isFalse(isAlive(shim))
      assert.strictEqual((await beat.run(["pause", id])).code, 0)
      assert.strictEqual(beat.status(id).status, "queued")
      assert.strictEqual(beat.status(after).status, "queued")
      assert.match((await beat.run(["why", id])).stdout, /It is paused: task .* by .*beat resume/)
      assert.match((await beat.run(["list"])).stdout, /queued .*paused/)
      for (const pid of beat.workers()) kill(pid, "SIGKILL")
      assert.strictEqual((await beat.run(["resume", id])).code, 0)
      assert.match(await ended(beat, id), /heard: Continue where you stopped\..*paused/)
      assert.strictEqual((await beat.run(["wait", "--timeout", "280s", after])).code, 0)
      const [first, second, ...more] = turns()
      assert.deepStrictEqual([second?.session, second?.resumed, more.length], [first?.session, true, 0])
    } finally {
      await beat.close()
    }
  })

  it("is refused for a running task of an agent without sessions, and holds a queued one", async () => {
    const { beat } = asking()
    try {
      const id = await beat.submit("exec tail -f /dev/null")
      await until("it runs", () => beat.shim(id) ?? undefined)
      const refused = await beat.run(["pause", id])
      assert.strictEqual(refused.code, 1)
      assert.match(refused.stderr, /agent shell keeps no session/)
      assert.deepStrictEqual(beat.rows("SELECT * FROM gates"), [])
      const waiting = await beat.submit("echo later", ["--after", `${id}:finished`])
      assert.strictEqual((await beat.run(["pause", waiting])).code, 0)
      await beat.run(["cancel", id])
      assert.match((await beat.run(["why", waiting])).stdout, /It is paused/)
      assert.strictEqual((await beat.run(["resume", waiting])).code, 0)
      assert.strictEqual((await beat.run(["wait", "--timeout", "280s", waiting])).code, 0)
    } finally {
      await beat.close()
    }
  })

  for (const place of ["stop.recorded", "stop.ended", "park.commit"]) {
    it(`ends parked, also where the worker is killed at ${place}`, async () => {
      const worked = asking()
      const { beat, env, turns } = worked
      try {
        const doomed = beat.start(["worker", "--keep"], { env: { ...env, BACKBEAT_FAILPOINTS: `${place}:kill` } })
        await until("it is on the list", () => beat.workers().length === 1)
        const id = await workingAt(worked)
        const paused = await beat.run(["pause", id])
        assert.strictEqual(paused.code, 0, paused.stderr)
        assert.strictEqual((await doomed.done).signal, "SIGKILL")
        assert.deepStrictEqual(beat.status(id), { status: "queued", cause: null, exit_code: null })
        assert.strictEqual((await beat.run(["resume", id])).code, 0)
        await ended(beat, id)
        const [first, second, ...more] = turns()
        assert.deepStrictEqual([second?.session, second?.resumed, more.length], [first?.session, true, 0])
      } finally {
        await beat.close()
      }
    })
  }
})
