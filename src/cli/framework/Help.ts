/** Help pages, written from the definitions of the commands. */

import { pad, widthOf, wrap } from "../output/Layout.ts"
import type { Command, Section } from "./Command.ts"
import type { Shape } from "./CommandLine.ts"
import type { LoadedTree } from "./CommandTree.ts"
import { descriptionsOf } from "./HelpText.ts"
import { stylesOf } from "./Style.ts"
import type { Screen } from "./Terminal.ts"

const sections: ReadonlyArray<readonly [Section, string]> = [
  ["tasks", "Tasks"],
  ["watch", "Look"],
  ["machine", "Setup and maintenance"]
]

const argumentText = (shape: Shape): string => {
  const name = `${shape.names[0] ?? ""}${shape.repeated ? "..." : ""}`
  return shape.optional ? `[${name}]` : name
}

const optionText = (shape: Shape): string => {
  const short = shape.names.filter((name) => !name.startsWith("--"))
  const long = shape.names.filter((name) => name.startsWith("--"))
  const names = [...short, ...long].join(", ")
  return `${short.length === 0 ? "    " : ""}${names}${shape.value === null ? "" : ` ${shape.value}`}`
}

const rows = (entries: ReadonlyArray<readonly [string, string]>, columns: number): ReadonlyArray<string> => {
  const left = Math.min(Math.max(...entries.map(([term]) => widthOf(term))), Math.max(12, Math.floor(columns * 0.45)))
  return entries.flatMap(([term, text]) => {
    const lines = wrap(text, Math.max(20, columns - left - 4))
    const long = widthOf(term) > left
    const first = long ? [`  ${term}`] : []
    return [...first, ...lines.map((line, at) => `  ${pad(at === 0 && !long ? term : "", left)}  ${line}`.trimEnd())]
  })
}

type Examples = NonNullable<Command["examples"]>

/** A part with its title and an empty line after it; nothing without examples. */
const examplesOf = (examples: Examples, columns: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  if (examples.length === 0) return []
  const lines = examples.flatMap(([line, what]) => [
    `  ${line}`,
    ...wrap(what, columns - 6).map((part) => `      ${dim(part)}`)
  ])
  return [bold("Examples"), ...lines, ""]
}

/** The page of one command. */
export const commandHelp = (command: Command, screen: Screen): string => {
  const columns = Math.min(screen.columns ?? 100, 100)
  const { bold } = stylesOf(screen)
  const name = ["beat", ...command.path].join(" ")
  const usage = [
    name,
    ...(command.optionShapes.length > 0 ? ["[options]"] : []),
    ...command.argumentShapes.map(argumentText)
  ].join(" ")
  const described = descriptionsOf(command.optionHelp)
  const options = command.keeps === true ? described.map((text) => text.replace(/ \(default: [^)]*\)/g, "")) : described
  const args = descriptionsOf(command.argumentHelp)
  const lines = [
    ...wrap(command.summary, columns),
    "",
    ...wrap(`Usage  ${usage}`, columns).map((line, at) => (at === 0 ? line.replace("Usage", bold) : `       ${line}`)),
    ...((command.aliases ?? []).length > 0 ? [`${bold("Alias")}  ${(command.aliases ?? []).join(", ")}`] : []),
    ...(command.details === undefined ? [] : ["", ...wrap(command.details, columns)])
  ]
  if (command.argumentShapes.length > 0) {
    lines.push("", bold("Arguments"))
    lines.push(
      ...rows(
        command.argumentShapes.map((shape, at) => [argumentText(shape), args[at] ?? ""]),
        columns
      )
    )
  }
  lines.push("", bold("Options"))
  lines.push(
    ...rows(
      [
        ...command.optionShapes.map((shape, at): readonly [string, string] => [optionText(shape), options[at] ?? ""]),
        ["-h, --help", "Show this page"]
      ],
      columns
    )
  )
  return [...lines, "", ...examplesOf(command.examples ?? [], columns, screen)].join("\n").trimEnd()
}

/** The page of a group of commands, `config` for instance. */
export const groupHelp = (tree: LoadedTree, group: string, screen: Screen): string => {
  const columns = Math.min(screen.columns ?? 100, 100)
  const { bold } = stylesOf(screen)
  const { examples = [], standard = "" } = tree.groups[group] ?? {}
  const inside = tree.commands.filter((command) => command.path.length > 1 && command.path[0] === group)
  return [
    ...wrap(tree.groups[group]?.summary ?? "", columns),
    "",
    `${bold("Usage")}  beat ${group} [command]`,
    "",
    ...rows(
      inside.map((command) => [command.path.slice(1).join(" "), command.summary]),
      columns
    ),
    "",
    ...examplesOf(examples, columns, screen),
    ...wrap(
      `Without a command, 'beat ${group}' is 'beat ${group} ${standard}'. 'beat ${group} <command> --help' shows the details.`,
      columns
    )
  ].join("\n")
}

/** The first page. */
export const rootHelp = (tree: LoadedTree, version: string, screen: Screen): string => {
  const columns = Math.min(screen.columns ?? 100, 100)
  const { bold, dim } = stylesOf(screen)
  const seen = new Set<string>()
  const entriesOf = (section: Section) =>
    tree.commands.flatMap((command): ReadonlyArray<readonly [string, string]> => {
      const [first] = command.path
      if (command.section !== section || first === undefined || seen.has(first)) return []
      seen.add(first)
      const names = command.path.length > 1 ? first : [first, ...(command.aliases ?? [])].join(", ")
      return [[names, command.path.length > 1 ? (tree.groups[first]?.summary ?? "") : command.summary]]
    })
  return [
    `${bold("beat")} ${version}`,
    ...wrap("Runs coding agents in the background and never loses track of them", columns),
    "",
    `${bold("Usage")}  beat <command> [options] [arguments]`,
    ...sections.flatMap(([section, title]) => ["", bold(title), ...rows(entriesOf(section), columns)]),
    "",
    bold("Options"),
    ...rows(
      [
        ["    --json", "Print JSON, also for errors (most commands)"],
        ["-h, --help", "Show help for a command"],
        ["    --version", "Show the version"]
      ],
      columns
    ),
    "",
    ...wrap("Without a command, 'beat' shows running, waiting and recently ended tasks. Start here:", columns),
    `  ${bold('beat run "fix the failing test"')}`,
    ...wrap(
      "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 cancelled, 5 timed out, 6 dependency failed, 7 needs an answer, 70 bug, 74 storage, 75 usage limit or no answer yet, 124 wait timed out, 130 interrupted, 141 reader of stdout gone",
      columns
    ).map(dim)
  ].join("\n")
}
