/** What a queued task waits for, in words that go into one line. */
import { fingerprintOf } from "../../domain/limits/Account.ts"
import { spareBelow } from "../../domain/limits/Spare.ts"
import { credit, isSpareName, windowWords } from "../../domain/limits/Window.ts"
import { questionName } from "../../domain/questions/Question.ts"
import { bytes, moment, span } from "../../text/FormatDuration.ts"
import { holdWords } from "../budgets/holdWords.ts"
import { gateWords } from "../gates/gateWords.ts"
import type { Why } from "./why.ts"

/** The limit that a task waits for, and when it ends. */
export const limitWords = ({ account, opensAt, window }: Pick<Why, "account" | "opensAt" | "window">, now: number) => {
  if (account === null || opensAt === null || window === null) return null
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
export const timeWords = ({ failureBefore }: Why): string => {
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
      return found.notBefore === null
        ? null
        : `${timeWords(found)}, ${moment(found.notBefore)} (in ${span(found.notBefore - now)})`
    case "limit":
      return limitWords(found, now)
    case "paused":
      return found.gate === null ? null : `the end of a pause: ${gateWords(found.gate, now)}`
    case "frozen":
      return found.gate === null ? null : `the end of a pause: ${gateWords(found.gate, now)}`
    case "asks":
      return found.question === null
        ? "an answer of a person"
        : `an answer to ${questionName(found.question.id)}: ${found.question.text}`
    case "budget":
      return found.budget === null ? null : holdWords(found.budget, now)
    case "group-limit":
      return `a place in group ${found.group} (${found.running} of ${found.limit} in use)`
    case "goal-limit":
      return `a place in goal ${found.goal} (${found.running} of ${found.limit} in use)`
    case "blocked":
      return (found.waitingOn ?? 0) > 1
        ? `${found.waitingOn} tasks, ${found.blockedBy} among them`
        : `task ${found.blockedBy}`
    case "no-worker":
      return "a worker; none is running, and one starts when a command waits"
    case "concurrency-limit":
      return `a free slot (${found.running} of ${found.limit} in use)`
    case "memory":
      return `memory: ${bytes(found.availableBytes ?? 0)} available, ${bytes(found.neededBytes ?? 0)} needed`
    case "workspace":
      return `its workspace, in which task ${found.blockedBy} works`
    case "workspace-cut":
      return "its workspace, which is being made"
    case "workspace-bytes":
      return `disk: workspaces hold ${bytes(found.workspaceBytes ?? 0)} of ${bytes(found.workspaceMaxBytes ?? 0)}`
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
    case "running":
    case "ending":
    case "ended":
      return null
  }
}
