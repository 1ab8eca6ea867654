/** Spans and counters in the file that `BACKBEAT_TRACE` names, as the built worker and the built MCP server write them. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import * as Schema from "effect/Schema"
import { Beat, binary, until } from "./Beat.ts"

const Span = Schema.Struct({
  traceId: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/)),
  spanId: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{16}$/)),
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  kind: Schema.Int,
  startTimeUnixNano: Schema.NumberFromString,
  endTimeUnixNano: Schema.NumberFromString,
  status: Schema.Struct({ code: Schema.Literal(0, 1, 2) })
})
const Metric = Schema.Struct({
  name: Schema.String,
  sum: Schema.Struct({ dataPoints: Schema.Tuple(Schema.Struct({ asInt: Schema.NumberFromString })) })
})
const Line = Schema.parseJson(
  Schema.Union(
    Schema.Struct({
      resourceSpans: Schema.Tuple(
        Schema.Struct({ scopeSpans: Schema.Tuple(Schema.Struct({ spans: Schema.Array(Span) })) })
      )
    }),
    Schema.Struct({
      resourceMetrics: Schema.Tuple(
        Schema.Struct({ scopeMetrics: Schema.Tuple(Schema.Struct({ metrics: Schema.Array(Metric) })) })
      )
    })
  )
)

const linesOf = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Schema.decodeUnknownSync(Line)(line))

const spansOf = (file: string) =>
  linesOf(file).flatMap((line) => ("resourceSpans" in line ? line.resourceSpans[0].scopeSpans[0].spans : []))

/** The last sums: they only grow. */
const sumsOf = (file: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    linesOf(file).flatMap((line) =>
      "resourceMetrics" in line
        ? line.resourceMetrics[0].scopeMetrics[0].metrics.map(({ name, sum }) => [name, sum.dataPoints[0].asInt])
        : []
    )
  )

describe("BACKBEAT_TRACE", () => {
  let beat: Beat
  let file: string
  beforeEach(() => {
    beat = new Beat()
    file = join(beat.home, "trace.jsonl")
  })
  afterEach(() => beat.close())

  const runTask = (env: Record<string, string>) =>
    beat.run(["run", "-f", "-a", "shell", "--", "printf abc # private-word"], { env })
  const workersLeft = () => until("the worker to leave", () => beat.rows("SELECT id FROM workers").length === 0)

  it("has the spans of a task's life and the counters of its worker, for the owner alone", async () => {
    assert.strictEqual((await runTask({ BACKBEAT_TRACE: file })).code, 0)
    await until("the last span", () => existsSync(file) && spansOf(file).some(({ name }) => name === "workOn"))

    const spans = spansOf(file)
    const byId = new Map(spans.map((span) => [span.spanId, span]))
    const start = spans.find(({ name }) => name === "startAgent")
    const above: Array<string> = []
    for (let span = byId.get(start?.parentSpanId ?? ""); span; span = byId.get(span.parentSpanId ?? "")) {
      above.push(span.name)
      assert.strictEqual(start?.traceId, span.traceId)
    }
    assert.include(above, "supervise")
    assert.isTrue(spans.every((span) => span.endTimeUnixNano >= span.startTimeUnixNano))

    const sums = sumsOf(file)
    assert.strictEqual(sums["backbeat.claims"], 1)
    assert.strictEqual(sums["backbeat.output_bytes"], 3)
    assert.isAbove(sums["backbeat.start_time"] ?? 0, 0)
    assert.isAtLeast(sums["backbeat.queue_wait"] ?? -1, 0)
    assert.isAtLeast(sums["backbeat.storage_retries"] ?? -1, 0)

    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.notInclude(readFileSync(file, "utf8"), "private-word")
  })

  it("has the calls of an MCP server, written when it leaves", async () => {
    const client = new Client({ name: "trace", version: "1" })
    const env = { ...beat.environment, BACKBEAT_TRACE: file }
    await client.connect(new StdioClientTransport({ command: process.execPath, args: [binary, "mcp", "start"], env }))
    await client.callTool({ name: "ListTasks", arguments: {} })
    await client.close()
    await until(
      "the span of the call",
      () => existsSync(file) && spansOf(file).some(({ name }) => name === "mcp.ListTasks")
    )
  })

  it("is in the directory of the logs where the path is relative", async () => {
    assert.strictEqual((await runTask({ BACKBEAT_TRACE: "here.jsonl" })).code, 0)
    await until("the file", () => existsSync(join(beat.home, "state", "logs", "here.jsonl")))
  })

  it("that cannot be written is said in the log once, and the task completes", async () => {
    mkdirSync(file)
    assert.strictEqual((await runTask({ BACKBEAT_TRACE: file })).code, 0)
    await workersLeft()
    const log = readFileSync(join(beat.home, "state", "logs", "worker.log"), "utf8")
    assert.strictEqual(log.split("no spans from here on").length, 2, log)
  })

  it("that is empty or not set writes nothing", async () => {
    for (const env of [{}, { BACKBEAT_TRACE: "" }]) assert.strictEqual((await runTask(env)).code, 0)
    await workersLeft()
    assert.deepStrictEqual(readdirSync(join(beat.home, "state", "logs")), ["worker.log"])
  })
})
