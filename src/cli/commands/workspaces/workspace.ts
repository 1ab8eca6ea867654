/** `beat workspace list`, `path`, `keep`, `reclaim` and `restore`. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"
import { Workspace, WorkspaceState } from "../../../domain/workspace/Workspace.ts"
import { submitterOf } from "../../../programs/tasks/Submitter.ts"
import { keepFor, reclaimFor, restoreFor } from "../../../programs/workspaces/WorkspaceChanges.ts"
import { SettingsStore } from "../../../services/SettingsStore.ts"
import { WorkspaceGit } from "../../../services/WorkspaceGit.ts"
import { type WorkspaceEntry, Workspaces } from "../../../services/Workspaces.ts"
import { bytes, relative, shortSpan } from "../../../text/FormatDuration.ts"
import { Caller } from "../../framework/Caller.ts"
import { readOnlyCommand, readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { stylesOf } from "../../framework/Style.ts"
import { type Screen, Terminal } from "../../framework/Terminal.ts"
import { choices, count, json } from "../../input/Values.ts"
import { type Column, table } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"

const workspace = Args.text({ name: "id" }).pipe(
  Args.withDescription("Id of a workspace or of a task in it, a unique beginning of it, or @last")
)

/** What `--json` prints. */
const WorkspaceList = Schema.Array(
  Schema.Struct({
    ...Workspace.fields,
    /** The newest task in it. */
    taskId: Schema.NullOr(TaskId),
    title: Schema.NullOr(Schema.String),
    /** Whether a task in it runs. */
    working: Schema.Boolean,
    /** Bytes on disk; null where they were not counted. */
    bytes: Schema.NullOr(Schema.Int)
  })
).annotations({ identifier: "WorkspaceList" })

const columns: ReadonlyArray<Column> = [
  { title: "ID" },
  { title: "SLOT", align: "right", dropAt: 2 },
  { title: "STATE" },
  { title: "SIZE", align: "right", dropAt: 1 },
  { title: "USED", align: "right", dropAt: 3 },
  { title: "STAYS", dropAt: 0 },
  { title: "TASK", shrinkTo: 8 }
]

const stays = ({ workspace, working }: WorkspaceEntry, now: number, keepMs: number, trashMs: number): string => {
  if (workspace.kept) return "kept"
  if (working || workspace.state === "gone") return ""
  const until = workspace.usedAt + (workspace.state === "trashed" ? trashMs : keepMs)
  return until <= now ? "until a worker is idle" : relative(until, now)
}

type Sized = WorkspaceEntry & { readonly bytes: number | null }

const workspaceTable = (
  entries: ReadonlyArray<Sized>,
  now: number,
  settings: { readonly workspaceKeepMs: number; readonly workspaceTrashMs: number },
  screen: Screen
) => {
  const { bold, dim, yellow } = stylesOf(screen)
  return table(
    columns,
    entries.map((entry) => [
      { text: entry.workspace.id, style: bold },
      { text: entry.workspace.slot === null ? "-" : String(entry.workspace.slot) },
      entry.working ? { text: "working", style: yellow } : { text: entry.workspace.state },
      { text: entry.bytes === null ? "" : bytes(entry.bytes) },
      { text: shortSpan(Math.max(0, now - entry.workspace.usedAt)), style: dim },
      { text: stays(entry, now, settings.workspaceKeepMs, settings.workspaceTrashMs) },
      { text: plain(entry.title ?? "") }
    ]),
    screen.columns,
    dim
  )
}

const counted = (entries: ReadonlyArray<Sized>) => entries.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0)

/** The disk space of the shown workspaces, and the limit for all. */
const sumOf = (entries: ReadonlyArray<Sized>, maxBytes: number | null): string => {
  const trash = entries.filter(({ workspace }) => workspace.state === "trashed")
  const live = entries.filter((entry) => !trash.includes(entry))
  const most = maxBytes === null ? "" : ` of ${bytes(maxBytes)}`
  const rest = trash.length === 0 ? "" : `; trash ${bytes(counted(trash))}`
  return `${live.length} ${live.length === 1 ? "workspace" : "workspaces"}, ${bytes(counted(live))}${most}${rest}`
}

