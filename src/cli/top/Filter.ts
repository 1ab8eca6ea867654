/** The words of a filter: `status:failed agent:claude label:repo=api text`, as the options of `beat list` mean them. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { TaskStatus } from "../../domain/task/Task.ts"
import { readMoment } from "../../programs/schedules/readMoment.ts"
import type { LookRequest } from "../../programs/top/Look.ts"
import { parsePair } from "../input/Values.ts"

export type Filter = Pick<LookRequest, "filter" | "text">

/** Fits every task. */
export const everything: Filter = {
  filter: { status: [], agent: null, labels: {}, directory: null, since: null },
  text: ""
}

export const filterWords = "status:WORD agent:NAME label:KEY=VALUE directory:PATH since:2h, and words of the title"

const isStatus = Schema.is(TaskStatus)

/** Parts between spaces; quotes hold one together. */
export const wordsOf = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/(?:[^\s"]+|"[^"]*"?)+/g), ([word]) => word.replaceAll('"', ""))

/** What is wrong with the first word that cannot be read. `resolve` makes a path absolute. */
export const parseFilter = (
  text: string,
  now: number,
  resolve: (path: string) => Effect.Effect<string, { readonly message: string }>
): Effect.Effect<Filter, string> =>
  Effect.gen(function* () {
    const status: Array<TaskStatus> = []
    const labels: Record<string, string> = {}
    const words: Array<string> = []
    let agent: string | null = null
    let directory: string | null = null
    let since: number | null = null
    for (const word of wordsOf(text)) {
      const [, name, value = ""] = /^(status|agent|label|directory|since):(.*)$/s.exec(word) ?? []
      if (name !== undefined && value === "") return yield* Effect.fail(`${name}: needs a value`)
      switch (name) {
        case "status":
          for (const one of value.split(",")) {
            if (!isStatus(one)) return yield* Effect.fail(`status: is one of ${TaskStatus.literals.join(", ")}`)
            status.push(one)
          }
          break
        case "agent":
          agent = value
          break
        case "label": {
          const [key, label] = yield* Either.mapLeft(
            parsePair(value),
            () => "label: needs KEY=VALUE, and a KEY that a label can have"
          )
          labels[key] = label
          break
        }
        case "directory":
          directory = yield* Effect.mapError(resolve(value), ({ message }) => message)
          break
        case "since":
          since = yield* Effect.mapError(
            readMoment(value, { direction: "past", now, zone: null }),
            (problem) => `since: ${problem}`
          )
          break
        default:
          words.push(word)
      }
    }
    return { filter: { status, agent, labels, directory, since }, text: words.join(" ").toLowerCase() }
  })
