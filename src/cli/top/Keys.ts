/** The keys of the live screen: what each does, the word for it in line mode, and how a key press is read. */

export interface KeyHelp {
  readonly keys: string
  readonly what: string
  /** The line that does the same in line mode; null: it only moves about the screen. */
  readonly word: string | null
}

export const listKeys: ReadonlyArray<KeyHelp> = [
  { keys: "j k down up", what: "next task, previous task", word: null },
  { keys: "g G home end", what: "first task, last task", word: null },
  { keys: "PgUp PgDn", what: "a page up, a page down", word: null },
  { keys: "1 2 3", what: "show output, diff or facts of the task", word: "status ID" },
  { keys: "enter", what: "open what is shown of it on the whole screen", word: "logs ID" },
  { keys: "d", what: "open its diff", word: "diff ID" },
  { keys: "c", what: "cancel it", word: "cancel ID" },
  { keys: "C", what: "cancel it and all tasks that it submitted", word: "cancel --tree ID" },
  { keys: "r", what: "resume it in its session, or retry it where it has none", word: "resume ID" },
  { keys: "R", what: "retry it from the start", word: "retry ID" },
  { keys: "s", what: "say something to its agent: the line that you type", word: "send ID TEXT" },
  { keys: "a", what: "answer its question, or choose an option by its number", word: "answer ID TEXT" },
  { keys: "i", what: "end the turn of its agent", word: "interrupt ID" },
  { keys: "p", what: "pause the queue, or resume it", word: "pause --all" },
  { keys: "space", what: "mark it; c, C, r and R then act on all marked tasks", word: null },
  { keys: "/", what: "show only some tasks, by words as in status:failed agent:claude", word: "list --status WORD" },
  { keys: "y", what: "copy its id", word: null },
  { keys: "?", what: "show these keys", word: "help" },
  { keys: "esc", what: "remove the marks, then the filter", word: null },
  { keys: "q ctrl-c", what: "leave; tasks continue without the screen", word: "quit" }
]

export const pagerKeys: ReadonlyArray<KeyHelp> = [
  { keys: "j k down up", what: "a line down, a line up", word: null },
  { keys: "PgUp PgDn space", what: "a page up, a page down", word: null },
  { keys: "g G", what: "to the beginning, to the end", word: null },
  { keys: "f", what: "follow the end, or stop following", word: null },
  { keys: "/ n N", what: "search; next match, previous match", word: null },
  { keys: "w", what: "wrap long lines, or cut them", word: null },
  { keys: "1 2 3", what: "output, diff, facts", word: null },
  { keys: "esc q", what: "back to the tasks", word: null }
]

export interface Press {
  /** `j`, `C`, `enter`, `escape`, `up`, `pagedown`, `ctrl-c`, `focus-in`, ... */
  readonly name: string
  /** What it adds to a text that is being typed; empty for keys that type nothing. */
  readonly text: string
}

/** A key press as `node:readline` reports it. */
export interface RawKey {
  readonly name?: string | undefined
  readonly ctrl?: boolean | undefined
  readonly meta?: boolean | undefined
  readonly sequence?: string | undefined
}

const named: Readonly<Record<string, string>> = {
  return: "enter",
  enter: "enter",
  escape: "escape",
  up: "up",
  down: "down",
  left: "left",
  right: "right",
  pageup: "pageup",
  pagedown: "pagedown",
  home: "home",
  end: "end",
  backspace: "backspace",
  delete: "backspace",
  tab: "tab",
  "paste-start": "paste-start",
  "paste-end": "paste-end"
}

/** What terminals send when their window gets and loses the focus. */
const focus: Readonly<Record<string, string>> = { "\u001b[I": "focus-in", "\u001b[O": "focus-out" }

const printable = /^[^\u0000-\u001f\u007f-\u009f]+$/u

/** Null if the screen has no such key. */
export const pressOf = (typed: string | undefined, { ctrl, meta, name, sequence = "" }: RawKey): Press | null => {
  const focused = focus[sequence]
  if (focused !== undefined) return { name: focused, text: "" }
  if (ctrl === true) return name === undefined ? null : { name: `ctrl-${name}`, text: "" }
  const known = name === undefined ? undefined : named[name]
  if (known !== undefined) return { name: known, text: "" }
  if (meta === true || typed === undefined || !printable.test(typed)) return null
  return { name: typed === " " ? "space" : typed, text: typed }
}
