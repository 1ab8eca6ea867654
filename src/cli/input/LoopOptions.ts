/** Options of commands that repeat work until it is right: who judges it, its bounds, and where it starts. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { parseMoney } from "../../domain/budgets/parseAmount.ts"
import { InvalidInput } from "../../domain/Errors.ts"
import { standardEvaluationMs } from "../../programs/loops/submitLoop.ts"
import { UsageError } from "../framework/UsageError.ts"
import { duration, optionalText, parsed } from "./Values.ts"

export const boundOptions = {
  for: duration("for").pipe(
    Options.withDefault(null),
    Options.withDescription("Start no round after this time, e.g. 8h, and end the work that is running then")
  ),
  budget: Options.text("budget").pipe(
    Options.withPseudoName("amount"),
    parsed("budget", parseMoney),
    Options.withDefault(null),
    Options.withDescription("Start no round once its agents report this cost, e.g. 15usd")
  ),
  base: optionalText("base", "HEAD | tree | revision | id").pipe(
    Options.withDescription("Start at this commit (default: HEAD); tree takes uncommitted files along")
  ),
  protect: Options.text("protect").pipe(
    Options.withPseudoName("pathspec"),
    Options.repeated,
    Options.withDescription("Discard a round that changes a matching file, e.g. 'test/**'; repeatable")
  ),
  evaluationTimeout: duration("evaluation-timeout").pipe(
    Options.withDefault(standardEvaluationMs),
    Options.withDescription("End an evaluation after this time (default: 30m)")
  )
}

export const judgeOptions = {
  judge: optionalText("judge", "text").pipe(
    Options.withDescription(
      "Let an agent read each round, which passes when the answer ends in PASS, e.g. 'The guide is complete'"
    )
  ),
  judgeAgent: optionalText("judge-agent", "name").pipe(
    Options.withDescription("Judge with this agent (default: the agent of the work)")
  ),
  judgeModel: optionalText("judge-model", "name").pipe(
    Options.withDescription("Judge with this model of --judge-agent")
  )
}

interface Judged {
  readonly until: string | null
  /** Undefined where nothing is measured. */
  readonly score?: string | null
  readonly judge: string | null
  readonly judgeAgent: string | null
  readonly judgeModel: string | null
}

/** Something other than the work itself has to decide. */
export const requireJudgement = Effect.fn("requireJudgement")(function* (subject: string, given: Judged) {
  const wrong = (problem: string) => new UsageError({ problem, hint: `e.g. --until "npm test"` })
  const { judge, judgeAgent, judgeModel, score, until } = given
  const words = { "--until": until, "--score": score ?? null, "--judge": judge }
  for (const [field, text] of Object.entries(words)) {
    if (text !== null && text.trim() === "") {
      return yield* new InvalidInput({ field, problem: "it is empty", example: `${field} 'npm test'` })
    }
  }
  if (Object.values(words).every((text) => text === null)) {
    return yield* wrong(`${subject} needs --until${score === undefined ? " or" : ", --score or"} --judge`)
  }
  if (judge === null && (judgeAgent ?? judgeModel) !== null)
    return yield* wrong("--judge-agent and --judge-model need --judge")
  if (judgeModel !== null && judgeAgent === null) return yield* wrong("--judge-model needs --judge-agent")
})
