/** Bare `beat`, `list` and `status` on screens of 40, 80 and 120 columns: nothing is wider, and every column lines up. */
import { assert, describe, it } from "@effect/vitest"
import { overviewLines } from "../../src/cli/commands/tasks/overview.ts"
import { widthOf } from "../../src/cli/output/Layout.ts"
import { pairs } from "../../src/cli/output/pairs.ts"
import { taskTable } from "../../src/cli/output/TaskTable.ts"
import { AccountKey } from "../../src/domain/limits/Account.ts"
import { QuestionId } from "../../src/domain/questions/Question.ts"
import { PipelineId, type TaskSummary } from "../../src/domain/task/Task.ts"
import type { Overview } from "../../src/programs/reports/overview.ts"
import { id, now, summary } from "./top/sample.ts"

const widths = [40, 80, 120] as const

const screenOf = (columns: number) => ({ columns, tty: true, colour: false })

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" })

/** One entry for each column of the screen: the character that begins there, or nothing. */
const cellsOf = (line: string): ReadonlyArray<string> =>
  Array.from(graphemes.segment(line), ({ segment }) => segment).flatMap((segment) => [
    segment,
    ...Array.from({ length: Math.max(0, widthOf(segment) - 1) }, () => "")
  ])

const cost = (costUsd: number): TaskSummary["usage"] => ({
  inputTokens: 1,
  outputTokens: 1,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  costUsd,
  cumulative: false
})

const wide = "変更事項をすべて確認してください 🚀🚀 and then write it down, one by one, in a very long title"

const running = [
  summary({ id: id("x2m7q4abk3v9"), title: wide, agent: "an-agent-with-a-very-long-name", usage: cost(0.4) }),
  summary({ id: id("p4t8m2kx7d9w"), asks: 2, title: "asks", agent: "エージェント" }),
  summary({ id: id("7w2d9m4xkq5t"), frozenAt: now - 5000, title: "npm test", agent: "sh", startedAt: now - 999 })
]
const queued = [
  summary({ id: id("9d2kx7w4m8pt"), status: "queued", startedAt: null, parkedAt: now - 1, parks: 1, title: wide }),
  summary({ id: id("q5t7w2d9m4xk"), status: "queued", startedAt: null, waitingOn: 12, title: "" }),
  summary({
    id: id("k3v9x2m7q4ab"),
    status: "queued",
    startedAt: null,
    asks: 1,
    directory: `/home/ann/${"深い".repeat(20)}`,
    pipelineId: PipelineId.make("b35rmgm95kd4")
  })
]
const ended = [
  summary({
    id: id("m4xkq5t7w2d9"),
    status: "failed",
    cause: "agent-error",
    failureClass: "usage-limit",
    endedAt: now - 1000,
    usage: cost(1234.5),
    title: wide
  }),
  summary({ id: id("b35rmgm95kd4"), status: "completed", cause: "exit", endedAt: now - 86_400_000, usage: cost(0) }),
  summary({ id: id("c7v9x2m7q4ab"), status: "cancelled", cause: "dependency-failed", endedAt: now - 1, title: "é" })
]

const question = (number: number, text: string): Overview["questions"][number] => ({
  id: QuestionId.make(number),
  taskId: id("p4t8m2kx7d9w"),
  askedBy: "task p4t8m2kx7d9w",
  text,
  options: ["sqlite", "postgres"],
  state: "open",
  askedAt: now,
  answer: null,
  denied: false,
  answeredBy: null,
  answeredAt: null
})

const view: Overview = {
  counts: { queued: 1003, running: 3, completed: 123_456, failed: 2345, cancelled: 789 },
  running: running.map((task) => ({ ...task, silentMs: 90_000 })),
  queued,
  ended,
  nextDue: null,
  limits: [
    {
      account: AccountKey.make("anthropic/login/a4tz9kq2mv"),
      agent: "claude",
      joinedTo: null,
      opensAt: now + 5_000_000,
      window: "five_hour",
      places: 1,
      running: 0,
      waiting: 41,
      next: null,
      spare: null,
      windows: []
    }
  ],
  awaitsAnswers: false,
  questions: [question(7, wide), question(12, "Which database?")],
  budgets: [],
  gates: [{ scope: "group", name: "review", until: now + 60_000, reason: wide, by: "anna", at: now, freeze: false }],
  workers: []
}

