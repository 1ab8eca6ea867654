/** Values on a command line: durations, moments, sizes, pairs. Each has a parser and an option. */
import * as Args from "@effect/cli/Args"
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { parseDuration } from "../../domain/Duration.ts"
import { isName, ownOf } from "../../domain/Named.ts"
import { parseDependency } from "../../domain/task/Dependency.ts"
import { Priority } from "../../domain/task/Task.ts"
import { type Direction, readMoment } from "../../programs/schedules/readMoment.ts"

/** The value, or what is wrong with it and an example. */
type Parsed<A> = Either.Either<A, string>

const sizes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1000,
  kib: 1024,
  m: 1_000_000,
  mb: 1_000_000,
  mib: 1024 ** 2,
  g: 1_000_000_000,
  gb: 1_000_000_000,
  gib: 1024 ** 3
}

/** `10MB`, `512k`, `1GiB`, `4096`: bytes. */
export const parseSize = (text: string): Parsed<number> => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase())
  const factor = ownOf(sizes, match?.[2] ?? "?")
  if (match === null || factor === undefined) {
    return Either.left(`'${text}' is not a size; use e.g. 512k, 10MB or 1GiB`)
  }
  const bytes = Math.round(Number(match[1]) * factor)
  return Number.isSafeInteger(bytes) ? Either.right(bytes) : Either.left(`'${text}' is too large`)
}

/** `KEY=VALUE`; the value may be empty and may contain `=`. */
export const parsePair = (text: string): Parsed<readonly [string, string]> => {
  const at = text.indexOf("=")
  if (at >= 1 && !isName(text.slice(0, at))) return Either.left(`'${text.slice(0, at)}' cannot be a name`)
  return at < 1
    ? Either.left(`'${text}' is not a pair; use KEY=VALUE`)
    : Either.right([text.slice(0, at), text.slice(at + 1)])
}

/** Parses the text of an option; an error names the option. */
export const parsed =
  <A>(name: string, parse: (text: string) => Parsed<A>) =>
  (option: Options.Options<string>): Options.Options<A> =>
    Options.mapEffect(option, (text) =>
      Either.mapLeft(parse(text), (problem) => ValidationError.invalidValue(HelpDoc.p(`--${name}: ${problem}`)))
    )

const text = (name: string, placeholder: string) => Options.text(name).pipe(Options.withPseudoName(placeholder))

/** Milliseconds. */
export const duration = (name: string): Options.Options<number> =>
  text(name, "duration").pipe(parsed(name, parseDuration))

/** Bytes. */
export const size = (name: string): Options.Options<number> => text(name, "size").pipe(parsed(name, parseSize))

/** Milliseconds since 1970. */
export const moment = (name: string, direction: Direction): Options.Options<number> =>
  text(name, "time").pipe(
    Options.mapEffect((written) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.mapError(readMoment(written, { direction, now, zone: null }), (problem) =>
          ValidationError.invalidValue(HelpDoc.p(`--${name}: ${problem}`))
        )
      )
    )
  )

/** A whole number within bounds. */
export const count = (name: string, low: number, high: number): Options.Options<number> =>
  text(name, "number").pipe(
    parsed(name, (written) => {
      const value = /^\d+$/.test(written) ? Number(written) : Number.NaN
      return value >= low && value <= high
        ? Either.right(value)
        : Either.left(`'${written}' is not a whole number from ${low} to ${high}`)
    })
  )

const oneOf =
  <A extends string>(values: ReadonlyArray<A>) =>
  (written: string): Parsed<A> => {
    const found = values.find((value) => value === written)
    return found === undefined ? Either.left(`'${written}' is not one of ${values.join(", ")}`) : Either.right(found)
  }

/** One of a few words. */
export const choice = <A extends string>(name: string, values: ReadonlyArray<A>): Options.Options<A> =>
  text(name, values.join(" | ")).pipe(parsed(name, oneOf(values)))

/** The line that names an option fits on a screen; the description lists what this leaves out. */
const shownChoices = (values: ReadonlyArray<string>): string => {
  const all = values.join(" | ")
  return all.length <= 70 ? all : "WORD"
}

/** The same, repeatable. */
export const choices = <A extends string>(
  name: string,
  alias: string | null,
  values: ReadonlyArray<A>
): Options.Options<ReadonlyArray<A>> =>
  text(name, shownChoices(values)).pipe(
    (option) => (alias === null ? option : Options.withAlias(option, alias)),
    Options.repeated,
    Options.mapEffect((all) =>
      Either.mapLeft(Either.all(all.map(oneOf(values))), (problem) =>
        ValidationError.invalidValue(HelpDoc.p(`--${name}: ${problem}`))
      )
    )
  )

/** `--label team=web --label urgent=yes`: a record in which the last value of a key wins. */
export const pairs = (name: string): Options.Options<Readonly<Record<string, string>>> =>
  text(name, "key=value").pipe(
    Options.repeated,
    Options.mapEffect((all) =>
      Either.mapLeft(
        Either.map(Either.all(all.map(parsePair)), (list) => Object.fromEntries(list)),
        (problem) => ValidationError.invalidValue(HelpDoc.p(`--${name}: ${problem}`))
      )
    )
  )

/** An optional text; null if it is not given. */
export const optionalText = (name: string, placeholder: string): Options.Options<string | null> =>
  text(name, placeholder).pipe(Options.withDefault(null))

/** `--json`, the same on every command. */
export const json = Options.boolean("json").pipe(Options.withDescription("Print one JSON document"))

/** P0, P1 or P2, in either case. */
export const priority: Options.Options<Priority> = text("priority", "P0|P1|P2").pipe(
  parsed("priority", (written) =>
    Either.mapLeft(
      Schema.decodeUnknownEither(Priority)(written.toUpperCase()),
      () => `'${written}' is not a priority; use P0 (first), P1 or P2`
    )
  ),
  Options.withAlias("p")
)

/** `--after k3v9,x2m7:finished`, repeatable. */
export const dependencies = (name: string) =>
  text(name, "id[:policy],...").pipe(
    Options.repeated,
    Options.mapEffect((all) =>
      Either.mapBoth(Either.all(all.flatMap((list) => list.split(",")).map(parseDependency)), {
        onLeft: (problem) => ValidationError.invalidValue(HelpDoc.p(`--${name}: ${problem}`)),
        onRight: (found) => found
      })
    )
  )

/** A task: its id, a unique beginning of it, or `@last`. */
export const task = Args.text({ name: "id" }).pipe(
  Args.withDescription("Id of a task, a unique beginning of it, or @last")
)

/** The same, where the command takes the ids of other things too. */
export const taskOr = (others: string) =>
  Args.text({ name: "id" }).pipe(
    Args.withDescription(`Id of a task, ${others}, a unique beginning of one, or @last, the newest task`)
  )

/** The variables of a pipeline or a loop in a file. */
export const fileVariables = pairs("var").pipe(
  Options.withDescription("Set a variable of the file; repeatable (default: the value in the file)")
)
