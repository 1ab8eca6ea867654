/** The options of every command that submits tasks. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { Labels } from "../../domain/task/Task.ts"
import { count, duration, optionalText, pairs, priority, size } from "./Values.ts"

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
        problem: "keys have 1 to 64 of A-Z a-z 0-9 _ . - /, values at most 256 characters, 32 labels in all",
        example: "--label team=web"
      })
  )

const smallestOutput = 1024

/** What `--max-output` gives. */
export const maxOutputOf = (given: number | undefined): Effect.Effect<number | undefined, InvalidInput> =>
  given !== undefined && given < smallestOutput
    ? Effect.fail(new InvalidInput({ field: "--max-output", problem: "at least 1 kB is kept", example: "10MB" }))
    : Effect.succeed(given)
