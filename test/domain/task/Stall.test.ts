/** The rule that tells work from waiting, over what real agents were measured to use (docs/stall.md). */
import { assert, describe, it } from "@effect/vitest"
import { type CpuUse, type ProcessCpu, worked } from "../../../src/domain/task/Stall.ts"

const process = (key: string, role: ProcessCpu["role"], ownMillis: number, waitedMillis = 0): ProcessCpu => ({
  key,
  role,
  ownMillis,
  waitedMillis
})

/** The agent with what it used before, and with so many milliseconds more. */
const own = (millis: number): readonly [CpuUse, CpuUse] => [
  [process("shim", "agent", 0), process("agent", "agent", 4000, 70)],
  [process("shim", "agent", 0), process("agent", "agent", 4000 + millis, 70)]
]

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

describe("an agent that waits for an answer", () => {
  /** CPU milliseconds in each 15 seconds of three minutes, hung. */
  const hung: Readonly<Record<string, ReadonlyArray<number>>> = {
    claude: [40, 20, 20, 10, 20, 0, 150, 10, 20, 30, 20, 10],
    codex: [10, 20, 30, 10, 10, 40, 0, 20, 0, 10, 20, 10],
    gemini: [0, 170, 310, 50, 0, 10, 0, 10, 0, 10, 0, 10],
    opencode: [280, 250, 240, 280, 340, 220, 290, 210, 230, 220, 230, 210],
    qwen: [0, 0, 10, 0, 350, 320, 0, 20, 0, 10, 0, 0],
    copilot: [50, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0],
    pi: [0, 0, 0, 0, 0, 0, 190, 10, 0, 0, 0, 0]
  }
  for (const [agent, series] of Object.entries(hung)) {
    it(`does not work: ${agent}`, () => {
      for (let at = 0; at + 3 <= series.length; at++) {
        assert.isFalse(worked(agent, ...own(sum(series.slice(at, at + 3))), 45_000), `from ${at}`)
      }
      // At the default of half an hour a reading covers 22.5 minutes.
      assert.isFalse(worked(agent, ...own(sum(series) * 7.5), 22.5 * 60_000))
    })
  }

  it("does not work because its MCP servers idle too", () => {
    const servers = (millis: number) => Array.from({ length: 8 }, (_, at) => process(`server-${at}`, "agent", millis))
    const [before, after] = own(180)
    assert.isFalse(worked("claude", [...before, ...servers(0)], [...after, ...servers(150)], 45_000))
  })

  it("does not work because a tool waits", () => {
    const waiting = [process("bash", "tool", 3), process("tail", "tool", 1)]
    const [before, after] = own(140)
    assert.isFalse(worked("claude", before, [...after, ...waiting], 45_000))
  })
})

describe("an agent that reads an answer which comes slowly", () => {
  for (const [agent, millis] of [
    ["claude", 210],
    ["codex", 130],
    ["opencode", 3510]
  ] as const) {
    it(`works: ${agent}`, () => assert.isTrue(worked(agent, ...own(millis), 15_000)))
  }
})

describe("a tool", () => {
  const agent = [process("agent", "agent", 4000)]
  it("works from one hundredth of a core on", () => {
    const tool = (millis: number) => [...agent, process("make", "tool", millis)]
    assert.isTrue(worked("claude", tool(0), tool(450), 45_000))
    assert.isFalse(worked("claude", tool(0), tool(440), 45_000))
  })

  it("works through children that come and go", () => {
    const make = (waited: number) => [...agent, process("make", "tool", 5, waited)]
    assert.isTrue(worked("codex", make(100), [...make(900), process("cc", "tool", 20)], 45_000))
  })

  it("does not work by ending: its agent waited for it", () => {
    const before = [process("agent", "agent", 4000, 0), process("make", "tool", 8000, 1000)]
    assert.isFalse(worked("gemini", before, [process("agent", "agent", 4000, 9000)], 45_000))
    assert.isTrue(worked("gemini", before, [process("agent", "agent", 4000, 9500)], 45_000))
  })
})

describe("a command", () => {
  for (const agent of ["shell", "my-own-agent"]) {
    it(`of ${agent} works with its own process, at the rate of a tool`, () => {
      assert.isTrue(worked(agent, ...own(450), 45_000))
      assert.isFalse(worked(agent, ...own(440), 45_000))
    })

    it(`of ${agent} does not work by sleeping in a loop`, () => {
      const loop = (waited: number) => [process("shim", "agent", 0), process("sh", "agent", 10, waited)]
      assert.isFalse(worked(agent, loop(0), [...loop(110), process("sleep", "agent", 0)], 45_000))
    })
  }
})
