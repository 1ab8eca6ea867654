/** Candidates for the next word of a command line, from the definitions of the commands. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Command } from "./Command.ts"
import type { Shape } from "./CommandLine.ts"
import type { LoadedTree } from "./CommandTree.ts"

export interface Candidate {
  readonly value: string
  /** One line, without tabs. */
  readonly description: string
}

/** Candidates that need a lookup in the store. */
export class Sources extends Context.Tag("backbeat/cli/Sources")<
  Sources,
  {
    readonly tasks: Effect.Effect<ReadonlyArray<Candidate>>
    readonly agents: Effect.Effect<ReadonlyArray<Candidate>>
    readonly pipelines: Effect.Effect<ReadonlyArray<Candidate>>
    readonly schedules: Effect.Effect<ReadonlyArray<Candidate>>
    readonly loops: Effect.Effect<ReadonlyArray<Candidate>>
  }
>() {}

const none: Effect.Effect<ReadonlyArray<Candidate>> = Effect.succeed([])

const commandsOf = (tree: LoadedTree): ReadonlyArray<Candidate> => {
  const seen = new Map<string, string>()
  for (const { path, section, summary } of tree.commands) {
    const [first] = path
    if (first === undefined || section === "hidden" || seen.has(first)) continue
    seen.set(first, path.length > 1 ? (tree.groups[first]?.summary ?? "") : summary)
  }
  seen.set("help", "Show help for a command")
  return [...seen].map(([value, description]) => ({ value, description }))
}

const inside = (tree: LoadedTree, group: string): ReadonlyArray<Candidate> =>
  tree.commands.flatMap(({ path, summary }) =>
    path[0] === group && path[1] !== undefined ? [{ value: path[1], description: summary }] : []
  )

/** The command that the words before the cursor have named, and the words after its name. */
const named = (tree: LoadedTree, words: ReadonlyArray<string>) => {
  const at = words.findIndex((word) => !word.startsWith("-"))
  const [name, second] = at < 0 ? [] : words.slice(at)
  if (name === undefined) return null
  const matches = (command: Command, path: ReadonlyArray<string>) =>
    command.path.length === path.length && command.path.every((part, index) => part === path[index])
  if (Object.hasOwn(tree.groups, name)) {
    const sub = second === undefined ? undefined : tree.commands.find((each) => matches(each, [name, second]))
    return { name, command: sub ?? null, rest: words.slice(at + 2), group: true }
  }
  const command = tree.commands.find((each) => matches(each, [name]) || (each.aliases ?? []).includes(name))
  return { name, command: command ?? null, rest: words.slice(at + 1), group: false }
}

const optionCandidates = (command: Command): ReadonlyArray<Candidate> => [
  ...command.optionShapes.flatMap((shape) =>
    shape.names
      .filter((name) => name.startsWith("--"))
      .map((value) => ({ value, description: shape.value === null ? "" : shape.value }))
  ),
  { value: "--help", description: "Show help" }
]

/** The candidates, plus `@last` if there are any. */
const lastOf = (candidates: Effect.Effect<ReadonlyArray<Candidate>>, given: ReadonlyArray<string> = []) =>
  Effect.map(
    candidates,
    (all): ReadonlyArray<Candidate> =>
      all.length === 0
        ? []
        : [...all.filter(({ value }) => !given.includes(value)), { value: "@last", description: "the newest" }]
  )

/** Options whose value is a task. */
const ofTasks = ["--after", "--not-after", "--continue-from"]

/** Values that the option lists (`P0 | P1 | P2`), or agents, tasks and schedules according to its name. */
const valuesOf = Effect.fnUntraced(function* (command: Command, shape: Shape) {
  const sources = yield* Sources
  if (shape.names.includes("--agent")) return yield* sources.agents
  if (command.path[0] === "schedule" && shape.names.includes("--after")) return yield* sources.schedules
  if (shape.names.some((name) => ofTasks.includes(name))) return yield* lastOf(sources.tasks)
  const choices = shape.value?.includes(" | ") === true ? shape.value.split(" | ") : []
  return choices.map((value): Candidate => ({ value, description: "" }))
})

const takesValue = (command: Command, word: string | undefined): Shape | undefined =>
  command.optionShapes.find((shape) => shape.value !== null && word !== undefined && shape.names.includes(word))

const positionals = Effect.fnUntraced(function* (command: Command, rest: ReadonlyArray<string>) {
  const sources = yield* Sources
  const given = rest.filter((word, at) => !word.startsWith("-") && takesValue(command, rest[at - 1]) === undefined)
  const last = command.argumentShapes[command.argumentShapes.length - 1]
  if (given.length >= command.argumentShapes.length && last?.repeated !== true) return []
  if (command.completes === "agent") return yield* sources.agents
  if (command.completes === "task") return yield* lastOf(sources.tasks, given)
  if (command.completes === "pipeline") return yield* lastOf(sources.pipelines, given)
  if (command.completes === "schedule") return yield* lastOf(sources.schedules, given)
  if (command.completes === "loop") return yield* lastOf(sources.loops, given)
  const choices = last?.value?.split(" | ") ?? []
  return choices.map((value): Candidate => ({ value, description: "" }))
})

/** `words` are the words after `beat`; the last one is being typed and may be empty. */
export const completionsOf = Effect.fn("completionsOf")(function* (tree: LoadedTree, words: ReadonlyArray<string>) {
  const current = words[words.length - 1] ?? ""
  const before = words.slice(0, -1)
  const fitting = (candidates: ReadonlyArray<Candidate>) => candidates.filter(({ value }) => value.startsWith(current))

  const place = named(tree, before)
  if (place === null) {
    const options = ["--json", "--help", "--version"].map((value) => ({ value, description: "" }))
    return fitting(current.startsWith("-") ? options : commandsOf(tree))
  }
  if (place.name === "help") return fitting(commandsOf(tree))
  if (place.group && place.command === null) return fitting(inside(tree, place.name))
  const { command, rest } = place
  if (command === null) return yield* none
  const pending = takesValue(command, rest[rest.length - 1])
  if (pending !== undefined && !rest.includes("--")) return fitting(yield* valuesOf(command, pending))
  if (current.startsWith("-") && !rest.includes("--")) return fitting(optionCandidates(command))
  return fitting(yield* positionals(command, rest))
})
