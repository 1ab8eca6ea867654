/** Runs the first steps of an MCP client, and reports which step fails and how long each took. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { elapsedMs } from "../../domain/Elapsed.ts"
import { ProbeFailed } from "../../domain/Errors.ts"
import { McpClients } from "../../services/McpClients.ts"
import { McpProbe } from "../../services/McpProbe.ts"

export const TestReport = Schema.Struct({
  ok: Schema.Boolean,
  steps: Schema.Array(
    Schema.Struct({ step: Schema.String, ok: Schema.Boolean, milliseconds: Schema.Int, detail: Schema.String })
  )
}).annotations({ identifier: "McpTestReport" })
export type TestReport = typeof TestReport.Type

const answerMs = 10_000
const closeMs = 3000

const Hello = Schema.Struct({ protocolVersion: Schema.String, serverInfo: Schema.Struct({ version: Schema.String }) })
const Listed = Schema.Struct({ tools: Schema.Array(Schema.Struct({ name: Schema.String })) })
const Called = Schema.Struct({
  isError: Schema.optional(Schema.Boolean),
  content: Schema.Array(Schema.Struct({ text: Schema.optional(Schema.String) }))
})

const as = <A, I>(schema: Schema.Schema<A, I>, value: unknown) =>
  Schema.decodeUnknown(schema)(value).pipe(
    Effect.mapError(() => new ProbeFailed({ problem: "its answer has an unexpected form", stderr: "" }))
  )

export const testMcp = Effect.fn("testMcp")(function* (version: string) {
  const clients = yield* McpClients
  const probe = yield* McpProbe
  const steps: Array<TestReport["steps"][number]> = []
  const step = <A, R>(name: string, effect: Effect.Effect<readonly [A, string], ProbeFailed, R>) =>
    Effect.gen(function* () {
      const began = yield* elapsedMs
      const done = yield* Effect.either(effect)
      const milliseconds = (yield* elapsedMs) - began
      const detail = done._tag === "Right" ? done.right[1] : done.left.message
      steps.push({ step: name, ok: done._tag === "Right", milliseconds, detail })
      return yield* Effect.map(done, ([value]) => value)
    })

  const all = Effect.gen(function* () {
    const command = yield* clients.server
    const server = yield* step(
      "start",
      Effect.map(probe.start(command), (started) => [started, [command.command, ...command.args].join(" ")] as const)
    )
    yield* step(
      "initialize",
      Effect.gen(function* () {
        const params = {
          protocolVersion: "2025-11-25",
          capabilities: {},
          clientInfo: { name: "beat mcp test", version }
        }
        const hello = yield* as(Hello, yield* server.request("initialize", params, answerMs))
        yield* server.notify("notifications/initialized")
        return [null, `version ${hello.serverInfo.version}, protocol ${hello.protocolVersion}`] as const
      })
    )
    yield* step(
      "tools/list",
      Effect.map(
        Effect.flatMap(server.request("tools/list", {}, answerMs), (answer) => as(Listed, answer)),
        ({ tools }) => [null, `${tools.length} tools`] as const
      )
    )
    yield* step(
      "TaskStatus",
      Effect.gen(function* () {
        const answer = yield* server.request("tools/call", { name: "TaskStatus", arguments: {} }, answerMs)
        const called = yield* as(Called, answer)
        if (called.isError === true) {
          return yield* new ProbeFailed({ problem: called.content[0]?.text ?? "it failed", stderr: "" })
        }
        return [null, "the database answers"] as const
      })
    )
    yield* step(
      "leave",
      Effect.flatMap(server.close(closeMs), (code) =>
        code === 0
          ? Effect.succeed([null, "it exited with code 0"] as const)
          : new ProbeFailed({ problem: `it exited with code ${code}`, stderr: "" })
      )
    )
  })
  yield* Effect.ignore(Effect.scoped(all))
  const report: TestReport = { ok: steps.every(({ ok }) => ok), steps }
  return report
})
