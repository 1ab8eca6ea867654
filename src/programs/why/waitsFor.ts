/** What a queued task waits for, in words that go into one line. */
import { fingerprintOf } from "../../domain/limits/Account.ts"
import type { LimitWait } from "../../domain/limits/AccountLimits.ts"
import { spareBelow } from "../../domain/limits/Spare.ts"
import { credit, isSpareName, windowWords } from "../../domain/limits/Window.ts"
import { questionName } from "../../domain/questions/Question.ts"
import { bytes, moment, span } from "../../text/FormatDuration.ts"
import { holdWords } from "../budgets/holdWords.ts"
import { gateWords } from "../gates/gateWords.ts"
import type { Why, WhyOf } from "./WhyAnswer.ts"

/** The limit that a task waits for, and when it ends. */
export const limitWords = ({ account, opensAt, window }: LimitWait, now: number): string => {
  const name = fingerprintOf(account)
  const when = `${moment(opensAt)} (in ${span(opensAt - now)})`
  if (window === credit)
    return `credit: account ${name} has none left. Add some, then: beat limits open ${name}. It is tried again ${when}`
  const what = `the ${windowWords({ name: window, family: "" })} of account ${name}`
  return isSpareName(window)
    ? `${what}, from ${when} on, if less than ${Math.round(spareBelow * 100)} % are used then`
    : `${what}, opens ${when}`
}

/** What its time is the time of. */
export const timeWords = ({ failureBefore }: WhyOf<"not-before">): string => {
  switch (failureBefore) {
    case null:
      return "its start time"
    case "usage-limit":
      return "the reset of the usage limit that stopped the previous attempt"
    default:
      return `the delay after the previous attempt (${failureBefore})`
  }
}

/** What a queued task waits for, in words; null if it waits for nothing. */
export const waitsFor = (found: Why, now: number): string | null => {
  switch (found.reason) {
    case "not-before":
      return `${timeWords(found)}, ${moment(found.notBefore)} (in ${span(found.notBefore - now)})`
    case "limit":
      return limitWords(found, now)
    case "account-places":
      return found.asking === null
        ? `a place at account ${fingerprintOf(found.account)} after its limit (${found.running} of ${found.limit} in use; more every 20 seconds)`
        : `the answer to task ${found.asking}, which asks whether a limit of account ${fingerprintOf(found.account)} is over`
    case "paused":
      return `the end of a pause: ${gateWords(found.gate, now)}`
    case "loop":
      return `its loop ${found.loop}`
    case "frozen":
      return found.gate === null ? null : `the end of a pause: ${gateWords(found.gate, now)}`
    case "asks":
      return found.question === null
        ? "an answer of a person"
        : `an answer to ${questionName(found.question.id)}: ${found.question.text}`
    case "budget":
      return holdWords(found.budget, now)
    case "group-limit":
      return `a place in group ${found.group} (${found.running} of ${found.limit} in use)`
    case "goal-limit":
      return `a place in goal ${found.goal} (${found.running} of ${found.limit} in use)`
    case "blocked":
      return found.waitingOn > 1
        ? `${found.waitingOn} tasks, ${found.blockedBy} among them`
        : `${found.blockedByKind} ${found.blockedBy}`
    case "no-worker":
      return "a worker; none is running, and one starts when a command waits"
    case "concurrency-limit":
      return `a free slot (${found.running} of ${found.limit} in use)`
    case "memory":
      return `memory: ${bytes(found.availableBytes)} available, ${bytes(found.neededBytes)} needed`
    case "workspace":
      return `its workspace, in which task ${found.blockedBy} works`
    case "workspace-cut":
      return "its workspace, which is being made"
    case "workspace-bytes":
      return `disk: workspaces hold ${bytes(found.workspaceBytes)} of ${bytes(found.workspaceMaxBytes)}`
    case "behind":
      return found.ahead === 1 ? "1 task ahead of it" : `${found.ahead} tasks ahead of it`
    case "starting-fails":
      return `its start: ${found.error}`
    case "elsewhere":
      return "a worker in another container or on another host, which serves the queue"
    case "starting":
    case "worker-lost":
    case "worker-stopped":
    case "worker-unseen":
    case "worker-copied":
    case "running":
    case "ending":
    case "ended":
      return null
  }
}
