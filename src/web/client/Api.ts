/** Talks to the server: every request carries the token, and streams of events are read by `fetch`, which can send it. */

const key = "backbeat-token"

/** The name of the channel on which tabs of this page give each other the token. */
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("backbeat")

let token: string | null = null

/** Takes the token out of the address, so that no bookmark, history or screenshot keeps it. */
export const takeToken = async (): Promise<boolean> => {
  const given = /^#t=([A-Za-z0-9_-]+)/.exec(location.hash)?.[1]
  if (given !== undefined) {
    sessionStorage.setItem(key, given)
    history.replaceState(null, "", `${location.pathname}#/`)
  }
  token = sessionStorage.getItem(key) ?? (await askOthers())
  if (token !== null) sessionStorage.setItem(key, token)
  channel?.addEventListener("message", ({ data }) => {
    if (data === "ask" && token !== null) channel.postMessage({ token })
  })
  return token !== null
}

/** A tab that was opened from this page has no storage yet. */
const askOthers = (): Promise<string | null> =>
  new Promise((found) => {
    if (channel === null) return found(null)
    const answered = ({ data }: MessageEvent) => {
      if (typeof data?.token === "string") found(data.token)
    }
    channel.addEventListener("message", answered)
    channel.postMessage("ask")
    setTimeout(() => {
      channel.removeEventListener("message", answered)
      found(null)
    }, 300)
  })

/** A request that the server refused, with what to do. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

const ask = async (path: string, init: RequestInit): Promise<Response> => {
  const answer = await fetch(`/api/v1${path}`, {
    ...init,
    headers: { ...init.headers, authorization: `Bearer ${token ?? ""}` }
  })
  if (answer.ok) return answer
  const problem = await answer.json().catch(() => ({}))
  throw new Refused(answer.status, String(problem.code ?? "Unknown"), String(problem.detail ?? answer.statusText))
}

export const get = async <A>(path: string, signal?: AbortSignal): Promise<A> =>
  (await ask(path, signal === undefined ? {} : { signal })).json()

export const post = async <A>(path: string, body: unknown, idempotencyKey?: string): Promise<A> => {
  const headers = {
    "content-type": "application/json",
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey })
  }
  return (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).json()
}

export interface ServerSentEvent {
  readonly event: string
  readonly id: string | null
  readonly data: string
}

/** Reads server-sent events until the stream ends. */
export const listen = async (
  path: string,
  lastId: string | null,
  signal: AbortSignal,
  onEvent: (event: ServerSentEvent) => void
): Promise<void> => {
  const headers = lastId === null ? {} : { "last-event-id": lastId }
  const { body } = await ask(path, { headers, signal })
  if (body === null) return
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  while (true) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (rest + value).split("\n\n")
    rest = blocks.pop() ?? ""
    for (const block of blocks) {
      const fields = new Map(
        block.split("\n").map((line) => {
          const at = line.indexOf(": ")
          return [line.slice(0, at), line.slice(at + 2)] as const
        })
      )
      const event = fields.get("event")
      if (event !== undefined) onEvent({ event, id: fields.get("id") ?? null, data: fields.get("data") ?? "null" })
    }
  }
}

/** The query of a path: what is empty is left out, lists are repeated. */
export const query = (given: Readonly<Record<string, string | number | ReadonlyArray<string> | null>>): string => {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === "") continue
    for (const one of typeof value === "object" ? value : [String(value)]) words.append(name, one)
  }
  const text = words.toString()
  return text === "" ? "" : `?${text}`
}
