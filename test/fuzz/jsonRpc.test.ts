/** What a broken or hostile client may send: the server answers each request once, says only JSON, and goes on. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Server } from "../mcp/Server.ts"
import { Beat } from "../system/Beat.ts"
import { patience, runs } from "./effort.ts"

let beat: Beat
let server: Server

beforeAll(async () => {
  beat = new Beat()
  server = new Server(beat)
  await server.initialize()
})

afterAll(async () => {
  server.kill()
  await server.exit
  await beat.close()
})

const json = FastCheck.jsonValue({ maxDepth: 3 })
const method = FastCheck.oneof(
  FastCheck.constantFrom("tools/list", "tools/call", "resources/read", "resources/list", "prompts/get", "ping"),
  FastCheck.constantFrom("completion/complete", "tasks/get", "tasks/result", "tasks/cancel", "logging/setLevel", "x"),
  FastCheck.string({ maxLength: 12 })
)
/** Those that change nothing and wait for nothing. */
const tool = FastCheck.oneof(
  FastCheck.constantFrom("TaskStatus", "TaskLogs", "TaskResult", "ListTasks", "ListAgents", "RetryTask", "CancelTask"),
  FastCheck.string({ maxLength: 12 })
)
const call = FastCheck.record(
  {
    name: FastCheck.oneof(tool, json),
    arguments: FastCheck.oneof(
      json,
      FastCheck.record(
        {
          id: FastCheck.oneof(json, FastCheck.constantFrom("@last", "%", "a")),
          limit: json,
          status: json,
          since: json
        },
        { requiredKeys: [] }
      )
    )
  },
  { requiredKeys: [] }
)

/** A request that is one, whatever its parts mean: it must be answered. */
const request = FastCheck.oneof(
  FastCheck.record({ method: FastCheck.constant("tools/call"), params: call }),
  FastCheck.record({ method, params: FastCheck.dictionary(FastCheck.string({ maxLength: 8 }), json) }),
  FastCheck.record({ method })
)

/** Bytes that are a line, but no message. */
const noise = FastCheck.oneof(
  FastCheck.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.map((byte) => (byte === 10 ? 32 : byte)))),
  FastCheck.json().map((text) => Buffer.from(text)),
  FastCheck.record({ jsonrpc: json, id: json, method: json, params: json, result: json }, { requiredKeys: [] }).map(
    // An id of ours would be answered twice, and rightly so.
    (message) => Buffer.from(JSON.stringify({ ...message, id: Array.isArray(message.id) ? message.id : null }))
  ),
  FastCheck.constant(Buffer.from('{"jsonrpc":"2.0","id":')),
  FastCheck.constant(Buffer.from(`${"[".repeat(5000)}`)),
  FastCheck.constant(Buffer.alloc(0))
)

const frames = FastCheck.array(
  FastCheck.oneof(
    request.map((message) => ({ request: message, noise: null })),
    noise.map((bytes) => ({ request: null, noise: bytes }))
  ),
  { minLength: 1, maxLength: 8 }
)

/** Cuts the bytes anywhere, in the middle of characters and frames as well. */
const pieces = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const at = Array.from(new Set(cuts.map((cut) => cut % (bytes.length + 1)))).sort((a, b) => a - b)
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end))
}

describe("JSON-RPC frames", () => {
  let number = 0

  it(
    "every request is answered once, whatever came before it and wherever it was cut",
    async () => {
      await FastCheck.assert(
        FastCheck.asyncProperty(frames, FastCheck.array(FastCheck.nat(), { maxLength: 6 }), async (sent, cuts) => {
          const ids: Array<string> = []
          const lines = sent.map((frame) => {
            if (frame.noise !== null) return frame.noise
            const id = `fuzz-${number++}`
            ids.push(id)
            return Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, ...frame.request }))
          })
          const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]))
          for (const piece of pieces(bytes, cuts)) server.write(piece)
          for (const id of ids) {
            const answer = await server.find(`answer to ${id}`, (message) => message.id === id)
            assert.isTrue((answer.result === undefined) !== (answer.error === undefined))
          }
          const alive = await server.request("tools/list", {}, `alive-${number++}`)
          assert.isDefined(alive.result)
          for (const id of ids)
            assert.lengthOf(
              server.messages.filter((message) => message.id === id),
              1
            )
          assert.isNull(server.child.exitCode)
          for (const message of server.messages.splice(0)) assert.strictEqual(message.jsonrpc, "2.0")
        }),
        { numRuns: runs(150), endOnFailure: true }
      )
    },
    patience
  )
})
