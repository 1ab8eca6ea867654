/** What an agent asks over its stdin protocol: whether it may use a tool, or questions to a person. Rules answer first. */
import * as Schema from "effect/Schema"
import type { Question, Reply } from "./Question.ts"

/** What is done with a request for a tool that no rule names. */
const Rest = Schema.Literal("ask", "allow", "deny")

/** `Bash(git push:*)`, `Edit`, `mcp__tracker__*` */
const ToolRule = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9_*-]{1,200}(\([^\n]{1,1000}\))?$/, {
    message: () => "expected the name of a tool, or with what it is used for, for example Bash(git diff:*)"
  })
)

/** Which requests for tools are answered without a person: `deny` before `allow`, then `else`. */
export const ApproveRules = Schema.Struct({
  allow: Schema.optional(Schema.Array(ToolRule).pipe(Schema.maxItems(200))),
  deny: Schema.optional(Schema.Array(ToolRule).pipe(Schema.maxItems(200))),
  else: Schema.optional(Rest)
}).annotations({ identifier: "ApproveRules" })
export type ApproveRules = typeof ApproveRules.Type

/** What a task's agent may ask, decided when the task is submitted. */
export const Asks = Schema.Struct({
  /** It asks before it uses a tool. Without it, only for what it wants to know. */
  permissions: Schema.Boolean,
  rules: ApproveRules,
  /** How long a question may be open before its task is parked, in milliseconds; null: as the settings say. */
  parkMs: Schema.NullOr(Schema.Int.pipe(Schema.nonNegative()))
}).annotations({ identifier: "Asks" })
export type Asks = typeof Asks.Type

export const AgentRequest = Schema.Struct({
  /** By which the agent knows its answer. */
  requestId: Schema.NonEmptyString.pipe(Schema.maxLength(200)),
  tool: Schema.NonEmptyString.pipe(Schema.maxLength(200)),
  input: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** The rules that the agent would add for "always". */
  suggestions: Schema.Array(Schema.Unknown)
})
export type AgentRequest = typeof AgentRequest.Type

export type Answer = Pick<Reply, "denied" | "text">

/** A request that a worker has to answer now. */
export interface AnsweredRequest {
  readonly seq: number
  readonly request: AgentRequest
  /** One of a rule, or of each of its questions. */
  readonly answers: ReadonlyArray<Answer>
}

const asking = "AskUserQuestion"

const OneQuestion = Schema.Struct({
  question: Schema.NonEmptyString,
  options: Schema.optional(Schema.Array(Schema.Struct({ label: Schema.NonEmptyString })))
})
const isQuestions = Schema.is(Schema.Struct({ questions: Schema.NonEmptyArray(OneQuestion) }))

/** The part of the input that shows what the tool is used for. */
const subjectKeys = ["command", "file_path", "notebook_path", "path", "url", "query", "pattern", "plan"]

const subjectOf = ({ input }: Pick<AgentRequest, "input">): string => {
  for (const key of subjectKeys) {
    const value = input[key]
    if (typeof value === "string") return value
  }
  return JSON.stringify(input)
}

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

const permissionOptions = ["allow", "deny", "always"] as const

/** The questions of a request to a person, in its order. A long command is cut: `beat logs` has it whole. */
export const questionsIn = (request: AgentRequest): ReadonlyArray<Pick<Question, "text" | "options">> => {
  const { input, tool } = request
  if (tool === asking && isQuestions(input)) {
    return input.questions.slice(0, 10).map(({ options, question }) => ({
      text: cut(question, 4000),
      options: (options ?? []).slice(0, 20).map(({ label }) => cut(label, 200))
    }))
  }
  return [{ text: cut(`May I use ${tool}? ${subjectOf(request)}`, 4000), options: permissionOptions }]
}

/** Whether a shell may read more in it than one command: then no allowed beginning says what the rest does. */
const isCompound = (command: string): boolean => /[;&|<>`\n\r]|\$\(|\$\{/.test(command)

const matchesName = (rule: string, tool: string): boolean =>
  rule.endsWith("*") ? tool.startsWith(rule.slice(0, -1)) : rule === tool

const matchesText = (pattern: string, text: string): boolean => {
  const words = text.trim()
  if (!pattern.endsWith("*")) return words === pattern
  const beginning = pattern.slice(0, -1)
  // `git diff:*` is `git diff` and whatever follows as further words.
  if (beginning.endsWith(":")) return words === beginning.slice(0, -1) || words.startsWith(`${beginning.slice(0, -1)} `)
  return words.startsWith(beginning)
}

/** `strict`: an allowed beginning has to be the whole command. Otherwise each command in it is looked at. */
const matches = (rule: string, request: AgentRequest, strict: boolean): boolean => {
  const [, name = "", pattern] = /^([^(]+)(?:\((.*)\))?$/s.exec(rule) ?? []
  if (!matchesName(name, request.tool)) return false
  if (pattern === undefined) return true
  const subject = subjectOf(request)
  if (request.tool !== "Bash") return matchesText(pattern, subject)
  if (strict) return (!isCompound(subject) || !pattern.endsWith("*")) && matchesText(pattern, subject)
  return subject.split(/[;&|\n\r`(){}]+/).some((part) => matchesText(pattern, part))
}

/** The answer of the rules; null: a person decides. Questions are always for a person. */
export const ruled = ({ permissions, rules }: Asks, request: AgentRequest): Answer | null => {
  if (request.tool === asking || !permissions) return null
  const deny = (rules.deny ?? []).find((rule) => matches(rule, request, false))
  if (deny !== undefined) return { denied: true, text: `The rule ${deny} of this machine does not allow it.` }
  if ((rules.allow ?? []).some((rule) => matches(rule, request, true))) return { denied: false, text: "allow" }
  switch (rules.else ?? "ask") {
    case "allow":
      return { denied: false, text: "allow" }
    case "deny":
      return { denied: true, text: "No rule of this machine allows it." }
    case "ask":
      return null
  }
}

const isAddition = Schema.is(Schema.Struct({ type: Schema.Literal("addRules"), behavior: Schema.Literal("allow") }))

const declined = (text: string): string => (text.trim() === "" ? "The person declined." : text)

/** The answer to the agent. A text that permits nothing is a refusal, with the text as its reason. */
export const verdictOf = ({ answers, request }: Omit<AnsweredRequest, "seq">): Readonly<Record<string, unknown>> => {
  const { input, suggestions, tool } = request
  const denied = answers.find((answer) => answer.denied)
  if (denied !== undefined) return { behavior: "deny", message: declined(denied.text) }
  if (tool === asking && isQuestions(input)) {
    const told = input.questions.map(({ question }, at) => [question, answers[at]?.text ?? ""] as const)
    return { behavior: "allow", updatedInput: { ...input, answers: Object.fromEntries(told) } }
  }
  const text = answers[0]?.text.trim().toLowerCase() ?? ""
  if (text !== "allow" && text !== "always") {
    return { behavior: "deny", message: declined(text === "deny" ? "" : (answers[0]?.text ?? "")) }
  }
  // For its process only: the agent would write the rules into files of the user.
  const added = suggestions.filter(isAddition).map((suggestion) => ({ ...suggestion, destination: "session" }))
  return {
    behavior: "allow",
    updatedInput: input,
    ...(text === "always" && added.length > 0 ? { updatedPermissions: added } : {})
  }
}
