/**
 * Defines a command: its options and arguments as values of `@effect/cli`, and an effect. Strict parsing, help,
 * completions and exit codes are the same for all commands.
 *
 * Weighed: `Command` and `CliApp` of `@effect/cli`. They add 32 KB to the light bundle, evaluate all commands before they pick
 * one, and decide help, errors and exit codes. Use them when they load a command on demand and leave these to the caller.
 * docs/decisions/0003-own-command-runner.md
 */
import * as Args from "@effect/cli/Args"
import type * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import type { ValidationError } from "@effect/cli/ValidationError"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as PlatformTerminal from "@effect/platform/Terminal"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { type Answer, answering } from "../Answer.ts"
import { type MachineServices, Stores } from "./Access.ts"
import { Caller } from "./Caller.ts"
import { type CommandLine, config, type Shape, shapesOf } from "./CommandLine.ts"
import type { ExitCode } from "./ExitCode.ts"
import { textOf } from "./HelpText.ts"
import type { Terminal } from "./Terminal.ts"
import { UsageError } from "./UsageError.ts"

/** An error of a command: it has a name and a message for people. */
export interface Failure {
  readonly _tag: string
  readonly message: string
}

/** The section of the overview that lists the command. */
export type Section = "tasks" | "watch" | "machine" | "hidden"

/** What every command may use without opening the database. */
export type CommandServices = MachineServices | Terminal | Caller

interface Spec<O, A, E, R> {
  /** One or two words: `run`, `config get`. Empty for `beat` without a command. */
  readonly name: string
  readonly aliases?: ReadonlyArray<string>
  readonly section: Section
  /** One line for the overview. */
  readonly summary: string
  /** More text for the command's help page. */
  readonly details?: string
  readonly examples?: ReadonlyArray<readonly [line: string, what: string]>
  /** `Options.all({...})`, or `Options.none`. */
  readonly options: Options.Options<O>
  /** `Args.all({...})`, or `Args.none`. */
  readonly args: Args.Args<A>
  /** Which candidates completions offer for positional arguments. */
  readonly completes?: "task" | "agent" | "pipeline" | "schedule" | "loop" | "none"
  /** What an agent may not do from inside a task, after "may not": `change settings`. */
  readonly forPersons?: string
  /** Whether what is not given stays as it is: then the help of the options names no defaults. */
  readonly keeps?: boolean
  /** What the command gives its caller (default: `work`). */
  readonly answer?: (options: O) => Answer
  /** Whether it changes no row and no file, so that the process may leave as soon as the answer is written. */
  readonly looks?: boolean
  readonly run: (options: O, args: A) => Effect.Effect<ExitCode, E, R>
}

/** A command without type parameters. */
export interface Command extends Omit<Spec<unknown, unknown, Failure, never>, "run" | "options" | "args" | "answer"> {
  readonly path: ReadonlyArray<string>
  readonly optionShapes: ReadonlyArray<Shape>
  readonly argumentShapes: ReadonlyArray<Shape>
  readonly optionHelp: HelpDoc.HelpDoc
  readonly argumentHelp: HelpDoc.HelpDoc
  readonly execute: (line: CommandLine) => Effect.Effect<ExitCode, Failure, CommandServices>
}

// The types of the parsers require these services, but no option here reads a file or asks a question.
const parserServices = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Layer.succeed(
    PlatformTerminal.Terminal,
    PlatformTerminal.Terminal.of({
      columns: Effect.succeed(80),
      rows: Effect.succeed(24),
      isTTY: Effect.succeed(false),
      readInput: Effect.dieMessage("no option asks a question"),
      readLine: Effect.dieMessage("no option asks a question"),
      display: () => Effect.void
    })
  )
)

/** Rewrites the messages of `@effect/cli` that do not follow our style. */
const inOurWords = (text: string): string =>
  text
    .replace(/^Expected to find option: '(.*)'$/, "Missing option '$1'")
    .replace("Expected one of the following cases: ", "Expected one of these: ")

const toUsageError =
  (command: string) =>
  (error: ValidationError): UsageError =>
    new UsageError({
      problem: textOf(error.error).map(inOurWords).join("\n"),
      hint: `'${command} --help' shows how to use it.`
    })

const refuseInside = (step: string | undefined) =>
  step === undefined
    ? Effect.void
    : Effect.flatMap(Caller, ({ environment }) => requireOutside(submitterOf(environment), step))

/** A command that needs no database. */
export const command = <O, A, E extends Failure>(spec: Spec<O, A, E, CommandServices>): Command => {
  const { answer, args, options, run, ...rest } = spec
  const full = spec.name === "" ? "beat" : `beat ${spec.name}`
  const read = (line: CommandLine) =>
    Effect.gen(function* () {
      const [stray, positionals] = yield* Args.validate(args, line.positionals, config)
      const [first] = stray
      if (first !== undefined) {
        return yield* new UsageError({
          problem: `Unexpected argument '${first.length > 60 ? `${first.slice(0, 59)}…` : first}'`,
          hint: `'${full} --help' shows how to use it; put a text of several words in quotes.`
        })
      }
      return { options: yield* Options.parse(options, HashMap.fromIterable(line.values), config), positionals }
    }).pipe(
      Effect.mapError((error) => (error._tag === "UsageError" ? error : toUsageError(full)(error))),
      Effect.provide(parserServices)
    )
  return {
    ...rest,
    path: spec.name === "" ? [] : spec.name.split(" "),
    // Computed on demand: a run needs the options of one command, not of all commands.
    get optionShapes() {
      return shapesOf(Options.getUsage(options))
    },
    get argumentShapes() {
      return shapesOf(Args.getUsage(args))
    },
    get optionHelp() {
      return Options.getHelp(options)
    },
    get argumentHelp() {
      return Args.getHelp(args)
    },
    execute: (line): Effect.Effect<ExitCode, Failure, CommandServices> =>
      Effect.flatMap(Effect.zipLeft(read(line), refuseInside(spec.forPersons)), (given) =>
        run(given.options, given.positionals).pipe(answering(answer === undefined ? "work" : answer(given.options)))
      )
  }
}

/** A command that uses the services in its type; the database is opened for it. */
const onStore =
  <S>(layer: (stores: Stores["Type"]) => Layer.Layer<S, Failure>, answer: Answer) =>
  <O, A, E extends Failure>(spec: Spec<O, A, E, CommandServices | S>): Command =>
    command({
      answer: () => answer,
      looks: answer === "output",
      ...spec,
      run: (options, args) => Effect.flatMap(Stores, (stores) => Effect.provide(spec.run(options, args), layer(stores)))
    })

/** A command that only looks at tasks: it creates no file and works without a database. */
export const bareCommand = onStore(({ look }) => look, "output")

/** A command that reads all parts of the database and writes none. */
export const readOnlyCommand = onStore(({ read }) => read, "output")

/** A command that writes to the database, and creates it at first use. */
export const readWriteCommand = onStore(({ write }) => write, "work")
