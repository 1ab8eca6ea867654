/** Reads what the live screen shows, only when a commit or its user makes that necessary. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { StorageError } from "../../domain/Errors.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { type LookRequest, makeLook } from "../../programs/top/Look.ts"
import { makeOutputTail, type OutputTail } from "../../programs/top/OutputTail.ts"
import { CommitNotifier } from "../../services/CommitNotifier.ts"
import { Installation } from "../../services/Installation.ts"
import { Paths } from "../../services/Paths.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Stores } from "../framework/Access.ts"
import { showWords } from "./runWords.ts"
import type { Pane } from "./TopState.ts"
import { troubleWords } from "./troubleWords.ts"
import type { TopEvent } from "./update.ts"

export interface Want {
  readonly request: LookRequest
  /** The task whose pane is shown. */
  readonly task: Pick<TaskSummary, "id" | "agent" | "endedAt"> | null
  readonly pane: Pane
  /** Whether the whole screen is for it: then the diff is the whole patch. */
  readonly full: boolean
  readonly columns: number
}

interface QueueWatch {
  /** Sets what is shown from now on. */
  readonly want: (want: Want) => Effect.Effect<void>
  /** Reads again: this process has changed something. */
  readonly again: Effect.Effect<void>
}

/** Between two reads, in milliseconds. */
const restMs = 100

/** Interval at which the database is read even if the file system reports no change. */
const sureMs = 10_000

/** A killed worker writes nothing, so its process is checked this often while tasks run. */
const workersMs = 5000

/** Facts and diffs cost more than a row, so they are made again at most this often. */
const paneMs = 1000

/** After an error that does not pass, until the database is opened again. */
const reopenMs = 2000

const wordsFor = ({ full, pane, task }: Want, id: string): ReadonlyArray<string> =>
  pane === "facts" ? ["status", id] : full || task?.endedAt === null ? ["diff", id] : ["diff", "--stat", id]

const sameTask = (one: Want["task"], other: Want["task"]) => one?.id === other?.id && one?.endedAt === other?.endedAt

/** Reads in fibers of the scope, and passes on what it finds. */
export const watchQueue = (first: Want, tell: (event: TopEvent) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const stores = yield* Stores
    const commits = yield* CommitNotifier
    const { database } = yield* Paths
    const { file } = yield* Installation
    const isThere = Effect.map(file(database), ({ kind }) => kind === "file")
    const bell = yield* Queue.sliding<void>(1)
    const ring = Queue.offer(bell, undefined)
    const later = (ms: number) => Effect.forkScoped(Effect.zipRight(Effect.sleep(ms), ring))
    let wanted = first
    let forced = false
    let running = 0

    /** One opening of the database. It returns when the database may be another one now. */
    const session = Effect.gen(function* () {
      const tasks = yield* Tasks
      const { look, workersChanged } = yield* makeLook
      let empty = false
      let version = -1
      let seen: LookRequest | null = null
      let shown: Want | null = null
      let tail: { readonly id: string; readonly reader: OutputTail } | null = null
      let paneAt = 0

      const readOutput = Effect.fnUntraced(function* (task: NonNullable<Want["task"]>, fresh: boolean) {
        const isNew = tail?.id !== task.id
        const reader = tail !== null && !isNew ? tail.reader : yield* makeOutputTail(task)
        tail = { id: task.id, reader }
        const grew = (isNew || fresh) && (yield* reader.advance)
        if (isNew || grew) yield* tell({ kind: "output", taskId: task.id, text: reader.text() })
      })

      const readPane = Effect.fnUntraced(function* (want: Want, task: NonNullable<Want["task"]>, fresh: boolean) {
        const isNew =
          shown === null || shown.pane !== want.pane || shown.full !== want.full || !sameTask(shown.task, want.task)
        if (!isNew && !(fresh && want.pane === "facts")) return
        const now = yield* Clock.currentTimeMillis
        if (!isNew && now - paneAt < paneMs) return void (yield* later(paneMs))
        paneAt = now
        const { lines } = yield* showWords(wordsFor(want, task.id), Math.max(20, want.columns))
        yield* tell({ kind: "pane", text: { taskId: task.id, pane: want.pane, lines } })
      })

      const watchWorkers = Effect.gen(function* () {
        if (running === 0 || !(yield* workersChanged)) return
        forced = true
        yield* ring
      }).pipe(Effect.delay(workersMs), Effect.ignoreLogged, Effect.forever)
      yield* Effect.forkScoped(watchWorkers)

      while (true) {
        const want = wanted
        const now = yield* tasks.version
        const fresh = now !== version || forced
        forced = false
        version = now
        if (fresh || seen !== want.request) {
          const view = yield* look(want.request)
          seen = want.request
          running = view.counts.running
          empty = Object.values(view.counts).every((count) => count === 0)
          yield* tell({ kind: "view", view })
        }
        if (want.task !== null) {
          yield* readOutput(want.task, fresh)
          if (want.pane !== "output") yield* readPane(want, want.task, fresh)
        }
        shown = want
        yield* Effect.sleep(restMs)
        yield* Queue.take(bell)
        // A home without a file, or with one that is just being made, reads as an empty database: it is opened again.
        if (empty && (yield* isThere)) return
      }
    })

    const waiting = (error: StorageError) =>
      Effect.gen(function* () {
        yield* tell({ kind: "trouble", text: troubleWords(error) })
        yield* Effect.sleep(error.reason === "busy" ? restMs : reopenMs)
        yield* ring
      })

    yield* Effect.scoped(Effect.provide(session, stores.read)).pipe(
      Effect.catchAll(waiting),
      Effect.forever,
      Effect.forkScoped
    )
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(commits.changed(sureMs), ring)))

    const watch: QueueWatch = {
      want: (want) =>
        Effect.suspend(() => {
          const same =
            want.request === wanted.request &&
            want.pane === wanted.pane &&
            want.full === wanted.full &&
            sameTask(want.task, wanted.task)
          wanted = want
          return same ? Effect.void : ring
        }),
      again: Effect.suspend(() => {
        forced = true
        return ring
      })
    }
    return watch
  })
