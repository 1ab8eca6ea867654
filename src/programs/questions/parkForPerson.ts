/** Decides whether a task whose turn has ended waits for a person: it has asked something, or it was paused. */
import * as Effect from "effect/Effect"
import type { Question } from "../../domain/questions/Question.ts"
import type { Outcome } from "../../domain/task/Outcome.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { Agents } from "../../services/Agents.ts"
import { Gates } from "../../services/Gates.ts"
import { Questions } from "../../services/Questions.ts"
import { type Held, type Parking, Queue } from "../../services/Queue.ts"
import { freshStart, hasBegun, wasServed } from "../limits/freshStart.ts"

/** What `beat ask` exits with when the answer has to wait, and what a script passes on: EX_TEMPFAIL of sysexits.h. */
const unansweredCode = 75

interface TurnEnd {
  readonly claimed: Held
  readonly claim: Claim
  readonly result: Outcome
  /** What is left of its timeout; null: it has none. */
  readonly timeLeftMs: number | null
  /** Whether it waits for tasks that it delegated too, and whether it has heard of those that it waited for before. */
  readonly wake: boolean
  readonly told: boolean
}

/** Its process was killed, or the machine was restarted: it has neither succeeded nor failed. */
const isKilled = ({ cause, status }: Outcome): boolean =>
  status === "failed" && (cause === "owner-lost" || cause === "signal")

/** The end of its input, in the middle of a question that it asks over it, ends it with an error. */
const isCutOff = Effect.fn("parkForPerson.isCutOff")(function* (
  id: TaskId,
  { status }: Outcome,
  asked: ReadonlyArray<Question>
) {
  if (status !== "failed" || asked.every(({ state }) => state !== "open")) return false
  const { launch } = yield* (yield* Queue).captured(id)
  return launch.asks !== undefined
})

/** How it is parked; null: it waits for no person. Its launch may be unreadable, so it is read only where it decides. */
export const parkForPerson = Effect.fn("parkForPerson")(function* ({
  claim,
  claimed,
  result,
  timeLeftMs,
  told,
  wake
}: TurnEnd) {
  if (result.status === "cancelled") return null
  const agents = yield* Agents
  const { task } = claimed
  const asked = (yield* (yield* Questions).ofTask(task.id)).filter(
    ({ state }) => state === "open" || state === "answered"
  )
  const sessionId = result.sessionId ?? task.sessionId
  const resumes = sessionId !== null && (yield* agents.resumes(task.agent, sessionId))
  const stopped = claim.stopCause === "paused" || claim.stopCause === "asks"
  const paused = isKilled(result) && resumes && (yield* (yield* Gates).pausing).includes(task.id)
  const waits =
    asked.length > 0 &&
    (result.status === "completed" ||
      result.exitCode === unansweredCode ||
      (resumes && isKilled(result)) ||
      (resumes && claim.stopCause === null && (yield* isCutOff(task.id, result, asked))))
  if (!waits && !paused && !(stopped && result.status === "failed")) return null
  const { resumeSession } = yield* (yield* Queue).captured(task.id)
  const continues = resumes && (asked.length > 0 || (yield* hasBegun(claimed, resumeSession !== null)))
  const parking: Parking = {
    limit: false,
    unheard: result.status !== "completed" && !(yield* wasServed(claimed)),
    wake,
    told,
    prompt: null,
    resetsAt: null,
    credit: false,
    timeLeftMs,
    spending: result.spending,
    ...(continues ? { sessionId, launch: null } : yield* freshStart(claimed))
  }
  return parking
})
