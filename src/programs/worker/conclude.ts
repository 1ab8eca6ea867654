/** Ends a supervised task: reads the verdict from what is stored, and hands the outcome to `Queue.finish`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ProcessEnd, Verdict } from "../../domain/task/Agent.ts"
import { type Outcome, outcome } from "../../domain/task/Outcome.ts"
import type { EndCause } from "../../domain/task/Task.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { nearness } from "../../domain/worker/Process.ts"
import { Agents } from "../../services/Agents.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Processes } from "../../services/Processes.ts"
import { type Held, Queue } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { autoRetry } from "./autoRetry.ts"
import { readEvidence } from "./evidence.ts"

/** What is known of an end: the agent's process status, or that it could not be read. */
export interface Ending {
  readonly end: ProcessEnd
  /** The shim left no status behind: it is `gone`, or whether it lives cannot be seen from here. */
  readonly lost: "gone" | "hidden" | null
  readonly leftovers: number
}

/** The end of a task whose processes cannot be seen from here. */
export const hiddenEnding: Ending = { end: { exitCode: null, signal: null }, lost: "hidden", leftovers: 0 }

const minutes = (ms: number): string =>
  ms < 1000 ? `${ms} ms` : ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 6000) / 10} min`

/** The words for an end that Backbeat brought about. */
const stopError = (cause: EndCause, claimed: Held): string | null => {
  switch (cause) {
    case "timeout":
      return `Ended at its timeout of ${minutes(claimed.task.timeoutMs ?? 0)}. To allow more time: beat run --timeout`
    case "stalled":
      return `Ended after ${minutes(claimed.task.stallMs ?? 0)} without output and with next to no CPU use. Allow more: beat run --stall, 0 for no limit`
    case "output-limit":
      return "Ended because it printed more than the spool may hold (setting maxSpoolBytes)."
    default:
      return null
  }
}

/** Also after a cancel: "cancelled" would say that its processes are gone. */
const hiddenError =
  "It ran in another container or on another host, and its worker there has not written for minutes. Its processes cannot be seen from here: if one still runs, end it there. Its output is kept. Start it again: beat retry"

/** An agent that was to continue a session but reports an error about it, or never reports that it started. */
const withSessionAdvice = ({ task }: Held, result: Outcome): Outcome => {
  const { continuation, retryOf, sessionId } = task
  if (result.status === "completed" || continuation !== "session" || retryOf === null || sessionId === null)
    return result
  const entered = result.sessionId === sessionId && result.error?.includes(sessionId) !== true
  const advice = `If its session is gone, start a new one: beat resume ${retryOf} --fresh`
  return entered ? result : { ...result, error: `${result.error ?? ""} ${advice}`.trim() }
}

/** The verdict when an adapter fails: success is not proven. */
const undecided: Verdict = {
  status: "failed",
  cause: "agent-error",
  error:
    "Its output could not be read as the output of this agent, so its success is unknown. To see the output: beat logs",
  failureClass: "unknown",
  failureResetAt: null,
  sessionId: null,
  answer: null,
  usage: null
}

/** The outcome of a task, from who ended it, what its process said and what its adapter reads in the output. */
export const judgeExit = Effect.fn("outcomeOf")(function* (claimed: Held, claim: Claim, ending: Ending) {
  const agents = yield* Agents
  const processes = yield* Processes
  const now = yield* Clock.currentTimeMillis
  const evidence = yield* retryWhileStorageFails(readEvidence(claimed.task.id))
  const verdict = yield* agents.verdict(claimed.task.agent, { ...evidence, end: ending.end, endedAt: now }).pipe(
    // A reader that breaks on what it reads would break again at each try, and its task would never end.
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError(`the output of ${claimed.task.agent} could not be judged`, defect), undecided)
    )
  )
  const found = {
    exitCode: ending.end.exitCode,
    signal: ending.end.signal,
    sessionId: verdict.sessionId,
    answer: verdict.answer,
    usage: verdict.usage,
    leftovers: ending.leftovers
  }
  if (ending.lost === "hidden") {
    return outcome({ ...found, status: "failed", cause: "owner-lost", error: hiddenError })
  }
  if (claim.stopCause !== null) {
    return claim.stopCause === "cancelled"
      ? outcome({ ...found, status: "cancelled", cause: "cancelled" })
      : outcome({ ...found, status: "failed", cause: claim.stopCause, error: stopError(claim.stopCause, claimed) })
  }
  if (ending.lost === "gone") {
    const sessionId = found.sessionId ?? claimed.task.sessionId
    const resumes = sessionId !== null && (yield* agents.resumes(claimed.task.agent, sessionId))
    const again = resumes
      ? `Continue in its session: beat resume ${claimed.task.id}. Start it again: beat retry ${claimed.task.id}`
      : `Start it again: beat retry ${claimed.task.id}`
    const rebooted = nearness(claim.bootId, yield* processes.bootId) === "over"
    return outcome({
      ...found,
      status: "failed",
      cause: "owner-lost",
      error: rebooted
        ? `The machine was restarted while it ran. ${again}`
        : `The agent's supervisor was killed, so its exit status is unknown. Output so far was kept. ${again}`
    })
  }
  const result: Outcome = outcome({ ...verdict, ...found })
  return withSessionAdvice(claimed, result)
})

/** Stores the end, clears the spool, then notifies listeners. Accepts an end of the same claim by another worker. */
export const recordEnd = Effect.fn("conclude")(function* (
  claimed: Held,
  found: Outcome,
  holder: Holder,
  /** False where an agent may still run: a retry would be a second one. */
  mayRetry = true
) {
  const queue = yield* Queue
  const spawner = yield* Spawner
  const events = yield* TerminalEvents
  const { result, retry } = mayRetry
    ? yield* retryWhileStorageFails(autoRetry(claimed.task, found))
    : { result: found, retry: null }
  const event = yield* retryWhileStorageFails(queue.finish(claimed.task.id, result, holder, retry)).pipe(
    Effect.catchTags({
      TaskStateConflict: (conflict) => Effect.as(Effect.logInfo(`not ours to end any more: ${conflict.message}`), null),
      TaskNotFound: (missing) => Effect.as(Effect.logWarning(missing.message), null)
    })
  )
  if (event === null) return
  yield* spawner.discard(claimed.claim.claimId)
  yield* failpoint("conclude.discarded")
  yield* events.publish(event)
  const next = event.retriedBy === null ? "" : `, tried again as ${event.retriedBy}`
  yield* Effect.logInfo(`task ${claimed.task.id} ${event.status} (${event.cause})${next}`)
})