const assertFits = (lines: ReadonlyArray<string>, columns: number) => {
  for (const line of lines) assert.isAtMost(widthOf(line), columns, line)
}

describe("the columns of bare beat", () => {
  for (const columns of widths) {
    it(`line up over all its sections at ${columns}`, () => {
      const lines = overviewLines(view, now, screenOf(columns))
      assertFits(lines, columns)
      const rows = lines.filter((line) => /^ {2}[0-9a-z]{12} {2}/.test(line)).map(cellsOf)
      assert.lengthOf(rows, 9)
      // A column begins where every row has something after two empty places, or where some row has and the others have none.
      const longest = Math.max(...rows.map((row) => row.length))
      const blank = (at: number) => rows.every((row) => (row[at] ?? " ") === " ")
      const gaps = Array.from({ length: longest }, (_, at) => at).filter((at) => blank(at) && blank(at + 1))
      // The indent, the gap after the id, and one after each of the others.
      const starts = gaps.filter((at) => !gaps.includes(at + 1)).map((at) => at + 2)
      assert.deepStrictEqual(starts.slice(0, 2), [2, 16])
      assert.isAtLeast(starts.length, columns === 40 ? 3 : columns === 80 ? 4 : 5, lines.join("\n"))
    })
  }

  it("say that a task asks, is frozen, is parked or waits, and why one failed", () => {
    const text = overviewLines(view, now, screenOf(120)).join("\n")
    for (const word of ["asks, 12m", "frozen, 999ms", "parked", "waits for 12 tasks", "usage-limit", "skipped"]) {
      assert.include(text, word)
    }
  })
})

describe("the columns of beat list", () => {
  for (const columns of widths) {
    it(`line up with their titles at ${columns}`, () => {
      const lines = taskTable([...running, ...queued, ...ended], now, screenOf(columns))
      assertFits(lines, columns)
      const [titles = "", ...rows] = lines
      for (const title of titles.trim().split(/ {2,}/)) {
        const start = titles.search(new RegExp(`\\b${title}\\b`))
        const right = title === "AGE" || title === "TOOK" || title === "COST"
        for (const row of rows.map(cellsOf)) {
          // After the last letter of a title that is right-aligned, and before the first of another, two places are empty.
          const edge = right ? start + title.length : start - 2
          for (const at of [edge, edge + 1])
            if (at >= 0) assert.strictEqual(row[at] ?? " ", " ", `${title}: ${lines.join("\n")}`)
        }
      }
      assert.strictEqual(titles.includes("COST"), columns > 40, titles)
    })
  }

  it("have a cost only where one is known", () => {
    const [titles] = taskTable(queued, now, screenOf(120))
    assert.notInclude(titles ?? "", "COST")
    assert.include(taskTable(ended, now, screenOf(120)).join("\n"), "$1234.50")
  })
})

describe("the lines of beat status", () => {
  for (const columns of widths) {
    it(`begin their values in one column at ${columns}, also those that are wrapped`, () => {
      const lines = pairs(
        [
          ["task", "x2m7q4abk3v9"],
          ["waits for", wide],
          ["questions", `q7 ${wide}\nq12 Which database?  1 sqlite  2 postgres: beat answer q12 NUMBER`],
          ["directory", `/home/ann/${"a".repeat(200)}`],
          ["prompt", "変更".repeat(100)],
          ["left out", null]
        ],
        screenOf(columns)
      )
      assertFits(lines, columns)
      for (const line of lines.map(cellsOf)) {
        assert.deepStrictEqual(line.slice(9, 11), [" ", " "])
        assert.notStrictEqual(line[11], " ")
      }
    })
  }
})
