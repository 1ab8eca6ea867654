/** Lines over the borders of reads, and what the settings make of signals. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { judged } from "../../../src/programs/limits/judged.ts"
import { limitWatch, wholeLines } from "../../../src/programs/limits/LimitWatch.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const settings = { overage: "wait", headroomPercent: 3 } as const

describe("lines of what is captured", () => {
  it("are the same however the bytes are cut", () => {
    const texts = FastCheck.array(FastCheck.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 10 })
    const cuts = FastCheck.array(FastCheck.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 })
    FastCheck.assert(
      FastCheck.property(texts, cuts, (lines, sizes) => {
        const whole = lines.map((line) => line.replace(/[\r\n]/g, " "))
        const bytes = bytesOf(whole.map((line) => `${line}\n`).join(""))
        const { stdout } = limitWatch().rest
        const found: Array<string> = []
        let at = 0
        for (let turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1
          found.push(...wholeLines(stdout, bytes.subarray(at, at + size)))
          at += size
        }
        assert.deepStrictEqual(found, whole)
      })
    )
  })

  it("leave out a line that is too long to be read, and it alone", () => {
    const { stdout } = limitWatch().rest
    const part = bytesOf("x".repeat(600_000))
    assert.deepStrictEqual(wholeLines(stdout, part), [])
    assert.deepStrictEqual(wholeLines(stdout, part), [])
    assert.strictEqual(stdout.bytes.length, 0)
    assert.deepStrictEqual(wholeLines(stdout, bytesOf("x\nnext\n")), ["next"])
  })
})

describe("what the settings make of signals", () => {
  const seen = (used: number) =>
    ({ _tag: "Seen", window: "five_hour", family: "", used, closed: false, resetsAt: 5000 }) as const

  it("closes a window that is nearly full, and ends nothing", () => {
    assert.deepStrictEqual(judged([seen(0.98)], settings, 0), {
      stored: [{ ...seen(0.98), closed: true }],
      stop: false
    })
    assert.deepStrictEqual(judged([seen(0.96)], settings, 0).stored, [seen(0.96)])
  })

  it("ends an agent that would be billed on top of its plan, unless that is allowed", () => {
    const paid = [seen(1), { _tag: "Overage", resetsAt: 5000 }] as const
    const wait = judged(paid, settings, 0)
    assert.isTrue(wait.stop)
    assert.deepStrictEqual(
      wait.stored.map((signal) => signal._tag === "Seen" && [signal.window, signal.closed]),
      [
        ["five_hour", true],
        ["overage", true]
      ]
    )
    assert.deepStrictEqual(judged(paid, { ...settings, overage: "allow" }, 0), { stored: [seen(1)], stop: false })
  })

  it("ends an agent that sleeps, and closes its account until it would have woken", () => {
    const { stop, stored } = judged([{ _tag: "Sleeping", ms: 7000 }], settings, 1000)
    assert.isTrue(stop)
    assert.deepInclude(stored[0], { window: "limit", closed: true, resetsAt: 8000 })
    assert.deepStrictEqual(judged([{ _tag: "Sleeping", ms: null }], settings, 1000), { stored: [], stop: true })
  })
})
