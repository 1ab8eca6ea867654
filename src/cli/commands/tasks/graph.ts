/** `beat graph`: tasks and what they wait for. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { TaskGraph } from "../../../domain/task/TaskGraph.ts"
import { resolveAll } from "../../../programs/groups/resolveAll.ts"
import { graphLimit, graph as graphOf } from "../../../programs/reports/graph.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { readOnlyCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { json, taskOr } from "../../input/Values.ts"
import { graphText, nodeLabel } from "../../output/GraphText.ts"

const formats = Effect.promise(() => import("../../output/GraphFormats.ts"))

/** The task, or the steps of the pipeline. */
const tasksOf = Effect.fn("graph.tasksOf")(function* (reference: string) {
  const pipelines = yield* Pipelines
  const { pipelineIds, taskIds } = yield* resolveAll([reference])
  const steps = yield* Effect.forEach(pipelineIds, (id) => Effect.map(pipelines.get(id), ({ steps }) => steps))
  return [...taskIds, ...steps.flat().map(({ task }) => task.id)]
})

export const graph = readOnlyCommand({
  name: "graph",
  section: "watch",
  summary: "Draw the dependencies between tasks",
  details:
    "With the id of a task or a pipeline, shows everything connected with it, ended or not. Without an id, shows all waiting tasks. Each task is drawn under a task that it waits for.",
  examples: [
    ["beat graph @last", "the newest task and everything connected with it"],
    ["beat graph k3v9 --mermaid > plan.mmd", "for a document"],
    ["beat graph --dot | dot -Tsvg > plan.svg", "through Graphviz"]
  ],
  options: Options.all({
    mermaid: Options.boolean("mermaid").pipe(Options.withDescription("Print a Mermaid flowchart")),
    dot: Options.boolean("dot").pipe(Options.withDescription("Print DOT, which Graphviz draws")),
    json
  }),
  args: Args.optional(taskOr("a pipeline")),
  completes: "task",
  run: Effect.fn("beat.graph")(function* (given, reference) {
    const terminal = yield* Terminal
    if ([given.mermaid, given.dot, given.json].filter(Boolean).length > 1) {
      return yield* new UsageError({
        problem: "--mermaid, --dot and --json cannot be combined",
        hint: "Use only one of them."
      })
    }
    const picture = yield* graphOf(Option.isNone(reference) ? null : yield* tasksOf(reference.value))
    if (given.json) yield* printJson(TaskGraph, picture)
    else if (given.mermaid) yield* terminal.print((yield* formats).mermaid(picture, nodeLabel))
    else if (given.dot) yield* terminal.print((yield* formats).dot(picture, nodeLabel))
    else {
      const lines = graphText(picture, yield* Clock.currentTimeMillis, terminal.stdout)
      for (const line of lines) yield* terminal.print(line)
      if (lines.length === 0) {
        yield* terminal.say(
          "No task is waiting for another. To show the dependencies of a task that has ended: beat graph ID"
        )
      }
    }
    if (picture.truncated) {
      yield* terminal.say(`beat: the graph is larger; this shows at most ${graphLimit.nodes} tasks`)
    }
    return ExitCode.ok
  })
})
