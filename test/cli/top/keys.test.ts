/** The keys of the live screen: how they are read, what they ask for, and that nothing happens without a yes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { commandText } from "../../../src/cli/top/Actions.ts"
import { difference } from "../../../src/cli/top/Differ.ts"
import { parseFilter } from "../../../src/cli/top/Filter.ts"
import { frame } from "../../../src/cli/top/Frame.ts"
import { listKeys, pressOf } from "../../../src/cli/top/Keys.ts"
import { plainHelp } from "../../../src/cli/top/runPlain.ts"
import { wordsThatRun } from "../../../src/cli/top/runWords.ts"
import type { TopState } from "../../../src/cli/top/TopState.ts"
import { update, type Wish } from "../../../src/cli/top/update.ts"
import { QuestionId } from "../../../src/domain/questions/Question.ts"
import { id, now, row, sample, selected, view } from "./sample.ts"

/** The state and the wishes after key presses. */
const pressing = (state: TopState, ...names: ReadonlyArray<string>) => {
  const wishes: Array<Wish> = []
  let last = state
  for (const name of names) {
    const text = Array.from(name).length === 1 ? name : ""
    const updated = update(last, { kind: "press", press: { name, text } })
    last = updated.state
    wishes.push(...updated.wishes)
  }
  return { state: last, wishes }
}

const commandsOf = (wishes: ReadonlyArray<Wish>) =>
  wishes.flatMap((wish) => (wish.kind === "run" ? wish.commands.map(commandText) : []))

describe("a key press", () => {
  it("is read from what node:readline reports", () => {
    const cases: ReadonlyArray<readonly [string | undefined, Parameters<typeof pressOf>[1], string | null]> = [
      ["j", { name: "j", sequence: "j" }, "j"],
      ["C", { name: "c", sequence: "C" }, "C"],
      ["?", { sequence: "?" }, "?"],
      [" ", { name: "space", sequence: " " }, "space"],
      ["\r", { name: "return", sequence: "\r" }, "enter"],
      [undefined, { name: "escape", meta: true, sequence: "\u001b" }, "escape"],
      [undefined, { name: "up", sequence: "\u001b[A" }, "up"],
      [undefined, { name: "pagedown", sequence: "\u001b[6~" }, "pagedown"],
      ["\u0003", { name: "c", ctrl: true, sequence: "\u0003" }, "ctrl-c"],
      [undefined, { name: "undefined", sequence: "\u001b[I" }, "focus-in"],
      [undefined, { name: "undefined", sequence: "\u001b[O" }, "focus-out"],
      ["漢", { sequence: "漢" }, "漢"],
      ["q", { name: "q", meta: true, sequence: "\u001bq" }, null],
      [undefined, { name: "f5", sequence: "\u001b[15~" }, null],
      ["\u0000", { sequence: "\u0000" }, null]
    ]
    for (const [typed, key, name] of cases) assert.strictEqual(pressOf(typed, key)?.name ?? null, name, key.sequence)
  })
})

