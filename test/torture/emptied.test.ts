/** The check of output that was emptied: what was printed afterwards must be there, and nothing that was never printed. */
import { assert, describe, it } from "vitest"
import { emptiedProblem, printedBefore } from "../../src/torture/checks/EmptiedCheck.ts"

const whole = Buffer.from("a 1\na 2\na 3\na 4\n")
const problem = (stored: string, after: number, finished = true, times = 1) =>
  emptiedProblem({ stored: Buffer.from(stored), whole, after, finished, times })

describe("the check of emptied output", () => {
  it("passes all of it, and what came before the last look with all that came after", () => {
    assert.isNull(problem("a 1\na 2\na 3\na 4\n", 8))
    assert.isNull(problem("a 3\na 4\n", 8))
    assert.isNull(problem("a 1\na a 3\na 4\n", 8))
    assert.isNull(problem("a 1\na 4\n", 0, true, 2))
    assert.isNull(problem("a", 8, false))
  })

  it("reports what was printed later and is missing, doubled or changed", () => {
    assert.isNotNull(problem("a 1\na 2\n", 8))
    assert.isNotNull(problem("a 1\na 2\na 4\n", 8))
    assert.isNotNull(problem("a 1\na 9\na 3\na 4\n", 8))
    assert.isNotNull(problem("a 3\na 4\na 3\na 4\n", 8))
    assert.isNotNull(problem("", 4))
  })

  it("knows what came later by the agent's notes", () => {
    const printed = [
      { at: 10, lines: 1 },
      { at: 12, lines: 2 },
      { at: 13, lines: 3 }
    ]
    assert.strictEqual(printedBefore(printed, { times: 1, uptime: 11 }), 2)
    assert.isNull(printedBefore(printed, { times: 1, uptime: 14 }))
  })
})
