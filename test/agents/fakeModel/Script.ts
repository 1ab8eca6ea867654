/**
 * What to answer: directive lines in the prompt, each at the beginning of a line.
 *
 *   SAY: text        say it                         THINK: text      think it (Anthropic, Gemini)
 *   TOOL: command    call the agent's shell tool    CALL: name {..}  call a tool by name; `*` stands for any characters
 *                    ($ID1 in it: the first id that an answer named, $ID2 the second)
 *   ECHO: tool       say a tool's last answer       JSON: {..}       say it
 *   SLEEP: seconds   wait before the answer         DRIP: seconds    stream the text over so long
 *   HANG: [xN]       never answer                   DROP: [xN]       cut the connection in the middle
 *   ERROR: status [usage_limit|billing] [resets=S] [retry-after=S] [xN] [words]  refuse; with xN the first N times only
 *   HEADER: name=value  of this answer              BODY: {..}       of this refusal
 *   USAGE: in out    tokens                         STOP: reason     why the answer ends
 *   LOOP: n command  so many TOOL lines             PROMPT:          the lines after it answer the next prompt
 *
 * TOOL and CALL end a turn; the lines after them answer the tool's result. With xN it is the first N times only. The step is counted from the request, so that
 * retries, resumed sessions and agents side by side need no state. A prompt without directives is told OK and its beginning.
 */
import { field, list, parse, string } from "./Json.ts"
import type { Message, ModelRequest, Tool } from "./Request.ts"

export type Part =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Thought"; readonly text: string }
  | {
      readonly _tag: "Call"
      readonly name: string
      readonly namespace: string | null
      readonly args: Readonly<Record<string, unknown>>
      /** The program, for a tool that takes one. */
      readonly program: string | null
    }

export interface Directive {
  readonly name: string
  readonly value: string
}

export interface Turn {
  readonly parts: ReadonlyArray<Part>
  /** Directives on how to answer, in their order. */
  readonly how: ReadonlyArray<Directive>
  /** Tells this turn from others, for what happens a number of times. */
  readonly key: string
}

const names = "SAY|THINK|TOOL|CALL|JSON|SLEEP|DRIP|ERROR|DROP|HANG|USAGE|STOP|LOOP|ECHO|HEADER|BODY|PROMPT"

const directivesOf = (text: string): ReadonlyArray<Directive> => {
  const trimmed = text.trim()
  // OpenCode hands the prompt over in quotes.
  const prompt = /^"[\s\S]*"$/.test(trimmed) ? trimmed.slice(1, -1).replace(/\\"/g, '"') : text
  const found = Array.from(prompt.matchAll(new RegExp(`^[ \\t>]*(${names}):[ \\t]*(.*)$`, "gm")))
  return found.flatMap(([, name = "", value = ""]) => {
    if (name !== "LOOP") return [{ name, value: value.trim() }]
    const [, count = "1", command = "true"] = /^(\d+)\s*(.*)$/.exec(value) ?? []
    return Array.from({ length: Number(count) }, () => ({ name: "TOOL", value: command }))
  })
}

const withoutReminders = (text: string): string => text.replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, "")

/** Turns with calls in these messages; calls that follow one another are one turn. */
const turnsIn = (messages: ReadonlyArray<Message>): number =>
  messages.filter(({ calls }, at) => calls && messages[at - 1]?.calls !== true).length

const shells = ["Bash", "bash", "exec_command", "shell_command", "shell", "run_shell_command", "execute_command"]

/** Gives every required argument a value of its kind. */
const filled = (schema: unknown, args: Record<string, unknown>): Record<string, unknown> => {
  for (const name of list(field(schema, "required")).map(string)) {
    if (name in args) continue
    const property = field(field(schema, "properties"), name)
    const [first] = list(field(property, "enum"))
    const type = string(field(property, "type")).toLowerCase()
    const other = type === "array" ? [] : type === "object" ? {} : "fake model"
    args[name] = first ?? (type === "boolean" ? false : type === "number" || type === "integer" ? 10_000 : other)
  }
  return args
}

const shellCall = (tools: ReadonlyArray<Tool>, command: string): Part => {
  const tool = shells.map((name) => tools.find((each) => each.name === name)).find((each) => each !== undefined)
  if (tool === undefined)
    return { _tag: "Text", text: `(no shell tool among ${tools.map(({ name }) => name).join(", ")})` }
  const { name, namespace } = tool
  if (tool.custom) {
    const program = `const r = await tools.exec_command({cmd: ${JSON.stringify(command)}}); text(typeof r === 'string' ? r : JSON.stringify(r));`
    return { _tag: "Call", name, namespace, args: {}, program }
  }
  const properties = field(tool.schema, "properties")
  const asList = string(field(field(properties, "command"), "type")).toLowerCase() === "array"
  const key = field(properties, "cmd") === undefined ? "command" : "cmd"
  const args = filled(tool.schema, { [key]: asList ? ["bash", "-lc", command] : command })
  return { _tag: "Call", name, namespace, args, program: null }
}

