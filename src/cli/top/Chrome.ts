/** The first and the last lines of the live screen: what the queue holds, what was done, and the keys of the moment. */
import { dollars } from "../../domain/usage/dollars.ts"
import { commandText } from "./Actions.ts"
import { filterWords } from "./Filter.ts"
import { columnsOf, type Line, type Span, spread } from "./Span.ts"
import { clockOf } from "./TaskLine.ts"
import type { TopState } from "./TopState.ts"

const quiet = (text: string): Span => ({ text, style: "dim" })

/** ` beat top   3 running  2 queued  17 ended    $4.12 today  14:02` */
export const headOf = (state: TopState, now: number): Line => {
  const { columns, filterText, view } = state
  const narrow = columns < 60
  const right: Line = [quiet(clockOf(now, now))]
  const name: Span = { text: narrow ? " " : " beat top   ", style: "bold" }
  if (view === null) return spread([name, quiet(narrow ? "reading" : "reading the queue")], right, columns)
  const { counts, costToday, gates, limits, workers } = view
  const ended = counts.completed + counts.failed + counts.cancelled
  const closed = limits.length
  const parts: ReadonlyArray<Span> = [
    { text: `${counts.running} ${narrow ? "run" : "running"}`, style: "cyan" },
    { text: `${counts.queued} ${narrow ? "wait" : "queued"}`, style: "blue" },
    ...(closed > 0 ? [{ text: `${closed} ${closed === 1 ? "limit" : "limits"}`, style: "yellow" } as const] : []),
    ...(gates.length > 0
      ? [
          {
            text: gates.some(({ scope }) => scope === "all") ? "PAUSED" : `${gates.length} paused`,
            style: "yellow"
          } as const
        ]
      : []),
    ...(counts.queued > 0 && workers === 0 ? [{ text: "no worker", style: "red" } as const] : []),
    ...(narrow ? [] : [quiet(`${ended} ended`)]),
    ...(filterText === "" ? [] : [{ text: `filter: ${filterText}`, style: "yellow" } as const])
  ]
  const left = [name, ...parts.flatMap((part, index) => (index === 0 ? [part] : [{ text: narrow ? " " : "  " }, part]))]
  const cost = costToday > 0 && !narrow ? [quiet(`${dollars(costToday)} today  `)] : []
  return spread(left, [...cost, ...right], columns)
}

/** What was done last, what is being done, or what is wrong; null: nothing. */
export const noteLine = ({ busy, message, mode, trouble }: TopState): Line | null => {
  if (mode.kind === "compose" && mode.hint !== null) return [{ text: ` ${mode.hint}`, style: "yellow" }]
  if (trouble !== null) return [{ text: ` ${trouble}`, style: "red" }]
  if (busy !== null) return [{ text: ` ${busy} ...`, style: "yellow" }]
  return message === null ? null : [{ text: ` ${message.text}`, style: message.bad ? "yellow" : "green" }]
}

/** As many of the keys as fit; the last ones always have a place. */
const fitKeys = (keys: ReadonlyArray<string>, last: string, columns: number): string => {
  let text = ""
  for (const key of keys) {
    const longer = `${text} ${key} `
    if (columnsOf(longer) + columnsOf(last) + 1 > columns) break
    text = longer
  }
  return `${text} ${last}`
}

const listFoot = (state: TopState): string => {
  const paused = state.view?.gates.some(({ scope }) => scope === "all") === true
  const pause = paused ? "p resume queue" : "p pause"
  return state.columns < 60
    ? fitKeys(["enter", "c", "r", "p", "/"], "? q", state.columns)
    : fitKeys(
        ["enter open", "c cancel", "r resume", pause, "/ filter", "d diff", "s say", "a answer", "space mark"],
        "? keys  q",
        state.columns
      )
}

/** The last line: a question, a text that is being typed, or the keys. */
export const chromeOf = (state: TopState): Line => {
  const { columns, mode } = state
  if (!state.keyboard) return [quiet(" no keyboard here: a signal ends it")]
  switch (mode.kind) {
    case "confirm": {
      const [first = [], ...more] = mode.commands
      const others = more.length === 0 ? "" : ` and ${more.length} more`
      const answers = mode.strict ? "  y yes  n no" : "  enter yes  n no"
      // The answers have their place however long the command is.
      const command = ` ${commandText(first)}${others}`
      const room = Math.max(8, columns - answers.length)
      const cut = command.length <= room ? command : `${command.slice(0, room - 2)}..`
      return [{ text: cut, style: "bold" }, { text: answers }]
    }
    case "filter":
      return [
        { text: ` / ${mode.text}_`, style: "bold" },
        quiet(mode.text === "" ? ` ${filterWords}` : "  enter show  esc leave")
      ]
    case "compose": {
      const answers = "  enter run  esc leave"
      const command = ` ${commandText(mode.before)} `
      // What was typed last stays in sight.
      const room = Math.max(8, columns - command.length - answers.length - 1)
      const text = mode.text.length <= room ? mode.text : `..${mode.text.slice(2 - room)}`
      return [{ text: `${command}${text}_`, style: "bold" }, quiet(answers)]
    }
    case "help":
      return [quiet(" any key: back")]
    case "pager":
      return mode.typing === null
        ? [
            quiet(
              fitKeys(
                ["esc back", "/ search", "n N", mode.follow ? "f stop" : "f follow", "w wrap", "1 2 3"],
                "g G",
                columns
              )
            )
          ]
        : [{ text: ` / ${mode.typing}_`, style: "bold" }]
    case "list":
      return [quiet(listFoot(state))]
  }
}
