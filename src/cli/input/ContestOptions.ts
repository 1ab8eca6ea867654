/** `beat run --times N`: the options that make several candidates of one prompt. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { fewestCandidates, mostCandidates } from "../../domain/contest/Contest.ts"
import { Better } from "../../domain/loop/Loop.ts"
import { standardEvaluationMs } from "../../domain/loop/LoopRequest.ts"
import type { Entry } from "../../programs/contests/submitContest.ts"
import { UsageError } from "../framework/UsageError.ts"
import { choice, count, optionalText } from "./Values.ts"

export const contestOptions = {
  times: count("times", fewestCandidates, mostCandidates).pipe(
    Options.withDefault(null),
    Options.withDescription(
      `Let this many candidates work side by side, each isolated, and keep the best one, ${fewestCandidates} to ${mostCandidates}; -a claude,codex takes turns`
    )
  ),
  best: optionalText("best", "command").pipe(
    Options.withDescription("With --times: keep a candidate only if this shell command exits with 0, e.g. 'npm test'")
  ),
  score: optionalText("score", "command").pipe(
    Options.withDescription("With --times: rank the candidates by the last number that this shell command prints")
  ),
  better: choice("better", Better.literals).pipe(
    Options.withDefault(null),
    Options.withDescription("Say which score is better; required with --score")
  )
}

interface Given {
  readonly times: number | null
  readonly best: string | null
  readonly score: string | null
  readonly better: Better | null
  readonly agent: string | null
  readonly model: string | null
  readonly foreground: boolean
  readonly in: string | null
  readonly key: string | null
  readonly base: string | null
  readonly setup: string | null
}

const example = 'beat run --times 3 --best "npm test" "..."'

const wrong = (problem: string, hint: string = example) => new UsageError({ problem, hint })

const agentsOf = Effect.fn("contestAgents")(function* ({ agent, model }: Given, times: number) {
  if (agent === null) return [null]
  const names = agent.split(",").map((name) => name.trim())
  if (names.includes("")) return yield* wrong("--agent has an empty name in its list", "e.g. -a claude,codex")
  if (names.length > times) return yield* wrong(`--agent names ${names.length} agents, but --times is ${times}`)
  if (names.length > 1 && model !== null)
    return yield* wrong("--model cannot be combined with several agents", "beat config set agents.claude.model opus")
  return names
})

/** Null: it is one task. */
export const readContest = Effect.fn("readContest")(function* (given: Given) {
  const { best, better, score, times } = given
  if (times === null) {
    const stray = (["best", "score", "better"] as const).find((name) => given[name] !== null)
    if (stray !== undefined) return yield* wrong(`--${stray} needs --times`)
    return null
  }
  if (best === null && score === null) return yield* wrong("--times needs --best, --score or both")
  if (score !== null && better === null) return yield* wrong("--score needs --better lower or --better higher")
  if (score === null && better !== null) return yield* wrong("--better needs --score")
  for (const name of ["best", "score"] as const) {
    if (given[name]?.trim() === "") return yield* wrong(`The command of --${name} is empty`)
  }
  if (given.foreground) return yield* wrong("--times cannot be combined with --foreground", "Wait with: beat wait ID")
  if (given.in !== null)
    return yield* wrong("--times cannot be combined with --in", "Each candidate has its workspace.")
  if (given.key !== null) return yield* wrong("--times cannot be combined with --key", example)
  const entry: Entry = {
    rules: { check: best, score, better: better ?? "lower", protect: [], evaluationMs: standardEvaluationMs },
    times,
    agents: yield* agentsOf(given, times),
    setup: given.setup,
    base: given.base ?? "HEAD"
  }
  return entry
})
