/** Where the steps of a pipeline are drawn. */
import { assert, describe, it } from "vitest"
import { layout, node } from "../../src/web/client/layout.ts"

describe("the graph of a pipeline", () => {
  it("has each step right of all that it waits for, no two in one place, and an edge for each wait", () => {
    const { edges, height, places, width } = layout([
      { after: [] },
      { after: [0] },
      { after: [0] },
      { after: [1, 2] },
      { after: [] },
      { after: [0, 3] }
    ])
    const [build, unit, lint, publish, other, last] = places.map(({ x }) => x)
    assert.deepStrictEqual([build, other], [0, 0])
    assert.strictEqual(unit, lint)
    for (const [left = 0, right = 0] of [
      [build, unit],
      [lint, publish],
      [publish, last]
    ]) {
      assert.isAtLeast(right, left + node.width)
    }
    assert.strictEqual(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, places.length)
    assert.deepStrictEqual(
      edges.map(({ from, to }) => [from, to]),
      [
        [0, 1],
        [0, 2],
        [1, 3],
        [2, 3],
        [0, 5],
        [3, 5]
      ]
    )
    assert.strictEqual(Math.max(...places.map(({ x }) => x + node.width)), width)
    assert.strictEqual(Math.max(...places.map(({ y }) => y + node.height)), height)
  })
})