describe("a key that says something", () => {
  const question = { id: QuestionId.make(7), text: "Which database?", options: ["sqlite", "postgres"] }
  const asking = () => {
    const one = row({ id: selected, asks: 1 }, { wait: { kind: "asks", question } })
    return { ...sample(80, 24), view: { ...view(), running: [one] } }
  }

  it("shows the command while its text is typed, and runs it with enter alone", () => {
    const typing = pressing(sample(80, 24), "s", ..."it's")
    assert.deepStrictEqual(typing.wishes, [])
    assert.include(frame(typing.state, now).at(-1), ` beat send ${selected} it's_  enter run`)
    assert.deepStrictEqual(commandsOf(pressing(typing.state, "enter").wishes), [`beat send ${selected} 'it'\\''s'`])
    assert.deepStrictEqual(pressing(sample(80, 24), "s", "enter").wishes, [])
    for (const no of ["escape", "ctrl-c"]) {
      const left = pressing(typing.state, no)
      assert.deepStrictEqual([left.wishes, left.state.mode.kind], [[], "list"])
    }
    // No text becomes an option.
    assert.deepStrictEqual(commandsOf(pressing(sample(80, 24), "s", ..."--now", "enter").wishes), [
      `beat send ${selected} -- --now`
    ])
  })

  it("answers the question of a task, which is shown above, and none where nothing is asked", () => {
    const typing = pressing(asking(), "a", "2")
    const lines = frame(typing.state, now)
    assert.include(lines.at(-2), "Which database?  1 sqlite  2 postgres")
    assert.include(lines.at(-1), " beat answer q7 2_")
    assert.deepStrictEqual(commandsOf(pressing(typing.state, "enter").wishes), ["beat answer q7 2"])
    const none = pressing(sample(80, 24), "a")
    assert.deepStrictEqual([none.wishes, none.state.message?.text], [[], "It asks nothing."])
  })

  it("ends the turn of a running agent after a yes, and of no other", () => {
    const asked = pressing(sample(80, 24), "i")
    assert.deepStrictEqual(asked.wishes, [])
    assert.deepStrictEqual(commandsOf(pressing(asked.state, "enter").wishes), [])
    assert.deepStrictEqual(commandsOf(pressing(asked.state, "y").wishes), [`beat interrupt ${selected}`])
    const queued = pressing(sample(80, 24), "j", "j", "j", "i")
    assert.match(queued.state.message?.text ?? "", /no turn to end/)
  })
})

describe("a key that acts", () => {
  it("shows its command, and does nothing without a yes", () => {
    const asked = pressing(sample(80, 24), "c")
    assert.deepStrictEqual(asked.wishes, [])
    assert.strictEqual(asked.state.mode.kind, "confirm")
    for (const no of ["n", "escape", "q", "ctrl-c"]) assert.deepStrictEqual(pressing(asked.state, no).wishes, [], no)
    // A cancel is not confirmed by a key that was meant for something else.
    for (const other of ["enter", "c", "j", "pasted"])
      assert.deepStrictEqual(pressing(asked.state, other).wishes, [], other)
    assert.deepStrictEqual(commandsOf(pressing(asked.state, "y").wishes), [`beat cancel ${selected}`])
  })

  it("stands for the commands of the documentation", () => {
    const start = sample(80, 24)
    const failed = pressing(start, "j", "j", "j", "j", "j", "j").state
    const done = pressing(failed, "j").state
    assert.deepStrictEqual(commandsOf(pressing(start, "C", "y").wishes), [`beat cancel --tree ${selected}`])
    assert.deepStrictEqual(commandsOf(pressing(failed, "r", "enter").wishes), ["beat resume m4xkq5t7w2d9"])
    assert.deepStrictEqual(commandsOf(pressing(failed, "R", "y").wishes), ["beat retry m4xkq5t7w2d9"])
    assert.deepStrictEqual(commandsOf(pressing(done, "r", "enter").wishes), ["beat retry b35rmgm95kd4"])
    assert.deepStrictEqual(commandsOf(pressing(start, "p", "enter").wishes), ["beat pause --all"])
    const paused = {
      ...view(),
      gates: [{ scope: "all", name: "", until: null, reason: null, by: "ann", freeze: false, at: now }] as const
    }
    assert.deepStrictEqual(commandsOf(pressing({ ...start, view: paused }, "p", "enter").wishes), ["beat resume --all"])
  })

  it("acts on all marked tasks, and says so where there is nothing to do", () => {
    const marked = pressing(sample(80, 24), "space", "space").state
    assert.deepStrictEqual(commandsOf(pressing(marked, "c", "y").wishes), [`beat cancel ${selected} p4t8m2kx7d9w`])
    assert.strictEqual(pressing(marked, "c", "y").state.marked.size, 0)
    assert.strictEqual(pressing(marked, "r").state.message?.bad, true)
    assert.deepStrictEqual(pressing(marked, "r", "enter", "y").state.mode.kind, "pager")
  })

  it("has a line that does the same in line mode", () => {
    for (const { word } of listKeys) {
      if (word === null || word === "help" || word === "quit") continue
      assert.include(wordsThatRun, word.split(" ")[0])
      assert.isTrue(
        plainHelp.some((line) => line.includes(word)),
        word
      )
    }
    const silent = listKeys.filter(({ word }) => word === null).map(({ keys }) => keys)
    assert.deepStrictEqual(silent, ["j k down up", "g G home end", "PgUp PgDn", "space", "y", "esc"])
  })
})

