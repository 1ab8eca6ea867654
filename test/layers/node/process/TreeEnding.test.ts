/** Telling the agent from the steps its shim takes afterwards, which look alike for a moment. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TaskId } from "../../../../src/domain/task/Task.ts"
import type { ProcessEntry, ProcessReader } from "../../../../src/layers/node/process/ProcessEntry.ts"
import { look } from "../../../../src/layers/node/process/TreeEnding.ts"

const taskId = TaskId.make("000000000001")

const entry = (pid: number, parent: number): ProcessEntry => ({
  pid,
  parent,
  group: 100,
  session: 100,
  startTime: `${pid}`,
  ownMillis: 0,
  waitedMillis: 0,
  ended: false,
  stopped: false
})

const shim = entry(100, 1)

/** A system that shows one list of processes after the other, and the shim's word that goes with each. */
const looking = (shown: ReadonlyArray<ReadonlyArray<ProcessEntry>>, told: ReadonlyArray<boolean>) => {
  let looks = 0
  let questions = 0
  const reader: ProcessReader = {
    all: Effect.sync(() => shown[Math.min(looks++, shown.length - 1)] ?? []),
    entry: () => Effect.succeed(null),
    marks: () => ({ taskId, worker: false }),
    order: Number,
    place: Effect.succeed({ host: "h", boot: "boot", pids: "" })
  }
  const scope = {
    taskId,
    shim,
    spared: new Set<string>(),
    withoutShim: false,
    agentEnded: Effect.sync(() => told[Math.min(questions++, told.length - 1)] ?? false)
  }
  return Effect.map(look(reader, scope, new Set()), (tree) => tree.members.map(({ pid }) => pid))
}

const agent = entry(101, 100)
const tool = entry(102, 101)
const step = entry(103, 100)
const orphan = entry(102, 1)

describe("TreeEnding.look", () => {
  it.effect("finds the agent and its tools while the agent runs", () =>
    Effect.map(looking([[shim, agent, tool]], [false]), (found) => assert.deepStrictEqual(found, [101, 102]))
  )

  it.effect("does not take a step of the shim for the agent", () =>
    Effect.map(looking([[shim, orphan, step]], [true]), (found) => assert.deepStrictEqual(found, [102]))
  )

  it.effect("looks again when the agent ended while it looked, so that neither is missed", () =>
    Effect.map(
      looking(
        [
          [shim, agent, tool],
          [shim, orphan, step]
        ],
        [false, true]
      ),
      (found) => assert.deepStrictEqual(found, [102])
    )
  )
})
