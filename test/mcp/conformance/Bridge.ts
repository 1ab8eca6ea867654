/** Lets the conformance suite, which speaks HTTP only, test the built server over stdio: each session begins with `initialize`. */
import { randomUUID } from "node:crypto"
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Message, Server } from "../Server.ts"

/** What the suite asks for by its own name, and what of ours does the same. Answers are never changed. */
export interface StandIns {
  readonly tools: Readonly<Record<string, { readonly name: string; readonly arguments: object }>>
  readonly prompts: Readonly<Record<string, (given: Readonly<Record<string, string>>) => object>>
  readonly resources: Readonly<Record<string, string>>
}

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const send = (response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}, body = "") => {
  response.writeHead(status, headers)
  response.end(body)
}

export class Bridge {
  readonly #server: Server
  readonly #standIns: StandIns
  readonly #http: HttpServer
  #requests = 0

  constructor(server: Server, standIns: StandIns) {
    this.#server = server
    this.#standIns = standIns
    this.#http = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) =>
        send(response, 502, {}, error instanceof Error ? error.message : String(error))
      )
    })
  }

  /** The address for the suite. */
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve))
    const address = this.#http.address()
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/mcp`
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => this.#http.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // There is no stream from the server: a client that asks for one is told so.
    if (request.method !== "POST") return send(response, 405)
    const message: Message = JSON.parse(await bodyOf(request))
    // Each session counts its requests from 0.
    const id = `request-${this.#requests++}`
    const numbered = message.id === undefined ? {} : { id }
    this.#server.write(`${JSON.stringify({ ...this.#translated(message), ...numbered })}\n`)
    if (message.id === undefined) return send(response, 202)
    const answer = await this.#server.find(`answer to ${message.method}`, (one) => one.id === id, 10_000)
    const session = String(request.headers["mcp-session-id"] ?? randomUUID())
    const headers = { "content-type": "application/json", "mcp-session-id": session }
    send(response, 200, headers, JSON.stringify({ ...answer, id: message.id }))
  }

  #translated(message: Message): Message {
    const { params } = message
    const { prompts, resources, tools } = this.#standIns
    if (params === undefined) return message
    const name = String(params.name ?? params.uri)
    const instead =
      message.method === "tools/call"
        ? tools[name]
        : message.method === "prompts/get"
          ? prompts[name]?.(params.arguments as Readonly<Record<string, string>>)
          : message.method === "resources/read" && resources[name] !== undefined
            ? { uri: resources[name] }
            : undefined
    return instead === undefined ? message : { ...message, params: { ...params, ...instead } }
  }
}
