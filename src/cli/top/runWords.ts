/** Runs a command of `beat` in this process: the same program, with what it prints kept for the screen. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WorkerUnavailable } from "../../domain/Errors.ts"
import { WorkerLauncher } from "../../services/WorkerLauncher.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { type MachineServices, type StoreServices, Stores } from "../framework/Access.ts"
import type { Caller } from "../framework/Caller.ts"
import type { Command } from "../framework/Command.ts"
import type { CommandEntry, CommandTree } from "../framework/CommandTree.ts"
import { main } from "../framework/main.ts"
import { capture, Terminal } from "../framework/Terminal.ts"
import { untabbed } from "./Span.ts"
import type { Words } from "./TopState.ts"

const entry = (name: string, load: () => Promise<Command>): CommandEntry => ({
  path: [name],
  aliases: [],
  load: Effect.promise(load)
})

/** The commands that keys and lines stand for. */
const tree: CommandTree = {
  groups: {},
  entries: [
    entry("cancel", () => import("../commands/tasks/cancel.ts").then(({ cancel }) => cancel)),
    entry("retry", () => import("../commands/tasks/retry.ts").then(({ retry }) => retry)),
    entry("resume", () => import("../commands/tasks/resume.ts").then(({ resume }) => resume)),
    entry("send", () => import("../commands/messages/send.ts").then(({ send }) => send)),
    entry("answer", () => import("../commands/questions/answer.ts").then(({ answer }) => answer)),
    entry("interrupt", () => import("../commands/messages/interrupt.ts").then(({ interrupt }) => interrupt)),
    entry("pause", () => import("../commands/gates/pause.ts").then(({ pause }) => pause)),
    entry("diff", () => import("../commands/merges/diff.ts").then(({ diff }) => diff)),
    entry("status", () => import("../commands/tasks/status.ts").then(({ status }) => status)),
    entry("logs", () => import("../commands/tasks/logs.ts").then(({ logs }) => logs)),
    entry("why", () => import("../commands/tasks/why.ts").then(({ why }) => why)),
    entry("list", () => import("../commands/tasks/list.ts").then(({ list }) => list))
  ]
}

export const wordsThatRun: ReadonlyArray<string> = tree.entries.flatMap(({ path }) => path.slice(0, 1))

interface Ran {
  readonly code: number
  /** What it printed, safe to show: stdout, then stderr. */
  readonly lines: ReadonlyArray<string>
}

const linesOf = (text: string): ReadonlyArray<string> =>
  text === ""
    ? []
    : text
        .replace(/\n+$/, "")
        .split("\n")
        .map((line) => untabbed(sanitize(line)))

const run = (words: Words, columns: number | null, machine: Context.Context<MachineServices>) =>
  Effect.gen(function* () {
    const terminal = capture({ columns, stdin: "" })
    const kept = yield* Effect.provide(Terminal, terminal.layer)
    // The machine's context has the terminal of this process too, which a command would take.
    const quiet = Layer.succeedContext(Context.add(machine, Terminal, kept))
    const code = yield* Effect.provideService(main(tree, quiet, words), Terminal, kept)
    const ran: Ran = { code, lines: [...linesOf(terminal.stdout()), ...linesOf(terminal.stderr())] }
    return ran
  })

/** Does what the words say. */
export const runWords = (
  words: Words,
  columns: number | null = null
): Effect.Effect<Ran, never, MachineServices | Caller> =>
  Effect.flatMap(Effect.context<MachineServices>(), (machine) => run(words, columns, machine))

const noLauncher = WorkerLauncher.of({
  launch: new WorkerUnavailable({ detail: "the live screen only looks", log: "" })
})

/** Shows only: uses the database that is already open, and never starts a worker. */
export const showWords = (
  words: Words,
  columns: number | null
): Effect.Effect<Ran, never, MachineServices | StoreServices | Caller> =>
  Effect.gen(function* () {
    const machine = yield* Effect.context<MachineServices>()
    const { write } = Context.get(machine, Stores)
    const opened = Layer.succeedContext(yield* Effect.context<StoreServices>())
    const looking = machine.pipe(
      Context.add(Stores, Stores.of({ look: opened, read: opened, write })),
      Context.add(WorkerLauncher, noLauncher)
    )
    return yield* run(words, columns, looking)
  })
