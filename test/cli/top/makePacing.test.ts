/** When the live screen may draw: often on a fast terminal, rarely on a slow one, and never dependent on an answer. */
import { assert, describe, it } from "@effect/vitest"
import { makePacing } from "../../../src/cli/top/makePacing.ts"

describe("the pace of frames", () => {
  it("is ten in a second, and one in five seconds without the focus", () => {
    const pacing = makePacing()
    assert.isAtMost(pacing.rest(1000), 0)
    pacing.drew(1000, true)
    pacing.answered()
    assert.strictEqual(pacing.rest(1040), 60)
    pacing.focus(false)
    assert.strictEqual(pacing.rest(2000), 4000)
    pacing.focus(true)
    assert.isAtMost(pacing.rest(1100), 0)
  })

  it("is that of the terminal, where it answers", () => {
    const pacing = makePacing()
    pacing.drew(0, true)
    // It may be one that never answers.
    assert.isAtMost(pacing.rest(100), 0)
    pacing.answered()
    assert.isFalse(pacing.waits())
    pacing.drew(100, true)
    assert.isAbove(pacing.rest(2000), 0)
    assert.isTrue(pacing.waits())
    pacing.answered()
    assert.isAtMost(pacing.rest(2000), 0)
  })

  it("waits for every frame that was sent before the first answer", () => {
    const pacing = makePacing()
    pacing.drew(0, true)
    pacing.drew(100, true)
    pacing.answered()
    assert.isAbove(pacing.rest(1000), 0)
    pacing.answered()
    assert.isAtMost(pacing.rest(1000), 0)
  })

  it("waits for an answer that was lost once, and not at every later frame", () => {
    const pacing = makePacing()
    pacing.drew(0, true)
    pacing.answered()
    pacing.drew(1000, true)
    assert.isAbove(pacing.rest(2000), 0)
    for (const at of [20_000, 21_000, 22_000]) {
      assert.isAtMost(pacing.rest(at), 0)
      pacing.drew(at, true)
      pacing.answered()
      assert.isAtMost(pacing.rest(at + 100), 0)
    }
    // Also where it is lost again and again.
    for (const at of [30_000, 50_000, 70_000, 90_000]) {
      pacing.drew(at, true)
      assert.isAbove(pacing.rest(at + 1000), 0)
      pacing.drew(at + 10_000, true)
      pacing.answered()
      assert.isAtMost(pacing.rest(at + 11_000), 0)
    }
  })

  it("does not stay low where answers stop: in another terminal, and after a stop of the process", () => {
    const pacing = makePacing()
    pacing.drew(0, true)
    pacing.answered()
    let at = 0
    for (const _ of [1, 2, 3]) {
      pacing.drew(at, true)
      assert.isAbove(pacing.rest(at + 100), 0)
      at += 20_000
      assert.isAtMost(pacing.rest(at), 0)
    }
    pacing.drew(at, true)
    assert.isAtMost(pacing.rest(at + 100), 0)
    assert.isFalse(pacing.waits())

    pacing.answered()
    pacing.drew(at, true)
    assert.isAbove(pacing.rest(at + 100), 0)
    pacing.restart()
    assert.isAtMost(pacing.rest(at + 100), 0)
  })

  it("asks nothing where no key can come", () => {
    const pacing = makePacing()
    pacing.drew(0, false)
    assert.isFalse(pacing.waits())
    assert.isAtMost(pacing.rest(100), 0)
  })
})
