/** `beat web` on the built program: who is let in, what it answers, and that nothing is lost when it is killed. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, statSync } from "node:fs"
import { type IncomingMessage, request } from "node:http"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Beat, type RunningBeat, until } from "./Beat.ts"

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage["headers"]
  readonly text: string
  readonly json: () => ReturnType<typeof JSON.parse>
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** A running server, asked over the loopback. */
class Page {
  readonly url: string
  readonly port: number
  readonly token: string
  constructor(url: string) {
    this.url = url
    const found = /^http:\/\/127\.0\.0\.1:(\d+)\/#t=([\w-]{43})$/.exec(url.trim())
    if (found === null) throw new Error(`not an address: ${url}`)
    this.port = Number(found[1])
    this.token = found[2] ?? ""
  }

  open(path: string, { body, headers = {}, method = "GET" }: Asked = {}): Promise<IncomingMessage> {
    return new Promise((answered, failed) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.port,
          path,
          method,
          headers: {
            authorization: `Bearer ${this.token}`,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...headers
          }
        },
        answered
      )
      sent.on("error", failed)
      sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body))
    })
  }

  async ask(path: string, asked: Asked = {}): Promise<Answer> {
    const answer = await this.open(path, asked)
    let text = ""
    for await (const part of answer.setEncoding("utf8")) text += part
    return { status: answer.statusCode ?? 0, headers: answer.headers, text, json: () => JSON.parse(text) }
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask(path, { method: "POST", body, headers })
  }

  /** Reads events until `enough` of them are there, then leaves. */
  async events(
    path: string,
    enough: (ids: ReadonlyArray<Told>) => boolean,
    lastId?: string
  ): Promise<ReadonlyArray<Told>> {
    const answer = await this.open(path, { headers: lastId === undefined ? {} : { "last-event-id": lastId } })
    assert.strictEqual(answer.statusCode, 200)
    const told: Array<Told> = []
    let rest = ""
    for await (const part of answer.setEncoding("utf8")) {
      const blocks = (rest + part).split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null
        const event = field("event")
        if (event !== null) told.push({ event, id: field("id"), data: JSON.parse(field("data") ?? "null") })
      }
      if (enough(told)) break
    }
    answer.destroy()
    return told
  }
}

interface Told {
  readonly event: string
  readonly id: string | null
  readonly data: { readonly taskId?: string | null }
}

const notices = (told: ReadonlyArray<Told>) => told.filter(({ event }) => event !== "hello" && event !== "reset")

