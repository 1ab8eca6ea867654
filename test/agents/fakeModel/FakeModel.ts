/** A model server on loopback that real agents take for their own service, and that answers as the prompt's directives say. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as pause } from "node:timers/promises"
import { answerOf, type Event } from "./Answer.ts"
import { parse } from "./Json.ts"
import { refusalOf } from "./Refusal.ts"
import { type ModelRequest, requestOf } from "./Request.ts"
import { type Turn, turnOf } from "./Script.ts"

const write = (response: ServerResponse, { data, name }: Event): void => {
  const text = typeof data === "string" ? data : JSON.stringify(data)
  if (!response.destroyed) response.write(`${name === null ? "" : `event: ${name}\n`}data: ${text}\n\n`)
}

const sendJson = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {}
): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString("utf8")
}

export class FakeModel {
  readonly key = "sk-test-backbeat-0123456789"
  url = ""
  /** The requests for an answer: as they are understood, and as they were sent. */
  readonly requests: Array<{ readonly asked: ModelRequest; readonly body: unknown }> = []
  /** When the usage limits end that it refused by, in seconds since 1970. */
  readonly resets: Array<number> = []
  /** How often each ERROR, DROP and HANG with a number has been met. */
  readonly #met = new Map<string, number>()
  readonly #server = createServer((request, response) => {
    response.on("error", () => {})
    this.#serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else sendJson(response, 500, { error: { message: String(error) } })
    })
  })

  static async start(): Promise<FakeModel> {
    const fake = new FakeModel()
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve))
    const address: AddressInfo | string | null = fake.#server.address()
    if (address === null || typeof address === "string") throw new Error("the fake model has no port")
    fake.url = `http://127.0.0.1:${address.port}`
    return fake
  }

  /** Whether any request so far carried this text. */
  heard(text: string): boolean {
    return this.heardTogether(text)
  }

  /** Whether a single request carried all of these texts. */
  heardTogether(...texts: ReadonlyArray<string>): boolean {
    return this.requests.some(({ body }) => {
      const sent = JSON.stringify(body)
      return texts.every((text) => sent.includes(text))
    })
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1")
    const text = await bodyOf(request)
    if (request.method === "HEAD") return void response.writeHead(200).end()
    const { authorization, "x-api-key": apiKey, "x-goog-api-key": googleKey } = request.headers
    const given = [apiKey, googleKey, authorization?.replace(/^Bearer /, ""), searchParams.get("key")]
    const asked = requestOf(pathname, parse(text))
    if (!given.includes(this.key)) {
      const refusal = refusalOf(
        asked?.api ?? (/generateContent|countTokens/i.test(pathname) ? "gemini" : "chat"),
        "401",
        Date.now()
      )
      return sendJson(response, refusal.status, refusal.body)
    }
    // Codex tries a WebSocket first: it falls back at this answer.
    if (request.headers.upgrade !== undefined) return sendJson(response, 426, { error: { message: "HTTP only" } })
    if (pathname.endsWith("/count_tokens")) return sendJson(response, 200, { input_tokens: text.length })
    if (pathname.endsWith(":countTokens")) return sendJson(response, 200, { totalTokens: text.length })
    if (request.method === "GET" && pathname.endsWith("/models"))
      return sendJson(response, 200, { object: "list", data: [] })
    if (asked === null || request.method !== "POST")
      return sendJson(response, 404, { error: { message: "no such path" } })
    this.requests.push({ asked, body: parse(text) })
    await this.#answer(asked, turnOf(asked), response)
  }

  /** Whether an ERROR, DROP or HANG line is still to be heeded: with `xN` it is N times. */
  #heeds(turn: Turn, name: string, value: string): boolean {
    const limit = /\bx(\d+)\b/.exec(value)?.[1]
    const key = `${turn.key} ${name} ${value}`
    const met = this.#met.get(key) ?? 0
    this.#met.set(key, met + 1)
    return limit === undefined || met < Number(limit)
  }

  async #answer(request: ModelRequest, turn: Turn, response: ServerResponse): Promise<void> {
    const values = (name: string) => turn.how.filter((each) => each.name === name).map(({ value }) => value)
    const headers = Object.fromEntries(
      values("HEADER").map((value) => [value.split("=")[0]?.trim() ?? "", value.slice(value.indexOf("=") + 1).trim()])
    )
    for (const { name, value } of turn.how) {
      if (name === "SLEEP") await pause(1000 * Number(value))
      if (name === "HANG" && this.#heeds(turn, name, value)) return
      if (name === "ERROR" && this.#heeds(turn, name, value)) {
        const refusal = refusalOf(request.api, value, Date.now())
        if (refusal.resetsAt !== null) this.resets.push(refusal.resetsAt)
        const [body] = values("BODY")
        return sendJson(response, refusal.status, body === undefined ? refusal.body : parse(body), {
          ...refusal.headers,
          ...headers
        })
      }
    }
    const [drop] = values("DROP")
    const cut = drop !== undefined && this.#heeds(turn, "DROP", drop)
    const { events, whole } = answerOf(request, turn)
    if (!request.stream && !cut) return sendJson(response, 200, whole, headers)
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", ...headers })
    const [drip] = values("DRIP")
    for (const [at, event] of events.entries()) {
      if (cut && at === 1) return void response.destroy()
      write(response, event)
      if (drip !== undefined) await pause((1000 * Number(drip)) / events.length)
    }
    response.end()
  }
}
