/** Every model survives the way through JSON: what is stored, shown and sent is decoded by the schema that encoded it. */
import { setImmediate } from "node:timers/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { OutputChunk, StreamState } from "../../src/domain/output/Output.ts"
import {
  NewPipeline,
  Pipeline,
  PipelinePage,
  PipelinePlan,
  PipelineProblem
} from "../../src/domain/pipeline/Pipeline.ts"
import { AgentSettings, SettingsFile } from "../../src/domain/settings/Settings.ts"
import { AgentInfo } from "../../src/domain/task/Agent.ts"
import { Checkpoint } from "../../src/domain/task/Checkpoint.ts"
import { Environment, Launch, NewTask } from "../../src/domain/task/NewTask.ts"
import { Outcome } from "../../src/domain/task/Outcome.ts"
import { Task, TaskSummary, Usage } from "../../src/domain/task/Task.ts"
import { TerminalEvent } from "../../src/domain/task/TerminalEvent.ts"
import { Claim } from "../../src/domain/worker/Claim.ts"
import { ProcessIdentity } from "../../src/domain/worker/Process.ts"
import { Worker } from "../../src/domain/worker/Worker.ts"

/** What JSON can tell apart: a field that is undefined is no field, and a number without an end is none. */
const told = (value: unknown): unknown => {
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : null
  if (value instanceof Uint8Array) return { bytes: Array.from(value) }
  if (Array.isArray(value)) return value.map(told)
  if (typeof value !== "object" || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return fields
    .map(([key, field]) => [key, told(field)])
    .sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))
}

const roundTrip = <A, I>(name: string, schema: Schema.Schema<A, I>, numRuns = 60) =>
  it(`${name} comes back from JSON as it was`, async () => {
    const encode = Schema.encodeSync(Schema.parseJson(schema))
    const decode = Schema.decodeUnknownSync(Schema.parseJson(schema), { onExcessProperty: "error" })
    await FastCheck.assert(
      FastCheck.asyncProperty(Arbitrary.make(schema), async (value) => {
        // The test runner has to be heard between two values.
        await setImmediate()
        const text = encode(value)
        const back = decode(text)
        assert.deepStrictEqual(told(back), told(value))
        assert.strictEqual(encode(back), text)
      }),
      { numRuns, seed: 11 }
    )
  })

describe("models", () => {
  roundTrip("Task", Task)
  roundTrip("TaskSummary", TaskSummary)
  roundTrip("Usage", Usage)
  roundTrip("NewTask", NewTask)
  roundTrip("Launch", Launch)
  roundTrip("Environment", Environment)
  roundTrip("Outcome", Outcome)
  roundTrip("Checkpoint", Checkpoint)
  roundTrip("Pipeline", Pipeline)
  roundTrip("PipelinePage", PipelinePage)
  roundTrip("PipelinePlan", PipelinePlan)
  roundTrip("PipelineProblem", PipelineProblem)
  // Each has many tasks.
  roundTrip("NewPipeline", NewPipeline, 12)
  roundTrip("Worker", Claim)
  roundTrip("Worker", Worker)
  roundTrip("ProcessIdentity", ProcessIdentity)
  roundTrip("OutputChunk", OutputChunk)
  roundTrip("StreamState", StreamState)
  roundTrip("TerminalEvent", TerminalEvent)
  roundTrip("AgentInfo", AgentInfo)
  roundTrip("AgentSettings", AgentSettings)
  roundTrip("SettingsFile", SettingsFile)

  it("the summary has every field of the task but its long texts and its edges", () => {
    const long = ["answer", "dependsOn", "prompt", "systemPrompt"]
    assert.sameMembers([...Object.keys(TaskSummary.fields), ...long], Object.keys(Task.fields))
  })

  it("an outcome has only fields that the task keeps, and what the ledger keeps", () => {
    const { spending: _, ...kept } = Outcome.fields
    assert.includeMembers(Object.keys(Task.fields), Object.keys(kept))
  })
})
