/** A torture run that did too little is no proof, and says what was missing. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { coverageOf, furtherFaults, plannedFailpoints, type Reached } from "../../src/torture/Floors.ts"
import { faultKinds } from "../../src/torture/faults/FaultPlan.ts"
import { makePlan } from "../../src/torture/Plan.ts"
import { root } from "../architecture/Sources.ts"

const plan = makePlan(1, 60_000)
const kinds = Array.from(new Set(plan.faults.map(({ kind }) => kind)))
const points = Array.from(plannedFailpoints(plan))
const counts = (names: ReadonlyArray<string>) => Object.fromEntries(names.map((name) => [name, 1]))

/** A run of a minute that did everything. */
const full: Reached = {
  kills: 250,
  ends: 300,
  parks: 0,
  faults: counts(kinds),
  failpoints: counts(points),
  work: { "merge done": 9, "reclaim done": 9, "merge killed": 9 },
  unable: new Map()
}

describe("the floors of a torture run", () => {
  it("are reached where everything that was planned came", () => {
    assert.deepStrictEqual(coverageOf(plan, full), {
      wanted: [],
      wants: { kills: false, failpoints: false },
      missed: { faults: [], failpoints: [] },
      shortfalls: []
    })
  })

  const cases: ReadonlyArray<readonly [what: string, reached: Partial<Reached>, shortfall: string]> = [
    ["few kills", { kills: 13 }, "13 kills, at least 60"],
    ["no kill", { kills: 0 }, "0 kills, at least 60"],
    ["few ends", { ends: 15 }, "15 tasks that ended, at least 60"],
    [
      "two failpoints",
      { failpoints: counts(["cancel.commit", "append.commit"]) },
      "2 different failpoints, at least 10"
    ],
    [
      "few merges",
      { work: { "merge done": 1, "merge killed": 9 } },
      "1 merges, undos, reclaims and restores, at least 2"
    ],
    ["no kill of any of them", { work: { "merge done": 9 } }, "0 of these that were killed, at least 1"],
    ["a kind of fault that never came", { faults: counts(["kill-agent", "lock"]) }, "no kill-worker, and the plan"]
  ]
  for (const [what, reached, shortfall] of cases) {
    it(`are not reached by a run with ${what}`, () => {
      const { shortfalls } = coverageOf(plan, { ...full, ...reached })
      assert.isTrue(
        shortfalls.some((sentence) => sentence.startsWith(shortfall)),
        shortfalls.join("; ")
      )
    })
  }

  it("are proportional to the time that was asked for", () => {
    const reached = { ...full, kills: 20, ends: 20 }
    assert.deepStrictEqual(coverageOf(makePlan(1, 20_000), reached).shortfalls, [])
    assert.lengthOf(coverageOf(plan, reached).shortfalls, 2)
  })

  it("are reached in a further round of the kinds that are missing, and of the whole plan where too little was done", () => {
    const without = coverageOf(plan, { ...full, faults: counts(kinds.filter((kind) => kind !== "kill-shim")) })
    assert.deepStrictEqual(without.wanted, ["kill-shim"])
    const further = furtherFaults(plan, without)
    assert.isAtLeast(further.length, 5)
    assert.isTrue(further.every(({ at, kind }) => kind === "kill-shim" && at <= plan.durationMs))
    assert.strictEqual(further[0]?.at, 0)
    assert.strictEqual(furtherFaults(plan, coverageOf(plan, { ...full, kills: 3, faults: {} })), plan.faults)
  })

  it("come with the names of what never came", () => {
    const { missed } = coverageOf(plan, {
      ...full,
      faults: counts(["kill-agent"]),
      failpoints: counts(points.slice(1))
    })
    assert.sameMembers(
      Array.from(missed.faults),
      kinds.filter((kind) => kind !== "kill-agent")
    )
    assert.deepStrictEqual(missed.failpoints, points.slice(0, 1))
  })

  it("have failpoints of workers, servers and commands in the plan", () => {
    for (const point of ["claim.commit", "enqueue.committed", "cancel.commit", "create-pipeline.commit"]) {
      assert.include(points, point)
    }
  })
})

describe("test/torture-seeds.txt", () => {
  const plans = readFileSync(join(root, "test/torture-seeds.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => /^(\d+)s (\d+) \S/.exec(line))
    .map((found) => makePlan(Number(found?.[2]), Number(found?.[1]) * 1000))

  it("has plans that differ: with schedules and without, and all of them together have every kind of fault", () => {
    assert.isAtLeast(plans.length, 2)
    assert.isTrue(plans.some(({ schedules }) => schedules.length === 0))
    assert.isTrue(plans.some(({ schedules }) => schedules.length === 2))
    assert.isTrue(plans.some(({ workers }) => workers.slice(0, 20).some(({ limit }) => limit !== null)))
    assert.sameMembers(Array.from(new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))), [
      ...faultKinds
    ])
  })
})
