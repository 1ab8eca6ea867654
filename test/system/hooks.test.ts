/** Hooks on the built program: every notice arrives under one id, whatever fails and whichever process is killed. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Beat, isAlive, until } from "./Beat.ts"

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLASw"

describe("beat hooks", () => {
  const beat = new Beat()
  let server: Server
  let origin = ""
  let failing = 0
  const received: Array<{ readonly id: string; readonly body: string; readonly status: number }> = []

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = ""
      request.on("data", (text) => {
        body += text
      })
      request.on("end", () => {
        const status = failing > 0 ? 503 : 200
        failing -= 1
        received.push({ id: String(request.headers["webhook-id"]), body, status })
        response.writeHead(status).end()
      })
    })
    await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await beat.close()
  })

  const config = () => join(beat.home, "state", "config.json")
  const deliveries = (hook: string) =>
    beat.rows<{ id: string; seq: number; state: string; attempts: number; last: string }>(
      "SELECT id, seq, state, attempts, last FROM deliveries WHERE hook = ? ORDER BY number",
      hook
    )
  const done = (hook: string, count: number) =>
    until(`${count} for ${hook} are done`, () => {
      const found = deliveries(hook).filter(({ state }) => state === "done")
      return found.length === count && found
    })

  it("are added, tried out and shown without a secret", async () => {
    const added = await beat.run(
      ["hooks", "add", "ci", "--url", `${origin}/hidden-path`, "--on", "ended", "--status", "failed", "--secret", "-"],
      { input: secret }
    )
    assert.strictEqual(added.code, 0, added.stderr)
    const script = `cat >> ${beat.home}/told; echo >> ${beat.home}/told`
    assert.strictEqual((await beat.run(["hooks", "add", "mine", "--run", script, "--on", "queued,completed"])).code, 0)
    for (const args of [["hooks"], ["hooks", "--json"], ["config"], ["config", "get", "hooks"]]) {
      const { code, stdout } = await beat.run(args)
      assert.strictEqual(code, 0)
      assert.include(stdout, origin)
      assert.notInclude(stdout, "hidden-path")
      assert.notInclude(stdout, secret.slice(6))
    }
    const tested = await beat.run(["hooks", "test", "ci"])
    assert.deepStrictEqual([tested.code, tested.stderr], [0, "Hook ci accepted it (200).\n"])
    assert.strictEqual(JSON.parse(received[0]?.body ?? "{}").kind, "test")
    failing = 1
    assert.strictEqual((await beat.run(["hooks", "test", "ci"])).code, 1)
    received.splice(0)
  })

  it("say what is wrong with a command line, and refuse an agent inside a task", async () => {
    for (const [code, ...args] of [
      [2, "add", "ci", "--desktop"],
      [2, "add", "new"],
      [2, "add", "new", "--desktop", "--url", origin],
      [2, "add", "new", "--url", origin, "--secret", secret],
      [3, "redeliver", "ci", "99999"],
      [3, "test", "unknown"],
      [3, "log", "unknown"]
    ] as const) {
      const finished = await beat.run(["hooks", ...args])
      assert.strictEqual(finished.code, code, `${args.join(" ")}: ${finished.stderr}`)
      assert.notInclude(finished.stderr, secret.slice(6))
    }
    const inside = { env: { BACKBEAT_TASK_ID: "k3v9x2m7q4ab", BACKBEAT_DEPTH: "0" } }
    assert.strictEqual((await beat.run(["hooks", "remove", "ci"], inside)).code, 1)
  })

  it("reach a receiver that fails three times under one id, with one body, and the end of the task does not wait", async () => {
    failing = 3
    assert.strictEqual((await beat.run(["config", "set", "hooks.ci.retryMs", "500"])).code, 0)
    assert.strictEqual((await beat.run(["run", "-f", "-a", "shell", "true"])).code, 0)
    const failed = await beat.run(["run", "-f", "-a", "shell", "exit 3"])
    assert.strictEqual(failed.code, 1)
    const [delivery = assert.fail()] = await done("ci", 1)
    assert.strictEqual(delivery.attempts, 4)
    assert.deepStrictEqual(
      received.map(({ status }) => status),
      [503, 503, 503, 200]
    )
    assert.deepStrictEqual([...new Set(received.map(({ id }) => id))], [delivery.id])
    assert.lengthOf([...new Set(received.map(({ body }) => body))], 1)
    await done("mine", 3)
    const told = readFileSync(join(beat.home, "told"), "utf8").trim().split("\n")
    assert.deepStrictEqual(
      told.map((line) => JSON.parse(line)).map(({ data, kind }) => data.status ?? kind),
      ["queued", "completed", "queued"]
    )
    const { stdout } = await beat.run(["hooks", "log", "ci"])
    assert.match(stdout, new RegExp(`${delivery.seq} +ci +ended +\\w{12} +done +4 .* 200`))
    received.splice(0)
  })

  it("come again with the same id when the worker is killed before, during or after the attempt", async () => {
    const ids: Array<string> = []
    for (const place of ["deliveries.decide.commit", "deliver.claimed", "deliver.sent"]) {
      await until("no worker is there", () => !beat.workers().some(isAlive))
      const before = deliveries("ci").length
      const worker = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: `${place}:kill` } })
      await until("the worker serves", () => beat.workers().some(isAlive))
      // Only this hook: the other would reach the place first.
      assert.strictEqual((await beat.run(["hooks", "disable", "mine"])).code, 0)
      ids.push(await beat.submit("exit 1"))
      assert.strictEqual((await worker.done).signal, "SIGKILL", place)
      const next = beat.start(["worker"])
      await done("ci", before + 1)
      assert.strictEqual((await next.done).code, 0)
    }
    for (const id of ids) {
      const arrived = received.filter(({ body }) => JSON.parse(body).taskId === id)
      assert.isAtLeast(arrived.length, 1, id)
      assert.lengthOf([...new Set(arrived.map((one) => one.id))], 1, id)
      assert.lengthOf([...new Set(arrived.map(({ body }) => body))], 1, id)
    }
    // After the receiver's answer and before the record, it has to be sent again.
    const last = received.filter(({ body }) => JSON.parse(body).taskId === ids[2])
    assert.lengthOf(last, 2)
    received.splice(0)
  })

  it("are given up when they are refused, told by the doctor, and sent again on demand", async () => {
    mkdirSync(join(beat.home, "state"), { recursive: true })
    const before = JSON.parse(readFileSync(config(), "utf8"))
    writeFileSync(config(), JSON.stringify({ hooks: { ...before.hooks, bad: { run: ["false"], retryMs: 10 } } }))
    await until("no worker is there", () => !beat.workers().some(isAlive))
    await beat.run(["worker"])
    await beat.submit("exit 4")
    const dead = await until("it is given up", () => deliveries("bad").find(({ state }) => state === "dead"))
    assert.deepStrictEqual([dead.attempts, dead.last], [3, "exit 1"])
    assert.match((await beat.run(["doctor"])).stdout, /1 to bad/)
    assert.match((await beat.run(["hooks", "log", "--failed"])).stdout, /bad +ended/)
    assert.strictEqual((await beat.run(["config", "set", "hooks.bad.run", '["true"]'])).code, 0)
    assert.strictEqual((await beat.run(["hooks", "redeliver", "bad", String(dead.seq)])).code, 0)
    const [again = assert.fail()] = await done("bad", 1)
    assert.deepStrictEqual([again.id, again.attempts], [dead.id, 1])
    assert.strictEqual((await beat.run(["hooks", "remove", "bad"])).code, 0)
    assert.notInclude((await beat.run(["hooks"])).stdout, "bad")
  })
})
