/** Judges how a task ended: by what stopped it, by its exit status, and by what its adapter reads in the stored output. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { lengthInWords } from "../../domain/Duration.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { ProcessEnd, Verdict } from "../../domain/task/Agent.ts"
import { type Outcome, outcome } from "../../domain/task/Outcome.ts"
import type { EndCause } from "../../domain/task/Task.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { nearness } from "../../domain/worker/Process.ts"
import { Agents } from "../../services/Agents.ts"
import { LocalZone } from "../../services/LocalZone.ts"
import { Processes } from "../../services/Processes.ts"
import { type Held, Queue } from "../../services/Queue.ts"
import { withRecord } from "../limits/SessionRecord.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { boundLeft } from "../timeLeft.ts"
import { spendingOf } from "../usage/spendingOf.ts"
import { readEvidence } from "./readEvidence.ts"

/** What is known of an end: the agent's process status, or that it could not be read. */
export interface Ending {
  readonly end: ProcessEnd
  /** When the status was written; null: not known. */
  readonly endedAt: number | null
  /** The shim left no status behind: it is `gone`, or whether it lives cannot be seen from here. */
  readonly lost: "gone" | "hidden" | null
  readonly leftovers: number
}

/** The end of a task whose shim is gone. */
export const goneEnding: Ending = {
  end: { exitCode: null, signal: null },
  endedAt: null,
  lost: "gone",
  leftovers: 0
}

/** The end of a task whose processes cannot be seen from here. */
export const hiddenEnding: Ending = { ...goneEnding, lost: "hidden" }

/** The words for an end that Backbeat brought about. */
const stopError = (cause: EndCause, claimed: Held, isLate: boolean): string | null => {
  switch (cause) {
    case "timeout":
      if (isLate) {
        return "Ended because the time of its loop is over. To allow more time, give the loop a longer --for"
      }
      return `Ended at its timeout of ${lengthInWords(claimed.task.timeoutMs ?? 0)}. To allow more time: beat run --timeout`
    case "stalled":
      return `Ended after ${lengthInWords(claimed.task.stallMs ?? 0)} without output and with next to no CPU use. Allow more: beat run --stall, 0 for no limit`
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

/** The variable `TZ` of the agent of a task, or the zone of one without it; undefined: that of this process. */
const zoneOf = ({ task }: Held) =>
  Effect.flatMap(Queue, (queue) => queue.captured(task.id)).pipe(
    Effect.flatMap(({ environment: { TZ } }) =>
      TZ === undefined ? Effect.flatMap(LocalZone, ({ withoutVariable }) => withoutVariable) : Effect.succeed(TZ)
    ),
    Effect.map((zone) => zone ?? undefined),
    Effect.catchTag("TaskNotFound", () => Effect.succeed(undefined)),
    retryWhileStorageFails
  )

/** An agent that waited inside its process for a limit to end, and was ended so that its place is free. */
const limited = (verdict: Verdict, found: Partial<Outcome>): Outcome =>
  outcome({
    ...found,
    status: "failed",
    cause: "agent-error",
    error: verdict.error ?? "The agent waited for a usage limit to end.",
    failureClass: verdict.failureClass === "budget" ? "budget" : "usage-limit",
    failureResetAt: verdict.failureResetAt
  })

/** An agent whose turn was ended so that its task waits for a person. */
const held = (found: Partial<Outcome>): Outcome =>
  outcome({ ...found, status: "failed", cause: "agent-error", error: "Its turn was ended to wait for a person." })

/**
 * When its agent ended: what it said of time was said then, however late that is read. A time before the claim or in the future
 * comes from a clock that was wrong or was set.
 */
const endedAtOf = ({ endedAt }: Ending, { claimedAt }: Claim, now: number): number =>
  endedAt !== null && endedAt >= claimedAt && endedAt <= now ? endedAt : now

/** The outcome of a task, by what stopped it, by its exit status, and by what its adapter reads in the output. */
export const judgeExit = Effect.fn("judgeExit")(function* (
  claimed: Held,
  claim: Claim,
  ending: Ending,
  settings: Pick<Settings, "headroomPercent" | "overage" | "prices">
) {
  const agents = yield* Agents
  const processes = yield* Processes
  const now = yield* Clock.currentTimeMillis
  const evidence = yield* retryWhileStorageFails(readEvidence(claimed.task.id))
  const judge = (zone: string | undefined) =>
    agents
      .verdict(claimed.task.agent, {
        ...evidence,
        end: ending.end,
        endedAt: endedAtOf(ending, claim, now),
        ...(zone === undefined ? {} : { zone })
      })
      .pipe(
        // A reader that breaks on what it reads would break again at each attempt, and its task would never end.
        Effect.catchAllDefect((defect) =>
          Effect.as(Effect.logError(`the output of ${claimed.task.agent} could not be judged`, defect), undecided)
        )
      )
  const first = yield* judge(undefined)
  // A time of day is that of the task's own time zone.
  const zone = first.failureClass === "usage-limit" ? yield* zoneOf(claimed) : undefined
  const verdict = yield* withRecord(claimed, zone === undefined ? first : yield* judge(zone), settings)
  const { uses: _uses, ...told } = verdict
  const found = {
    exitCode: ending.end.exitCode,
    signal: ending.end.signal,
    sessionId: verdict.sessionId,
    answer: verdict.answer,
    usage: verdict.usage,
    spending: yield* spendingOf(claimed.task, verdict, settings.prices),
    leftovers: ending.leftovers
  }
  if (ending.lost === "hidden") {
    return outcome({ ...found, status: "failed", cause: "owner-lost", error: hiddenError })
  }
  if (claim.stopCause !== null) {
    switch (claim.stopCause) {
      case "cancelled":
        return outcome({ ...found, status: "cancelled", cause: "cancelled" })
      case "limited":
        // It may have ended well in the moment before the signal.
        return verdict.status === "completed" ? outcome({ ...told, ...found }) : limited(verdict, found)
      case "paused":
      case "asks":
        return verdict.status === "completed" ? outcome({ ...told, ...found }) : held(found)
      case "budget":
        return verdict.status === "completed"
          ? outcome({ ...told, ...found })
          : outcome({ ...found, status: "failed", cause: "agent-error", error: "Ended because a budget is spent." })
      default:
        return outcome({
          ...found,
          status: "failed",
          cause: claim.stopCause,
          error: stopError(claim.stopCause, claimed, claim.deadlineUptime === null || (yield* boundLeft(claim)) <= 0)
        })
    }
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
  const result: Outcome = outcome({ ...told, ...found })
  return withSessionAdvice(claimed, result)
})
