/** From the bytes an agent printed to lines on a terminal: nothing is corrupted, nothing gets through, nothing grows. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Lines from "../../src/domain/output/Lines.ts"
import type { OutputChunk, StreamName } from "../../src/domain/output/Output.ts"
import type { Renderer } from "../../src/domain/task/Agent.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import * as Render from "../../src/text/Render.ts"
import { escapeControls, sanitize } from "../../src/text/Sanitize.ts"
import { enoughFor, lastLines } from "../../src/text/Tail.ts"
import { runs } from "../fuzz/effort.ts"
import { bytesOf, joined } from "../support/output.ts"

const taskId = TaskId.make("k3v9x2m7q4ab")

/** What a terminal acts on: C0 but tab and newline, DEL, C1, and the marks of direction. */
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/** Text in which escape sequences are likely, whole and broken. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "\u001b",
        "\u001b[",
        "\u009b",
        "\u001b]0;",
        "\u0007",
        "\u001b\\",
        "\u009c",
        "31m",
        "\u001bP",
        "\u202e"
      ),
      fc.constantFrom("\u009d", "\u0090", "?25l", ";", "m", "\r", "\b", "\n", "\t", "é", "漢", "👩‍👩‍👧", "\ud800"),
      fc.string({ unit: "binary" })
    ),
    { maxLength: 40 }
  )
  .map((parts) => parts.join(""))

/** Bytes cut into pieces at arbitrary places. */
const pieces = (bytes: Uint8Array, cuts: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const at = [...new Set(cuts.map((cut) => (bytes.length === 0 ? 0 : cut % bytes.length)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length))
}

const linesOf = (parts: ReadonlyArray<Uint8Array>, limit?: number): ReadonlyArray<string> => {
  const lines = Lines.make(limit)
  return [...parts.flatMap((part) => lines.push(part)), ...lines.flush()]
}

describe("sanitize", () => {
  it("lets nothing through that a terminal obeys", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        assert.notMatch(sanitize(text), dangerous)
        assert.notMatch(sanitize(JSON.stringify(text)), dangerous)
      }),
      { numRuns: runs(500) }
    )
  })

  it("takes whole sequences out and leaves text alone", () => {
    assert.strictEqual(
      sanitize("\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u001b]8;;http://a\u001b\\link"),
      "red xlink"
    )
    assert.strictEqual(sanitize("\u009b2Ja\u001b(Bb\u001bPq#0\u001b\\c\u001b7d\u001bc"), "abcd")
    assert.strictEqual(sanitize("tab\tline\ncafé 漢字 👩‍👩‍👧 ‏"), "tab\tline\ncafé 漢字 👩‍👩‍👧 ")
    // What is never ended must not hide the rest of the line.
    assert.strictEqual(sanitize("\u001b]52;c;evil then text"), "52;c;evil then text")
  })

  it("takes time in proportion to the text", () => {
    const before = process.cpuUsage()
    sanitize("\u001b]".repeat(200_000))
    sanitize(`\u001b[${"1;".repeat(200_000)}`)
    // Time of the processor: other processes may take their share of the clock's.
    assert.isBelow(process.cpuUsage(before).user / 1000, 2000)
  })
})

describe("escapeControls", () => {
  it("says the same in JSON", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const escaped = escapeControls(JSON.stringify({ text }))
        assert.notMatch(escaped, dangerous)
        assert.deepStrictEqual(JSON.parse(escaped), { text })
      })
    )
  })
})

describe("Lines", () => {
  it("reads the same text whatever the chunks", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (text, cuts) => {
          const bytes = bytesOf(text)
          const lines = linesOf(pieces(bytes, cuts))
          assert.deepStrictEqual(lines, linesOf([bytes]))
          const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).split("\n")
          if (expected.at(-1) === "") expected.pop()
          assert.deepStrictEqual(
            lines,
            expected.map((line) => line.replace(/\r$/, ""))
          )
        }
      ),
      { numRuns: runs(300) }
    )
  })

  it("decodes any bytes the same whatever the chunks", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.array(fc.nat(), { maxLength: 20 }), (bytes, cuts) => {
        assert.deepStrictEqual(linesOf(pieces(bytes, cuts)), linesOf([bytes]))
      }),
      { numRuns: runs(300) }
    )
  })

  it("keeps a character that is cut between every two bytes", () => {
    const bytes = bytesOf("aé漢👩‍👩‍👧\nb")
    assert.deepStrictEqual(linesOf(Array.from(bytes, (byte) => Uint8Array.of(byte))), ["aé漢👩‍👩‍👧", "b"])
  })

  it("cuts a line that does not end, and continues after it", () => {
    const endless = bytesOf("x".repeat(1000))
    const [cut, next] = linesOf([...Array.from({ length: 100 }, () => endless), bytesOf("\nnext\n")], 5000)
    assert.strictEqual(cut, `${"x".repeat(5000)}… (95000 more characters)`)
    assert.strictEqual(next, "next")
  })
})

const plain: Renderer = { line: (raw: string) => [raw], end: () => [] }

