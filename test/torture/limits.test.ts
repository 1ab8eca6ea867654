/** The checks of parked tasks and of messages: what they let pass, and what they report. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Database from "better-sqlite3"
import { assert, describe, it } from "vitest"
import { budgetProblems, placesProblems, strayLanes } from "../../src/torture/checks/AccountCheck.ts"
import {
  closedStarts,
  earlyClaims,
  type LimitedTask,
  limitProblems,
  overspent
} from "../../src/torture/checks/LimitCheck.ts"
import { type Between, messageProblems } from "../../src/torture/checks/MessageCheck.ts"
import { overtaken, type Queued } from "../../src/torture/checks/TurnCheck.ts"
import { cappedAmount } from "../../src/torture/load/LimitPlan.ts"
import { messageIdOf } from "../../src/torture/load/Messages.ts"
import { makePlan } from "../../src/torture/Plan.ts"
import { Store } from "../../src/torture/Store.ts"

const steps = (...numbers: ReadonlyArray<number>) => numbers.map((number) => ({ at: number, number, claim: "c1" }))

const task = (more: Partial<LimitedTask> = {}): LimitedTask => ({
  plan: { key: "m0", payer: "a0", steps: 2, afterMs: 0 },
  row: { id: "a", status: "completed", cause: "exit", attempt: 1, retried_by: null, parks: 1 },
  claims: [
    { id: "c1", at: 5, until: 10, released: "parked" },
    { id: "c2", at: 21, until: 30, released: null }
  ],
  parks: [{ claim_id: "c1", at: 10, resets_at: 20 }],
  journal: { starts: ["c1", "c2"], refused: ["c1"], steps: steps(1, 2), ended: true },
  counted: { tokens: 20_000, micro: 100_000 },
  hurts: new Set(),
  limited: false,
  ...more
})
const { claims, journal, row } = task()

describe("the check of parked tasks", () => {
  it("passes one that was refused, resumed and completed, and one that a fault ended", () => {
    assert.isEmpty(limitProblems(task()))
    const killed = { ...row, status: "failed", cause: "signal" } as const
    const cut = { ...journal, steps: steps(1), ended: false }
    const hurts = new Set(["agent" as const])
    assert.isEmpty(
      limitProblems(task({ row: killed, journal: cut, hurts, counted: { tokens: 10_000, micro: 50_000 } }))
    )
    // Killed between its note and its print.
    assert.isEmpty(limitProblems(task({ row: killed, journal: cut, hurts, counted: { tokens: 0, micro: 0 } })))
  })

  const cases: ReadonlyArray<readonly [string, Partial<LimitedTask>]> = [
    ["a limit that fails its task", { row: { ...row, status: "failed", cause: "agent-error" } }],
    ["an attempt that was used up", { row: { ...row, attempt: 2 } }],
    ["a park that is counted and not on record", { row: { ...row, parks: 2 } }],
    ["a park without a refusal", { journal: { ...journal, refused: [] } }],
    ["a refusal without a park", { journal: { ...journal, refused: ["c1", "c2"] } }],
    ["a start too many", { journal: { ...journal, starts: ["c1", "c2", "c3"] } }],
    ["a parked claim without a row", { claims: claims.map((claim) => ({ ...claim, released: "parked" as const })) }],
    ["a row without a parked claim", { claims: claims.map((claim) => ({ ...claim, released: null })) }],
    ["an agent under a claim that is not on record", { claims: claims.slice(0, 1) }],
    [
      "a claim that was put back after its agent had started",
      { claims: [...claims.slice(0, 1), { id: "c2", at: 21, until: 25, released: "requeued" }] }
    ],
    ["a step that was done twice", { journal: { ...journal, steps: steps(1, 1, 2) } }],
    ["success without the steps", { journal: { ...journal, steps: steps(1) } }],
    ["tokens that the ledger has not", { counted: { tokens: 10_000, micro: 50_000 } }],
    ["tokens that are counted twice", { counted: { tokens: 40_000, micro: 200_000 }, hurts: new Set(["agent"]) }],
    ["tokens at another price", { counted: { tokens: 20_000, micro: 0 } }]
  ]
  for (const [what, more] of cases) it(`reports ${what}`, () => assert.isNotEmpty(limitProblems(task(more))))

  it("reports a claim in a time that was known to be closed, and no other", () => {
    const claims = [8, 10, 15, 20, 25].map((at) => ({ id: String(at), at }))
    assert.deepStrictEqual(closedStarts(claims, task().parks), ["15"])
  })
})

describe("the check of places", () => {
  const claim = (claimedAt: number, places: number, placesAt: number, placesSince = Math.min(10, placesAt)) => ({
    account: "a",
    claimedAt,
    places,
    placesAt,
    placesSince
  })

  it("passes what was running when the limit was met, one that asks, and those that its answer lets follow", () => {
    assert.isEmpty(placesProblems([1, 2, 3].map((at) => claim(at, 1, 10))))
    assert.isEmpty(placesProblems([claim(11, 1, 10)]))
    assert.isEmpty(placesProblems([claim(1, 1, 10), claim(12, 1, 10)]))
    assert.isEmpty(placesProblems([1, 2, 3].map((seconds) => claim(21_000 + seconds, 2, 1000))))
  })

  it("reports a claim that was made without a place", () => {
    assert.isNotEmpty(placesProblems([claim(11, 1, 10), claim(12, 1, 10)]))
    assert.isNotEmpty(placesProblems([claim(1, 1, 10), claim(11, 1, 10), claim(12, 1, 10)]))
    assert.isNotEmpty(placesProblems([1, 2, 3].map((seconds) => claim(1000 + seconds, 2, 1000))))
  })

  const parks = [{ claim_id: "c0", at: 100, resets_at: 1000 }]
  const asks = { id: "c1", at: 1010, until: 3000 }
  const follows = (at: number) => ({ id: "c2", at, until: null })

  it("reports a claim that was made next to another before the first answer, and no other", () => {
    const served = [{ at: 2000, claim: "c1" }]
    assert.deepStrictEqual(earlyClaims([asks, follows(1500)], parks, served), ["c2"])
    assert.isEmpty(earlyClaims([asks, follows(2100)], parks, served))
    assert.isEmpty(earlyClaims([{ ...asks, until: 1400 }, follows(1500)], parks, []))
    // The limit was over when this park was recorded.
    assert.isEmpty(earlyClaims([asks, follows(1500)], [{ claim_id: "c0", at: 1200, resets_at: 1000 }], served))
    // An answer to an attempt from before the limit proves nothing.
    const before = { id: "c3", at: 50, until: 5000 }
    assert.isEmpty(earlyClaims([before, asks], parks, served))
    assert.include(earlyClaims([before, asks, follows(1500)], parks, [{ at: 1100, claim: "c3" }]), "c2")
  })
})

describe("the check of turns", () => {
  const parked = { id: "x1", at: 100, until: 200, released: "parked" } as const
  const waiting: Queued = {
    task: "x",
    seq: 1,
    account: "a0",
    endedAt: 3000,
    failed: false,
    turns: [parked, { id: "x2", at: 2000, until: 3000, released: null }],
    parks: [{ claim_id: "x1", at: 200, resets_at: 1000 }]
  }
  const other = (seq: number, account: string, at: number, more: Partial<Queued> = {}): Queued => ({
    task: `y${at}`,
    seq,
    account,
    endedAt: at + 100,
    failed: false,
    turns: [{ id: `y${at}`, at, until: at + 100, released: null }],
    parks: [],
    ...more
  })
  const found = (...others: ReadonlyArray<Queued>) => overtaken([waiting, ...others])

  it("passes what came before, what was claimed before the park or after its turn, and other accounts while it is closed", () => {
    assert.isEmpty(found(other(0, "a0", 1500), other(2, "a0", 150), other(2, "a0", 2100), other(2, "a1", 500)))
    assert.isEmpty(overtaken([{ ...waiting, turns: [parked], endedAt: 900 }, other(2, "a0", 950)]))
  })

  it("reports a later task of its account, and one of another when nothing kept it from starting", () => {
    assert.lengthOf(found(other(2, "a0", 1500)), 1)
    assert.lengthOf(found(other(2, "a1", 1500)), 1)
    assert.lengthOf(overtaken([{ ...waiting, turns: [parked], endedAt: null }, other(2, "a0", 9000)]), 1)
  })

  it("passes one of another account where the own one has no place, or may be closed by what is not on record", () => {
    const asks = other(0, "a0", 1400, { turns: [{ id: "z", at: 1400, until: 1600, released: null }] })
    assert.isEmpty(found(asks, other(2, "a1", 1500)))
    assert.isEmpty(
      found({ ...asks, turns: [{ id: "z", at: 1400, until: null, released: null }] }, other(2, "a1", 1900))
    )
    assert.isEmpty(found(other(0, "a0", 1100, { failed: true }), other(2, "a1", 1500)))
    const again = { claim_id: "w", at: 1450, resets_at: 1800 }
    assert.isEmpty(found(other(0, "a0", 1300, { parks: [again] }), other(2, "a1", 1500)))
  })
})

describe("the check of lanes", () => {
  it("reports each that is closed without a row that says why, from what one statement finds", () => {
    const path = join(mkdtempSync(join(tmpdir(), "beat-lanes-")), "queue.db")
    const store = new Store(path)
    const database = new Database(path)
    database.exec(`
      CREATE TABLE windows (account TEXT, name TEXT);
      CREATE TABLE lanes (id INTEGER, gate TEXT, opens_at INTEGER, spare INTEGER, "window" TEXT);
      INSERT INTO windows VALUES ('a', 'five_hour');
      INSERT INTO lanes VALUES (1, '', 0, 0, NULL), (2, 'a', 9, 0, 'five_hour'), (3, 'a', 9, 0, 'day'), (4, 'b', 9, 1, 'day');
    `)
    database.close()
    assert.deepStrictEqual(strayLanes(store), ["no row says why lane 3 is closed"])
    store.close()
  })
})

describe("the check of budgets", () => {
  const claim = (reserve: number, spent: number) => ({ claim: "c", reserve, spent })

  it("reports claims that do not fit together, and one that has reserved less than one answer", () => {
    assert.isEmpty(budgetProblems(Array.from({ length: 6 }, () => claim(200_000, 0))))
    assert.isEmpty(budgetProblems([claim(200_000, cappedAmount)]), "the first of a period always starts")
    assert.isNotEmpty(budgetProblems(Array.from({ length: 7 }, () => claim(200_000, 0))))
    assert.isNotEmpty(budgetProblems([claim(200_000, 900_000), claim(200_000, 900_000)]))
    assert.isNotEmpty(budgetProblems([claim(0, 0)]))
  })

  it("reports more than the amount and what the tasks exceeded their reserves by", () => {
    assert.isNull(overspent([{ cost: cappedAmount, reserve: 0 }]))
    assert.isNull(overspent([{ cost: cappedAmount + 1, reserve: cappedAmount }]))
    assert.isNotNull(overspent(Array.from({ length: 7 }, () => ({ cost: 200_000, reserve: 200_000 }))))
  })
})

describe("the check of messages", () => {
  const listener = makePlan(1, 60_000).tasks.find(({ messages }) => messages.length > 0)
  if (listener === undefined) throw new Error("no listener is planned")
  const plan = { ...listener, key: "t1", messages: listener.messages.slice(0, 2) }
  const rows = (...states: ReadonlyArray<string>) =>
    states.map((state, index) => ({ id: messageIdOf("a", index), seq: index + 1, state }))
  const undisturbed = { takenOver: false, hurt: false }
  const problems = (states: ReadonlyArray<string>, heard: ReadonlyArray<string>, between: Partial<Between> = {}) =>
    messageProblems(plan, "a", rows(...states), heard, { ...undisturbed, ...between })

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

  it("reports one that was heard and is on record as dropped, unless its worker or its agent was killed right then", () => {
    assert.isNotEmpty(problems(["dropped", "dropped"], ["t1-0"]))
    assert.isEmpty(problems(["dropped", "dropped"], ["t1-0"], { takenOver: true }))
    assert.isEmpty(problems(["dropped", "dropped"], ["t1-0"], { hurt: true }))
    // Its agent leaves when it hears this one, perhaps before the note.
    assert.isEmpty(problems(["written", "dropped"], ["t1-0", "close"]))
    // A later one was heard or written: the worker that took over would have noted both.
    assert.isNotEmpty(problems(["dropped", "dropped"], ["t1-0", "close"], { takenOver: true }))
    assert.isNotEmpty(problems(["dropped", "written"], ["t1-0"], { takenOver: true }))
  })
})