describe("the cursor", () => {
  it("stays on its task when others come and when it moves among them", () => {
    const start = pressing(sample(80, 24), "j").state
    const found = view()
    const grown = {
      ...found,
      running: [row({ id: id("000000000001") }), row({ id: id("000000000002") }), ...found.running]
    }
    const later = update(start, { kind: "view", view: grown }).state
    assert.strictEqual(later.cursor, id("p4t8m2kx7d9w"))
    const [moved] = found.running.slice(1, 2)
    assert.isDefined(moved)
    const ended = {
      ...found,
      running: found.running.filter((one) => one !== moved),
      ended: [...found.ended, ...(moved === undefined ? [] : [moved])]
    }
    assert.strictEqual(update(later, { kind: "view", view: ended }).state.cursor, id("p4t8m2kx7d9w"))
  })

  it("stays in its place when its task is gone", () => {
    const start = pressing(sample(80, 24), "j").state
    const found = view()
    const gone = { ...found, running: found.running.filter(({ task }) => task.id !== start.cursor) }
    assert.strictEqual(update(start, { kind: "view", view: gone }).state.cursor, id("7w2d9m4xkq5t"))
    assert.strictEqual(
      update(start, { kind: "view", view: { ...gone, running: [], queued: [], ended: [] } }).state.cursor,
      null
    )
  })
})

describe("the filter", () => {
  const parse = (text: string) =>
    Effect.runPromise(Effect.either(parseFilter(text, now, (path) => Effect.succeed(`/at/${path}`))))

  it("has the words of beat list", async () => {
    const found = Either.getOrThrow(
      await parse('status:failed,running agent:claude label:repo=api directory:"my dir" since:2h Fix it')
    )
    assert.deepStrictEqual(found, {
      filter: {
        status: ["failed", "running"],
        agent: "claude",
        labels: { repo: "api" },
        directory: "/at/my dir",
        since: now - 7_200_000
      },
      text: "fix it"
    })
  })

  it("says what it cannot read", async () => {
    for (const text of ["status:odd", "label:x", "since:soon", "agent:"])
      assert.isTrue(Either.isLeft(await parse(text)), text)
  })
})

describe("the search on the whole screen", () => {
  const opened = pressing(
    sample(80, 10, {
      output: {
        taskId: selected,
        text: { lines: Array.from({ length: 500 }, (_, line) => `line ${line}`), first: 40, at: now }
      }
    }),
    "enter"
  ).state
  const pager = (state: TopState) => (state.mode.kind === "pager" ? state.mode : assert.fail(state.mode.kind))

  it("finds the next and the previous line, around the ends", () => {
    const found = pressing(opened, "g", "/", "e", " ", "1", "0", "enter").state
    assert.strictEqual(pager(found).found, 50)
    assert.strictEqual(pager(pressing(found, "n").state).found, 140)
    assert.strictEqual(pager(pressing(found, "N").state).found, 149)
    assert.strictEqual(pressing(opened, "/", "q", "q", "enter").state.message?.bad, true)
  })

  it("follows until one scrolls up, and again at the end", () => {
    assert.isTrue(pager(opened).follow)
    const up = pressing(opened, "k").state
    assert.isFalse(pager(up).follow)
    assert.isTrue(pager(pressing(up, "G").state).follow)
    assert.isFalse(pager(pressing(up, "G", "f").state).follow)
  })
})

describe("the difference of two frames", () => {
  it("is nothing where nothing changed, and else the lines that did", () => {
    assert.strictEqual(difference(["a", "b"], ["a", "b"]), "")
    assert.strictEqual(difference(["a", "b"], ["a", "c"]), "\u001b[?2026h\u001b[2;1H\u001b[2Kc\u001b[?2026l")
    assert.strictEqual(difference(["a", "b"], ["a"]), "\u001b[?2026h\u001b[2;1H\u001b[2K\u001b[?2026l")
    assert.include(difference(null, ["a"]), "\u001b[2J")
  })
})
