/** One try at real targets: a receiver on this machine, and commands that fail, hang, print without end and are ended. */
import { webcrypto } from "node:crypto"
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Outcome } from "../../../../src/domain/hooks/Delivery.ts"
import { HookSettings, hookOf } from "../../../../src/domain/hooks/Hook.ts"
import { messageOf } from "../../../../src/domain/hooks/HookMessage.ts"
import * as HookSenderNode from "../../../../src/layers/node/hooks/HookSender.ts"
import { HookSender } from "../../../../src/services/HookSender.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import * as TemporaryHome from "../../../support/home.ts"
import { isAlive, until } from "../../../system/Beat.ts"

interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

type Answer = (response: ServerResponse, received: Received) => void

/** What arrives, each answered by the next answer. */
const receiver = (...answers: ReadonlyArray<Answer>) =>
  Effect.acquireRelease(
    Effect.async<{ readonly origin: string; readonly received: Array<Received>; readonly close: () => void }>(
      (resume) => {
        const received: Array<Received> = []
        const server = createServer((request, response) => {
          const chunks: Array<Buffer> = []
          request.on("data", (chunk: Buffer) => chunks.push(chunk))
          request.on("end", () => {
            const body = Buffer.concat(chunks).toString("utf8")
            const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body }
            received.push(one)
            const answer = answers[Math.min(received.length, answers.length) - 1]
            answer?.(response, one)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          const close = () => {
            server.closeAllConnections()
            server.close()
          }
          resume(Effect.succeed({ origin: `http://127.0.0.1:${port}`, received, close }))
        })
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (response) => {
    response.writeHead(code, headers).end("seen")
  }

const message = messageOf("msg_1", "one", {
  seq: 7,
  kind: "ended",
  at: 5,
  taskId: null,
  pipelineId: null,
  subject: null,
  data: { status: "failed" },
  agent: "claude",
  title: "größer & <besser>",
  labels: {},
  directory: "/tmp",
  depth: 1,
  evaluates: false
})
const parcel = { id: "msg_1", body: JSON.stringify(message) }

const decode = Schema.decodeSync(HookSettings)

const send = (settings: typeof HookSettings.Encoded) =>
  Effect.flatMap(HookSender, (sender) => sender.send(hookOf("one", decode(settings)), parcel))

const test = (
  name: string,
  effect: Effect.Effect<unknown, unknown, HookSender | Paths | import("effect/Scope").Scope>
) =>
  it.scopedLive(name, () => Effect.provide(effect, HookSenderNode.layer.pipe(Layer.provideMerge(TemporaryHome.layer))))

test(
  "otlp: posts to the traces of a collector with the headers, and a rejected span is not sent again",
  Effect.gen(function* () {
    const said =
      (text: string): Answer =>
      (response) => {
        response.writeHead(200, { "content-type": "application/json" }).end(text)
      }
    const { origin, received } = yield* receiver(
      said("{}"),
      said(""),
      said(JSON.stringify({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } })),
      said(JSON.stringify({ partialSuccess: { rejectedSpans: 0 } })),
      status(503, { "retry-after": "7" }),
      status(400)
    )
    const settings = { otlp: origin, headers: { authorization: "Bearer abc" } }
    const outcomes = yield* Effect.forEach(
      [origin, `${origin}/`, `${origin}/api/otel`, origin, origin, origin],
      (otlp) => send({ ...settings, otlp })
    )
    assert.deepStrictEqual(
      outcomes.map(({ _tag, detail }) => [_tag, detail]),
      [
        ["Accepted", "200"],
        ["Accepted", "200"],
        ["Refused", "200, but 2 spans were rejected"],
        ["Accepted", "200"],
        ["Failed", "503"],
        ["Refused", "400"]
      ]
    )
    assert.deepStrictEqual(
      received.slice(0, 3).map(({ path }) => path),
      ["/v1/traces", "/v1/traces", "/api/otel"]
    )
    const { body, headers, method } = received[0] ?? assert.fail()
    assert.deepStrictEqual(
      [method, headers["content-type"], headers.authorization, body],
      ["POST", "application/json", "Bearer abc", parcel.body]
    )
  })
)

const failure = (outcome: Outcome) => (outcome._tag === "Failed" ? outcome : assert.fail(JSON.stringify(outcome)))

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLASw"

/** As the standard says it, on other code than ours. */
const verifies = async ({ body, headers }: Received): Promise<boolean> => {
  const raw = Uint8Array.from(atob(secret.slice(6)), (one) => one.charCodeAt(0))
  const key = await webcrypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"])
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`
  const [version, mac = ""] = String(headers["webhook-signature"]).split(",")
  const bytes = Uint8Array.from(atob(mac), (one) => one.charCodeAt(0))
  return version === "v1" && (await webcrypto.subtle.verify("HMAC", key, bytes, new TextEncoder().encode(signed)))
}

describe("a webhook", () => {
  test(
    "is a POST of the message, with a signature that others can verify",
    Effect.gen(function* () {
      const { origin, received } = yield* receiver(status(204))
      const outcome = yield* send({ url: `${origin}/beat?x=1`, secret })
      assert.deepStrictEqual(outcome, { _tag: "Accepted", detail: "204" })
      const [one = assert.fail()] = received
      assert.deepStrictEqual([one.method, one.path, one.body], ["POST", "/beat?x=1", parcel.body])
      assert.deepStrictEqual([one.headers["webhook-id"], one.headers["content-type"]], ["msg_1", "application/json"])
      assert.isTrue(yield* Effect.promise(() => verifies(one)))
      assert.isFalse(yield* Effect.promise(() => verifies({ ...one, body: `${one.body} ` })))
      yield* send({ url: origin })
      assert.isUndefined(received[1]?.headers["webhook-signature"])
    })
  )

  test(
    "that is refused is not tried again, and one that fails is",
    Effect.gen(function* () {
      const { origin, received } = yield* receiver(
        status(410),
        status(404),
        status(302, { location: "/other" }),
        status(503),
        status(429, { "retry-after": "7" }),
        status(408)
      )
      const outcomes: Array<Outcome> = []
      for (let n = 0; n < 6; n++) outcomes.push(yield* send({ url: origin }))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Refused", "Refused", "Refused", "Failed", "Failed", "Failed"]
      )
      assert.deepStrictEqual(
        outcomes.slice(3).map((outcome) => failure(outcome).pauseMs),
        [null, 7000, null]
      )
      // A redirect is not followed.
      assert.lengthOf(received, 6)
    })
  )

  test(
    "to a receiver that hangs, sends without end or is not there ends within its time",
    Effect.gen(function* () {
      const { origin } = yield* receiver(
        () => undefined,
        (response) => {
          response.writeHead(200)
          const write = () => {
            while (response.writable && response.write("x".repeat(65_536)));
          }
          response.on("drain", write)
          write()
        }
      )
      assert.deepStrictEqual(failure(yield* send({ url: origin, timeoutMs: 100 })).detail, "no answer within 100 ms")
      assert.strictEqual((yield* send({ url: origin }))._tag, "Accepted")
      const { close, origin: gone } = yield* receiver(status(200))
      close()
      assert.deepStrictEqual(failure(yield* send({ url: `${gone}/secret-path` })).detail, "ECONNREFUSED")
    })
  )

  test(
    "of ntfy and Slack is what they expect, and louder for what needs a person",
    Effect.gen(function* () {
      const { origin, received } = yield* receiver(status(200))
      yield* send({ ntfy: `${origin}/under/topic`, token: "tk_1" })
      yield* send({ slack: `${origin}/services/1` })
      const [ntfy, slack] = received
      assert.strictEqual(ntfy?.path, "/under")
      assert.strictEqual(ntfy?.headers.authorization, "Bearer tk_1")
      assert.deepStrictEqual(JSON.parse(ntfy?.body ?? ""), {
        topic: "topic",
        title: "Backbeat needs you",
        message: "failed: größer & <besser>\n/tmp",
        priority: 4,
        tags: ["warning"]
      })
      assert.strictEqual(slack?.path, "/services/1")
      assert.deepStrictEqual(JSON.parse(slack?.body ?? ""), {
        text: ":warning: failed: größer &amp; &lt;besser&gt;"
      })
    })
  )
})

describe("a command", () => {
  const shell = (script: string, more: Partial<typeof HookSettings.Encoded> = {}) =>
    send({ run: ["sh", "-c", script], ...more })

  test(
    "gets the message on stdin and in variables, and its exit code decides",
    Effect.gen(function* () {
      const { home } = yield* Paths
      const script = 'cat > in; env | grep "^BACKBEAT_" | sort > variables'
      assert.deepStrictEqual(yield* shell(script), { _tag: "Accepted", detail: "exit 0" })
      assert.strictEqual(readFileSync(join(home, "in"), "utf8"), parcel.body)
      const variables = readFileSync(join(home, "variables"), "utf8")
      for (const line of [
        "BACKBEAT_EVENT_ID=msg_1",
        "BACKBEAT_EVENT_KIND=ended",
        "BACKBEAT_EVENT_STATUS=failed",
        "BACKBEAT_EVENT_NEEDS_YOU=1",
        "BACKBEAT_HOOK=one",
        // What it submits is one deeper than the task: a circle of hooks and tasks ends.
        "BACKBEAT_DEPTH=1"
      ]) {
        assert.include(variables, `${line}\n`)
      }
      assert.notInclude(variables, "BACKBEAT_TASK_ID")
      const failed = failure(yield* shell("echo no luck >&2; exit 3"))
      assert.deepStrictEqual([failed.detail, failed.tries], ["exit 3: no luck", 3])
      assert.strictEqual(failure(yield* shell("exit 75")).tries, null)
      const missing = failure(yield* send({ run: ["/nowhere/after"] }))
      assert.deepStrictEqual([missing.detail, missing.tries], ["cannot be started (ENOENT)", 3])
    })
  )

  test(
    "that hangs is ended with all that it has started",
    Effect.gen(function* () {
      const { home } = yield* Paths
      const script = "trap '' TERM; (trap '' TERM; echo $$ > inner; exec sleep 600) & echo $! > child; wait"
      const outcome = failure(yield* shell(script, { timeoutMs: 300 }))
      assert.strictEqual(outcome.detail, "did not end within 300 ms")
      const pid = Number(readFileSync(join(home, "child"), "utf8"))
      assert.isAbove(pid, 1)
      yield* Effect.promise(() => until("its child is gone", () => !isAlive(pid)))
    })
  )

  test(
    "that prints without end, does not read or leaves something behind is done when it ends",
    Effect.gen(function* () {
      const { home } = yield* Paths
      const script = "exec 0<&-; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; sleep 600 & echo $! > left"
      assert.strictEqual((yield* shell(script))._tag, "Accepted")
      const pid = Number(readFileSync(join(home, "left"), "utf8"))
      assert.isAbove(pid, 1)
      process.kill(pid, "SIGKILL")
    })
  )

  test(
    "is ended when its worker is told to go",
    Effect.gen(function* () {
      const { home } = yield* Paths
      const fiber = yield* Effect.fork(shell("echo $$ > pid; exec sleep 600"))
      const pid = yield* Effect.promise(() =>
        until("it runs", () => existsSync(join(home, "pid")) && Number(readFileSync(join(home, "pid"), "utf8")))
      )
      yield* Fiber.interrupt(fiber)
      assert.isFalse(isAlive(pid))
    })
  )
})

describe("the desktop", () => {
  test(
    "is notified by the program that there is, and it is said where there is none",
    Effect.gen(function* () {
      const { home } = yield* Paths
      const path = process.env.PATH
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          process.env.PATH = path
        })
      )
      process.env.PATH = home
      assert.deepStrictEqual(yield* send({ desktop: true }), {
        _tag: "Refused",
        detail: "neither notify-send nor osascript is installed"
      })
      const program = join(home, "osascript")
      writeFileSync(program, `#!/bin/sh\nfor one in "$@"; do echo "$one"; done > ${home}/shown\n`)
      chmodSync(program, 0o755)
      assert.deepStrictEqual(yield* send({ desktop: true }), { _tag: "Accepted", detail: "shown by osascript" })
      const lines = readFileSync(join(home, "shown"), "utf8").trimEnd().split("\n")
      assert.deepStrictEqual(lines.slice(-2), ["Backbeat needs you", "failed: größer & <besser>"])
    })
  )
})
