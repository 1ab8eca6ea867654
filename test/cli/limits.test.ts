/** `beat limits` and what other commands say of limits, over the store in memory of a test world. */
import * as Schema from "effect/Schema"
import { assert, describe, it } from "vitest"
import { LimitsView } from "../../src/domain/limits/AccountLimits.ts"
import { Beat } from "../system/Beat.ts"

/** Enough of a claude for a submit. */
const withAgent = async () => {
  const beat = new Beat({ ANTHROPIC_API_KEY: "sk-secret-1" })
  const set = await beat.run(["config", "set", "agents.claude.program", "/bin/true"])
  assert.strictEqual(set.code, 0, set.stderr)
  return beat
}

const accountsOf = async (beat: Beat) => {
  const { stdout } = await beat.run(["limits", "--json"])
  // By its schema, and nothing else: what a script reads.
  return Schema.decodeUnknownSync(Schema.parseJson(LimitsView), { onExcessProperty: "error" })(stdout).accounts
}

describe("beat limits", () => {
  it("closes an account by hand, says so wherever a task waits for it, and opens it again", async () => {
    const beat = await withAgent()
    try {
      assert.match((await beat.run(["limits"])).stdout, /No account is known yet/)
      const unknown = await beat.run(["limits", "close", "claude", "--until", "2h"])
      assert.deepStrictEqual([unknown.code, /no account is known yet/.test(unknown.stderr)], [2, true])
      await beat.run(["run", "-a", "claude", "--not-before", "5h", "first"])
      const [account] = await accountsOf(beat)
      const name = String(account?.account).split("/").at(-1) ?? ""
      assert.match(name, /^[0-9a-z]{10}$/)

      const closed = await beat.run(["limits", "close", name.slice(0, 4), "--until", "2h", "--reason", "my turn"])
      assert.deepStrictEqual([closed.code, /is closed until/.test(closed.stderr)], [0, true], closed.stderr)
      const submitted = await beat.run(["run", "-a", "claude", "second"])
      assert.match(submitted.stderr, /waits for the closing by hand of account/)
      const id = submitted.stdout.trim()
      assert.match((await beat.run(["why", id])).stdout, /It waits for the closing by hand .*beat limits open/)
      const why = JSON.parse((await beat.run(["why", id, "--json"])).stdout)
      assert.deepStrictEqual([why.reason, why.window], ["limit", "yours"])
      assert.hasAllKeys(why, ["taskId", "status", "reason", "account", "window", "opensAt", "ahead"])
      assert.match((await beat.run([])).stdout, /claude [0-9a-z]{10}: closing by hand, opens .*; 2 tasks wait/)
      const table = await beat.run(["limits"])
      assert.match(table.stdout, /closing by hand .*closed/)
      assert.match(table.stdout, /2 tasks wait for claude [0-9a-z]{10} \(my turn\)/)
      const timed = await beat.run(["wait", "--timeout", "1s", id])
      assert.strictEqual(timed.code, 75)

      assert.strictEqual((await beat.run(["limits", "open", "claude"])).code, 0)
      const [open] = await accountsOf(beat)
      assert.deepStrictEqual([open?.opensAt, open?.window], [null, null])
    } finally {
      await beat.close()
    }
  })

  it("joins two accounts and splits them, and shows no secret", async () => {
    const beat = await withAgent()
    try {
      await beat.run(["run", "-a", "claude", "--not-before", "5h", "first"])
      await beat.run(["run", "-a", "claude", "--not-before", "5h", "second"], {
        env: { ANTHROPIC_API_KEY: "sk-secret-2" }
      })
      const [one, other] = (await accountsOf(beat)).map(({ account }) => String(account).split("/").at(-1) ?? "")
      assert(one !== undefined && other !== undefined)
      const several = await beat.run(["limits", "open", "claude"])
      assert.deepStrictEqual([several.code, /fits several accounts/.test(several.stderr)], [2, true])
      // Of several accounts, the one is meant that the command can change.
      assert.strictEqual((await beat.run(["limits", "close", one, "--until", "2h"])).code, 0)
      const opened = await beat.run(["limits", "open", "claude"])
      assert.deepStrictEqual([opened.code, opened.stderr.includes(`${one} is open`)], [0, true], opened.stderr)
      await beat.run(["limits", "close", one, "--until", "tomorrow 9am"])
      const closed = await beat.run(["limits", "close", "claude", "--until", "2h"])
      assert.deepStrictEqual([closed.code, closed.stderr.includes(`${other} is closed`)], [0, true], closed.stderr)
      const both = await beat.run(["limits", "open", "claude"])
      assert.deepStrictEqual([both.code, both.stderr.match(/ \(closed\)/g)?.length], [2, 2], both.stderr)
      for (const name of [one, other]) assert.strictEqual((await beat.run(["limits", "open", name])).code, 0)
      const past = await beat.run(["limits", "close", one, "--until", "2020-01-01"])
      assert.deepStrictEqual([past.code, /in the past/.test(past.stderr)], [2, true], past.stderr)
      assert.strictEqual((await beat.run(["limits", "join", one, other])).code, 0)
      const back = await beat.run(["limits", "join", other, one])
      assert.deepStrictEqual([back.code, back.stderr.includes(`limits split ${one}`)], [2, true], back.stderr)
      // Joined, they are one account.
      const last = await beat.run(["limits", "close", "claude", "--until", "2h"])
      assert.deepStrictEqual([last.code, last.stderr.includes(`${other} is closed`)], [0, true], last.stderr)
      assert.strictEqual((await beat.run(["limits", "open", "claude"])).code, 0)
      const joined = await beat.run(["limits"])
      assert.include(joined.stdout, `is joined to ${other}`)
      assert.notInclude(joined.stdout, "secret")
      assert.strictEqual((await beat.run(["limits", "split", "claude"])).code, 0)
      assert.strictEqual((await beat.run(["limits", "split", one])).code, 2)
    } finally {
      await beat.close()
    }
  })
})
