/** Calls that arrive together begin one after another, with a look at the input between two of them. */
import { assert, describe, it } from "vitest"
import { makeTurns } from "../../src/mcp/protocol/makeTurns.ts"

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("turns", () => {
  it("come in the order of the calls, each after a look at the input", async () => {
    const looks: Array<() => void> = []
    const turn = makeTurns((next) => looks.push(next))
    const begun: Array<number> = []
    const calls = [1, 2, 3].map((call) => turn().then(() => begun.push(call)))
    for (const count of [0, 1, 2, 3]) {
      await settle()
      assert.lengthOf(begun, count)
      const look = looks.shift()
      assert.strictEqual(look === undefined, count === 3, "nothing is planned once all have begun")
      look?.()
    }
    await Promise.all(calls)
    assert.deepStrictEqual(begun, [1, 2, 3])
    const late = turn()
    looks.shift()?.()
    await late
    assert.deepStrictEqual(looks, [])
  })
})
