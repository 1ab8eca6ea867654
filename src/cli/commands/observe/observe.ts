/** `beat metrics`, `beat timeline` and `beat support`: the record for monitoring and for the search after a cause. Their implementation has its own bundle. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import type * as Effect from "effect/Effect"
import { type CommandServices, command, type Failure } from "../../framework/Command.ts"
import type { ExitCode } from "../../framework/ExitCode.ts"
import { json, task } from "../../input/Values.ts"

type Run = Effect.Effect<ExitCode, Failure, CommandServices>

export const metrics = (run: Run) =>
  command({
    name: "metrics",
    section: "machine",
    summary: "Print numbers for a monitoring system, in the text format of Prometheus",
    details:
      "Tasks by status, agent and group; ends, waits and run times of the last 24 hours; cost and tokens; usage limits, open questions, messages to hooks. No label holds a prompt, a path, an id or a key. Nothing is measured while no command asks: the numbers come from the database.",
    examples: [["beat metrics > /var/lib/node_exporter/backbeat.prom", "for the textfile collector, e.g. by cron"]],
    options: Options.none,
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run: () => run
  })

export const timeline = (run: (reference: string, asJson: boolean) => Run) =>
  command({
    name: "timeline",
    section: "watch",
    summary: "Show what happened to a task, in order: starts, limits, pauses, messages, questions, its end",
    details:
      "With all attempts of the same work. The newest 100,000 events are kept: of older ones, what the task itself has on record is shown.",
    examples: [["beat timeline @last", "the newest task"]],
    options: Options.all({ json }),
    args: task,
    completes: "task",
    answer: () => "output",
    run: (given, reference) => run(reference, given.json)
  })

export const support = (run: Run) =>
  command({
    name: "support",
    section: "machine",
    summary: "Print a problem report: versions, checks, settings, log ends",
    details: "Without keys, values of variables, prompts and output of agents. Read it before you send it.",
    examples: [["beat support > support.txt", "to attach it to a report"]],
    options: Options.none,
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run: () => run
  })
