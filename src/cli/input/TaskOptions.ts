/** What every command that hands over tasks lets one say of them. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { Labels } from "../../domain/task/Task.ts"
import { count, duration, optionalText, pairs, priority, size } from "./Values.ts"

/** Left out: null, or undefined where the settings decide. */
export const taskOptions = {
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription("claude, codex, gemini, shell, ... ('beat agents list'); else the default agent")
  ),
  model: optionalText("model", "model").pipe(
    Options.withAlias("m"),
    Options.withDescription("Model, in the agent's own words")
  ),
  priority: priority.pipe(
    Options.withDefault(undefined),
    Options.withDescription("P0 starts before P1 (the default), P1 before P2")
  ),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription("Working directory (default: the current one)")
  ),
  systemPrompt: optionalText("system-prompt", "text").pipe(
    Options.withDescription("Added to the agent's instructions")
  ),
  timeout: duration("timeout").pipe(
    Options.withAlias("t"),
    Options.withDefault(undefined),
    Options.withDescription("End a task after this time, for example 30m; 0 is never")
  ),
  stall: duration("stall").pipe(
    Options.withDefault(undefined),
    Options.withDescription("End a task after this time without output or CPU use; 0 is never")
  ),
  label: pairs("label").pipe(Options.withDescription("A label to find a task by; repeatable")),
  retries: count("retries", 0, 20).pipe(
    Options.withDefault(undefined),
    Options.withDescription("Retry up to this many times after a transient failure (default: 0)")
  ),
  backoff: duration("backoff").pipe(
    Options.withDefault(undefined),
    Options.withDescription("Delay before the first retry (default: 30s); doubles each time")
  )
}

/** The ones that a pipeline's file says nothing of. */
export const captureOptions = {
  maxOutput: size("max-output").pipe(
    Options.withDefault(undefined),
    Options.withDescription("Keep this much of each output stream, for example 10MB; the middle is dropped beyond")
  ),
  env: pairs("env").pipe(Options.withDescription("A variable for the agent, on top of those set here; repeatable"))
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
