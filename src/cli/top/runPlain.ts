/** `beat top` as lines: one for each change, and commands as lines on stdin. For screen readers, pipes and plain terminals. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Queue from "effect/Queue"
import type { StorageError } from "../../domain/Errors.ts"
import type { Notice } from "../../domain/events/Notice.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { makeLook, type TopRow } from "../../programs/top/Look.ts"
import { CommitNotifier } from "../../services/CommitNotifier.ts"
import { Installation } from "../../services/Installation.ts"
import { Notices } from "../../services/Notices.ts"
import { Paths } from "../../services/Paths.ts"
import { Tasks } from "../../services/Tasks.ts"
import { moment } from "../../text/FormatDuration.ts"
import { Stores } from "../framework/Access.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { Terminal } from "../framework/Terminal.ts"
import { noticeFacts } from "../output/EventText.ts"
import { plain } from "../output/TaskTable.ts"
import { everything, type Filter, wordsOf } from "./Filter.ts"
import { FullScreen } from "./FullScreen.ts"
import { listKeys } from "./Keys.ts"
import { runWords, wordsThatRun } from "./runWords.ts"
import { shown } from "./Span.ts"
import { noteOf, stateOf } from "./TaskLine.ts"
import { troubleWords } from "./troubleWords.ts"

/** Interval at which the database is read even if the file system reports no change. */
const sureMs = 10_000

/** After an error of the database, until it is opened again. */
const reopenMs = 2000

const batch = 500

/** Rows of each kind that are printed at the start. */
const atStart = 50

/** What `help` prints: every key that acts has a line that does the same. */
export const plainHelp: ReadonlyArray<string> = [
  "Lines that are commands, as after 'beat':",
  ...listKeys.flatMap(({ what, word }) => (word === null ? [] : [`  ${word.padEnd(20)} ${what}`])),
  `Also: ${wordsThatRun.join(", ")}, with their options. ID may be the beginning of an id.`
]

const clock = (at: number): string => moment(at).slice(11)

/** Whether a task fits the filter. */
export const fits = ({ filter, text }: Filter, task: TaskSummary): boolean =>
  (filter.status.length === 0 || filter.status.includes(task.status)) &&
  (filter.agent === null || filter.agent === task.agent) &&
  (filter.directory === null || filter.directory === task.directory) &&
  (filter.since === null || task.createdAt >= filter.since) &&
  Object.entries(filter.labels).every(([key, value]) => task.labels[key] === value) &&
  (text === "" || task.id.includes(text) || task.title.toLowerCase().includes(text))

const isEverything = (filter: Filter): boolean =>
  filter === everything || JSON.stringify(filter) === JSON.stringify(everything)

/** `14:02:11 k3v9x2m7q4ab failed (exit 3): npm test` */
const changeLine = (notice: Notice): string => {
  const { at, kind, subject, taskId, title } = notice
  const facts = noticeFacts(notice)
  const what = kind === "ended" ? facts : [kind, facts].filter((part) => part !== "").join(" ")
  const about = taskId ?? plain(notice.pipelineId ?? subject ?? "")
  const name = title === null ? "" : `: ${plain(title)}`
  return `${clock(at)} ${[about, what].filter((part) => part !== "").join(" ")}${name}`
}

/** `14:02:11 k3v9x2m7q4ab running: npm test` */
const rowLine = (row: TopRow, now: number): string => {
  const note = noteOf(row, now)
  return `${clock(now)} ${row.task.id} ${stateOf(row).word}${note === "" ? "" : `, ${plain(note)}`}: ${plain(row.task.title)}`
}

export const runPlain = (filter: Filter, ascii: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const terminal = yield* Terminal
      const screen = yield* FullScreen
      const stores = yield* Stores
      const commits = yield* CommitNotifier
      const { database } = yield* Paths
      const { file } = yield* Installation
      const isThere = Effect.map(file(database), ({ kind }) => kind === "file")
      const print = (line: string) => terminal.print(shown(line, ascii))
      let last: number | null = null

      const begin = Effect.gen(function* () {
        const { look } = yield* makeLook
        const { newest } = yield* (yield* Notices).bounds
        const { at, counts, queued, running } = yield* look({ ...filter, limit: atStart })
        yield* print(`${clock(at)} ${counts.running} running, ${counts.queued} queued; 'help' lists the commands`)
        for (const row of [...running, ...queued]) yield* print(rowLine(row, at))
        return newest
      })

      const tellNew = Effect.fnUntraced(function* (after: number) {
        const notices = yield* Notices
        const tasks = yield* Tasks
        let seq = after
        while (true) {
          const found = yield* notices.after(seq, batch)
          for (const notice of found) {
            seq = notice.seq
            const task = notice.taskId === null ? null : yield* Effect.either(tasks.summary(notice.taskId))
            const wanted = isEverything(filter) || (task !== null && Either.isRight(task) && fits(filter, task.right))
            if (wanted) yield* print(changeLine(notice))
          }
          if (found.length < batch) return seq
        }
      })

      /** One opening of the database; it returns once there is a file where there was none. */
      const session = Effect.gen(function* () {
        const tasks = yield* Tasks
        last ??= yield* begin
        let version = -1
        while (true) {
          const now = yield* tasks.version
          if (now !== version) last = yield* tellNew(last)
          version = now
          yield* commits.changed(sureMs)
          // A home without a file, or with one that is just being made, reads as an empty database: it is opened again.
          if (last === 0 && (yield* isThere)) return
        }
      })

      const waiting = (error: StorageError) => {
        // Events of another database have other numbers.
        if (error.reason === "moved") last = null
        return Effect.zipRight(terminal.say(`beat: ${troubleWords(error)}`), Effect.sleep(reopenMs))
      }

      const watching = Effect.scoped(Effect.provide(session, stores.read)).pipe(
        Effect.catchAll(waiting),
        Effect.forever
      )

      const lines = yield* screen.lines
      const obey = Effect.gen(function* () {
        while (true) {
          const line = yield* Queue.take(lines)
          // A person ends it by the end of the input; a pipe that has no more commands does not.
          if (line === null) {
            if (screen.keyboard) return ExitCode.ok
            return yield* Effect.never
          }
          const given = wordsOf(line.trim())
          const words = given[0] === "beat" ? given.slice(1) : given
          const [first] = words
          if (first === undefined) continue
          if (first === "quit" || first === "exit" || first === "q") return ExitCode.ok
          if (first === "help" || first === "?") {
            for (const one of plainHelp) yield* print(one)
          } else if (wordsThatRun.includes(first)) {
            const { lines: said } = yield* runWords(words, terminal.stdout.columns)
            for (const one of said.length === 0 ? ["done"] : said) yield* print(one)
          } else yield* print(`no such command here: ${plain(first)}; 'help' lists them`)
        }
      })

      return yield* Effect.raceFirst(watching, obey)
    })
  )
