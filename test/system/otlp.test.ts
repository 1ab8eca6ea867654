/** Traces on the built program: each ended task arrives at a collector, whatever is down or killed meanwhile; nothing is sent where no hook exports. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { attributesOf, type Span, spansIn } from "../support/spans.ts"
import { Beat, binary, isAlive, until } from "./Beat.ts"

const outside = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

/** Writes down each connection that any process of the test makes. */
const spy = `
const net = require("node:net"), fs = require("node:fs"), { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...given) {
  fs.appendFileSync(process.env.TEST_CONNECTIONS, "connection\\n")
  return connect.apply(this, given)
}
`

describe("a hook with otlp", () => {
  const scratch = mkdtempSync(join(tmpdir(), "beat-otlp-"))
  const connections = join(scratch, "connections")
  writeFileSync(join(scratch, "spy.cjs"), spy)
  const beat = new Beat({ NODE_OPTIONS: `--require ${join(scratch, "spy.cjs")}`, TEST_CONNECTIONS: connections })
  const received: Array<Span> = []
  const authorizations = new Set<string | undefined>()
  let server: Server
  let port = 0

  const listen = (at: number) =>
    new Promise<void>((resume) => {
      server = createServer((request, response) => {
        let body = ""
        request.on("data", (text) => {
          body += text
        })
        request.on("end", () => {
          authorizations.add(request.headers.authorization)
          received.push(...spansIn(body))
          response.writeHead(200, { "content-type": "application/json" }).end("{}")
        })
      })
      server.listen(at, "127.0.0.1", resume)
    })
  const hangUp = () =>
    new Promise<void>((resume) => {
      server.closeAllConnections()
      server.close(() => resume())
    })

  beforeAll(async () => {
    await listen(0)
    port = (server.address() as AddressInfo).port
  })
  afterAll(async () => {
    await hangUp()
    await beat.close()
    rmSync(scratch, { recursive: true, force: true })
  })

  const states = () =>
    beat.rows<{ state: string; count: number }>("SELECT state, count(*) AS count FROM deliveries GROUP BY state")
  const noWorker = () => until("no worker is there", () => !beat.workers().some(isAlive))

  it("is off by default: no process makes a connection, and an agent has its place in a trace all the same", async () => {
    const alone = await beat.run(["run", "-f", "-a", "shell", "echo $TRACEPARENT"])
    assert.match(alone.stdout.trim(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    const within = await beat.run(["run", "-f", "-a", "shell", "echo $TRACEPARENT"], {
      env: { TRACEPARENT: outside }
    })
    assert.strictEqual(within.stdout.slice(0, 36), outside.slice(0, 36))
    assert.notStrictEqual(within.stdout.trim(), outside)
    await noWorker()
    assert.isFalse(existsSync(connections))
  })

  it("is added with its credentials, and shows none of them", async () => {
    const added = await beat.run(["hooks", "add", "traces", "--otlp", `http://127.0.0.1:${port}`, "--headers", "-"], {
      input: "Authorization: Bearer hush\n"
    })
    assert.strictEqual(added.code, 0, added.stderr)
    for (const args of [["hooks"], ["hooks", "--json"], ["config", "get", "hooks"], ["config"], ["support"]]) {
      const shown = await beat.run(args)
      assert.notInclude(shown.stdout + shown.stderr, "hush", args.join(" "))
    }
    const tested = await beat.run(["hooks", "test", "traces"])
    assert.deepStrictEqual([tested.code, tested.stderr], [0, "Hook traces accepted it (200).\n"])
    assert.deepStrictEqual(
      received.splice(0).map(({ name }) => name),
      ["test"]
    )
    assert.deepStrictEqual([...authorizations], ["Bearer hush"])
    assert.include(readFileSync(connections, "utf8"), "connection")
    for (const [code, ...args] of [
      [2, "add", "new", "--otlp", "127.0.0.1:4318"],
      [2, "add", "new", "--otlp", `http://127.0.0.1:${port}`, "--headers", "a: b"],
      [2, "add", "new", "--otlp", `http://127.0.0.1:${port}`, "--on", "queued"],
      [2, "add", "new", "--ntfy", `http://127.0.0.1:${port}/t`, "--headers", "-"]
    ] as const) {
      const finished = await beat.run(["hooks", ...args], { input: "a: b" })
      assert.strictEqual(finished.code, code, `${args.join(" ")}: ${finished.stderr}`)
    }
  })

  it("gets a trace for each task, where the collector is down for a time and workers are killed", async () => {
    assert.strictEqual((await beat.run(["config", "set", "hooks.traces.retryMs", "10"])).code, 0)
    await noWorker()
    await hangUp()
    const first = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: "deliver.sent:kill@3" } })
    await until("the worker serves", () => beat.workers().some(isAlive))
    const below = `'${process.execPath}' '${binary}' run -a shell -- true`
    const prompts = Array.from({ length: 20 }, (_, n) => ({
      agent: "shell",
      prompt: n === 0 ? below : `exit ${n % 2}`
    }))
    const batch = await beat.run(["run", "--batch", "-"], {
      input: prompts.map((line) => JSON.stringify(line)).join("\n")
    })
    assert.strictEqual(batch.code, 0, batch.stderr)
    assert.strictEqual((await beat.run(["run", "-a", "shell", "true"], { env: { TRACEPARENT: outside } })).code, 0)
    assert.strictEqual((await first.done).signal, "SIGKILL")
    assert.deepStrictEqual(received, [])
    await listen(port)
    // At its first message: how many ends one message has depends on the load of the machine.
    const second = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: "deliver.sent:kill@1" } })
    assert.strictEqual((await second.done).signal, "SIGKILL")
    const third = beat.start(["worker"])
    await until("all is delivered", () => {
      const [only, ...others] = states()
      return others.length === 0 && only?.state === "done" && only.count === 22
    })
    assert.strictEqual((await third.done).code, 0)

    const known = new Map(received.map((span) => [span.spanId, span]))
    // What came again is what had come.
    for (const span of received) assert.deepStrictEqual(span, known.get(span.spanId))
    assert.isAbove(received.length, known.size)
    const tasks = [...known.values()].filter(({ name }) => name === "task shell")
    assert.lengthOf(tasks, 22)
    assert.strictEqual(new Set(tasks.map(({ traceId }) => traceId)).size, 21)
    for (const span of known.values()) assert.isTrue(span.endTimeUnixNano >= span.startTimeUnixNano)
    const parents = beat.rows<{ id: string; parent: string }>(
      "SELECT id, parent_id AS parent FROM tasks WHERE parent_id IS NOT NULL"
    )
    assert.lengthOf(parents, 1)
    const of = (id: string | undefined) => tasks.find((span) => attributesOf(span)["backbeat.task.id"] === id)
    const [child, parent] = [of(parents[0]?.id), of(parents[0]?.parent)]
    assert.deepStrictEqual([child?.traceId, child?.parentSpanId], [parent?.traceId, parent?.spanId])
    const given = tasks.find(({ traceId }) => traceId === outside.slice(3, 35))
    assert.strictEqual(given?.parentSpanId, outside.slice(36, 52))
  })
})
