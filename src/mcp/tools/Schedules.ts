/** One tool for schedules: it creates, lists, shows, pauses, resumes and cancels them. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { schedulePage } from "../../programs/schedules/scheduleReport.ts"
import { requireOutside } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Schedules as Port } from "../../services/Schedules.ts"
import {
  ScheduleReference,
  ScheduleState,
  schedule,
  scheduledTask,
  scheduleState,
  whenFields
} from "../fields/ScheduleFields.ts"
import { Session } from "../protocol/Session.ts"
import { type Call, tool } from "../Tool.ts"

const Text = Schema.optional(Schema.NonEmptyString)

const Input = Schema.Struct({
  action: Schema.Literal("create", "list", "status", "pause", "resume", "cancel"),
  id: Schema.optional(ScheduleReference.annotations({ description: "All but create and list" })),
  prompt: Text,
  ...whenFields,
  when: Schema.optional(whenFields.when),
  agent: Text,
  model: Text,
  directory: Text,
  reason: Text
})
type Input = typeof Input.Type

const Output = Schema.Struct({ schedules: Schema.Array(ScheduleState), warnings: Schema.Array(Schema.String) })

/** The arguments that an action uses. */
const argumentsOf = (action: Input["action"]): ReadonlyArray<string> => {
  if (action === "create") return Object.keys(Input.fields).filter((name) => name !== "id" && name !== "reason")
  if (action === "list") return ["action"]
  return action === "pause" ? ["action", "id", "reason"] : ["action", "id"]
}

const missing = (field: string, example: string) => new InvalidInput({ field, problem: "it is missing", example })

const create = Effect.fn("Schedules.create")(function* (input: Input, call: Call) {
  const { agent, directory, model, prompt, when } = input
  if (prompt === undefined) return yield* missing("prompt", '"Triage the new issues"')
  if (when === undefined) return yield* missing("when", '"0 9 * * 1-5"')
  const work = yield* scheduledTask({ agent, directory, model, prompt })
  const { maxRuns, missed, name, overlap, timezone } = input
  const rules = {
    when,
    ...(maxRuns === undefined ? {} : { maxRuns }),
    ...(missed === undefined ? {} : { missed }),
    ...(name === undefined ? {} : { name }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(timezone === undefined ? {} : { timezone })
  }
  const { warnings: told, ...state } = yield* schedule(rules, work, call)
  return { schedules: [state], warnings: told }
})

const change = Effect.fn("Schedules.change")(function* (input: Input) {
  const schedules = yield* Port
  if (input.id === undefined) return yield* missing("id", '"4h8s1zq6w0be"')
  const id = yield* schedules.resolve(input.id)
  switch (input.action) {
    case "pause":
      return yield* schedules.pause(id, { reason: input.reason?.slice(0, 1000) ?? null, revision: null })
    case "resume":
      return yield* schedules.resume(id)
    case "cancel":
      return yield* schedules.cancel(id)
    default:
      return yield* schedules.get(id)
  }
})

export const schedulesTool = tool({
  name: "Schedules",
  title: "Schedules",
  description:
    "Run a task later or at recurring times (cron, every day, every 15 minutes), also after this session ends: create, list, show, pause, resume or cancel schedules.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Input,
  output: Output,
  example: {
    action: "create" as const,
    id: "4h8s1zq6w0be",
    prompt: "Triage the new issues and label them",
    when: "0 9 * * 1-5",
    timezone: "Europe/Berlin",
    name: "triage",
    maxRuns: 10,
    overlap: "skip" as const,
    missed: "run-once" as const,
    agent: "claude",
    model: "sonnet",
    directory: "/home/me/project",
    reason: "holidays"
  },
  handle: Effect.fn("Schedules")(function* (input, call) {
    const misplaced = Object.keys(input).find((name) => !argumentsOf(input.action).includes(name))
    if (misplaced !== undefined)
      return yield* new InvalidInput({
        field: misplaced,
        problem: `has no meaning with the action '${input.action}'`,
        example: null
      })
    const { environment } = yield* Session
    if (input.action !== "list" && input.action !== "status") {
      yield* requireOutside(submitterOf(environment), "change schedules")
    }
    if (input.action === "create") return yield* create(input, call)
    if (input.action === "list") {
      const { schedules } = yield* schedulePage({ status: ["active", "paused"], limit: 20, before: null })
      return {
        schedules: schedules.map((one) => scheduleState(one, one.nextFireAt === null ? [] : [one.nextFireAt])),
        warnings: []
      }
    }
    const changed = yield* change(input)
    return {
      schedules: [scheduleState(changed, changed.nextFireAt === null ? [] : [changed.nextFireAt])],
      warnings: []
    }
  })
})
