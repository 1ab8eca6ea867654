/** The record that Codex keeps of a session: what the recorded files say, and what odd ones do not. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { codexRecord } from "../../../src/layers/agents/records/codexRecord.ts"
import * as Records from "../../../src/layers/agents/records/SessionRecords.ts"
import { SessionRecords } from "../../../src/services/SessionRecords.ts"
import { temporaryDirectory } from "../../support/home.ts"

const recorded = (name: string): string =>
  Fs.readFileSync(Path.resolve(import.meta.dirname, `../../fixtures/agents/codex3--${name}.rollout`), "utf8")

const linesOf = (name: string) => recorded(name).split("\n")

const windows = (lines: ReadonlyArray<string>, since = 0) =>
  codexRecord(lines, since).windows.map(({ closed, resetsAt, used, window }) => [window, used, closed, resetsAt])

/** One line of a record. */
const counted = (percent: number, more: object = {}, limits: object = {}): string =>
  JSON.stringify({
    timestamp: "2026-11-28T23:16:46.697Z",
    type: "event_msg",
    payload: {
      type: "token_count",
      info: null,
      rate_limits: {
        limit_id: "codex",
        primary: { used_percent: percent, window_minutes: 300, resets_at: 1_795_911_406 },
        ...limits
      }
    },
    ...more
  })

const at = Date.parse("2026-11-28T23:16:46.697Z")

describe("what a record says", () => {
  it("has both windows, with the second at which each ends", () => {
    assert.deepStrictEqual(windows(linesOf("limit-reached")), [
      ["five_hour", 1, true, 1_795_911_406_000],
      ["seven_day", 0.41, false, 1_796_207_806_000]
    ])
    assert.deepStrictEqual(windows(linesOf("limit-reached-weekly")), [
      ["five_hour", 0.3, false, 1_795_911_406_000],
      ["seven_day", 1, true, 1_796_207_806_000]
    ])
  })

  it("has the tokens of a session that a refusal ended, which its output has not", () => {
    const lines = linesOf("limit-midrun").slice(0, 3)
    assert.deepInclude(codexRecord(lines, 0).usage, { inputTokens: 13_518, outputTokens: 16, cumulative: true })
    assert.deepStrictEqual(windows(lines)[0]?.slice(0, 3), ["five_hour", 1, true])
    // Refused at the first request: nothing was counted.
    assert.isNull(codexRecord(linesOf("limit-reached"), 0).usage)
  })

  it("has no windows from before the run, and still its tokens", () => {
    const lines = linesOf("limit-midrun").slice(0, 3)
    const found = codexRecord(lines, Date.parse("2026-11-28T23:19:28Z"))
    assert.deepStrictEqual([found.windows, found.usage?.inputTokens], [[], 13_518])
  })

  it("reads the last count: one without windows tells none, and that before it is not current", () => {
    assert.deepStrictEqual(windows([counted(50), counted(60)]), [["five_hour", 0.6, false, 1_795_911_406_000]])
    assert.deepStrictEqual(windows([counted(100), counted(0, {}, { primary: null })]), [])
    assert.deepStrictEqual(windows([counted(50), counted(100, {}, { limit_id: "other" })])[0]?.[1], 0.5)
  })

  it("is not misled by half a line, unknown fields, other events or odd values", () => {
    const half = counted(70).slice(0, -30)
    assert.deepStrictEqual(windows([counted(40), half])[0]?.[1], 0.4)
    assert.deepStrictEqual(windows([counted(40, { later: { deep: [1] } }, { secondary: "soon", extra: 1 })]), [
      ["five_hour", 0.4, false, 1_795_911_406_000]
    ])
    const quoted = JSON.stringify({ payload: { type: "message", text: counted(100) }, timestamp: "now" })
    for (const line of ["", "[]", "null", '{"payload":"token_count"}', quoted, counted(40, { timestamp: "soon" })]) {
      assert.deepStrictEqual(windows([line], at), [], line)
    }
    assert.deepStrictEqual(windows([counted(40, {}, { primary: { used_percent: "full", window_minutes: 300 } })]), [])
  })
})

describe("the record of a session", () => {
  const id = "019ad0c2-49c2-7233-9266-8c587ac6355b"
  const other = "019ad0c2-49c2-7233-9266-000000000000"

  const place = (home: string, session: string, day = "2026/11/28") =>
    Path.join(home, "sessions", day, `rollout-2026-11-28T23-16-46-${session}.jsonl`)

  const write = (path: string, text: string) => {
    Fs.mkdirSync(Path.dirname(path), { recursive: true })
    Fs.writeFileSync(path, text)
  }

  const read = (environment: Readonly<Record<string, string>>, sessionId = id, seenBytes = 0, agent = "codex") =>
    Effect.flatMap(SessionRecords, (records) =>
      records.read({ agent, sessionId, environment, directory: "/nowhere", since: 0, seenBytes })
    )

  const used = (found: Option.Option<{ readonly windows: ReadonlyArray<{ readonly used: number | null }> }>) =>
    Option.getOrNull(Option.map(found, (record) => record.windows[0]?.used ?? null))

  it.scopedLive("is found by its id in CODEX_HOME or in the home of the task, on whichever day it began", () =>
    Effect.gen(function* () {
      const home = yield* temporaryDirectory
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), null)
      write(place(home, other), `${counted(90)}\n`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), null, "that of another session")
      write(place(home, id, "2025/01/02"), `${counted(40)}\n`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), 0.4)
      const below = Path.join(home, "user")
      write(place(Path.join(below, ".codex"), id), `${counted(50)}\n`)
      assert.strictEqual(used(yield* read({ HOME: below })), 0.5)
      assert.strictEqual(used(yield* read({})), null)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home }, id, 0, "claude")), null)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home }, `../../${id}`)), null)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home }, "")), null)
    }).pipe(Effect.provide(Records.layer))
  )

  it.scopedLive("is read again once it has grown, and there is none where it is gone or a directory", () =>
    Effect.gen(function* () {
      const home = yield* temporaryDirectory
      const path = place(home, id)
      write(path, `${counted(40)}\n`)
      const first = Option.getOrThrow(yield* read({ CODEX_HOME: home }))
      assert.isTrue(Option.isNone(yield* read({ CODEX_HOME: home }, id, first.bytes)))
      Fs.appendFileSync(path, `${counted(60)}\n${counted(80).slice(0, 90)}`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home }, id, first.bytes)), 0.6)
      Fs.rmSync(path)
      assert.isTrue(Option.isNone(yield* read({ CODEX_HOME: home })))
      Fs.mkdirSync(path)
      assert.isTrue(Option.isNone(yield* read({ CODEX_HOME: home })))
    }).pipe(Effect.provide(Records.layer))
  )

  it.scopedLive("is read from its end alone, however long it is", () =>
    Effect.gen(function* () {
      const home = yield* temporaryDirectory
      const path = place(home, id)
      const filler = `${JSON.stringify({ payload: { type: "output", text: "x".repeat(100_000) } })}\n`.repeat(20)
      write(path, `${counted(10)}\n${filler}${counted(70)}\n`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), 0.7)
      write(path, `${counted(10)}\n${filler}`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), null)
      // The count is a part of the line that is cut.
      write(path, `${"y".repeat(1_000_000)}${counted(20)}`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), null)
      // Sparse: a record of a gigabyte takes no more memory.
      write(path, "")
      Fs.truncateSync(path, 1024 ** 3)
      Fs.appendFileSync(path, `\n${counted(30)}\n`)
      assert.strictEqual(used(yield* read({ CODEX_HOME: home })), 0.3)
    }).pipe(Effect.provide(Records.layer))
  )
})
