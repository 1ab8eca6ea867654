/** The frames of the live screen: what is on them, that they fit, and that nothing in them moves a cursor. */
import { readFileSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { frame, frameLines } from "../../../src/cli/top/Frame.ts"
import { helpText } from "../../../src/cli/top/HelpPage.ts"
import { openPager } from "../../../src/cli/top/pagerPress.ts"
import { columnsOf, textOf } from "../../../src/cli/top/Span.ts"
import type { TopState } from "../../../src/cli/top/TopState.ts"
import { update } from "../../../src/cli/top/update.ts"
import { QuestionId } from "../../../src/domain/questions/Question.ts"
import type { TopRow } from "../../../src/programs/top/Look.ts"
import { runs } from "../../fuzz/effort.ts"
import { id, now, row, sample, selected, view } from "./sample.ts"

const page = new URL("../../../docs/top.md", import.meta.url)

/** The screens of docs/top.md. `BEAT_WRITE_DOCS=1` writes them anew. */
const screens: Readonly<Record<string, TopState>> = {
  "80x24": sample(80, 24),
  "120x40": sample(120, 40),
  "40x20": sample(40, 20),
  "20x5": sample(20, 5),
  "80x12": openPager(sample(80, 12), { id: selected }, "output"),
  keys: sample(90, helpText(90).length + 1, { mode: { kind: "help", top: 0 } })
}

const blockOf = (name: string) => new RegExp(`(<!-- screen ${name} -->\n\`\`\`text\n)([\\s\\S]*?)(\n\`\`\`)`)

const ids = (index: number) => id(index.toString(8).padStart(12, "0"))

const dangerous = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

const assertFits = (state: TopState) => {
  const lines = frame(state, now)
  assert.strictEqual(lines.length, state.rows)
  for (const line of lines) {
    assert.isAtMost(columnsOf(line), state.columns, JSON.stringify(line))
    assert.notMatch(line, dangerous)
  }
}

describe("the frame of the live screen", () => {
  it("is what docs/top.md shows", () => {
    if (process.env.BEAT_WRITE_DOCS !== undefined) {
      let text = readFileSync(page, "utf8")
      for (const [name, state] of Object.entries(screens)) {
        text = text.replace(blockOf(name), (_, head, _old, foot) => `${head}${frame(state, now).join("\n")}${foot}`)
      }
      writeFileSync(page, text)
    }
    const text = readFileSync(page, "utf8")
    for (const [name, state] of Object.entries(screens)) {
      const [, , shown] = blockOf(name).exec(text) ?? []
      assert.strictEqual(shown, frame(state, now).join("\n"), name)
    }
  })

  it("has the cursor, the states in words and the reasons of those who wait", () => {
    const text = frame(sample(80, 24), now).join("\n")
    assert.match(text, /^>x2m7q4abk3v9 {2}running {4}claude {5}12m {2}fix the failing test$/m)
    assert.match(text, /^ 9d2kx7w4m8pt {2}parked .* waits: 5-hour limit until 14:30/m)
    assert.match(text, /^ q5t7w2d9m4xk {2}blocked .* waits: x2m7q4abk3v9 and 1 more/m)
    assert.match(text, /^ m4xkq5t7w2d9 {2}failed .* usage-limit, resets 14:30: port/m)
    assert.match(text, /^ c7v9x2m7q4ab {2}skipped/m)
    assert.include(text, "$0.41")
    assert.include(text, "printed 2s ago")
  })

  it("tells who asks a person, and what budgets, workspaces and the disk hold", () => {
    const waiting = (name: string, wait: TopRow["wait"], asks = 0) =>
      row({ id: id(name), status: "queued", startedAt: null, asks, title: "work" }, { wait })
    const question = { id: QuestionId.make(7), text: "Which database?", options: [] }
    const state = sample(99, 30)
    const rows = [
      waiting("aaaaaaaaaaaa", { kind: "asks", question }, 1),
      waiting("bbbbbbbbbbbb", { kind: "budget", budget: "nightly", opensAt: now + 60_000 }),
      waiting("cccccccccccc", { kind: "workspace", by: selected }),
      waiting("dddddddddddd", { kind: "disk", bytes: 2_000_000_000, maxBytes: 1_000_000_000 })
    ]
    const asking = row({ id: id("eeeeeeeeeeee"), asks: 1 }, { wait: { kind: "asks", question } })
    const text = frame({ ...state, view: { ...view(), queued: rows, running: [asking] } }, now).join("\n")
    assert.match(text, /^ aaaaaaaaaaaa {2}asks .* q7: Which database\?: work/m)
    assert.match(text, /^ bbbbbbbbbbbb {2}queued .* waits: budget nightly until 14:03: work/m)
    assert.match(text, /^ cccccccccccc {2}queued .* waits: x2m7q4abk3v9 works in its workspace: work/m)
    assert.match(text, /^ dddddddddddd {2}queued .* waits: workspaces hold .* of .*: work/m)
    assert.match(text, /^.eeeeeeeeeeee {2}asks .* q7: Which database\?/m)
  })

  it("fits every size in every mode, with wide characters and hostile titles", () => {
    const modes: ReadonlyArray<(state: TopState) => TopState> = [
      (state) => state,
      (state) => ({ ...state, mode: { kind: "help", top: 3 } }),
      (state) => ({ ...state, mode: { kind: "filter", text: "漢字👩‍👩‍👧\u001b[2J" } }),
      (state) => ({ ...state, mode: { kind: "confirm", commands: [["cancel", "x".repeat(200)]], strict: true } }),
      (state) => ({ ...state, message: { text: "done \u001b[31m漢", bad: false } }),
      (state) => openPager(state, { id: selected }, "output"),
      (state) => ({ ...openPager(state, { id: selected }, "diff"), view: null }),
      (state) => {
        const opened = openPager(state, { id: selected }, "output")
        return opened.mode.kind === "pager" ? { ...opened, mode: { ...opened.mode, wrap: true } } : opened
      }
    ]
    const text = fc.array(
      fc.oneof(
        fc.constantFrom("漢", "👩‍👩‍👧", "🇩🇪", "\u001b[2J", "\u202e", "\t", "e\u0301", "\u200d", "ﷺ"),
        fc.string({ unit: "binary" })
      ),
      { maxLength: 30 }
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 140 }),
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom(...modes),
        text,
        (columns, rows, mode, parts) => {
          const title = parts.join("")
          const found = view()
          const state = sample(columns, rows, {
            view: {
              ...found,
              running: [
                row({ id: selected, title, agent: title || "a", directory: `/${title}` }),
                ...found.running.slice(1)
              ]
            },
            output: { taskId: selected, text: { lines: [title, "x".repeat(300)], first: 0, at: now } }
          })
          assertFits(mode(state))
        }
      ),
      { numRuns: runs(60) }
    )
  })

  it("is ASCII where that is asked for", () => {
    assert.match(frame(sample(80, 24, { ascii: true }), now).join(""), /^[ -~]*$/)
  })

  it("keeps its colours apart from its text", () => {
    const lines = frameLines(sample(80, 24), now)
    assert.isTrue(lines.some((line) => line.some(({ style }) => style === "cyan")))
    assert.deepStrictEqual(lines.map(textOf), frame(sample(80, 24), now))
  })

  it("keeps the cursor in sight among many tasks", () => {
    const found = view()
    const many = Array.from({ length: 200 }, (_, index) => row({ id: selected, title: `task ${index}`, seq: index }))
    const rows = many.map(({ task }, index) => row({ ...task, id: ids(index) }))
    let state = sample(80, 24, { view: { ...found, running: rows }, cursor: ids(0), cursorAt: 0 })
    for (let step = 0; step < 150; step += 1)
      state = update(state, { kind: "press", press: { name: "j", text: "j" } }).state
    assert.match(frame(state, now).join("\n"), new RegExp(`^>${ids(150)}`, "m"))
  })
})
