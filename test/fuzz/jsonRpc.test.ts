/**
 * What a broken, hostile, old or slow client may send: the server answers each request once, says only JSON, sends nothing newer
 * than the version of the client, and goes on.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Server } from "../mcp/Server.ts"
import { Beat } from "../system/Beat.ts"
import { patience, runs } from "./effort.ts"

let beat: Beat
let server: Server
/** A task: results about it have links. */
let later = ""

beforeAll(async () => {
  beat = new Beat()
  server = new Server(beat)
  await server.initialize()
  later = await server.delegate("true", { notBefore: "2999-01-01T00:00:00Z" })
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

/** Stands for a list or an object of many levels, which `textOf` writes: no value of so many levels can be printed. */
const abyss = "@abyss"

const deep = FastCheck.oneof(
  FastCheck.constant({ method: "tools/call", params: { name: "TaskStatus", arguments: { labels: abyss } } }),
  FastCheck.constant({ method: "tools/call", params: { name: "DelegateTask", arguments: { tasks: [abyss] } } }),
  FastCheck.constant({ method: "tools/call", params: { name: "TaskStatus", arguments: abyss } }),
  FastCheck.constant({ method: "prompts/get", params: { name: "delegate", arguments: { task: abyss } } }),
  FastCheck.constant({ method: "tools/list", params: { _meta: { a: abyss } } }),
  FastCheck.constant({ method: "ping", params: abyss })
)
const levels = FastCheck.integer({ min: 1, max: 10_000 })

const textOf = (message: object, depth: number): string => {
  const [open, close] = depth % 2 === 0 ? ["[", "]"] : ['{"a":', "}"]
  return JSON.stringify(message).replace(`"${abyss}"`, `${open.repeat(depth)}0${close.repeat(depth)}`)
}

/** The results that have links, where the client knows links. */
const linked = FastCheck.constantFrom("TaskResult", "TaskLogs", "TaskStatus").map((name) => ({
  method: "tools/call",
  params: { name, arguments: { id: "@task" } }
}))

const versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] as const

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
    { weight: 5, arbitrary: request.map((message) => ({ request: message, noise: null })) },
    { weight: 1, arbitrary: deep.map((message) => ({ request: message, noise: null })) },
    { weight: 1, arbitrary: linked.map((message) => ({ request: message, noise: null })) },
    { weight: 4, arbitrary: noise.map((bytes) => ({ request: null, noise: bytes })) }
  ),
  { minLength: 1, maxLength: 8 }
)

/** Cuts the bytes anywhere, in the middle of characters and frames as well. */
const pieces = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const at = Array.from(new Set(cuts.map((cut) => cut % (bytes.length + 1)))).sort((a, b) => a - b)
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end))
}

/** Some 80 kB of answers: a pipe holds 64. */
const unread = Array.from({ length: 4 }, () => ({ request: { method: "tools/list" }, noise: null }))

describe("JSON-RPC frames", () => {
  let number = 0

  it(
    "every request is answered once, whatever came before it and wherever it was cut",
    async () => {
      const client = FastCheck.record({
        version: FastCheck.constantFrom(...versions),
        /** A slow one does not read while it writes, and has more than its pipe holds to read then. */
        slow: FastCheck.nat({ max: 3 }).map((one) => one === 0),
        depth: levels
      })
      const cuts = FastCheck.array(FastCheck.nat(), { maxLength: 6 })
      await FastCheck.assert(
        FastCheck.asyncProperty(frames, cuts, client, async (sent, at, { depth, slow, version }) => {
          await server.initialize(version)
          const ids: Array<string> = []
          const asked = slow ? [...sent, ...unread] : sent
          const lines = asked.map((frame) => {
            if (frame.noise !== null) return frame.noise
            const id = `fuzz-${number++}`
            ids.push(id)
            const text = textOf({ jsonrpc: "2.0", id, ...frame.request }, depth)
            return Buffer.from(text.replaceAll("@task", later))
          })
          const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]))
          if (slow) server.child.stdout?.pause()
          for (const piece of pieces(bytes, at)) server.write(piece)
          if (slow) await new Promise((resolve) => setTimeout(resolve, 5))
          server.child.stdout?.resume()
          for (const id of ids) {
            const answer = await server.find(`answer to ${id}`, (message) => message.id === id)
            assert.isTrue((answer.result === undefined) !== (answer.error === undefined))
            assert.notStrictEqual(answer.error?.code, -32603, JSON.stringify(answer.error))
            if (version < "2025-06-18") assert.notInclude(JSON.stringify(answer), '"resource_link"')
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
        { numRuns: runs(80), endOnFailure: true }
      )
    },
    patience
  )
})
