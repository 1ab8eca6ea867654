/** The checks of parked tasks and of messages: what they let pass, and what they report. */
import { assert, describe, it } from "vitest"
import { closedStarts, type LimitedTask, limitProblems } from "../../src/torture/checks/LimitCheck.ts"
import { messageProblems } from "../../src/torture/checks/MessageCheck.ts"
import { messageIdOf } from "../../src/torture/load/Messages.ts"
import { makePlan } from "../../src/torture/Plan.ts"

const task = (more: Partial<LimitedTask> = {}): LimitedTask => ({
  plan: { key: "m0", steps: 2, afterMs: 0 },
  row: { id: "a", status: "completed", cause: "exit", attempt: 1, retried_by: null, parks: 1 },
  parks: [{ claim_id: "c1", at: 10, resets_at: 20 }],
  journal: { starts: ["c1", "c2"], refused: ["c1"], steps: [1, 2], ended: true },
  hurts: new Set(),
  limited: false,
  ...more
})
const { journal, row } = task()

describe("the check of parked tasks", () => {
  it("passes one that was refused, resumed and completed, and one that a fault ended", () => {
    assert.isEmpty(limitProblems(task()))
    const killed = { ...row, status: "failed", cause: "signal" } as const
    const cut = { ...journal, steps: [1], ended: false }
    assert.isEmpty(limitProblems(task({ row: killed, journal: cut, hurts: new Set(["agent"]) })))
  })

  const cases: ReadonlyArray<readonly [string, Partial<LimitedTask>]> = [
    ["a limit that fails its task", { row: { ...row, status: "failed", cause: "agent-error" } }],
    ["an attempt that was used up", { row: { ...row, attempt: 2 } }],
    ["a park that is counted and not on record", { row: { ...row, parks: 2 } }],
    ["a park without a refusal", { journal: { ...journal, refused: [] } }],
    ["a refusal without a park", { journal: { ...journal, refused: ["c1", "c2"] } }],
    ["a start too many", { journal: { ...journal, starts: ["c1", "c2", "c3"] } }],
    ["a step that was done twice", { journal: { ...journal, steps: [1, 1, 2] } }],
    ["success without the steps", { journal: { ...journal, steps: [1] } }]
  ]
  for (const [what, more] of cases) it(`reports ${what}`, () => assert.isNotEmpty(limitProblems(task(more))))

  it("reports a claim in a time that was known to be closed, and no other", () => {
    const claims = [8, 10, 15, 20, 25].map((at) => ({ id: String(at), at }))
    assert.deepStrictEqual(closedStarts(claims, task().parks), ["15"])
  })
})

describe("the check of messages", () => {
  const listener = makePlan(1, 60_000).tasks.find(({ messages }) => messages.length > 0)
  if (listener === undefined) throw new Error("no listener is planned")
  const plan = { ...listener, key: "t1", messages: listener.messages.slice(0, 2) }
  const rows = (...states: ReadonlyArray<string>) =>
    states.map((state, index) => ({ id: messageIdOf("a", index), seq: index + 1, state }))
  const problems = (states: ReadonlyArray<string>, heard: ReadonlyArray<string>) =>
    messageProblems(plan, "a", rows(...states), heard)

  it("passes what was heard in order, and what came to nothing because the task had ended", () => {
    assert.isEmpty(problems(["written", "written"], ["t1-0", "close"]))
    assert.isEmpty(problems(["written", "dropped"], ["t1-0"]))
    assert.isEmpty(problems(["written", "written"], []))
  })

  it("reports a message that was heard twice, in another order, lost, or never sent", () => {
    assert.isNotEmpty(problems(["written", "written"], ["t1-0", "t1-0", "close"]))
    assert.isNotEmpty(problems(["written", "written"], ["close", "t1-0"]))
    assert.isNotEmpty(problems(["written", "written"], ["close"]))
    assert.isNotEmpty(problems(["written"], ["t1-0", "close"]))
  })
})
