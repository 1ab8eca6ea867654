/** The work that a pipeline means is that of the step whose end was stored last, whatever the clock said then. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { ContestNotFound } from "../../../src/domain/contest/ContestErrors.ts"
import { TaskNotFound } from "../../../src/domain/Errors.ts"
import { PipelineId, TaskId } from "../../../src/domain/task/Task.ts"
import { workTask } from "../../../src/programs/merges/compareWork.ts"
import { Contests } from "../../../src/services/Contests.ts"
import { Loops } from "../../../src/services/Loops.ts"
import { Pipelines } from "../../../src/services/Pipelines.ts"
import { Tasks } from "../../../src/services/Tasks.ts"
import { Workspaces } from "../../../src/services/Workspaces.ts"

const pipeline = PipelineId.make("p".repeat(12))
const first = TaskId.make("a".repeat(12))
const last = TaskId.make("b".repeat(12))

/** The clock was set back between the ends of the two steps. */
const steps = [{ task: { id: first, endedAt: 9000 } }, { task: { id: last, endedAt: 3000 } }]
const endsAs = (status: string) => [
  { id: first, seq: 4, status: "completed" },
  { id: last, seq: 7, status }
]

const mocks = (end = "completed", sealed: ReadonlyArray<TaskId> = [first, last]) =>
  Layer.mergeAll(
    Layer.mock(Tasks, {
      resolve: (reference) => Effect.fail(new TaskNotFound({ reference })),
      endsOf: () => Effect.succeed(endsAs(end) as never)
    }),
    Layer.mock(Contests, { resolve: (reference) => Effect.fail(new ContestNotFound({ reference, candidates: [] })) }),
    Layer.mock(Loops, {}),
    Layer.mock(Pipelines, {
      resolve: () => Effect.succeed(pipeline),
      get: () => Effect.succeed({ status: "completed", steps } as never)
    }),
    Layer.mock(Workspaces, {
      ofTask: () => Effect.succeed(Option.some({ workspace: { baseKind: "head", path: "/ws/shop" } } as never)),
      result: (id) => Effect.succeed(sealed.includes(id) ? Option.some({} as never) : Option.none())
    })
  )

describe("the work of a pipeline", () => {
  it.effect("is that of its last step, also where the clock was set back before its end", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* workTask(pipeline), last)
    }).pipe(Effect.provide(mocks()))
  )

  it.effect("is not that of the step before one whose work could not be sealed", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(workTask(pipeline))
      assert.include(refused.message, `The work of step ${last} of pipeline ${pipeline} could not be sealed`)
      assert.include(refused.message, "/ws/shop")
    }).pipe(Effect.provide(mocks("completed", [first])))
  )

  it.effect("is that of the step before one that has failed and left nothing", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* workTask(pipeline), first)
    }).pipe(Effect.provide(mocks("failed", [first])))
  )
})
