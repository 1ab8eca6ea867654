/** What clients put into a model's context: small, in a fixed order, and saying the same as the schemas behind it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeInput, type InputProblem } from "../../src/mcp/fields/Input.ts"
import { jsonSchema } from "../../src/mcp/fields/JsonSchemas.ts"
import { instructions, prompts } from "../../src/mcp/Instructions.ts"
import { coreTools, insideTools, tools } from "../../src/mcp/Tools.ts"
import { Beat } from "../system/Beat.ts"
import { Server } from "./Server.ts"

const mostTokens = 2500
const mostBytes = 25_000

describe("the tools", () => {
  it("have a fixed order, with those first that clients list", () => {
    assert.deepStrictEqual(
      coreTools.map(({ name }) => name),
      tools.slice(0, coreTools.length).map(({ name }) => name)
    )
    assert.isAtMost(coreTools.length, 12)
    assert.deepStrictEqual(
      tools.map(({ name }) => name),
      [
        "DelegateTask",
        "WaitTasks",
        "TaskStatus",
        "TaskResult",
        "TaskLogs",
        "TaskDiff",
        "MergeTask",
        "CancelTask",
        "RetryTask",
        "EditTask",
        "Schedules",
        "ListAgents",
        "WakeMe",
        "ListTasks",
        "ResumeTask",
        "CreatePipeline",
        "PipelineStatus",
        "ListPipelines",
        "CancelPipeline",
        "ScheduleTask",
        "SchedulePipeline",
        "ListSchedules",
        "ScheduleStatus",
        "PauseSchedule",
        "ResumeSchedule",
        "CancelSchedule",
        "ConfigureAgent",
        "AskPerson",
        "Limits",
        "Usage"
      ]
    )
  })

  it(`cost at most ${mostTokens} tokens, and the whole list at most ${mostBytes} bytes`, () => {
    for (const some of [coreTools, insideTools]) {
      const listed = some.map(({ annotations, description, inputSchema, name, outputSchema, title }) => ({
        annotations,
        description,
        inputSchema,
        name,
        outputSchema,
        title
      }))
      assert.isAtMost(JSON.stringify(listed).length, mostBytes)
      const shown = some.map(({ description, inputSchema, name }) => ({ name, description, inputSchema }))
      assert.isAtMost(JSON.stringify(shown).length / 4, mostTokens)
    }
  })

  it("are at most 12, also inside a task", () => {
    assert.isAtMost(insideTools.length, 12)
  })

  it("state the defaults of their arguments, and describe each field of a step", () => {
    const fieldsOf = (name: string) => tools.find((tool) => tool.name === name)?.inputSchema.properties ?? {}
    assert.deepNestedInclude(fieldsOf("WaitTasks"), { "mode.default": "any", "timeoutMs.default": 50_000 })
    assert.deepNestedInclude(fieldsOf("TaskStatus"), { "detail.default": "full", "limit.default": 10 })
    assert.deepNestedInclude(fieldsOf("CancelTask"), { "tree.default": false })
    assert.deepNestedInclude(fieldsOf("TaskLogs"), { "raw.default": false, "lines.default": 50 })
    for (const name of ["labels", "env"]) assert.nestedProperty(fieldsOf("DelegateTask"), `${name}.description`)
    assert.include(tools.find(({ name }) => name === "Schedules")?.description, "every day")
    for (const name of ["CreatePipeline", "SchedulePipeline"]) {
      const fields = fieldsOf(name)
      assert.deepNestedInclude(fields, { "steps.items.additionalProperties": false, "steps.items.type": "object" })
      for (const key of ["priority", "timeout", "stall", "delay", "retries", "backoff", "labels", "gate", "after"])
        assert.nestedProperty(fields, `steps.items.properties.${key}.description`, name)
      assert.notInclude(JSON.stringify(fields), "\\\\$", "variables are for files")
    }
    assert.nestedProperty(fieldsOf("CreatePipeline"), "steps.items.properties.loop.properties.until")
    assert.notNestedProperty(fieldsOf("SchedulePipeline"), "steps.items.properties.loop")
  })

  it("have schemas that are objects, with every reference resolved", () => {
    for (const tool of tools) {
      for (const schema of [tool.inputSchema, tool.outputSchema]) {
        assert.strictEqual(schema.type, "object", tool.name)
        assert.doesNotHaveAnyKeys(schema, ["anyOf", "oneOf", "allOf", "$schema"])
        const text = JSON.stringify(schema)
        for (const [, name] of text.matchAll(/"#\/\$defs\/([^"]+)"/g)) assert.property(schema.$defs, name ?? "")
      }
    }
  })

  it("say what they return in at most 300 characters", () => {
    for (const { description } of tools) assert.isAtMost(description.length, 300)
  })
})

describe("the instructions", () => {
  it("have the loop in the 250 characters that Codex shows", () => {
    const [first = ""] = instructions.split("\n\n")
    assert.isAtMost(first.length, 250)
    for (const word of ["DelegateTask", "WaitTasks", "pending", "cursor"]) assert.include(first, word)
  })

  it("are a guide of at most 300 words", () => {
    assert.isAtMost(instructions.split(/\s+/).length, 300)
    for (const [, name] of instructions.matchAll(/\b([A-Z][a-z]+(?:Task|Tasks|Status|Agents|Logs|Result))\b/g)) {
      assert.include(
        tools.map((tool) => tool.name),
        name
      )
    }
  })

  it("and the prompts use what they are given", () => {
    for (const prompt of prompts) {
      const given = Object.fromEntries(prompt.arguments.map(({ name }) => [name, `<${name}>`]))
      for (const value of Object.values(given)) assert.include(prompt.text(given), value)
    }
  })
})

describe("bad arguments", () => {
  const Input = Schema.Struct({
    ids: Schema.Array(Schema.NonEmptyString).pipe(Schema.minItems(1)),
    n: Schema.optional(Schema.Int)
  })
  const problems = (raw: unknown) =>
    decodeInput(Input, { ids: ["k3v9"], n: 1 })(raw).pipe(
      Effect.flip,
      Effect.map((problem) => problem.problems)
    )

  const plain = Schema.Struct({ ids: Schema.Array(Schema.String) })
  const ids = ["k3v9"]
  const withDefault = Schema.Struct({ ids: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }) })
  const renamed = Schema.Struct({ names: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("ids")) })
  const cases: ReadonlyArray<readonly [string, (sent: unknown) => Effect.Effect<unknown, InputProblem>]> = [
    ["without more", decodeInput(plain, { ids })],
    ["with a default", decodeInput(withDefault, { ids })],
    ["with a rule over all of them", decodeInput(plain.pipe(Schema.filter(() => true)), { ids })],
    ["that have another name inside", decodeInput(renamed, { ids: "k3v9" })]
  ]
  for (const [text, decode] of cases) {
    it.effect(`name the known arguments as they are sent, ${text}`, () =>
      Effect.gen(function* () {
        const { problems: found } = yield* Effect.flip(decode({ zzzzzz: 1 }))
        assert.include(found, "zzzzzz: there is no such argument. Known: ids")
      })
    )
  }

  it.effect("name the field, the rule and an example", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problems({}), ['ids: it is missing, e.g. ["k3v9"]'])
      assert.deepStrictEqual(yield* problems({ ids: [7] }), ['ids[0]: expected string, not 7, e.g. "k3v9"'])
      assert.deepStrictEqual(yield* problems({ ids: ["a"], nn: 1 }), [
        "nn: there is no such argument. Did you mean 'n'?"
      ])
      const [first = ""] = yield* problems([])
      assert.match(first, /e\.g\. \{"ids":\["k3v9"\],"n":1\}$/)
    })
  )
})

describe("JSON Schemas", () => {
  it("share what is large and used twice, and inline what is small", () => {
    const Large = Schema.Struct({ a: Schema.String, b: Schema.String, c: Schema.Number }).annotations({
      identifier: "Large"
    })
    const Small = Schema.Int.annotations({ identifier: "Small" })
    const schema = jsonSchema(Schema.Struct({ one: Large, two: Large, three: Small }))
    assert.deepStrictEqual(Object.keys(schema.$defs ?? {}), ["Large"])
    assert.deepNestedInclude(schema, {
      "properties.one": { $ref: "#/$defs/Large" },
      "properties.three.type": "integer"
    })
  })
})

describe("the built server", () => {
  it("lists what the schemas say: the build has made them beforehand", async () => {
    const beat = new Beat()
    const server = new Server(beat)
    try {
      await server.initialize()
      const { result } = await server.request("tools/list")
      const listed = result?.tools as ReadonlyArray<{ name: string; inputSchema: object; outputSchema: object }>
      assert.deepStrictEqual(
        listed.map(({ inputSchema, name, outputSchema }) => ({ name, inputSchema, outputSchema })),
        coreTools.map(({ inputSchema, name, outputSchema }) => ({ name, inputSchema, outputSchema }))
      )
    } finally {
      server.kill()
      await beat.close()
    }
  })
})
