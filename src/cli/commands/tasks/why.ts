/** `beat why ID`: explains what a task waits for. */
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { fingerprintOf } from "../../../domain/limits/Account.ts"
import { isSpareName } from "../../../domain/limits/Window.ts"
import { statusCommand } from "../../../domain/OtherKind.ts"
import { holdWords, raiseCommand } from "../../../programs/budgets/holdWords.ts"
import { gateWords, openingCommand } from "../../../programs/gates/gateWords.ts"
import { neglectWords } from "../../../programs/serving/Neglect.ts"
import { Why } from "../../../programs/why/WhyAnswer.ts"
import { limitWords, timeWords, waitsFor } from "../../../programs/why/waitsFor.ts"
import { why as whyOf } from "../../../programs/why/why.ts"
import { bytes, moment, relative, span } from "../../../text/FormatDuration.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { json, task } from "../../input/Values.ts"
import { askedWords } from "../../output/QuestionText.ts"

const before = (ahead: number): string =>
  ahead === 0
    ? "it is next in the queue"
    : ahead === 1
      ? "1 task starts before it"
      : `${ahead >= 1000 ? "1000 or more" : ahead} tasks start before it`

const endedWords = ({ cause, status }: Extract<Why, { readonly reason: "ended" }>): string =>
  `It ${status === "cancelled" ? "was cancelled" : status}${cause === null || cause === status ? "" : ` (${cause})`}`

/** What is ended for a cause after which a task is parked. */
const parkedBy: Readonly<Record<string, string>> = {
  paused: "Its turn",
  asks: "Its turn",
  limited: "It met a usage limit: its agent",
  budget: "A budget is spent: its agent"
}

/** The answer in words. */
export const explain = (answer: Why, now: number): string => {
  const silent = "silentMs" in answer && answer.silentMs !== null ? `; last output ${span(answer.silentMs)} ago` : ""
  switch (answer.reason) {
    case "ended":
      if (answer.retriedBy !== null) {
        return `${endedWords(answer)}, and was retried. To see what the retry waits for: beat why ${answer.retriedBy}`
      }
      return `${endedWords(answer)}, and waits for nothing.${answer.error === null ? "" : ` ${sanitize(answer.error)}`}`
    case "running":
      return `It is running${silent}. To follow it: beat logs -f ${answer.taskId}`
    case "worker-lost":
    case "worker-stopped":
    case "worker-unseen":
    case "worker-copied":
      return `It ${neglectWords({ reason: answer.reason, pid: answer.workerPid })}${silent}.`
    case "elsewhere":
      return `The queue is served from another container or host (worker pid ${answer.workerPid} there); ${before(answer.ahead)}. No worker is started here while that one writes.`
    case "ending":
      if (answer.cause in parkedBy) {
        return `${parkedBy[answer.cause]} is being ended, and it is parked then${silent}.`
      }
      return `It is being cancelled (${answer.cause}) and waits for its processes to exit${silent}.`
    case "not-before":
      return `It waits for ${timeWords(answer)}: ${moment(answer.notBefore)} (${relative(answer.notBefore, now)}).`
    case "limit": {
      if (isSpareName(answer.window))
        return `It is a spare task and waits for ${limitWords(answer, now)}; ${before(answer.ahead)}. To start it like any other: beat edit ${answer.taskId} --no-spare`
      const sooner = `beat edit ${answer.taskId} -a AGENT, or beat limits open ${fingerprintOf(answer.account)}`
      return `It waits for ${limitWords(answer, now)}; ${before(answer.ahead)}. To start it sooner: ${sooner}`
    }
    case "account-places": {
      const see = answer.asking === null ? "" : ` To see that task: beat why ${answer.asking}`
      return `It waits for ${waitsFor(answer, now)}; ${before(answer.ahead)}.${see}`
    }
    case "paused":
      return `It is paused: ${sanitize(gateWords(answer.gate, now))}. To start it: ${openingCommand(answer.gate)}`
    case "loop":
      return `It waits for the end of its loop. To see the rounds: beat loop status ${answer.loop}`
    case "frozen":
      return answer.gate === null
        ? "It is frozen, and continues within moments."
        : `It is frozen: its processes are stopped. Paused: ${sanitize(gateWords(answer.gate, now))}. To continue it: ${openingCommand(answer.gate)}`
    case "asks":
      return answer.question === null
        ? "It asks a person. To see what: beat inbox"
        : `It needs input. ${sanitize(askedWords(answer.question))}`
    case "budget":
      return `It waits for ${sanitize(holdWords(answer.budget, now))}. To start it sooner: ${raiseCommand(answer.budget)}`
    case "group-limit":
      return `All places of group ${answer.group} are in use (${answer.running} of ${answer.limit}); ${before(answer.ahead)}. To run more of them: beat group set ${answer.group} --limit ${answer.limit + 1}`
    case "goal-limit":
      return `All places of goal ${answer.goal} are in use (${answer.running} of ${answer.limit}); ${before(answer.ahead)}. To see its tasks: beat tree ${answer.goal}`
    case "blocked": {
      const others = answer.waitingOn - 1
      const rest = others === 0 ? "" : others === 1 ? " and 1 other" : ` and ${others} others`
      const kind = answer.blockedByKind ?? "task"
      const see =
        kind === "task"
          ? `why that task has not ended: beat why ${answer.blockedBy}`
          : `it: ${statusCommand({ kind, id: answer.blockedBy ?? "" })}`
      return `It waits for ${kind} ${answer.blockedBy}${rest}. To see ${see}. To see all dependencies: beat graph ${answer.taskId}`
    }
    case "no-worker":
      return `No worker is running; ${before(answer.ahead)}. To start one: beat worker --detach`
    case "concurrency-limit":
      return `All slots are in use (${answer.running} of ${answer.limit}); ${before(answer.ahead)}. To run more tasks at the same time: beat config set maxConcurrency ${answer.limit + 1}`
    case "memory":
      return `Memory is low: ${bytes(answer.availableBytes)} available, ${bytes(answer.neededBytes)} required before another task starts; ${before(answer.ahead)}.`
    case "workspace":
      return `It waits for its workspace, in which task ${answer.blockedBy} works. To see that task: beat status ${answer.blockedBy}`
    case "workspace-cut":
      return "Its workspace is being made: a copy of every tracked file. It starts then."
    case "workspace-bytes":
      return `It waits for disk: workspaces hold ${bytes(answer.workspaceBytes)} of ${bytes(answer.workspaceMaxBytes)}, and those that no task needs are reclaimed. To see them: beat workspace list. To allow more: beat config set workspaceMaxBytes N`
    case "behind":
      return `It waits its turn: ${before(answer.ahead)}.`
    case "starting":
      return "It is ready and starts within moments."
    case "starting-fails": {
      const starts = answer.tries === 1 ? "1 start" : `${answer.tries} starts`
      return `It cannot start: ${sanitize(answer.error)} ${starts} failed; the next follows.`
    }
  }
}

export const why = bareCommand({
  name: "why",
  section: "watch",
  summary: "Explain what a task waits for",
  options: Options.all({ json }),
  args: task,
  completes: "task",
  run: Effect.fn("beat.why")(function* (given, reference) {
    const terminal = yield* Terminal
    const answer = yield* whyOf(reference)
    if (given.json) yield* printJson(Why, answer)
    else yield* terminal.print(explain(answer, yield* Clock.currentTimeMillis))
    return ExitCode.ok
  })
})