/** Chunks of a stream, numbered in order. */
const chunk = (seq: number, offset: number, text: string | Uint8Array, stream: StreamName = "stdout"): OutputChunk => ({
  taskId,
  seq,
  stream,
  offset,
  bytes: typeof text === "string" ? bytesOf(text) : text,
  at: seq * 1000
})

const shown = (chunks: ReadonlyArray<OutputChunk>, renderer: Renderer = plain): ReadonlyArray<string> => {
  const render = Render.make(renderer)
  const all = [...chunks.flatMap((piece) => render.push(piece)), ...render.end()]
  return all.map(({ stream, text }) => (stream === "stdout" ? text : `! ${text}`))
}

describe("Render", () => {
  it("keeps the two streams apart", () => {
    assert.deepStrictEqual(
      shown([chunk(1, 0, "ou"), chunk(2, 0, "er", "stderr"), chunk(3, 2, "t\n"), chunk(4, 2, "r\n", "stderr")]),
      ["out", "! err"]
    )
  })

  it("gives stdout alone to the agent's renderer, and what it kept at the end", () => {
    const renderer = { line: (raw: string) => [`<${raw}>`, "more"], end: () => ["done"] }
    assert.deepStrictEqual(shown([chunk(1, 0, "a\nb"), chunk(2, 0, "e\n", "stderr")], renderer), [
      "<a>",
      "more",
      "! e",
      "<b>",
      "more",
      "done"
    ])
  })

  it("shows a gap where it is, and the broken lines around it without the renderer", () => {
    const renderer = { line: (raw: string) => [`<${raw}>`], end: () => [] }
    // The tail begins within a character.
    const tail = bytesOf("é tail\nnext\n").subarray(1)
    assert.deepStrictEqual(shown([chunk(1, 0, "head\nbro"), chunk(9, 12_300_008, tail)], renderer), [
      "<head>",
      "bro",
      "… 12 MB of stdout dropped …",
      " tail",
      "<next>"
    ])
  })

  it("passes over bytes it has shown before", () => {
    assert.deepStrictEqual(shown([chunk(1, 0, "one\ntw"), chunk(2, 4, "two\n")]), ["one", "two"])
  })

  it("begins with the first whole line when the beginning is not there", () => {
    assert.deepStrictEqual(shown([chunk(5, 100, "rest of a line\nwhole\n")]), ["whole"])
    assert.deepStrictEqual(shown([chunk(5, 100, "no newline at all")]), ["no newline at all"])
  })

  it("shows what a progress bar showed last", () => {
    assert.deepStrictEqual(shown([chunk(1, 0, "10%\r50%\r100%\r\n\n")]), ["100%", ""])
  })

  it("lets nothing of a renderer through that a terminal obeys", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const renderer = { line: () => [text], end: () => [text] }
        for (const line of shown([chunk(1, 0, "x\n"), chunk(2, 0, text, "stderr")], renderer)) {
          assert.notMatch(line, dangerous)
          assert.notInclude(line, "\n")
        }
      })
    )
  })

  it("shortens a line that is too long to read", () => {
    const [line] = shown([chunk(1, 0, `${"x".repeat(1_000_000)}\n`)])
    assert.isBelow(line?.length ?? 0, 70_000)
    assert.match(line ?? "", /; raw shows them\)$/)
  })
})

describe("lastLines", () => {
  const textOf = (chunks: ReadonlyArray<OutputChunk>): string =>
    new TextDecoder().decode(joined(chunks.map(({ bytes }) => bytes)))

  it("cuts to the byte, as tail does", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab\n]{0,60}$/),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.integer({ min: 1, max: 8 }),
        (text, cuts, lines) => {
          const bytes = bytesOf(text)
          let offset = 0
          const chunks = pieces(bytes, cuts).map((piece, index) => {
            const made = chunk(index + 1, offset, piece)
            offset += piece.length
            return made
          })
          const ended = text.split("\n")
          const last = ended.at(-1) === "" ? ended.slice(0, -1) : ended
          const expected = last.slice(-lines).join("\n") + (text.endsWith("\n") && last.length > 0 ? "\n" : "")
          const cut = lastLines(chunks, lines)
          assert.strictEqual(textOf(cut), expected)
          const [first] = cut
          if (first !== undefined) assert.strictEqual(first.offset, bytes.length - bytesOf(expected).length)
        }
      ),
      { numRuns: runs(500) }
    )
  })

  it("counts over both streams, in order of capture", () => {
    const chunks = [chunk(1, 0, "a\nb\n"), chunk(2, 0, "x\n", "stderr")]
    assert.strictEqual(textOf(lastLines(chunks, 2)), "b\nx\n")
    assert.strictEqual(textOf(lastLines(chunks, 0)), "")
  })
})

describe("enoughFor", () => {
  it("says so once the lines are there, and at the latest at the bound", () => {
    const enough = enoughFor(2)
    const read = [chunk(3, 4, "d\n")]
    assert.isFalse(enough(read))
    read.push(chunk(2, 0, "a\nb\nc\nd\n"))
    assert.isTrue(enough(read))
    const big = new Uint8Array(9 * 1024 * 1024)
    const bounded = enoughFor(2)
    assert.isFalse(bounded([chunk(2, 0, big)]))
    assert.isTrue(bounded([chunk(2, 0, big), chunk(1, 0, big)]))
  })
})
