/** Automatic retries with the built program: the last attempt counts, for whoever waits, cancels or depends. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, until } from "./Beat.ts"

interface Row {
  readonly id: string
  readonly status: string
  readonly attempt: number
  readonly retry_of: string | null
  readonly root_id: string | null
  readonly retried_by: string | null
  readonly max_retries: number
}

describe("automatic retries", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  const rows = () =>
    beat.rows<Row>("SELECT id, status, attempt, retry_of, root_id, retried_by, max_retries FROM tasks ORDER BY seq")

  it("continue until one succeeds, and a command that waits for the first waits for the last", {
    timeout: 240_000
  }, async () => {
    const count = join(beat.home, "count")
    const script = `echo x >>"${count}"; n=$(wc -l <"${count}"); echo "try $n"; exit $((3 - n))`
    const first = await beat.submit(script, ["--retries", "4", "--backoff", "20ms"])
    const behind = await beat.submit(`wc -l <"${count}"`, ["--after", first])
    const waited = await beat.run(["wait", "--json", "--timeout", "280s", first, behind])
    assert.strictEqual(waited.code, 0, waited.stderr)
    const tries = rows().filter(({ id, root_id }) => id === first || root_id === first)
    assert.deepStrictEqual(
      tries.map(({ attempt, max_retries, retry_of, status }) => [attempt, status, max_retries, retry_of]),
      [
        [1, "failed", 4, null],
        [2, "failed", 3, tries[0]?.id],
        [3, "completed", 2, tries[1]?.id]
      ]
    )
    assert.deepStrictEqual(
      tries.map(({ retried_by }) => retried_by),
      [tries[1]?.id, tries[2]?.id, null]
    )
    const result = await beat.run(["result", behind])
    assert.strictEqual(result.stdout.trim(), "3")
  })

  it("stop with the third identical failure, and not for a command that is not there", {
    timeout: 240_000
  }, async () => {
    const stubborn = await beat.run(["run", "-f", "-a", "shell", "--retries", "9", "--backoff", "1ms", "--", "exit 3"])
    assert.strictEqual(stubborn.code, 1)
    assert.include(stubborn.stderr, "Not tried again: it failed 3 times the same way")
    const missing = await beat.run(["run", "-f", "-a", "shell", "--retries", "9", "--", "no-such-command-anywhere"])
    assert.strictEqual(missing.code, 1)
    assert.include(missing.stderr, "Not retried: the failure is permanent.")
  })

  it("are what the first attempt's id stands for, wherever the work is meant", async () => {
    const first = await beat.submit(`test -e "${beat.home}/second" && echo fine || { echo bad; exit 3; }`, [
      ...["--retries", "1", "--backoff", "1h"]
    ])
    const behind = await beat.submit("true", ["--after", `${first}:finished`])
    const second = await until("the next attempt", () => rows().find(({ retry_of }) => retry_of === first)?.id)
    const said = async (...args: ReadonlyArray<string>) => {
      const { code, stderr, stdout } = await beat.run(args)
      return { code, text: stdout + stderr }
    }
    for (const command of ["retry", "resume", "result"]) {
      const early = await said(command, first)
      assert.strictEqual(early.code, 1, command)
      assert.include(early.text, `Task ${second} is queued`)
    }
    assert.include((await said("why", first)).text, `beat why ${second}`)
    assert.include((await said("logs", first)).text, `beat logs -f ${second}`)
    assert.include((await said("graph", first)).text, behind)
    assert.strictEqual((await said("edit", behind, "--not-after", first)).code, 0)
    assert.deepStrictEqual(beat.rows("SELECT 1 FROM task_dependencies WHERE task_id = ?", behind), [])

    writeFileSync(join(beat.home, "second"), "")
    assert.strictEqual((await said("edit", first, "--not-before", "0s")).text.trim(), second)
    assert.deepStrictEqual(await said("result", "--wait", first), { code: 0, text: "fine\n" })
  })

  it("end with a cancel of the first attempt, while the next one waits for its time", {
    timeout: 240_000
  }, async () => {
    const first = await beat.submit("exit 3", ["--retries", "2", "--backoff", "1h"])
    await until("the next attempt", () => rows().some(({ retry_of }) => retry_of === first))
    const cancelled = await beat.run(["cancel", first])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    const { code } = await beat.run(["wait", "--timeout", "40s", first])
    assert.strictEqual(code, 4)
  })
})
