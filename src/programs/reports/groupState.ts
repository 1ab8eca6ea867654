/** A pipeline, a loop or a contest in a few lines, found by its id, for callers that read every word. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Candidate, Contest } from "../../domain/contest/Contest.ts"
import { LoopRound, LoopSummary } from "../../domain/loop/Loop.ts"
import { Contests } from "../../services/Contests.ts"
import { Loops } from "../../services/Loops.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { PipelineState, pipelineState } from "../pipelines/pipelineState.ts"
import { cutText } from "./taskState.ts"

/** Characters of the feedback of a round; its tasks have all of it. */
const longestFeedback = 300

/** Steps, rounds and candidates are null where only a summary is asked for. */
export const GroupState = Schema.Struct({
  pipeline: Schema.NullOr(Schema.Struct({ ...PipelineState.fields, steps: Schema.NullOr(PipelineState.fields.steps) })),
  loop: Schema.NullOr(
    Schema.Struct({
      ...LoopSummary.pick("id", "title", "agent", "status", "round", "maxRounds", "bestRound", "bestScore", "endedAt")
        .fields,
      rounds: Schema.NullOr(
        Schema.Array(LoopRound.pick("round", "workTask", "verdict", "score", "kept", "files", "tampered", "feedback"))
      )
    })
  ),
  contest: Schema.NullOr(
    Schema.Struct({
      ...Contest.pick("id", "title", "status", "winner", "endedAt").fields,
      candidates: Schema.NullOr(
        Schema.Array(Candidate.pick("number", "workTask", "agent", "verdict", "score", "files", "tampered"))
      )
    })
  )
})
export type GroupState = typeof GroupState.Type

const none: GroupState = { pipeline: null, loop: null, contest: null }

const pipelineAt = Effect.fn("groupState.pipeline")(function* (reference: string, full: boolean) {
  const pipelines = yield* Pipelines
  const state = pipelineState(yield* pipelines.get(yield* pipelines.resolve(reference)))
  return { ...none, pipeline: full ? state : { ...state, steps: null } }
})

const loopAt = Effect.fn("groupState.loop")(function* (reference: string, full: boolean) {
  const loops = yield* Loops
  const { rounds, ...loop } = yield* loops.get(yield* loops.resolve(reference))
  const shown = rounds.map((round) => ({
    ...round,
    feedback: round.feedback === null ? null : cutText(round.feedback, longestFeedback)
  }))
  return { ...none, loop: { ...loop, rounds: full ? shown : null } }
})

const contestAt = Effect.fn("groupState.contest")(function* (reference: string, full: boolean) {
  const contests = yield* Contests
  const { candidates, ...contest } = yield* contests.get(yield* contests.resolve(reference))
  return { ...none, contest: { ...contest, candidates: full ? candidates : null } }
})

/** Null where none of them has this id, or begins with it. */
export const groupState = Effect.fn("groupState")(function* (reference: string, full: boolean) {
  const nothing: GroupState | null = null
  const found: GroupState | null = yield* pipelineAt(reference, full).pipe(
    Effect.catchTag("PipelineNotFound", () => loopAt(reference, full)),
    Effect.catchTag("LoopNotFound", () => contestAt(reference, full)),
    Effect.catchTag("ContestNotFound", () => Effect.succeed(nothing))
  )
  return found
})

/** Those that exist, without their steps, rounds and candidates. */
export const groupsOf = Effect.fn("groupsOf")(function* (ids: ReadonlyArray<string>) {
  const found = yield* Effect.forEach(ids, (id) => groupState(id, false))
  return found.flatMap((state) => state ?? [])
})