export const workspaceList = readOnlyCommand({
  name: "workspace list",
  section: "watch",
  summary: "List the workspaces of isolated tasks, newest first",
  examples: [["beat workspace list -s trashed", "what can be restored"]],
  options: Options.all({
    status: choices("state", "s", WorkspaceState.literals).pipe(
      Options.withDescription("Show only workspaces in this state; repeatable (default: all but gone)")
    ),
    limit: count("limit", 1, 1000).pipe(
      Options.withAlias("n"),
      Options.withDefault(50),
      Options.withDescription("Show this many, at most 1000 (default: 50)")
    ),
    json
  }),
  args: Args.none,
  run: Effect.fn("beat.workspace.list")(function* (given) {
    const terminal = yield* Terminal
    const git = yield* WorkspaceGit
    const state = given.status.length > 0 ? given.status : (["planned", "ready", "reclaiming", "trashed"] as const)
    const entries = yield* (yield* Workspaces).list({ state, limit: given.limit })
    const sized = yield* Effect.forEach(entries, (entry) => {
      const path = entry.workspace.state === "trashed" ? entry.workspace.trashPath : entry.workspace.path
      return Effect.map(
        path === null ? Effect.succeed(null) : git.size(path),
        (size): Sized => ({ ...entry, bytes: size })
      )
    })
    if (given.json) {
      yield* printJson(
        WorkspaceList,
        sized.map(({ workspace, ...entry }) => ({ ...workspace, ...entry }))
      )
      return ExitCode.ok
    }
    if (sized.length === 0) {
      yield* terminal.say('No workspaces. An isolated task makes one: beat run --isolate "..."')
      return ExitCode.ok
    }
    const settings = yield* (yield* SettingsStore).get
    yield* terminal.print(workspaceTable(sized, yield* Clock.currentTimeMillis, settings, terminal.stdout).join("\n"))
    yield* terminal.say(stylesOf(terminal.stderr).dim(sumOf(sized, settings.workspaceMaxBytes)))
    return ExitCode.ok
  })
})

export const workspacePath = readOnlyCommand({
  name: "workspace path",
  section: "watch",
  summary: "Print the directory of a workspace",
  examples: [["cd $(beat workspace path k3v)", "look around in it"]],
  options: Options.none,
  args: Args.optional(workspace),
  completes: "task",
  run: Effect.fn("beat.workspace.path")(function* (_, reference) {
    const terminal = yield* Terminal
    const workspaces = yield* Workspaces
    const found = yield* workspaces.get(yield* workspaces.resolve(Option.getOrElse(reference, () => "@last")))
    yield* terminal.print(found.path)
    if (found.state === "ready" || found.state === "reclaiming") return ExitCode.ok
    const hint =
      found.state === "planned" ? "it is made when its task starts" : `restore it: beat workspace restore ${found.id}`
    yield* terminal.say(`beat: the workspace is not there now; ${hint}`)
    return ExitCode.failed
  })
})

export const workspaceKeep = readWriteCommand({
  name: "workspace keep",
  section: "tasks",
  summary: "Keep a workspace until you say otherwise",
  examples: [["beat workspace keep --off k3v", "let it be reclaimed again"]],
  options: Options.all({
    off: Options.boolean("off").pipe(Options.withDescription("Let it be reclaimed again"))
  }),
  args: Args.all({ id: workspace }),
  completes: "task",
  run: Effect.fn("beat.workspace.keep")(function* (given, { id }) {
    const terminal = yield* Terminal
    const workspaces = yield* Workspaces
    const resolved = yield* workspaces.resolve(id)
    yield* keepFor(resolved, !given.off, submitterOf((yield* Caller).environment))
    yield* terminal.print(given.off ? `${resolved} may be reclaimed` : `${resolved} is kept`)
    return ExitCode.ok
  })
})

export const workspaceReclaim = readWriteCommand({
  name: "workspace reclaim",
  section: "tasks",
  summary: "Move a workspace to the trash; what its tasks left stays in the repository",
  details:
    "Refuses while a task or another process works in it, and where it holds a repository whose contents are in no commit.",
  examples: [["beat workspace reclaim k3v", "its files stay in the trash for a week"]],
  options: Options.none,
  args: Args.all({ id: workspace }),
  completes: "task",
  run: Effect.fn("beat.workspace.reclaim")(function* (_, { id }) {
    const terminal = yield* Terminal
    const { late, trashPath, ...reclaimed } = yield* reclaimFor(
      yield* (yield* Workspaces).resolve(id),
      submitterOf((yield* Caller).environment)
    )
    yield* terminal.print(
      trashPath === null ? `${reclaimed.id} had no files` : `${reclaimed.id} is in the trash: ${trashPath}`
    )
    if (late) {
      yield* terminal.say(`Files had changed after its last task: refs/backbeat/ws/${reclaimed.id}/late holds them`)
    }
    return ExitCode.ok
  })
})

export const workspaceRestore = readWriteCommand({
  name: "workspace restore",
  section: "tasks",
  summary: "Bring a reclaimed workspace back to its path",
  details: "From the trash with all of its files; after that, with the files of its last commit.",
  examples: [["beat workspace restore k3v", "from the trash or from its commit"]],
  options: Options.none,
  args: Args.all({ id: workspace }),
  completes: "task",
  run: Effect.fn("beat.workspace.restore")(function* (_, { id }) {
    const terminal = yield* Terminal
    const restored = yield* restoreFor(yield* (yield* Workspaces).resolve(id), submitterOf((yield* Caller).environment))
    yield* terminal.print(restored.path)
    return ExitCode.ok
  })
})
