/** The check of leads: what it lets pass, and what it reports. */
import { assert, describe, it } from "vitest"
import { type Lead, leadProblems } from "../../src/torture/checks/LeadCheck.ts"
import { makePlan } from "../../src/torture/Plan.ts"

const [planned] = makePlan(1, 60_000).leads
const [child] = planned?.rounds[0] ?? []
if (planned === undefined || child === undefined) throw new Error("no lead is planned")
const plan = { ...planned, rounds: [[{ ...child, key: "w0.0.0" }]] }

const note = (at: number, ...words: ReadonlyArray<string>) => ({ at, words })
const first = [note(10, "start", "c1", "0"), note(10, "asks"), note(11, "asked", "1", "t1"), note(11, "end", "0")]
const second = [note(20, "start", "c2", "1"), note(20, "end", "0")]

const lead = (more: Partial<Lead> = {}): Lead => ({
  plan,
  row: { status: "completed", cause: "exit", attempt: 1, retried_by: null, wakes: 1 },
  notes: [...first, ...second],
  awaited: new Map([[1, new Set(["t1"])]]),
  children: new Map([["w0.0.0", { tasks: 1, lastAt: 19 }]]),
  hurts: new Set(),
  limited: false,
  ...more
})
const { row } = lead()

describe("the check of leads", () => {
  it("passes one that was woken, one that had nothing to wait for, and one that a fault ended", () => {
    assert.isEmpty(leadProblems(lead()))
    const alone = [note(10, "start", "c1", "0"), note(11, "asks"), note(11, "none"), note(11, "end", "0")]
    assert.isEmpty(leadProblems(lead({ notes: alone, row: { ...row, wakes: 0 } })))
    const unanswered = [note(10, "start", "c1", "0"), note(11, "asks"), note(12, "asks"), note(12, "none")]
    assert.isEmpty(leadProblems(lead({ notes: [...unanswered, note(12, "end", "0"), ...second] })))
    const killed = { ...row, status: "failed", cause: "signal", wakes: 0 } as const
    assert.isEmpty(leadProblems(lead({ row: killed, notes: first, hurts: new Set(["agent"]) })))
  })

  const cases: ReadonlyArray<readonly [string, Partial<Lead>]> = [
    ["a turn that started twice", { notes: [...first, ...second, note(30, "start", "c3", "1")] }],
    ["two starts of one claim", { notes: [...first, note(20, "start", "c1", "1")] }],
    ["a wake before the end of a task", { children: new Map([["w0.0.0", { tasks: 1, lastAt: 21 }]]) }],
    ["a wake that waits for less than it was told", { awaited: new Map() }],
    ["a wake that was lost", { notes: first, row: { ...row, wakes: 0 } }],
    ["a wake that used up an attempt", { row: { ...row, attempt: 2 } }],
    ["a request that was refused", { notes: [...first, note(12, "refused", "no"), ...second] }],
    ["an end that nothing explains", { row: { ...row, status: "failed", cause: "signal" } }],
    ["a task that is not stored", { children: new Map([["w0.0.0", { tasks: 0, lastAt: null }]]) }],
    ["a task that is stored twice", { children: new Map([["w0.0.0", { tasks: 2, lastAt: 19 }]]) }]
  ]
  for (const [what, more] of cases) it(`reports ${what}`, () => assert.isNotEmpty(leadProblems(lead(more))))
})
