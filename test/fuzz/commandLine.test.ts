/** Command lines nobody would type: each is answered or refused in words, none ends in a defect. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import { tree } from "../../src/cli/Commands.ts"
import { loadAll } from "../../src/cli/framework/CommandTree.ts"
import { ExitCode } from "../../src/cli/framework/ExitCode.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { beat, world } from "../cli/world.ts"
import { patience, runs } from "./effort.ts"

const { commands } = await Effect.runPromise(loadAll(tree))
const paths = commands.map(({ path }) => path)
const flags = Array.from(new Set(commands.flatMap(({ optionShapes }) => optionShapes.flatMap(({ names }) => names))))

const odd = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 30 }),
  FastCheck.constantFrom(
    "",
    "-",
    "--",
    "---",
    "-f",
    "--=",
    "=",
    "@last",
    "@-1",
    "-1",
    "0x10",
    "1e999",
    "NaN",
    "∞",
    "\u0000"
  ),
  FastCheck.constantFrom(
    "5m",
    "99999999999d",
    "1970-01-01",
    "a=b",
    "=b",
    "a=",
    "__proto__=1",
    "../../etc",
    "~",
    "%s",
    "'; --"
  ),
  FastCheck.integer().map(String),
  Arbitrary.make(TaskId)
)
const flag = FastCheck.constantFrom(...flags)
const word = FastCheck.oneof(
  { weight: 3, arbitrary: odd },
  { weight: 2, arbitrary: flag },
  { weight: 1, arbitrary: FastCheck.tuple(flag, odd).map(([name, value]) => `${name}=${value}`) }
)
const line = FastCheck.tuple(
  FastCheck.oneof(
    { weight: 8, arbitrary: FastCheck.constantFrom(...paths) },
    { weight: 1, arbitrary: odd.map((text) => [text]) }
  ),
  FastCheck.array(word, { maxLength: 6 }),
  FastCheck.boolean()
).map(([path, words, json]) => (json ? [...path, "--json", ...words] : [...path, ...words]))

const known = new Set<number>(Object.values(ExitCode))

/** Whether it has ended within some seconds of its clock: one that waits looks often, and a day of looks takes an hour. */
const endsSoon = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.gen(function* () {
    for (let looks = 0; looks < 10; looks++) {
      yield* TestClock.adjust("1 second")
      if (Option.isSome(yield* Fiber.poll(fiber))) return true
    }
    return false
  })

/** What comes of it soon; null from a command that would wait longer, which is its right, and ends on Ctrl-C. */
const answerTo = (words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(beat(words, { stdin: "from a pipe" }))
    if (yield* endsSoon(fiber)) return yield* Fiber.join(fiber)
    // What it does on Ctrl-C takes time of its clock as well.
    yield* Fiber.interruptFork(fiber)
    assert.isTrue(yield* endsSoon(fiber), `${words.join(" ")} does not end on Ctrl-C`)
    return null
  })

describe("command lines", () => {
  it.effect(
    "any words are answered with an exit code of ours, in words a terminal can be shown",
    () =>
      Effect.gen(function* () {
        const runtime = yield* Effect.runtime<Effect.Effect.Context<ReturnType<typeof beat>>>()
        const check = async (words: ReadonlyArray<string>) => {
          const answer = await Runtime.runPromise(runtime)(answerTo(words))
          if (answer === null) return
          assert.isTrue(known.has(answer.code), `exit code ${answer.code}`)
          assert.notStrictEqual(answer.code, ExitCode.bug, answer.stderr)
          assert.notMatch(answer.stderr, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
          if (answer.code === ExitCode.usage) assert.notStrictEqual(answer.stderr + answer.stdout, "")
          const end = words.indexOf("--")
          const asked = (end < 0 ? words : words.slice(0, end)).includes("--json")
          if (asked && answer.code === ExitCode.usage) assert.doesNotThrow(() => JSON.parse(answer.stdout))
        }
        yield* Effect.promise(() =>
          FastCheck.assert(FastCheck.asyncProperty(line, check), { numRuns: runs(400), endOnFailure: true })
        )
      }).pipe(Effect.provide(world())),
    patience
  )
})
