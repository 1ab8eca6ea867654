/** Pipelines with everything filled in that a test does not care about. */
import * as Effect from "effect/Effect"
import { isKept, type NewPipeline, type NewPipelineStep } from "../../src/domain/pipeline/Pipeline.ts"
import type { NewTask, Upstream } from "../../src/domain/task/NewTask.ts"
import type { Outcome } from "../../src/domain/task/Outcome.ts"
import type { PipelineId, TaskId } from "../../src/domain/task/Task.ts"
import { Pipelines } from "../../src/services/Pipelines.ts"
import { Queue } from "../../src/services/Queue.ts"
import { claimNext, newTask } from "./tasks.ts"

export interface StepSketch extends Partial<Omit<NewPipelineStep, "work">> {
  readonly task?: Partial<NewTask>
  readonly kept?: TaskId
}

/** Steps one after the other, unless they say otherwise. Their names are a, b, c, ... */
export const newPipeline = (
  sketches: ReadonlyArray<StepSketch>,
  fields: Partial<Omit<NewPipeline, "steps">> = {}
): NewPipeline => {
  const upstream = (position: number): Upstream => {
    const kept = sketches[position]?.kept
    return kept ?? { member: sketches.slice(0, position).filter((other) => other.kept === undefined).length }
  }
  return {
    name: "p",
    retryOf: null,
    idempotencyKey: null,
    ...fields,
    steps: sketches.map(({ kept, task, ...sketch }, position) => {
      const step = {
        name: String.fromCharCode(97 + position),
        stage: position,
        policy: "success",
        delayMs: 0,
        after: position === 0 ? [] : [position - 1],
        continueFrom: null,
        gate: null,
        ...sketch
      } as const
      const dependsOn = step.after.map((place) => ({ upstream: upstream(place), policy: step.policy }))
      return { ...step, work: kept === undefined ? newTask({ prompt: step.name, dependsOn, ...task }) : { kept } }
    })
  }
}

export const create = (...given: Parameters<typeof newPipeline>) =>
  Effect.gen(function* () {
    const { pipeline } = yield* (yield* Pipelines).create(newPipeline(...given), { maxDepth: 10 })
    return pipeline
  })

/** Claims the next task and ends it so; tells which step it was. */
export const endNext = (outcome: Outcome) =>
  Effect.gen(function* () {
    const { task, claim } = yield* claimNext()
    yield* (yield* Queue).finish(task.id, outcome, claim)
    return task.prompt
  })

export const statusesOf = (id: PipelineId) =>
  Effect.gen(function* () {
    const { status, steps } = yield* (yield* Pipelines).get(id)
    return `${status}: ${steps.map((step) => `${step.name} ${step.status}`).join(", ")}`
  })

export const keptOf = ({ steps }: NewPipeline) => steps.flatMap(({ work }) => (isKept(work) ? [work.kept] : []))
