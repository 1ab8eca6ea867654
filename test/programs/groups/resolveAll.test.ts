/** What the beginning of an id stands for where tasks and pipelines will do. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ContestId } from "../../../src/domain/contest/Contest.ts"
import { ContestNotFound } from "../../../src/domain/contest/ContestErrors.ts"
import { AmbiguousReference, TaskNotFound } from "../../../src/domain/Errors.ts"
import { LoopNotFound } from "../../../src/domain/loop/LoopErrors.ts"
import { LoopId } from "../../../src/domain/loop/LoopId.ts"
import { PipelineNotFound } from "../../../src/domain/pipeline/PipelineErrors.ts"
import { PipelineId, TaskId } from "../../../src/domain/task/Task.ts"
import { resolveAll } from "../../../src/programs/groups/resolveAll.ts"
import { Contests } from "../../../src/services/Contests.ts"
import { Loops } from "../../../src/services/Loops.ts"
import { Pipelines } from "../../../src/services/Pipelines.ts"
import { Tasks } from "../../../src/services/Tasks.ts"

const taskIds = ["k3v900000000", "k3v911111111", "ab0000000000", "xy0000000000"].map((id) => TaskId.make(id))
const pipelineIds = ["k3v922222222", "ab1111111111", "zz0000000000", "zz1111111111"].map((id) => PipelineId.make(id))

const loopIds = ["m8x200000000", "m8x211111111", "xy2222222222"].map((id) => LoopId.make(id))

const tasks = Layer.mock(Tasks, {
  resolve: (reference) => {
    const [first, ...more] = taskIds.filter((id) => reference === "@last" || id.startsWith(reference))
    if (first === undefined) return new TaskNotFound({ reference })
    if (reference === "@last" || more.length === 0) return Effect.succeed(first)
    return new AmbiguousReference({ reference, candidates: [first, ...more] })
  }
})
const pipelines = Layer.mock(Pipelines, {
  resolve: (reference) => {
    const [first, ...more] = pipelineIds.filter((id) => reference === "@last" || id.startsWith(reference))
    return first !== undefined && more.length === 0
      ? Effect.succeed(first)
      : new PipelineNotFound({ reference, candidates: first === undefined ? [] : [first, ...more] })
  }
})

const loops = Layer.mock(Loops, {
  resolve: (reference) => {
    const [first, ...more] = loopIds.filter((id) => id.startsWith(reference))
    return first !== undefined && more.length === 0
      ? Effect.succeed(first)
      : new LoopNotFound({ reference, candidates: first === undefined ? [] : [first, ...more] })
  }
})

const contestIds = ["c0n000000000", "xy3333333333"].map((id) => ContestId.make(id))

const contests = Layer.mock(Contests, {
  resolve: (reference) => {
    const [first, ...more] = contestIds.filter((id) => id.startsWith(reference))
    return first !== undefined && more.length === 0
      ? Effect.succeed(first)
      : new ContestNotFound({ reference, candidates: first === undefined ? [] : [first, ...more] })
  }
})

const meant = (...references: ReadonlyArray<string>) =>
  resolveAll(references).pipe(
    Effect.map(({ contestIds, loopIds, pipelineIds, taskIds }) =>
      [...taskIds, ...pipelineIds, ...loopIds, ...contestIds].join(" ")
    ),
    Effect.catchAll((error) => Effect.succeed(`${error._tag}: ${error.message}`)),
    Effect.provide(Layer.mergeAll(tasks, pipelines, loops, contests))
  )

describe("a reference to a task or a pipeline", () => {
  it.effect("is ambiguous where one of each begins with it", () =>
    Effect.gen(function* () {
      for (const reference of ["ab", "k3v9", "k"]) assert.match(yield* meant(reference), /^AmbiguousReference: /)
      assert.include(yield* meant("ab"), "ab0000000000, ab1111111111")
      assert.include(yield* meant("k3v9"), "k3v900000000, k3v911111111, k3v922222222")
    })
  )

  it.effect("names the one that it fits, of either kind", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* meant("xy0"), "xy0000000000")
      assert.strictEqual(yield* meant("m8x20"), "m8x200000000")
      assert.strictEqual(yield* meant("c0n"), "c0n000000000")
      assert.strictEqual(yield* meant("k3v92"), "k3v922222222")
      assert.strictEqual(yield* meant("ab0", "ab1"), "ab0000000000 ab1111111111")
      assert.strictEqual(yield* meant("@last"), "k3v900000000")
    })
  )

  it.effect("is ambiguous within one kind, and not found in both", () =>
    Effect.gen(function* () {
      assert.include(yield* meant("zz"), "fits several pipelines")
      assert.include(yield* meant("m8"), "fits several loops")
      assert.include(yield* meant("xy"), "AmbiguousReference")
      assert.include(yield* meant("k3v91", "nope"), "TaskNotFound: No task 'nope'")
    })
  )
})
