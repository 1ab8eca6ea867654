/** Says on stderr that a list has another page, and how to see it. */
import * as Effect from "effect/Effect"
import { stylesOf } from "../framework/Style.ts"
import { Terminal } from "../framework/Terminal.ts"

/** `command` ends with the option for the page; null: there is no other page. */
export const tellMore = Effect.fnUntraced(function* (command: string, next: number | null) {
  if (next === null) return
  const terminal = yield* Terminal
  yield* terminal.say(stylesOf(terminal.stderr).dim(`There are more: ${command} ${next}`))
})
