/** `beat doctor`: checks the installation and repairs what it can. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { parseDuration } from "../../../domain/Duration.ts"
import { type CommandServices, command, type Failure } from "../../framework/Command.ts"
import type { ExitCode } from "../../framework/ExitCode.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { count, json } from "../../input/Values.ts"

export interface ExamineRequest {
  /** Mend what can be mended. */
  readonly fix: boolean
  readonly json: boolean
}

export interface TortureRequest {
  readonly durationMs: number
  /** Null: pick a new seed. */
  readonly seed: number | null
  /** What most of it is about; null: a bit of everything. */
  readonly focus: "limits" | "merges" | null
  readonly json: boolean
}

const standardTorture = "60s"

const durationOf = (written: string) =>
  Either.mapLeft(
    Either.filterOrLeft(
      parseDuration(written),
      (ms) => ms >= 1000,
      () => `'${written}' is too short: the minimum is one second`
    ),
    (problem) => new UsageError({ problem, hint: "e.g. beat doctor --torture 60s" })
  )

/** What it does is in a separate bundle, which the first word on the command line chooses. */
export const doctor = (
  examine: (request: ExamineRequest) => Effect.Effect<ExitCode, Failure, CommandServices>,
  torture: (request: TortureRequest) => Effect.Effect<ExitCode, Failure, CommandServices>
) =>
  command({
    name: "doctor",
    section: "machine",
    summary: "Check the installation, and repair it with --fix",
    details:
      "--fix repairs what is safe to repair: file permissions, rows of dead workers, directories left behind by ended tasks, an outdated database, queued work without a worker. Exits with 1 if something is broken.\n\n--torture proves in its own directory that no task is lost: it runs tasks, kills processes at random, and checks the whole history. It touches none of your tasks.",
    examples: [
      ["beat doctor", "check everything"],
      ["beat doctor --torture 60s", "a minute of kills; use the printed seed to repeat them"]
    ],
    options: Options.all({
      fix: Options.boolean("fix").pipe(Options.withDescription("Repair what can be repaired safely")),
      torture: Options.boolean("torture").pipe(
        Options.withDescription(
          `Kill processes at random for <time> (default: ${standardTorture}) and check that no task is lost`
        )
      ),
      seed: count("seed", 0, 2 ** 31 - 1).pipe(
        Options.withDefault(null),
        Options.withDescription("Seed of the torture run: the same seed plans the same tasks and faults")
      ),
      limits: Options.boolean("limits").pipe(
        Options.withDescription("Let the tasks of the torture run mostly meet usage limits and a budget")
      ),
      merges: Options.boolean("merges").pipe(
        Options.withDescription("Let the torture run mostly merge the work of isolated tasks and reclaim workspaces")
      ),
      json
    }),
    args: Args.text({ name: "time" }).pipe(
      Args.withDescription("How long the torture run lasts, e.g. 60s or 10m"),
      Args.optional
    ),
    completes: "none",
    run: (given, time) =>
      Effect.gen(function* () {
        if (given.torture) {
          const written = Option.getOrElse(time, () => standardTorture)
          const durationMs = yield* durationOf(written)
          if (given.limits && given.merges) {
            return yield* new UsageError({
              problem: "--limits and --merges cannot be combined",
              hint: "beat doctor --torture 60s --merges"
            })
          }
          const focus = given.limits ? "limits" : given.merges ? "merges" : null
          return yield* torture({ durationMs, seed: given.seed, focus, json: given.json })
        }
        if (Option.isSome(time) || given.seed !== null || given.limits || given.merges) {
          return yield* new UsageError({
            problem: Option.isSome(time)
              ? `Unexpected argument '${time.value}'`
              : `'${given.seed !== null ? "--seed" : given.limits ? "--limits" : "--merges"}' works only with '--torture'`,
            hint: "beat doctor --torture 60s"
          })
        }
        return yield* examine(given)
      })
  })
