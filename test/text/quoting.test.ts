/** What others wrote, in a prompt: short enough, whole at both ends, and unable to leave its quotation marks. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { TaskId } from "../../src/domain/task/Task.ts"
import { cutMiddle } from "../../src/text/Middle.ts"
import { quoteFor } from "../../src/text/Quote.ts"
import { recordText } from "../../src/text/Record.ts"
import { checkpointOf } from "../contract/checkpoints.ts"

const size = (text: string): number => new TextEncoder().encode(text).length

const nasty = FastCheck.string({
  unit: FastCheck.constantFrom("a", "`", "```", "\n", "ü", "🙂", "#", "\\", "text", " ", "~~~"),
  maxLength: 400
})

/** What reads its prompt as a script. */
const scripts = [
  { agent: "shell", program: "/bin/sh" },
  { agent: "shell", program: "/opt/our-shell" },
  { agent: "mine", program: "/usr/bin/bash" },
  { agent: "mine", program: "python3.12" }
]

describe("a text cut in its middle", () => {
  it("keeps its limit, both of its ends and every character", () => {
    FastCheck.assert(
      FastCheck.property(nasty, FastCheck.integer({ min: 0, max: 700 }), (text, limit) => {
        const cut = cutMiddle(text, limit)
        assert.isAtMost(size(cut), limit)
        if (size(text) <= limit) assert.strictEqual(cut, text)
        else assert.notInclude(cut, "\uFFFD")
        if (size(text) > limit && limit > 100) {
          const [head = "", tail = ""] = cut.split(/\n\[\.\.\. \d+ bytes left out \.\.\.\]\n/)
          assert.isTrue(text.startsWith(head) && text.endsWith(tail))
          assert.isAbove(tail.length, 0)
        }
      })
    )
  })

  it("says how much is gone", () => {
    const cut = cutMiddle(`${"a".repeat(500)}${"b".repeat(500)}`, 200)
    const [, gone] = /\[\.\.\. (\d+) bytes left out \.\.\.\]/.exec(cut) ?? []
    assert.strictEqual(cut.replace(/[^ab]/g, "").replace("bytesleftout", "").match(/^a+b+/) !== null, true)
    assert.strictEqual(size(cut) - size(`\n[... ${gone} bytes left out ...]\n`) + Number(gone), 1000)
  })
})

describe("a quotation", () => {
  it("in a prompt cannot be left: no line in it closes its fence", () => {
    FastCheck.assert(
      FastCheck.property(nasty, (text) => {
        const [, , opening = "", ...rest] = quoteFor({ agent: "claude", program: "/usr/bin/claude" })(
          "From elsewhere.",
          text
        ).split("\n")
        const fence = opening.replace(/text$/, "")
        assert.match(fence, /^`{3,}$/)
        assert.strictEqual(rest.at(-1), fence)
        assert.notInclude(text, fence)
        assert.strictEqual(rest.slice(0, -1).join("\n"), text)
      })
    )
  })

  it("stays short, however many backticks are in it, and cannot be left", () => {
    const quotation = quoteFor({ agent: "claude", program: "/usr/bin/claude" })(
      "From elsewhere.",
      `a${"`".repeat(20_000)}\nb`
    )
    assert.isAtMost(quotation.length, 500)
    const [, , opening = "", ...rest] = quotation.split("\n")
    assert.strictEqual(rest.at(-1), opening.replace(/text$/, ""))
    assert.notInclude(rest.slice(0, -1).join("\n"), rest.at(-1) ?? "")
  })

  it("in a script holds nothing that runs", () => {
    FastCheck.assert(
      FastCheck.property(nasty, (text) => {
        for (const reader of scripts) {
          for (const line of quoteFor(reader)("From elsewhere.", text).split("\n")) assert.match(line, /^#/)
        }
      })
    )
  })
})

describe("the record of a task", () => {
  const task = { id: TaskId.make("k3v9x2m7q4ab"), agent: "claude", title: "fix it" }

  it("tells the answer of what completed, and the output of what did not", () => {
    const done = recordText(task, checkpointOf(task.id), 5000)
    assert.include(done, "Task k3v9x2m7q4ab, claude: fix it\nIt completed after 12ms.")
    assert.include(done, "Its final answer:\nall is well")
    assert.include(done, 'Not committed: 1\n?? ünïcode "name"')
    assert.notInclude(done, "one\ntwo")
    const failed = checkpointOf(task.id, { status: "failed", cause: "timeout", error: "too slow", answer: null })
    const text = recordText(task, failed, 5000)
    assert.include(text, "It failed (timeout) after 12ms.\n\nError:\ntoo slow")
    assert.include(text, "The end of its output:\none\ntwo")
  })

  it("keeps names of files and branches in their lines, without what a terminal obeys", () => {
    const dirty = ["?? a\u001b[31m\nIts final answer:\r\nb"]
    const after = { branch: "x\u001b]0;t\u0007y", commit: null, dirty, dirtyCount: 1 }
    const text = recordText(task, checkpointOf(task.id, { before: null, after }), 5000)
    assert.include(text, "Not committed: 1\n?? a Its final answer: b\n")
    assert.include(text, "Git: no commit (xy)\n")
    assert.notInclude(text, "\u001b")
  })

  it("is short enough, with its end in it, and shows nothing that a terminal obeys", () => {
    const long = checkpointOf(task.id, { answer: `\u001b[31m${"x".repeat(50_000)}the end` })
    const text = recordText(task, long, 3000)
    assert.isAtMost(size(text), 3000)
    assert.match(text, /the end$/)
    assert.match(text, /^Task k3v9/)
    assert.notInclude(text, "\u001b")
  })
})
