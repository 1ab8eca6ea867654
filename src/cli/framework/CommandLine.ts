/**
 * Parses a command line strictly: an unknown flag is an error, never a word of the prompt. The known options come from
 * the option definitions of the command.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import type * as Usage from "@effect/cli/Usage"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Spelling from "../../domain/Spelling.ts"
import { UsageError } from "./UsageError.ts"

export const config = CliConfig.make({ isCaseSensitive: true, showBuiltIns: false })

/** The notation of one option or positional argument. */
export interface Shape {
  /** `--priority`, `-p`; for an argument `<prompt>`. */
  readonly names: ReadonlyArray<string>
  /** The name of its value, `duration` or `P0 | P1 | P2`; null for a switch. */
  readonly value: string | null
  readonly repeated: boolean
  readonly optional: boolean
}

/** The options or arguments behind a usage description, in order. */
export const shapesOf = (usage: Usage.Usage): ReadonlyArray<Shape> => {
  const walk = (self: Usage.Usage, repeated: boolean, optional: boolean): ReadonlyArray<Shape> => {
    switch (self._tag) {
      case "Named":
        return [{ names: self.names, value: Option.getOrNull(self.acceptedValues), repeated, optional }]
      case "Optional":
        return walk(self.usage, repeated, true)
      case "Repeated":
        return walk(self.usage, true, optional)
      case "Alternation":
      case "Concat":
        return [...walk(self.left, repeated, optional), ...walk(self.right, repeated, optional)]
      case "Empty":
      case "Mixed":
        return []
    }
  }
  return walk(usage, false, false)
}

/** The name that `word` was probably meant to be: one that begins with it, or the closest one. */
export const nearest = (word: string, candidates: ReadonlyArray<string>): string | null =>
  (word.length > 2 ? candidates.find((candidate) => candidate.startsWith(word)) : undefined) ??
  Spelling.nearest(word, candidates)

export interface CommandLine {
  /** Values by the option's first name; empty for a switch. */
  readonly values: ReadonlyMap<string, ReadonlyArray<string>>
  readonly positionals: ReadonlyArray<string>
}

/** Splits the words that follow a command's name. `command` is for messages: `beat run`. */
export const parse = (
  words: ReadonlyArray<string>,
  shapes: ReadonlyArray<Shape>,
  command: string
): Either.Either<CommandLine, UsageError> => {
  const values = new Map<string, Array<string>>()
  const positionals: Array<string> = []
  const names = shapes.flatMap((shape) => shape.names)
  const find = (name: string) => shapes.find((shape) => shape.names.includes(name))
  const usage = (problem: string, hint: string | null) => Either.left(new UsageError({ problem, hint }))
  const unknown = (name: string) => {
    const close = nearest(name, names)
    const help = `'${command} --help' lists the options; after '--' everything is an argument.`
    return usage(`Unknown option '${name}'`, close === null ? help : `Did you mean '${close}'? ${help}`)
  }
  const add = (shape: Shape, name: string, value: string | null): UsageError | null => {
    const key = shape.names[0] ?? name
    const before = values.get(key)
    if (before === undefined) values.set(key, value === null ? [] : [value])
    else if (value !== null && shape.repeated) before.push(value)
    else if (value !== null) return new UsageError({ problem: `Option '${name}' is given twice`, hint: null })
    return null
  }

  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ""
    if (word === "--") {
      positionals.push(...words.slice(at + 1))
      break
    }
    if (word === "-" || !word.startsWith("-")) {
      positionals.push(word)
      continue
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1
    let name = equals < 0 ? word : word.slice(0, equals)
    let attached = equals < 0 ? null : word.slice(equals + 1)
    // Short options may be combined: `-fj`, `-n20`.
    if (!word.startsWith("--") && word.length > 2) {
      name = word.slice(0, 2)
      const rest = word.slice(2)
      const shape = find(name)
      if (shape === undefined) return unknown(word)
      if (shape.value === null) {
        if (find(`-${rest.slice(0, 1)}`) === undefined) return unknown(word)
        const problem = add(shape, name, null)
        if (problem !== null) return Either.left(problem)
        return Either.flatMap(parse([`-${rest}`, ...words.slice(at + 1)], shapes, command), (tail) =>
          merge({ values, positionals }, tail, shapes)
        )
      }
      attached = rest.startsWith("=") ? rest.slice(1) : rest
    }
    const shape = find(name)
    if (shape === undefined) return unknown(name)
    if (shape.value !== null && attached === null) {
      const next = words[at + 1]
      if (next === undefined || next === "--" || names.includes(next)) {
        return usage(`Option '${name}' needs a value (${shape.value})`, null)
      }
      attached = next
      at += 1
    }
    const problem = add(shape, name, attached)
    if (problem !== null) return Either.left(problem)
  }
  return Either.right({ values, positionals })
}

const merge = (
  head: CommandLine,
  tail: CommandLine,
  shapes: ReadonlyArray<Shape>
): Either.Either<CommandLine, UsageError> => {
  const values = new Map(head.values)
  for (const [key, more] of tail.values) {
    const before = values.get(key)
    if (before !== undefined && more.length > 0) {
      if (shapes.find((shape) => shape.names[0] === key)?.repeated !== true) {
        return Either.left(new UsageError({ problem: `Option '${key}' is given twice`, hint: null }))
      }
    }
    values.set(key, [...(before ?? []), ...more])
  }
  return Either.right({ values, positionals: [...head.positionals, ...tail.positionals] })
}
