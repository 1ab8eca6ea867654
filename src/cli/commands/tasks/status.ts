/** `beat status ID`: everything about one task. */

import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Contest } from "../../../domain/contest/Contest.ts"
import { windowWords } from "../../../domain/limits/Window.ts"
import { Pipeline } from "../../../domain/pipeline/Pipeline.ts"
import { answerWords, type Question, questionName } from "../../../domain/questions/Question.ts"
import type { Checkpoint, GitHead } from "../../../domain/task/Checkpoint.ts"
import { isAsking } from "../../../domain/task/isAsking.ts"
import type { Dependency } from "../../../domain/task/Task.ts"
import { sharedWords } from "../../../programs/Alongside.ts"
import { TaskReport, taskReport } from "../../../programs/reports/taskReport.ts"
import { neglectWords, rescue } from "../../../programs/serving/Neglect.ts"
import { Contests } from "../../../services/Contests.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { bytes, moment, relative, span } from "../../../text/FormatDuration.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { Stores } from "../../framework/Access.ts"
import { bareCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { json, taskOr } from "../../input/Values.ts"
import { describeContest } from "../../output/ContestTable.ts"
import { describePipeline } from "../../output/PipelineTable.ts"
import { type Pair, pairs } from "../../output/pairs.ts"
import { questionWords } from "../../output/QuestionText.ts"
import { plain, statusStyle } from "../../output/TaskTable.ts"
import { nestedWords, resultWords, unsealedWords, workspaceWords } from "../../output/WorkText.ts"
import { showOverview } from "./overview.ts"

const failureWords = (report: TaskReport, now: number): string | null => {
  if (report.failureClass === null) return null
  return report.failureResetAt === null
    ? report.failureClass
    : `${report.failureClass}, until ${moment(report.failureResetAt)} (${relative(report.failureResetAt, now)})`
}

const startWords = ({ startProblem }: TaskReport): string | null =>
  startProblem === null ? null : `${startProblem.count} failed: ${clip(startProblem.message)}`

const ending = (report: TaskReport): string | null => {
  if (report.cause === null) return null
  const detail =
    report.signal !== null ? report.signal : report.exitCode !== null ? `exit code ${report.exitCode}` : null
  return detail === null ? report.cause : `${report.cause} (${detail})`
}

const usageWords = ({ usage }: TaskReport): string | null => {
  if (usage === null) return null
  const parts = [
    usage.inputTokens === null ? [] : [`${usage.inputTokens} tokens in`],
    usage.outputTokens === null ? [] : [`${usage.outputTokens} out`],
    usage.cacheReadTokens === null ? [] : [`${usage.cacheReadTokens} from cache`],
    usage.cacheWriteTokens === null ? [] : [`${usage.cacheWriteTokens} to cache`],
    usage.costUsd === null ? [] : [`$${usage.costUsd.toFixed(4)}`]
  ].flat()
  if (parts.length === 0) return null
  return `${parts.join(", ")}${usage.cumulative ? " (whole session)" : ""}`
}

const headWords = ({ branch, commit }: GitHead): string =>
  plain(`${branch ?? "no branch"} at ${commit === null ? "no commit" : commit.slice(0, 12)}`)

/** The commit of the repository before and after, and its uncommitted changes. */
const gitWords = (checkpoint: Checkpoint): string | null => {
  const { after, before } = checkpoint
  if (after === null) return null
  const now = headWords(after)
  const then = before === null ? now : headWords(before)
  const dirty = after.dirtyCount === 0 ? "" : `, ${after.dirtyCount} not committed`
  return `${then === now ? now : `${then} -> ${now}`}${dirty}`
}

/** Changes are attributed to this task only if no other task ran in the same directory. */
const changesWords = ({ alongside, checkpoint }: TaskReport): string | null => {
  const stat = checkpoint?.diffStat ? clip(checkpoint.diffStat) : null
  if (checkpoint === null || checkpoint.after === null) return null
  const shared = sharedWords(alongside)
  return shared === null ? stat : stat === null ? shared : `${shared}\n${stat}`
}

const tries = ({ continuation }: TaskReport): string =>
  continuation === "session"
    ? "continues the session of"
    : continuation === "checkpoint"
      ? "continues from"
      : "tries again"

const retriesWords = (report: TaskReport, now: number): string | null => {
  // Whether an ended task was tried again is said elsewhere.
  if (report.maxRetries === 0 || report.endedAt !== null) return null
  const limited = report.failureResetAt !== null && report.failureResetAt > now
  return `${report.maxRetries} left, the next ${limited ? "when the usage limit resets" : `after ${span(report.backoffMs)}`}`
}

/** How often limits put it back, and for how long. No attempt was used up by that. */
const parkWords = ({ endedAt, parked: parks }: TaskReport, now: number): string | null => {
  const last = parks.at(-1)
  if (last === undefined) return null
  const waited = parks.reduce((sum, { at, releasedAt }) => sum + (releasedAt ?? endedAt ?? now) - at, 0)
  const times = parks.length === 1 ? "once" : `${parks.length} times`
  const start = last.sessionId === null ? "starts again" : "continues in its session"
  const state = last.releasedAt === null && endedAt === null ? `, since ${moment(last.at)}; it ${start} then` : ""
  return `${times}, ${span(waited)} in all, by the ${windowWords({ name: last.window, family: "" })}${state}`
}

const edgeWords = ({ policy, state, taskId }: Dependency): string =>
  `${taskId}${policy === "success" ? "" : ` (${policy === "finished" ? "either way" : "its failure"})`}${
    state === "pending" ? "" : state === "met" ? ", met" : ", not met"
  }`

const longest = 2000

const clip = (text: string): string => {
  const clean = sanitize(text).trimEnd()
  return clean.length <= longest ? clean : `${clean.slice(0, longest)}…`
}

const standing = (report: TaskReport, screen: Screen): string =>
  report.frozenAt !== null
    ? stylesOf(screen).yellow("frozen (its processes are stopped)")
    : isAsking(report)
      ? stylesOf(screen).yellow("asks (needs input)")
      : statusStyle(report.status, screen)(report.claim?.state === "claimed" ? "starting" : report.status)

const questionLine = (question: Question): string => {
  const name = questionName(question.id)
  const reply =
    question.answer === null
      ? question.state === "open"
        ? `beat answer ${name} ${question.options.length === 0 ? "TEXT" : "NUMBER"}`
        : "no answer"
      : plain(answerWords(question))
  return `${name} ${questionWords(question)}: ${reply}`
}

/** The newest ones; `--json` has all. */
const questionsWords = ({ questions }: TaskReport): string | null =>
  questions.length === 0 ? null : clip(questions.slice(-10).map(questionLine).join("\n"))

const describe = (report: TaskReport, now: number, screen: Screen): ReadonlyArray<string> => {
  const at = (time: number | null) => (time === null ? null : `${moment(time)} (${relative(time, now)})`)
  const { checkpoint, claim } = report
  const took = report.startedAt === null ? null : span((report.endedAt ?? now) - report.startedAt)
  const labels = Object.entries(report.labels)
  const waits =
    report.ahead === null
      ? null
      : report.ahead === 0
        ? "next in line"
        : report.ahead === 1
          ? "1 task starts before it"
          : `${report.ahead} tasks start before it`
  const entries: ReadonlyArray<Pair> = [
    ["task", report.id],
    ["status", standing(report, screen)],
    ["starts", startWords(report)],
    ["cause", ending(report)],
    ["failure", failureWords(report, now)],
    ["error", report.error === null ? null : clip(report.error)],
    ["cancelled by", report.cancelledBy === null ? null : plain(report.cancelledBy)],
    ["cancel asked", report.status === "running" ? at(report.cancelRequestedAt) : null],
    ["reason", report.cancelReason === null ? null : plain(report.cancelReason)],
    ["waits for", report.parkedAt === null && !report.held && report.waitingOn === 0 ? null : report.waitsFor],
    ["questions", questionsWords(report)],
    ["parked", parkWords(report, now)],
    ["position", isAsking(report) || report.waitingOn > 0 ? null : waits],
    ["agent", plain(report.agent + (report.model === null ? "" : ` (${report.model})`))],
    ["directory", plain(report.directory)],
    ["priority", report.priority],
    ["group", report.group],
    ["created", at(report.createdAt)],
    ["not before", at(report.notBefore)],
    ["started", at(report.startedAt)],
    ["ended", at(report.endedAt)],
    [report.endedAt === null ? "running for" : "took", report.status === "queued" ? null : took],
    ["frozen", report.frozenAt === null ? null : `${at(report.frozenAt)}. To continue it: beat resume ${report.id}`],
    ["silent for", report.silentMs === null ? null : span(report.silentMs)],
    ["timeout", report.timeoutMs === null ? null : span(report.timeoutMs)],
    ["time left", report.timeLeftMs === null ? null : span(report.timeLeftMs)],
    ["stall limit", report.stallMs === null ? null : span(report.stallMs)],
    [
      "worker",
      claim === null ? null : `${claim.state}, pid ${claim.process?.pid ?? "not known yet"}, worker ${claim.workerId}`
    ],
    ["attention", report.neglect === null ? null : neglectWords(report.neglect)],
    ["being ended", claim?.stopCause == null ? null : `${claim.stopCause}, since ${at(claim.stopAt)}`],
    [
      "output",
      `${bytes(report.bytesStored)}${report.bytesDropped === 0 ? "" : `, ${bytes(report.bytesDropped)} dropped from the middle`}`
    ],
    ["emptied", report.emptied.length === 0 ? null : report.emptied.join("; ")],
    ["leftovers", report.leftovers === 0 ? null : `${report.leftovers} processes outlived the agent and were killed`],
    ["usage", usageWords(report)],
    ["session", report.sessionId === null ? null : plain(report.sessionId)],
    ["workspace", workspaceWords(report)],
    ["not sealed", unsealedWords(report)],
    ["result", resultWords(report)],
    ["nested", nestedWords(report)],
    ["git", checkpoint === null ? null : gitWords(checkpoint)],
    ["changes", changesWords(report)],
    ["ran here too", report.endedAt === null && report.alongside.length > 0 ? report.alongside.join(" ") : null],
    ["continues", report.continueFrom],
    ["depends on", report.dependsOn.length === 0 ? null : clip(report.dependsOn.map(edgeWords).join(", "))],
    ["retries", retriesWords(report, now)],
    ["tried again", report.retriedBy === null ? null : `as ${report.retriedBy}`],
    ["contest", report.contestId],
    ["pipeline", report.pipelineId],
    ["labels", labels.length === 0 ? null : plain(labels.map(([key, value]) => `${key}=${value}`).join(" "))],
    ["key", report.idempotencyKey === null ? null : plain(report.idempotencyKey)],
    ["attempt", report.attempt === 1 ? null : `${report.attempt}, ${tries(report)} ${report.retryOf ?? "?"}`],
    ["submitted by", report.parentId === null ? null : `task ${report.parentId} (depth ${report.depth})`],
    ["children", report.children.length === 0 ? null : report.children.join(" ")],
    ["prompt", clip(report.prompt)],
    ["system", report.systemPrompt === null ? null : clip(report.systemPrompt)],
    ["answer", report.answer === null || report.answer === "" ? null : clip(report.answer)]
  ]
  return pairs(entries, screen)
}

/** The pipeline of this reference, or the failure that there is no such task. */
const showPipeline = <E>(reference: string, asJson: boolean, noTask: E) =>
  Effect.gen(function* () {
    const pipelines = yield* Pipelines
    const terminal = yield* Terminal
    const id = yield* pipelines
      .resolve(reference)
      .pipe(Effect.catchTag("PipelineNotFound", (error) => Effect.fail(error.candidates.length > 0 ? error : noTask)))
    const pipeline = yield* pipelines.get(id)
    if (asJson) yield* printJson(Pipeline, pipeline)
    else yield* terminal.print(describePipeline(pipeline, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    return ExitCode.ok
  })

/** The contest of this reference, else its pipeline. */
const showContest = <E>(reference: string, asJson: boolean, noTask: E) =>
  Effect.gen(function* () {
    const contests = yield* Contests
    const terminal = yield* Terminal
    const found = yield* Effect.either(contests.resolve(reference))
    if (found._tag === "Left") {
      const none = found.left._tag === "ContestNotFound" && found.left.candidates.length === 0
      return none ? yield* showPipeline(reference, asJson, noTask) : yield* found.left
    }
    const contest = yield* contests.get(found.right)
    if (asJson) yield* printJson(Contest, contest)
    else yield* terminal.print(describeContest(contest, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    return ExitCode.ok
  })

export const status = bareCommand({
  name: "status",
  section: "watch",
  summary: "Show one task in full, a contest or a pipeline, or without an id the overview",
  examples: [
    ["beat status @last", "the newest task"],
    ["beat status k3v --json | jq .cause", "why it ended"]
  ],
  options: Options.all({ json }),
  args: Args.optional(taskOr("a pipeline or a contest")),
  completes: "task",
  run: Effect.fn("beat.status")(function* (given, reference) {
    if (Option.isNone(reference)) return yield* showOverview(given.json)
    const terminal = yield* Terminal
    const found = yield* Effect.either(taskReport(reference.value))
    if (found._tag === "Left") {
      if (found.left._tag !== "TaskNotFound") return yield* found.left
      const { read } = yield* Stores
      return yield* Effect.provide(showContest(reference.value, given.json, found.left), read)
    }
    const report = found.right
    if (given.json) yield* printJson(TaskReport, report)
    else yield* terminal.print(describe(report, yield* Clock.currentTimeMillis, terminal.stdout).join("\n"))
    if (report.neglect !== null) yield* rescue(new Map([[report.id, report.neglect]]))
    return ExitCode.ok
  })
})