/** The ids of tasks in the answers of tools, in the order in which they were named. */
const idsIn = (heard: ReadonlyArray<Message>): ReadonlyArray<string> => {
  const answers = heard.flatMap(({ results }) => results).join("\n")
  return [...new Set(Array.from(answers.matchAll(/\bid\\*"\s*:\s*\\*"([0-9a-z]{12})\b/g), ([, id = ""]) => id))]
}

const namedCall = ({ api, tools }: ModelRequest, line: string, heard: ReadonlyArray<Message>): Part => {
  const value = line.replace(/\$ID(\d+)/g, (_, at) => idsIn(heard)[Number(at) - 1] ?? "")
  const [, asked = value, text = ""] = /^(\S+)\s*([\s\S]*)$/.exec(value) ?? []
  const pattern = new RegExp(`^${asked.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`)
  const tool = tools.find(({ name, namespace }) => pattern.test(name) || pattern.test(`${namespace}__${name}`))
  // Codex offers MCP tools only when it is asked for them, and takes namespace and name.
  const split = tool === undefined && api === "responses" ? /^(mcp__.+?)__(.+)$/.exec(asked) : null
  const [, space = null, rest = asked] = split ?? []
  const args = text === "" ? {} : Object.fromEntries(Object.entries(parse(text) ?? { input: text }))
  return { _tag: "Call", name: tool?.name ?? rest, namespace: tool?.namespace ?? space, args, program: null }
}

const partOf = (request: ModelRequest, { name, value }: Directive, heard: ReadonlyArray<Message>, prompt: string) => {
  const said = (text: string): Part => ({ _tag: "Text", text })
  switch (name) {
    case "SAY":
      return said(value.startsWith('"') ? string(parse(value)) || value : value)
    case "JSON":
      return said(value)
    case "THINK":
      return { _tag: "Thought", text: value } satisfies Part
    case "TOOL":
      return shellCall(request.tools, value)
    case "CALL":
      return namedCall(request, value, heard)
    case "ECHO": {
      const result = heard.findLast(({ results }) => results.length > 0)?.results.join("\n") ?? ""
      return said(value === "prompt" ? prompt : value === "system" ? request.system : withoutReminders(result))
    }
    default:
      return null
  }
}

/** Prompts in these messages, which no tool answered. */
const promptsIn = (messages: ReadonlyArray<Message>): number =>
  messages.filter(
    ({ results, role, text }) => role === "user" && results.length === 0 && withoutReminders(text).trim() !== ""
  ).length

/** The newest prompt with directives, else the newest prompt at all. */
const promptOf = ({ messages }: ModelRequest) => {
  const asked = messages.map(({ role, text }) => (role === "user" ? withoutReminders(text) : ""))
  const scripted = asked.findLastIndex((text) => directivesOf(text).length > 0)
  const at = scripted >= 0 ? scripted : asked.findLastIndex((text) => text.trim() !== "")
  return { at, text: asked[at] ?? "" }
}

/** The turn that this request is to be answered with. */
export const turnOf = (request: ModelRequest): Turn => {
  const prompt = promptOf(request)
  const after = request.messages.slice(prompt.at + 1)
  const directives = directivesOf(prompt.text)
  const awaited = directives.filter(({ name }) => name === "PROMPT").length
  const done = turnsIn(after) + Math.min(awaited, promptsIn(after))
  const turns: Array<Array<Directive>> = [[]]
  for (const directive of directives) {
    turns.at(-1)?.push(directive)
    if (["TOOL", "CALL", "PROMPT"].includes(directive.name)) turns.push([])
  }
  const steps = turns[Math.min(done, turns.length - 1)] ?? []
  const parts = steps.map((step) => partOf(request, step, after, prompt.text)).filter((part) => part !== null)
  const beginning = `OK: ${prompt.text.trim().replace(/\s+/g, " ").slice(0, 80)}`
  const otherwise: Part = { _tag: "Text", text: turns.flat().length === 0 ? beginning : "DONE" }
  return {
    parts: parts.length === 0 ? [otherwise] : parts,
    how: steps,
    key: `${request.api} ${done} ${prompt.text}`
  }
}
