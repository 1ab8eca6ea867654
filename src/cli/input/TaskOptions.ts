/** The options of every command that submits tasks. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseMoney } from "../../domain/budgets/parseAmount.ts"
import { agentName, InvalidInput } from "../../domain/Errors.ts"
import { Labels, labelKeyRule, OnLimit } from "../../domain/task/Task.ts"
import { choice, count, duration, optionalText, pairs, parsed, priority, size } from "./Values.ts"

/** Options that were not given are null, or undefined if the settings decide. */
export const taskOptions = {
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription(
      "Agent to use: claude, codex, gemini, shell, ... (default: the default agent; see 'beat agents list')"
    )
  ),
  model: optionalText("model", "model").pipe(
    Options.withAlias("m"),
    Options.withDescription("Model to use, by the agent's name for it")
  ),
  priority: priority.pipe(
    Options.withDefault(undefined),
    Options.withDescription("Priority: P0 starts before P1, P1 before P2 (default: P1)")
  ),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription("Working directory (default: the current one)")
  ),
  systemPrompt: optionalText("system-prompt", "text").pipe(
    Options.withDescription("Add this text to the agent's instructions")
  ),
  timeout: duration("timeout").pipe(
    Options.withAlias("t"),
    Options.withDefault(undefined),
    Options.withDescription("End a task after this time, e.g. 30m; 0 means never")
  ),
  stall: duration("stall").pipe(
    Options.withDefault(undefined),
    Options.withDescription("End a task after this time without output or CPU use; 0 means never")
  ),
  label: pairs("label").pipe(Options.withDescription("Add a label to find the task by; repeatable")),
  retries: count("retries", 0, 20).pipe(
    Options.withDefault(undefined),
    Options.withDescription("Retry up to this many times after a transient failure (default: 0)")
  ),
  backoff: duration("backoff").pipe(
    Options.withDefault(undefined),
    Options.withDescription("Delay before the first retry (default: 30s); doubles each time")
  )
}

/** The group of a task. */
export const groupOption = optionalText("group", "name").pipe(
  Options.withAlias("g"),
  Options.withDescription("Count the task against the limit of this group (see 'beat group set')")
)

/** What a task may spend. */
export const budgetOption = Options.text("budget").pipe(
  Options.withPseudoName("amount"),
  parsed("budget", parseMoney),
  Options.withDefault(null),
  Options.withDescription(
    "Park the task and everything that its agent submits once this is spent, e.g. 5usd; 'beat budget set ID --total 10usd' raises it"
  )
)

/** What a task does when it meets a usage limit. */
export const limitOptions = {
  fallback: optionalText("fallback", "agents").pipe(
    Options.withDescription(
      "Give the task to the first of these agents that is open, e.g. codex,gemini, when a limit keeps it for over 30 minutes"
    )
  ),
  spare: Options.boolean("spare").pipe(
    Options.withDescription(
      "Start only near the end of the usage windows of its account, and only with room that would go unused"
    )
  ),
  onLimit: choice("on-limit", OnLimit.literals).pipe(
    Options.withDefault(undefined),
    Options.withDescription(
      "At a usage limit, park the task until the limit ends, or fail with exit code 75 (default: park)"
    )
  ),
  giveUp: duration("give-up").pipe(
    Options.withDefault(undefined),
    Options.withDescription(
      "Fail when usage limits have kept the task waiting for this long, e.g. 12h (default: 7d from when it is first parked)"
    )
  )
}

/** Options that a pipeline file does not have. */
export const captureOptions = {
  maxOutput: size("max-output").pipe(
    Options.withDefault(undefined),
    Options.withDescription("Keep at most this much of each output stream, e.g. 10MB; beyond it, the middle is dropped")
  ),
  env: pairs("env").pipe(
    Options.withDescription("Set a variable for the agent, in addition to the current environment; repeatable")
  )
}

/** The labels that `--label` gives. */
export const labelsOf = (given: Readonly<Record<string, string>>): Effect.Effect<Labels, InvalidInput> =>
  Effect.mapError(
    Schema.decodeUnknown(Labels)(given),
    () =>
      new InvalidInput({
        field: "--label",
        problem: `${labelKeyRule}, values at most 256 characters, 32 labels in all`,
        example: "--label team=web"
      })
  )

/** What `--fallback` gives. */
export const fallbackOf = (given: string | null): Effect.Effect<ReadonlyArray<string>, InvalidInput> => {
  const agents = (given ?? "").split(",").map((name) => name.trim())
  if (given === null) return Effect.succeed([])
  return agents.length <= 5 && agents.every((name) => agentName.test(name))
    ? Effect.succeed(agents)
    : Effect.fail(
        new InvalidInput({
          field: "--fallback",
          problem: "names 1 to 5 agents, separated by commas",
          example: "codex,gemini"
        })
      )
}

const smallestOutput = 1024

/** What `--max-output` gives. */
export const maxOutputOf = (given: number | undefined): Effect.Effect<number | undefined, InvalidInput> =>
  given !== undefined && given < smallestOutput
    ? Effect.fail(new InvalidInput({ field: "--max-output", problem: "at least 1 kB is kept", example: "10MB" }))
    : Effect.succeed(given)
