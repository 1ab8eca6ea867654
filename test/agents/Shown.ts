/** What a client showed its model of our tools, counted in tokens of four characters. */
import { instructions } from "../../src/mcp/Instructions.ts"
import { field, list, string } from "./fakeModel/Json.ts"
import type { ModelRequest } from "./fakeModel/Request.ts"

const tokens = (text: string): number => Math.round(text.length / 4)

/** The definitions in a request, whichever service it is for, with the name that a model sees. */
const definitions = (body: unknown): ReadonlyArray<{ readonly name: string; readonly text: string }> =>
  list(field(body, "tools")).flatMap((each) => {
    const space = string(field(each, "name"))
    const inner = [...list(field(each, "tools")), ...list(field(each, "functionDeclarations"))]
    if (inner.length > 0)
      return inner.map((one) => ({ name: `${space} ${string(field(one, "name"))}`, text: JSON.stringify(one) }))
    return [{ name: string(field(field(each, "function"), "name")) || space, text: JSON.stringify(each) }]
  })

export interface Shown {
  readonly tools: number
  /** Tokens of their definitions; 0 where the client shows names alone until the model asks. */
  readonly definitions: number
  /** Tokens of the instructions, as far as they were shown. */
  readonly instructions: number
  /** Tokens of all answers together. */
  readonly answers: number
}

/** How many characters of the instructions are in this text: whole paragraphs, or as much as a client leaves of them. */
const toldIn = (text: string): number => {
  const paragraphs = instructions.split("\n\n").filter((one) => text.includes(JSON.stringify(one).slice(1, -1)))
  return Math.max(beginningIn(text), paragraphs.join("\n\n").length)
}

const beginningIn = (text: string): number => {
  const whole = JSON.stringify(instructions).slice(1, -1)
  const from = text.indexOf(whole.slice(0, 40))
  if (from < 0) return 0
  const differs = Array.from(whole).findIndex((letter, at) => text[from + at] !== letter)
  return differs < 0 ? whole.length : differs
}

/** The most that one request showed. */
export const shownIn = (requests: ReadonlyArray<{ readonly asked: ModelRequest; readonly body: unknown }>): Shown => {
  const each = requests.map(({ asked, body }) => {
    const ours = definitions(body).filter(({ name }) => /backbeat/i.test(name))
    const text = JSON.stringify(body)
    return {
      tools: ours.length,
      definitions: tokens(ours.map((one) => one.text).join("")),
      instructions: Math.round(toldIn(text) / 4),
      answers: tokens(asked.messages.flatMap(({ results }) => results).join(""))
    }
  })
  const most = (key: keyof Shown) => Math.max(0, ...each.map((one) => one[key]))
  return {
    tools: most("tools"),
    definitions: most("definitions"),
    instructions: most("instructions"),
    answers: most("answers")
  }
}
