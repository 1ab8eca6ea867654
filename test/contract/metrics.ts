/** What every store promises of its numbers: each task counts once. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { GroupName } from "../../src/domain/gates/GroupName.ts"
import { bucketSeconds, type Tally } from "../../src/domain/metrics/Tally.ts"
import { Metrics } from "../../src/services/Metrics.ts"
import { Queue } from "../../src/services/Queue.ts"
import { type AllPorts, type Subject, testsOver } from "../support/stores.ts"
import { claimNext, completed, failed, submit } from "../support/tasks.ts"

/** Which bucket a length of time is in: from 0 to the number of bounds. */
const bucketOf = (ms: number): number => {
  const at = bucketSeconds.findIndex((bound) => ms <= bound * 1000)
  return at === -1 ? bucketSeconds.length : at
}

const sorted = (tallies: ReadonlyArray<Tally>) => tallies.map((tally) => JSON.stringify(tally)).sort()

const open = { cause: null, failureClass: null, wait: null, run: null, waitMs: 0, runMs: 0 } as const

export const metricsContract = (subject: Subject<AllPorts>) => {
  const test = testsOver(subject)

  describe(`metrics: ${subject.name}`, () => {
    test(
      "count what is open by status, agent and group, and what ended lately by its end and its times",
      Effect.gen(function* () {
        const metrics = yield* Metrics
        const queue = yield* Queue
        assert.deepStrictEqual(yield* metrics.tally(0), [])
        yield* submit()
        yield* submit()
        yield* submit({ notBefore: 90_000 })
        yield* TestClock.adjust("4 seconds")
        const first = yield* claimNext()
        const second = yield* claimNext()
        yield* TestClock.adjust("6 seconds")
        yield* queue.finish(first.task.id, completed, first.claim)
        yield* queue.finish(second.task.id, completed, second.claim)
        yield* TestClock.adjust("90 seconds")
        const third = yield* claimNext()
        yield* queue.finish(third.task.id, failed, third.claim)
        yield* submit({ agent: "claude", group: GroupName.make("review") })
        yield* submit({ agent: "claude", group: GroupName.make("review") })
        yield* submit()
        yield* claimNext()
        const shell = { agent: "shell", group: null, failureClass: null, cause: "exit" } as const
        const all: ReadonlyArray<Tally> = [
          { ...shell, status: "completed", wait: 1, run: 2, count: 2, waitMs: 8000, runMs: 12_000 },
          { ...shell, status: "failed", wait: 2, run: 0, count: 1, waitMs: 10_000, runMs: 0 },
          { ...open, status: "running", agent: "claude", group: GroupName.make("review"), count: 1 },
          { ...open, status: "queued", agent: "claude", group: GroupName.make("review"), count: 1 },
          { ...open, status: "queued", agent: "shell", group: null, count: 1 }
        ]
        const keys = [
          "status",
          "agent",
          "group",
          "cause",
          "failureClass",
          "wait",
          "run",
          "count",
          "waitMs",
          "runMs"
        ] as const
        const ordered = (tallies: ReadonlyArray<Tally>) =>
          sorted(tallies.map((tally) => Object.fromEntries(keys.map((key) => [key, tally[key]])) as unknown as Tally))
        assert.deepStrictEqual(ordered(yield* metrics.tally(0)), ordered(all))
        const late = yield* metrics.tally(50_000)
        assert.deepStrictEqual(ordered(late), ordered(all.filter(({ status }) => status !== "completed")))
      })
    )

    test(
      "have a bucket for every length of time",
      Effect.sync(() => {
        assert.deepStrictEqual([0, 1000, 1001, 86_400_000, 86_400_001].map(bucketOf), [0, 0, 1, 8, 9])
      })
    )
  })
}