describe("beat web", () => {
  const beat = new Beat()
  let running: RunningBeat
  let page: Page

  const serve = async (args: ReadonlyArray<string> = []): Promise<Page> => {
    running = beat.start(["web", "--port", "0", ...args])
    await until("the page is served", () => running.stdout().endsWith("\n") || running.child.exitCode !== null)
    return new Page(running.stdout())
  }
  const end = async () => {
    running.child.kill("SIGTERM")
    await running.done
  }

  beforeAll(async () => {
    page = await serve()
  })
  afterAll(() => beat.close())

  it("is there once, on this machine alone, and only its user can read where", async () => {
    const record = join(beat.home, "state", "web.json")
    assert.strictEqual(statSync(record).mode & 0o777, 0o600)
    const second = await beat.run(["web", "--json"])
    assert.deepStrictEqual([second.code, JSON.parse(second.stdout).url], [0, page.url.trim()])
    assert.strictEqual((await beat.run(["web", "url"])).stdout, running.stdout())
    assert.include((await beat.run(["web", "status"])).stdout, `port ${page.port}`)
    assert.notInclude((await beat.run(["web", "status"])).stdout, page.token)
    if (existsSync("/proc/net/tcp")) {
      const port = page.port.toString(16).toUpperCase().padStart(4, "0")
      const listening = ["tcp", "tcp6"].flatMap((name) =>
        readFileSync(`/proc/net/${name}`, "utf8")
          .split("\n")
          .flatMap((line) =>
            line.includes(`:${port} `) && / 0A /.test(line) ? [line.trim().split(/\s+/)[1] ?? ""] : []
          )
      )
      assert.isNotEmpty(listening)
      for (const address of listening) assert.match(address, /^(0100007F|00000000000000000000000001000000):/)
    }
    assert.notInclude(spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout, page.token)
  })

  it("lets in its own page with the token, and nothing else", async () => {
    const none = await page.ask("/api/v1/tasks", { headers: { authorization: "" } })
    assert.deepStrictEqual([none.status, none.json().code], [401, "Unauthorized"])
    assert.strictEqual(none.headers["content-type"], "application/problem+json")
    assert.strictEqual((await page.ask("/api/v1/tasks", { headers: { host: "evil.example" } })).status, 421)
    assert.strictEqual((await page.ask("/", { headers: { host: "evil.example" } })).status, 421)
    const foreign = { origin: "https://evil.example" }
    assert.strictEqual((await page.ask("/api/v1/tasks", { headers: foreign })).status, 403)
    assert.strictEqual((await page.ask("/metrics", { headers: { authorization: "" } })).status, 401)
    const measured = await page.ask("/metrics")
    assert.strictEqual(measured.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
    assert.match(measured.text, /^# HELP backbeat_[\s\S]*\nbackbeat_workers [0-9]+\n/)
    const preflight = await page.ask("/api/v1/tasks", { method: "OPTIONS", headers: foreign })
    assert.strictEqual(preflight.status, 403)
    assert.isFalse(Object.keys(preflight.headers).some((name) => name.startsWith("access-control")))
    const crossed = await page.post("/api/v1/tasks", { prompt: "x" }, { "sec-fetch-site": "cross-site" })
    assert.strictEqual(crossed.status, 403)
    const { headers, status, text } = await page.ask("/", { headers: { authorization: "" } })
    assert.strictEqual(status, 200)
    assert.include(text, '<script type="module" src="/app.js">')
    assert.include(headers["content-security-policy"] ?? "", "require-trusted-types-for 'script'")
    assert.strictEqual(headers["x-content-type-options"], "nosniff")
    assert.strictEqual((await page.ask("/app.js")).headers["content-type"], "text/javascript; charset=utf-8")
    for (const path of ["/web.json", "/../web.json", "/__proto__", "/api/v1/nonsense"]) {
      assert.strictEqual((await page.ask(path)).status, 404, path)
    }
  })

  it("asks for the token however a path is spelled", async () => {
    const url = `http://127.0.0.1:${page.port}/api/v1/tasks`
    for (const path of [
      "//api/v1/tasks",
      "/API/v1/tasks",
      "/%61pi/v1/tasks",
      "/api/v1//tasks/",
      "/./api/v1/tasks",
      url
    ]) {
      for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
        const asked = {
          method,
          headers: { authorization: "" },
          ...(method === "POST" ? { body: { prompt: "x" } } : {})
        }
        assert.strictEqual((await page.ask(path, asked)).status, 401, `${method} ${path}`)
      }
    }
    for (const path of ["//", "/%61pp.js", "/APP.js", "/app.js/", "/favicon", "/nonsense"]) {
      assert.strictEqual((await page.ask(path, { headers: { authorization: "" } })).status, 401, path)
    }
  })

  it("takes a JSON object as the body, or says what is wrong with it", async () => {
    const deep = `{"prompt":${"[".repeat(200_000)}${"]".repeat(200_000)}}`
    const bodies: ReadonlyArray<readonly [string, number, string]> = [
      ["{", 400, "BodyInvalid"],
      ["null", 400, "BodyInvalid"],
      ["[]", 400, "BodyInvalid"],
      ['"x"', 400, "BodyInvalid"],
      [deep, 400, "BodyInvalid"],
      ["", 400, "HttpApiDecodeError"],
      ["{}", 400, "HttpApiDecodeError"]
    ]
    for (const [body, status, code] of bodies) {
      const answer = await page.post("/api/v1/tasks", body)
      assert.deepStrictEqual([answer.status, answer.json().code], [status, code], body.slice(0, 20))
    }
    const plain = await page.post("/api/v1/tasks", "x".repeat(1_000_000), { "content-type": "text/plain" })
    assert.deepStrictEqual([plain.status, plain.json().code], [415, "BodyNotJson"])
    const long = await page.post("/api/v1/tasks", { prompt: "x", priority: "y".repeat(100_000) })
    assert.strictEqual(long.status, 400)
    assert.isBelow(long.text.length, 2000)
    const large = await page.ask("/api/v1/tasks", {
      method: "POST",
      headers: { "content-length": "99999999", connection: "close" }
    })
    assert.deepStrictEqual([large.status, large.json().code], [413, "BodyTooLarge"])
  })

  it("answers what the commands print", async () => {
    const id = await beat.submit("echo one; echo two >&2; exit 3", ["--label", "team=web"])
    await beat.run(["wait", id])
    const listed = await page.ask("/api/v1/tasks")
    assert.deepStrictEqual(listed.json(), JSON.parse((await beat.run(["list", "--json"])).stdout))
    assert.lengthOf((await page.ask("/api/v1/tasks?label=team%3Dweb&status=failed")).json().tasks, 1)
    assert.lengthOf((await page.ask("/api/v1/tasks?label=team%3Dother")).json().tasks, 0)
    const one = (await page.ask(`/api/v1/tasks/${id.slice(0, 8)}`)).json()
    assert.deepStrictEqual(one, JSON.parse((await beat.run(["status", id, "--json"])).stdout))
    assert.strictEqual((await page.ask(`/api/v1/tasks/${id}/why`)).json().reason, "ended")
    const board = (await page.ask("/api/v1/board")).json()
    assert.deepStrictEqual(
      board.ended.map((task: { readonly id: string }) => task.id),
      [id]
    )
    const output = (await page.ask(`/api/v1/tasks/${id}/output`)).json()
    assert.sameDeepMembers(output.lines, [
      { stream: "stdout", text: "one" },
      { stream: "stderr", text: "two" }
    ])
    const missing = await page.ask("/api/v1/tasks/zzzzzzzzzzzz")
    assert.deepStrictEqual([missing.status, missing.json().code, missing.json().exitCode], [404, "TaskNotFound", 3])
    for (const path of ["/api/v1/tasks?limit=0", "/api/v1/tasks?status=nonsense", "/api/v1/board?label=nothing"]) {
      const wrong = await page.ask(path)
      assert.deepStrictEqual([wrong.status, wrong.json().status, wrong.json().exitCode], [400, 400, 2], path)
    }
    assert.strictEqual((await page.ask(`/api/v1/tasks/${id}/diff`)).status, 422)
    const document = (await page.ask("/api/v1/openapi.json")).json()
    assert.deepStrictEqual(document, JSON.parse((await beat.run(["api", "openapi"])).stdout))
  })

  it("takes no shell command unless it was started to, no old one either, and cancels", async () => {
    const refused = await page.post("/api/v1/tasks", { prompt: "touch broken", agent: "shell" })
    assert.deepStrictEqual([refused.status, refused.json().code], [403, "RunNotAllowed"])
    const id = await beat.submit("sleep 300")
    await until("it runs", () => beat.status(id).status === "running")
    const cancelled = await page.post(`/api/v1/tasks/${id}/cancel`, { reason: "enough" })
    assert.deepStrictEqual(
      cancelled
        .json()
        .tasks.map(({ task }: { task: { status: string; cancelReason: string } }) => [task.status, task.cancelReason]),
      [["cancelled", "enough"]]
    )
    const first = await beat.submit("echo again")
    await beat.run(["wait", first])
    const stored = beat.rows("SELECT id FROM tasks").length
    for (const [step, body] of [
      ["retry", {}],
      ["resume", {}],
      ["resume", { context: "echo more" }],
      ["resume", { fresh: true }]
    ] as const) {
      const again = await page.post(`/api/v1/tasks/${first}/${step}`, body)
      assert.deepStrictEqual([again.status, again.json().code], [403, "RunNotAllowed"], step)
    }
    assert.strictEqual(beat.rows("SELECT id FROM tasks").length, stored)
  })

  it("tells what happens in order and without a gap, over breaks and a kill", async () => {
    const [{ n: before } = { n: 0 }] = beat.rows<{ n: number }>("SELECT max(seq) AS n FROM notices")
    const ids: Array<string> = []
    let cursor = String(before)
    const seen: Array<Told> = []
    for (let turn = 0; turn < 4; turn += 1) {
      if (turn === 2) {
        running.child.kill("SIGKILL")
        await running.done
        ids.push(await beat.submit("echo unseen"))
        const old = page
        page = await serve()
        assert.notStrictEqual(page.token, old.token)
      }
      const id = await beat.submit(`echo ${turn}`)
      ids.push(id)
      const told = await page.events(
        "/api/v1/events",
        (all) => all.some(({ data, event }) => event === "ended" && data.taskId === id),
        cursor
      )
      assert.strictEqual(told[0]?.event, "hello")
      seen.push(...notices(told))
      cursor = seen.at(-1)?.id ?? cursor
    }
    assert.deepStrictEqual(
      seen.map(({ id }) => Number(id)),
      seen.map((_, at) => before + 1 + at)
    )
    assert.sameMembers(
      seen.flatMap(({ data, event }) => (event === "ended" ? [data.taskId] : [])),
      ids
    )
    const ahead = await page.events("/api/v1/events?after=99999", (all) => all.length === 2)
    assert.strictEqual(ahead[1]?.event, "reset")
  })

  it("follows output from a place, and ends with the task", async () => {
    const id = await beat.submit("echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; printf three; rm -f go")
    await until("the first line is there", () => beat.output(id).toString() === "one\n")
    const { after, lines } = (await page.ask(`/api/v1/tasks/${id}/output`)).json()
    assert.deepStrictEqual(lines, [{ stream: "stdout", text: "one" }])
    const follow = page.events(`/api/v1/tasks/${id}/output/follow?after=${after}`, (all) => all.at(-1)?.event === "end")
    spawnSync("touch", [join(beat.home, "go")])
    const told = await follow
    const texts = told.flatMap(({ data, event }) =>
      event === "lines" && Array.isArray(data) ? data.map((line: { readonly text: string }) => line.text) : []
    )
    assert.deepStrictEqual(texts, ["two", "three"])
  })

  it("ends by stop, leaves no record, and says so where none runs", async () => {
    assert.strictEqual((await beat.run(["web", "stop"])).code, 0)
    await running.done
    assert.isFalse(existsSync(join(beat.home, "state", "web.json")))
    for (const words of [
      ["web", "stop"],
      ["web", "status"],
      ["web", "url"]
    ]) {
      const none = await beat.run(words)
      assert.deepStrictEqual([none.code, none.stdout], [1, ""], words.join(" "))
      assert.include(none.stderr, "beat web")
    }
  })

  it("only shows where it was started to, and submits once for one key where it may", async () => {
    page = await serve(["--read-only"])
    const refused = await page.post("/api/v1/tasks", { prompt: "x", agent: "shell" })
    assert.deepStrictEqual([refused.status, refused.json().code], [403, "ReadOnly"])
    assert.strictEqual((await page.ask("/api/v1/server")).json().readOnly, true)
    await end()
    page = await serve(["--allow-run"])
    const body = { prompt: "echo once", agent: "shell" }
    const [first, second] = [
      await page.post("/api/v1/tasks", body, { "idempotency-key": "one" }),
      await page.post("/api/v1/tasks", body, { "idempotency-key": "one" })
    ]
    assert.deepStrictEqual([first.json().created, second.json().created], [true, false])
    assert.strictEqual(first.json().task.id, second.json().task.id)
    assert.strictEqual((await beat.run(["wait", first.json().task.id])).code, 0)
    const retried = await page.post(`/api/v1/tasks/${first.json().task.id}/retry`, {})
    assert.strictEqual(retried.json().task.retryOf, first.json().task.id)
    const other = await page.post("/api/v1/tasks", { ...body, prompt: "echo other" }, { "idempotency-key": "one" })
    assert.deepStrictEqual([other.status, other.json().code], [409, "IdempotencyConflict"])
    const mistyped = await page.post("/api/v1/tasks", { ...body, group: "reveiw" })
    const { code, detail, exitCode } = mistyped.json()
    assert.deepStrictEqual([mistyped.status, code, exitCode], [404, "GroupNotFound", 3])
    assert.include(detail, "beat group set reveiw")
    assert.strictEqual((await beat.run(["group", "set", "review", "--limit", "1"])).code, 0)
    assert.strictEqual((await page.post("/api/v1/tasks", { ...body, group: "review" })).json().task.group, "review")
    await end()
  })

  it("goes into the background, and leaves when no client is there", async () => {
    const started = await beat.run(["web", "--detach", "--port", "0", "--idle", "6s", "--json"])
    assert.strictEqual(started.code, 0, started.stderr)
    const { pid, url } = JSON.parse(started.stdout)
    assert.strictEqual((await new Page(url).ask("/api/v1/server")).status, 200)
    const record = join(beat.home, "state", "web.json")
    await until("it has left", () => !existsSync(record))
    await until("its process is gone", () => {
      try {
        process.kill(pid, 0)
        return false
      } catch {
        return true
      }
    })
    const log = readFileSync(join(beat.home, "state", "logs", "web.log"), "utf8")
    assert.include(log, "no client")
    assert.notInclude(log, url.slice(url.indexOf("=") + 1))
  })
})
