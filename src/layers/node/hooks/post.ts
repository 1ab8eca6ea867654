/** One POST with bounds on time and size. Redirects are not followed: a message goes only to the address in the settings. */
import * as http from "node:http"
import * as https from "node:https"
import type { Outcome } from "../../../domain/hooks/Delivery.ts"

interface PostRequest {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
  readonly timeoutMs: number
  /** Looks into the answer to a request that was accepted. */
  readonly judge?: (answer: string) => Outcome | null
  readonly abort: AbortSignal
}

/** The most bytes of an answer. Mostly only its status counts, and the rest is read so that the connection ends in order. */
const mostBytes = 64 * 1024

/** A day: a receiver that asks for a longer pause gets no more time than others. */
const longestPauseMs = 24 * 60 * 60 * 1000

/** `Retry-After` in seconds or as a date, in milliseconds from now. */
const pauseOf = (header: string | undefined, now: number): number | null => {
  if (header === undefined) return null
  const until = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isFinite(until) ? Math.min(longestPauseMs, Math.max(0, until)) : null
}

/** Too early, too much: the same request may pass later. */
const passing = new Set([408, 425, 429])

export const outcomeOf = (status: number, retryAfter: string | undefined, now: number): Outcome => {
  if (status >= 200 && status < 300) return { _tag: "Accepted", detail: String(status) }
  if (status >= 300 && status < 400) return { _tag: "Refused", detail: `${status}, a redirect: change the address` }
  if (status < 500 && !passing.has(status)) return { _tag: "Refused", detail: String(status) }
  return { _tag: "Failed", detail: String(status), pauseMs: pauseOf(retryAfter, now), tries: null }
}

const failed = (detail: string): Outcome => ({ _tag: "Failed", detail, pauseMs: null, tries: null })

export const post = ({ abort, body, headers, judge, timeoutMs, url }: PostRequest): Promise<Outcome> =>
  new Promise((resolve) => {
    const { request } = url.protocol === "https:" ? https : http
    const sent = request(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "backbeat",
        ...headers
      },
      // A new connection for each: nothing is left open between messages.
      agent: false
    })
    const settle = (outcome: Outcome) => {
      clearTimeout(timer)
      abort.removeEventListener("abort", onAbort)
      resolve(outcome)
      sent.destroy()
    }
    const timer = setTimeout(() => settle(failed(`no answer within ${timeoutMs} ms`)), timeoutMs)
    const onAbort = () => settle(failed("the worker was ended"))
    abort.addEventListener("abort", onAbort)
    sent.on("error", (error: NodeJS.ErrnoException) => settle(failed(error.code ?? "the connection failed")))
    sent.on("response", (response) => {
      const outcome = outcomeOf(response.statusCode ?? 0, response.headers["retry-after"], Date.now())
      let size = 0
      const kept: Array<Buffer> = []
      response.on("data", (bytes: Buffer) => {
        size += bytes.length
        if (judge !== undefined) kept.push(bytes)
        if (size > mostBytes) settle(outcome)
      })
      response.on("close", () => {
        const judged = outcome._tag === "Accepted" ? (judge?.(Buffer.concat(kept).toString("utf8")) ?? null) : null
        settle(judged ?? outcome)
      })
    })
    sent.end(body)
  })
