/** An agent that cannot start: it is starting and not running, says what is in the way, and is cancelled in time. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Beat, binary, until } from "./Beat.ts"

const homes: Array<Beat> = []
const fresh = (): Beat => {
  const beat = new Beat({ BACKBEAT_MAX_CONCURRENCY: "2" })
  homes.push(beat)
  return beat
}
afterAll(() => Promise.all(homes.map((beat) => beat.close())))

const failures = (beat: Beat, id: string) =>
  beat.rows<{ count: number }>("SELECT sum(start_failures) AS count FROM claim_history WHERE task_id = ?", id)[0]
    ?.count ?? 0

/** Root writes where the mode forbids it; a file in the place of the spool stops everybody. */
const blocked = (beat: Beat): string => {
  mkdirSync(join(beat.home, "state"), { recursive: true, mode: 0o700 })
  const spool = join(beat.home, "state", "spool")
  writeFileSync(spool, "", { mode: 0o600 })
  chmodSync(spool, 0o600)
  return spool
}

describe.skipIf(!existsSync(binary))("a task whose spool cannot be written", () => {
  it("is starting, names the reason, and ends when it is cancelled", async () => {
    const beat = fresh()
    const spool = blocked(beat)
    const id = await beat.submit("echo never")
    await until("a start that failed", () => failures(beat, id) > 0)
    const why = await beat.run(["why", id])
    assert.match(why.stdout, /^It cannot start: The spool directory .* could not be written .* starts? failed; /)
    assert.include(why.stdout, spool)
    assert.include((await beat.run(["why", id, "--json"])).stdout, '"reason":"starting-fails"')
    assert.match((await beat.run(["status", id])).stdout, /status +starting\n/)
    assert.match((await beat.run(["status", id])).stdout, /starts +\d+ failed: The spool directory/)
    assert.match((await beat.run(["list"])).stdout, new RegExp(`${id} +starting`))
    const doctor = await beat.run(["doctor"])
    assert.match(doctor.stdout, /spool.* cannot be written/)
    const cancelled = await beat.run(["cancel", id])
    assert.strictEqual(cancelled.code, 0)
    assert.strictEqual(beat.status(id).status, "cancelled")
    assert.deepStrictEqual(beat.rows("SELECT * FROM claims"), [])
  })
})
