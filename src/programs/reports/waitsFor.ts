/** What a queued task waits for, in words that go into one line. */
import { bytes, moment, span } from "../../text/FormatDuration.ts"
import type { Why } from "./why.ts"

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
    case "behind":
      return `${found.ahead} tasks ahead of it`
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
