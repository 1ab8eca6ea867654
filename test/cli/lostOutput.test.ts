/** The built binary whose stdout or stderr is closed or full: exit codes hold, and nothing is printed but sentences. */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { promisify } from "node:util"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Beat, binary } from "../system/Beat.ts"

const beat = new Beat()
afterAll(() => beat.close())

/** What a script of a user's prints to fd 3. */
const script = async (text: string) => {
  const { stderr, stdout } = await promisify(execFile)(
    "sh",
    ["-c", `exec 3>&1; beat() { "${process.execPath}" "${binary}" "$@"; }\n${text}`],
    { env: beat.environment, cwd: beat.home, timeout: 240_000 }
  )
  return { told: stdout.trim(), stderr }
}

/** The reader of the pipe has gone before the command starts. */
const closed = (words: string) => `mkfifo gone; : <gone & exec 4>gone; wait; rm gone; ${words} >&4; echo $? >&3`
const full = (words: string) => `${words} >/dev/full; echo $? >&3`

describe.skipIf(!existsSync(binary))("a stdout that is a pipe", () => {
  it("gets all of an answer larger than the pipe, although the process leaves right after it", async () => {
    const id = await beat.submit("seq 1 100000")
    await beat.run(["wait", id])
    const seen = await script(`{ beat logs -n 100000 ${id}; echo $? >&3; } | cat | tail -n 1 >&3`)
    assert.sameMembers(seen.told.split("\n"), ["0", "100000"])
  })

  it("gets all from a command that its input ended while the reader was slow", async () => {
    const id = await beat.submit("seq 1 100000")
    await beat.run(["wait", id])
    const attach = `beat attach ${id} -n 100000 </dev/null 2>/dev/null`
    const seen = await script(`{ ${attach}; echo $? >&3; } | { sleep 1; tail -n 1 >&3; }`)
    assert.sameMembers(seen.told.split("\n"), ["0", "100000"])
  })
})

describe.skipIf(!existsSync(binary))("a stdout that takes nothing", () => {
  it("leaves the exit code of run -f what the task says, for each way to end", async () => {
    for (const [command, code] of [
      ["echo one; exit 3", 1],
      ["echo one", 0]
    ] as const) {
      for (const place of [closed, full]) {
        const seen = await script(place(`beat run -f -a shell '${command}'`))
        assert.strictEqual(seen.told, String(code), seen.stderr)
        assert.notMatch(seen.stderr, /\n {4}at |Error/)
      }
    }
    assert.strictEqual((await script(closed("beat run -f --json -a shell 'exit 3'"))).told, "1")
    assert.strictEqual((await script(closed("beat pipeline run -f -a shell --step 'exit 3'"))).told, "1")
    assert.strictEqual((await script(full("beat pipeline run -f -a shell --step 'echo x'"))).told, "0")
  })

  it("leaves the exit codes of wait and cancel what they promise", async () => {
    const failed = await beat.submit("exit 3")
    await beat.run(["wait", failed])
    for (const place of [closed, full]) {
      for (const json of ["", " --json"]) {
        assert.strictEqual((await script(place(`beat wait ${failed}${json}`))).told, "1")
        assert.strictEqual((await script(place(`beat cancel ${failed}${json}`))).told, "0")
      }
    }
  })

  it("ends commands that only print with 141, or with 74 and one sentence", async () => {
    const id = await beat.submit("seq 1 100000")
    await beat.run(["wait", id])
    for (const words of [
      "list",
      "status",
      "",
      "--help",
      "list --help",
      `logs ${id}`,
      `result ${id}`,
      "doctor --json"
    ]) {
      const read = await script(closed(`beat ${words}`))
      assert.deepStrictEqual([words, read.told, read.stderr], [words, "141", ""])
      const unwritten = await script(full(`beat ${words}`))
      assert.deepStrictEqual([words, unwritten.told], [words, "74"])
      assert.match(unwritten.stderr, /^beat: stdout could not be written: the disk behind it is full\.\n$/)
    }
  })

  it("lets a command finish its work before it tells that the answer was not printed", async () => {
    const seen = await script(full("beat run -a shell --key one 'echo x'"))
    assert.strictEqual(seen.told, "74")
    assert.strictEqual((await beat.run(["list", "--json"])).stdout.includes('"idempotencyKey":"one"'), true)
    assert.strictEqual((await script(closed("beat prune --older-than 1d"))).told, "141")
    assert.strictEqual((await script(closed("beat status nope"))).told, "3")
  })

  it("ends a command that follows", async () => {
    const id = await beat.submit("while :; do echo more; sleep 0.1; done")
    const seen = await script(`{ beat logs -f ${id}; echo $? >&3; } | head -n 1`)
    assert.strictEqual(seen.told, "more\n141")
    assert.strictEqual((await beat.run(["cancel", id])).code, 0)
  })
})

describe.skipIf(!existsSync(binary))("a stderr that takes nothing", () => {
  it("changes no exit code", async () => {
    for (const sink of ["2>/dev/full", "2>&1 >/dev/full | cat >/dev/null"]) {
      const seen = await script(`{ beat run -f -a shell 'echo x >&2; exit 3'; echo $? >&3; } ${sink}`)
      assert.strictEqual(seen.told, "1")
    }
    assert.strictEqual((await script("beat run -f -a shell 'echo x >&2' >/dev/full 2>&1; echo $? >&3")).told, "0")
    assert.strictEqual((await script("beat status nope 2>/dev/full; echo $? >&3")).told, "3")
  })
})
