/** The check of what a hook was told: what it lets pass, and what it reports. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import {
  type EndNotice,
  hookProblems,
  idInvariant,
  onlyInvariant,
  readHookLines,
  toldInvariant
} from "../../src/torture/checks/HookCheck.ts"
import { hookScript } from "../../src/torture/load/Hooks.ts"

const notices: ReadonlyArray<EndNotice> = [
  { seq: 3, kind: "retried", task_id: "a", status: "failed" },
  { seq: 7, kind: "ended", task_id: "b", status: "completed" }
]
const first = ["msg_1 3 begin retried a failed 11 500", "msg_1 3 end 0"]
const second = ["msg_2 7 begin ended b completed 22 600", "msg_2 7 end 0"]
const stored = new Map([
  [3, 500],
  [7, 600]
])

const problems = (...lines: ReadonlyArray<string>) => hookProblems(notices, readHookLines(lines), stored)

describe("the check of the hook", () => {
  it("passes what came once, and what came again after a refusal or the end of a worker", () => {
    assert.isEmpty(problems(...first, ...second))
    assert.isEmpty(problems("msg_1 3 begin retried a failed 11 500", "msg_1 3 end 75", ...first, ...second))
    // It was killed before it had written the message, or before it saw the exit code.
    assert.isEmpty(problems(...first, "msg_2 7 begin ended b completed 99 0", "msg_2 7 end 75", ...second))
    assert.isEmpty(problems(...first, ...first, ...second))
  })

  const cases: ReadonlyArray<readonly [what: string, invariant: string, lines: ReadonlyArray<string>]> = [
    ["an end that never came", toldInvariant, first],
    ["an end that no command has accepted", toldInvariant, [...first, "msg_2 7 begin ended b completed 22 600"]],
    ["an id that changed", idInvariant, [...first, ...second, "msg_9 7 begin ended b completed 22 600"]],
    ["an id that two messages have", idInvariant, [...first, ...second.map((line) => line.replace("msg_2", "msg_1"))]],
    ["bytes that changed", idInvariant, [...first, ...second, "msg_2 7 begin ended b completed 33 600"]],
    ["a part of a message", idInvariant, [...first, "msg_2 7 begin ended b completed 22 300", "msg_2 7 end 0"]],
    ["an end that is not on record", onlyInvariant, [...first, ...second, "msg_3 9 begin ended c completed 1 1"]],
    [
      "another end than the one on record",
      onlyInvariant,
      [...first, "msg_2 7 begin ended b failed 22 600", "msg_2 7 end 0"]
    ]
  ]
  for (const [what, invariant, lines] of cases) {
    it(`reports ${what}`, () => {
      const found = problems(...lines)
      assert.deepStrictEqual(
        found.map(([name]) => name),
        found.map(() => invariant)
      )
      assert.isNotEmpty(found)
    })
  }

  it("reads what the command writes, which refuses some messages when they come first", () => {
    const root = mkdtempSync(join(tmpdir(), "beat-hook-"))
    mkdirSync(join(root, "journal"))
    writeFileSync(join(root, "hook.sh"), hookScript(root))
    const call = (seq: number, input: string) =>
      spawnSync("sh", [join(root, "hook.sh")], {
        input,
        env: {
          PATH: process.env.PATH,
          BACKBEAT_EVENT_ID: `msg_${seq}`,
          BACKBEAT_EVENT_SEQ: String(seq),
          BACKBEAT_EVENT_KIND: "ended",
          BACKBEAT_EVENT_TASK: "b",
          BACKBEAT_EVENT_STATUS: "completed"
        }
      }).status
    assert.deepStrictEqual(
      [call(7, "body"), call(7, ""), call(3, "body"), call(3, "body"), call(5, "body"), call(5, "body")],
      [0, 75, 75, 0, 1, 0]
    )
    const lines = readFileSync(join(root, "journal", "hook.0"), "utf8")
      .trim()
      .split("\n")
    const { accepted, attempts } = readHookLines(lines)
    assert.deepStrictEqual([...accepted].sort(), ["msg_3", "msg_5", "msg_7"])
    assert.deepStrictEqual(
      attempts.map(({ bytes, seq }) => [seq, bytes]),
      [
        [7, 4],
        [7, 0],
        [3, 4],
        [3, 4],
        [5, 4],
        [5, 4]
      ]
    )
    rmSync(root, { recursive: true })
  })
})
