/** The options that say what is paused and resumed, and what they select. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import type { GateScope } from "../../domain/gates/Gate.ts"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import { isTerminal } from "../../domain/task/Task.ts"
import { requireGroup } from "../../programs/gates/requireGroup.ts"
import { Agents } from "../../services/Agents.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { Schedules } from "../../services/Schedules.ts"
import { Caller } from "../framework/Caller.ts"
import { UsageError } from "../framework/UsageError.ts"
import { optionalText } from "./Values.ts"

export const gateOptions = {
  all: Options.boolean("all").pipe(Options.withDescription("Everything")),
  group: optionalText("group", "name").pipe(Options.withAlias("g"), Options.withDescription("The tasks of this group")),
  agent: optionalText("agent", "name").pipe(Options.withAlias("a"), Options.withDescription("The tasks of this agent")),
  pipeline: optionalText("pipeline", "id").pipe(Options.withDescription("The steps of this pipeline")),
  schedule: optionalText("schedule", "id").pipe(Options.withDescription("The runs of this schedule"))
}

const _options = Options.all(gateOptions)
type Given = typeof _options extends Options.Options<infer A> ? A : never

type Selected =
  | { readonly scope: GateScope; readonly name: string }
  | { readonly scope: "schedule"; readonly id: ScheduleId }

const selections = ({ agent, all, group, pipeline, schedule }: Given): number =>
  [agent, group, pipeline, schedule].filter((one) => one !== null).length + (all ? 1 : 0)

export const selectsGate = (given: Given): boolean => selections(given) > 0

/** One that would cover nothing, such as a mistyped name, is refused. */
export const requireAgent = Effect.fn("requireAgent")(function* (name: string) {
  const { environment } = yield* Caller
  const known = yield* (yield* Agents).list(environment)
  if (known.some((agent) => agent.name === name)) return name
  return yield* new InvalidInput({ field: "--agent", problem: `there is no agent '${name}'`, example: "claude" })
})

/** A pause of a pipeline that has ended would hold nothing. */
const requirePipeline = Effect.fn("requirePipeline")(function* (reference: string, command: "pause" | "resume") {
  const pipelines = yield* Pipelines
  const id = yield* pipelines.resolve(reference)
  if (command === "resume") return id
  const { status } = yield* pipelines.get(id)
  if (!isTerminal(status)) return id
  return yield* new InvalidInput({
    field: "--pipeline",
    problem: `pipeline ${id} is ${status}: it has nothing to pause`,
    example: null
  })
})

/** Requires exactly one of the options, and that the thing it names exists. */
export const selectedGate = Effect.fn("selectedGate")(function* (given: Given, command: "pause" | "resume") {
  if (selections(given) !== 1) {
    return yield* new UsageError({
      problem: `Say what to ${command}: the id of a task, or one of --all, --group, --agent, --pipeline and --schedule`,
      hint: `beat ${command} ID, or: beat ${command} --all`
    })
  }
  const selected: Selected =
    given.group !== null
      ? { scope: "group", name: (yield* requireGroup(given.group)) ?? "" }
      : given.agent !== null
        ? { scope: "agent", name: command === "pause" ? yield* requireAgent(given.agent) : given.agent }
        : given.pipeline !== null
          ? { scope: "pipeline", name: yield* requirePipeline(given.pipeline, command) }
          : given.schedule !== null
            ? { scope: "schedule", id: yield* (yield* Schedules).resolve(given.schedule) }
            : { scope: "all", name: "" }
  return selected
})
