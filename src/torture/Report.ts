/** The report of a torture run: as the value of `--json`, and in words. */
import * as Schema from "effect/Schema"

const Counts = Schema.Record({ key: Schema.String, value: Schema.Int })

export const TortureReport = Schema.Struct({
  /** No promise was broken. */
  ok: Schema.Boolean,
  /** Enough was done for that to mean something: `shortfalls` is empty. */
  proven: Schema.Boolean,
  seed: Schema.Int,
  /** Digest of everything that was planned: equal seeds and durations give equal plans. */
  plan: Schema.String,
  seconds: Schema.Int,
  /** Kills with -9, at failpoints included. One that hits many processes at the same time counts as one. */
  kills: Schema.Int,
  tasks: Schema.Struct({
    submitted: Schema.Int,
    completed: Schema.Int,
    failed: Schema.Int,
    cancelled: Schema.Int
  }),
  pipelines: Schema.Int,
  /** Runs that schedules started. */
  scheduled: Schema.Int,
  loops: Schema.Struct({ submitted: Schema.Int, rounds: Schema.Int }),
  /** Messages to agents that ran. */
  messages: Schema.Int,
  /** How often a lead continued after the tasks that it waited for. */
  wakes: Schema.Int,
  /** How often a task was parked at a usage limit. */
  parks: Schema.Int,
  /** How often the command of the hook was started for the end of a task. */
  told: Schema.Int,
  /** Outcomes of edits and of retries by hand; tasks that continue from another. */
  changes: Counts,
  /** Merges, undos, reclaims and restores of what isolated tasks left. */
  work: Counts,
  /** How often each kind of fault was brought about. */
  faults: Counts,
  /** Where processes died at failpoints, and how often. */
  failpoints: Counts,
  /** What the plan contains and what never came. */
  missed: Schema.Struct({ faults: Schema.Array(Schema.String), failpoints: Schema.Array(Schema.String) }),
  /** The floors that the run did not reach, one sentence each. */
  shortfalls: Schema.Array(Schema.String),
  /** Kinds of faults that cannot come on this machine, with the reason. */
  notRun: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** Bytes of output compared with what the agents printed. */
  bytes: Schema.Int,
  /** Looks at the database while it ran. */
  samples: Schema.Int,
  violations: Schema.Array(
    Schema.Struct({
      invariant: Schema.String,
      /** Id of the task, else its key; null for what concerns no single task. */
      task: Schema.NullOr(Schema.String),
      detail: Schema.String,
      /** The events that led to it. */
      timeline: Schema.Array(Schema.String)
    })
  ),
  /** The scratch directory, kept when something was found. */
  kept: Schema.NullOr(Schema.String)
}).annotations({ identifier: "TortureReport" })
export type TortureReport = typeof TortureReport.Type

const counted = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ") || "none"

type Violation = TortureReport["violations"][number]

/** Subjects shown in full; of the others only the number. */
const shown = 5

/** One subject with all that is wrong with it, and the events that led there once. */
const describe = (violations: ReadonlyArray<Violation>): ReadonlyArray<string> => [
  "",
  ...violations.map(
    ({ detail, invariant, task }) => `VIOLATION of '${invariant}'${task === null ? "" : ` by task ${task}`}: ${detail}`
  ),
  ...(violations[0]?.timeline ?? []).map((line) => `  ${line}`)
]

const bySubject = (violations: ReadonlyArray<Violation>): ReadonlyArray<ReadonlyArray<Violation>> => {
  const groups = new Map<string, Array<Violation>>()
  for (const [index, violation] of violations.entries()) {
    const name = violation.task ?? `${index}`
    groups.set(name, [...(groups.get(name) ?? []), violation])
  }
  return Array.from(groups.values())
}

const closing = ({ kept, ok, proven, shortfalls, violations }: TortureReport): string => {
  if (!ok) return `${violations.length} violations. The scratch directory is kept: ${kept}`
  return proven
    ? "Nothing was lost, started twice or wrongly ended."
    : `No violation was found, but this run proves nothing: ${shortfalls.join("; ")}. Give it more time or a machine with less load.`
}

export const lines = (report: TortureReport): ReadonlyArray<string> => {
  const subjects = bySubject(report.violations)
  return [
    `seed        ${report.seed}, plan ${report.plan}, ${report.seconds} s`,
    `killed      ${report.kills} times with -9`,
    `faults      ${counted(report.faults)}`,
    `failpoints  ${counted(report.failpoints)}`,
    `never came  ${[...report.missed.faults, ...report.missed.failpoints].join(", ") || "nothing that was planned"}`,
    ...Object.entries(report.notRun).map(([kind, reason]) => `not run     ${kind}: ${reason}`),
    `tasks       ${report.tasks.submitted}: ${report.tasks.completed} completed, ${report.tasks.failed} failed, ${report.tasks.cancelled} cancelled`,
    `of these    ${report.pipelines} pipelines, ${report.scheduled} runs of schedules, ${report.loops.rounds} rounds of ${report.loops.submitted} loops, ${report.messages} messages, ${report.wakes} wakes, ${report.parks} parks, ${report.told} calls of a hook`,
    `changed     ${counted(report.changes)}`,
    `work        ${counted(report.work)}`,
    `compared    ${report.bytes} bytes of output; ${report.samples} looks at the database while it ran`,
    ...subjects.slice(0, shown).flatMap(describe),
    ...(subjects.length > shown ? ["", `and ${subjects.length - shown} more with violations (--json shows all)`] : []),
    "",
    closing(report)
  ]
}
