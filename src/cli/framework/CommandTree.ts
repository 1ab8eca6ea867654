/** All commands, and the choice of the command for a command line. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Command } from "./Command.ts"
import { nearest } from "./CommandLine.ts"
import { UsageError } from "./UsageError.ts"

/** The first words of two-word names, such as `config` of `config get`. */
export type Groups = Readonly<
  Record<
    string,
    {
      readonly summary: string
      /** How the group is mostly used without the name of a command. */
      readonly examples?: ReadonlyArray<readonly [line: string, what: string]>
      /** The command that runs when only the group is given. */
      readonly standard: string
      /** The command that runs when the word after the group names no command, as in `beat loop "fix it"`. */
      readonly direct?: string
      /** Whether the word may be the name of a file, as in `beat loop faster.yaml`. */
      readonly files?: boolean
    }
  >
>

/** A command by its name. Loading a definition costs time at every start, so each is loaded on demand. */
export interface CommandEntry {
  readonly path: ReadonlyArray<string>
  readonly aliases: ReadonlyArray<string>
  readonly load: Effect.Effect<Command>
}

export interface CommandTree {
  readonly entries: ReadonlyArray<CommandEntry>
  readonly groups: Groups
}

/** Loads the definitions of all commands, for help and completions. */
export interface LoadedTree {
  readonly commands: ReadonlyArray<Command>
  readonly groups: Groups
}

/** A tree of one command that is already loaded. */
export const only = (command: Command): CommandTree => ({
  entries: [{ path: command.path, aliases: command.aliases ?? [], load: Effect.succeed(command) }],
  groups: {}
})

export const loadAll = ({ entries, groups }: CommandTree): Effect.Effect<LoadedTree> =>
  Effect.map(
    Effect.forEach(entries, ({ load }) => load),
    (commands) => ({ commands, groups })
  )

/** The command or group that the words select, and the remaining words. */
type Route =
  | { readonly _tag: "Command"; readonly entry: CommandEntry; readonly rest: ReadonlyArray<string> }
  | { readonly _tag: "Group"; readonly group: string }
  | { readonly _tag: "Root" }
  | { readonly _tag: "Version" }

const isHelp = (word: string) => word === "--help" || word === "-h"
const asksHelp = (words: ReadonlyArray<string>) => {
  const end = words.indexOf("--")
  return (end < 0 ? words : words.slice(0, end)).some(isHelp)
}

const topNames = (tree: CommandTree): ReadonlyArray<string> => [
  ...new Set(
    tree.entries.flatMap(({ aliases, path: [first] }) =>
      // Names with this prefix are for programs only.
      first === undefined || first.startsWith("__") ? [] : [first, ...aliases]
    )
  ),
  "help"
]

const find = (tree: CommandTree, path: ReadonlyArray<string>): CommandEntry | undefined =>
  tree.entries.find(
    (entry) => entry.path.join(" ") === path.join(" ") || (path.length === 1 && entry.aliases.includes(path[0] ?? ""))
  )

/** Names of these commands in other programs. */
const elsewhere: Readonly<Record<string, string>> = {
  stop: "beat cancel",
  kill: "beat cancel",
  abort: "beat cancel",
  show: "beat status",
  info: "beat status",
  inspect: "beat status",
  ps: "beat list",
  jobs: "beat list",
  tail: "beat logs -f",
  attach: "beat logs -f",
  output: "beat logs",
  start: "beat run",
  submit: "beat run",
  add: "beat run",
  version: "beat --version",
  clean: "beat prune"
}

/** A word that ends like a file of ours is not a prompt. */
export const isLoopFile = (word: string): boolean => /^\S+\.(ya?ml|json)$/i.test(word)

const cancelOrPrune = "'beat cancel' cancels a task, 'beat prune' deletes tasks that have ended."

const otherWord = (given: string): string | null => {
  const word = given.toLowerCase()
  if (["rm", "remove", "delete"].includes(word)) return cancelOrPrune
  return Object.hasOwn(elsewhere, word) ? `Did you mean '${elsewhere[word]}'?` : null
}

const unknownCommand = (given: string, names: ReadonlyArray<string>, prefix: string) => {
  const shown = given.length > 60 ? `${given.slice(0, 59)}…` : given
  const close = nearest(given, names)
  const hint = /\s/.test(given)
    ? `To run a task: beat run ${JSON.stringify(shown)}`
    : prefix === "beat" && otherWord(given) !== null
      ? otherWord(given)
      : close === null
        ? `'${prefix} --help' lists the commands.`
        : `Did you mean '${prefix} ${close}'?`
  return Either.left(new UsageError({ problem: `Unknown command '${shown}'`, hint }))
}

/** Finds the command. `help: true` means that its help page is requested. */
export const route = (
  tree: CommandTree,
  argv: ReadonlyArray<string>
): Either.Either<{ readonly route: Route; readonly help: boolean }, UsageError> => {
  const at = argv.findIndex((word) => !word.startsWith("-"))
  const leading = at < 0 ? argv : argv.slice(0, at)
  if (leading.includes("--version") || leading.includes("-V")) {
    return Either.right({ route: { _tag: "Version" }, help: false })
  }
  const [name, ...after] = at < 0 ? [] : argv.slice(at)
  if (name === undefined) {
    const bare = find(tree, [])
    if (leading.some(isHelp) || bare === undefined) return Either.right({ route: { _tag: "Root" }, help: true })
    return Either.right({ route: { _tag: "Command", entry: bare, rest: leading }, help: false })
  }
  if (name === "help") {
    const words = after.filter((word) => !word.startsWith("-"))
    if (words.length === 0) return Either.right({ route: { _tag: "Root" }, help: true })
    return Either.map(route(tree, words), (found) => ({ route: found.route, help: true }))
  }
  // Options before the command belong to it: `beat --json list`.
  const help = asksHelp([...leading, ...after])
  const rest = (words: ReadonlyArray<string>) => [...leading, ...words]
  const group = Object.hasOwn(tree.groups, name) ? tree.groups[name] : undefined
  if (group !== undefined) {
    const [sub, ...words] = after
    const direct = group.direct === undefined ? undefined : find(tree, [name, group.direct])
    const leadsDirectly =
      direct !== undefined && sub?.startsWith("-") === true && after.some((word) => !word.startsWith("-"))
    if (leadsDirectly) return Either.right({ route: { _tag: "Command", entry: direct, rest: rest(after) }, help })
    if (sub === undefined || sub.startsWith("-")) {
      if (help) return Either.right({ route: { _tag: "Group", group: name }, help: true })
      const standard = find(tree, [name, group.standard])
      return standard === undefined
        ? Either.right({ route: { _tag: "Group", group: name }, help: true })
        : Either.right({ route: { _tag: "Command", entry: standard, rest: rest(after) }, help: false })
    }
    const inside = tree.entries.filter(({ path }) => path[0] === name)
    const found = find(tree, [name, sub])
    if (
      found === undefined &&
      direct !== undefined &&
      ((group.files === true && isLoopFile(sub)) || /\s/.test(after.join(" ").trim()))
    ) {
      return Either.right({ route: { _tag: "Command", entry: direct, rest: rest(after) }, help })
    }
    if (found === undefined) {
      return unknownCommand(
        sub,
        inside.map(({ path }) => path[1] ?? ""),
        `beat ${name}`
      )
    }
    return Either.right({ route: { _tag: "Command", entry: found, rest: rest(words) }, help })
  }
  const found = find(tree, [name])
  if (found === undefined) return unknownCommand(name, topNames(tree), "beat")
  return Either.right({ route: { _tag: "Command", entry: found, rest: rest(after) }, help })
}
