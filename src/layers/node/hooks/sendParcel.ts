/** One attempt to send one message, to the target of its hook. It needs only Node, and is loaded from its own file. */
import type { Outcome } from "../../../domain/hooks/Delivery.ts"
import type { Hook } from "../../../domain/hooks/Hook.ts"
import type { Parcel } from "../../../services/HookSender.ts"
import { notify } from "./notify.ts"
import { post } from "./post.ts"
import { type Place, runProgram } from "./runProgram.ts"
import { signatureHeaders } from "./signatureHeaders.ts"

/** The parts of a message that people read. */
interface Readable {
  readonly needsYou: boolean
  readonly text: string
  readonly directory: string | null
}

const readable = (body: string): Readable => {
  const { directory, needsYou, text }: Record<string, unknown> = JSON.parse(body)
  return {
    needsYou: needsYou === true,
    text: String(text),
    directory: typeof directory === "string" ? directory : null
  }
}

/** Tries of a command that fails. One that exits with 75 is tried for a day. */
const tries = 3
const again = 75

const run = async (
  [file = "", ...args]: ReadonlyArray<string>,
  { timeoutMs }: OpenHook,
  { body }: Parcel,
  place: Place,
  abort: AbortSignal
): Promise<Outcome> => {
  const end = await runProgram({ file, args, input: body, timeoutMs, place, abort })
  if (end.code === 0) return { _tag: "Accepted", detail: "exit 0" }
  return { _tag: "Failed", detail: end.detail, pauseMs: null, tries: end.code === again ? null : tries }
}

/** Publishing as JSON takes every character; headers would not. */
const ntfy = (address: string, { text, needsYou, directory }: Readable) => {
  const url = new URL(address)
  const parts = url.pathname.split("/").filter((part) => part !== "")
  const topic = decodeURIComponent(parts.pop() ?? "")
  url.pathname = `/${parts.join("/")}`
  const message = directory === null ? text : `${text}\n${directory}`
  return {
    url,
    body: JSON.stringify({
      topic,
      title: needsYou ? "Backbeat needs you" : "Backbeat",
      message,
      // Of 5; 3 is usual.
      priority: needsYou ? 4 : 2,
      tags: [needsYou ? "warning" : "information_source"]
    })
  }
}

/** Like `OTEL_EXPORTER_OTLP_ENDPOINT`: the address of a collector, or of its traces. */
const tracesUrl = (address: string): URL => {
  const url = new URL(address)
  if (url.pathname === "/") url.pathname = "/v1/traces"
  return url
}

/** A collector can accept a request and reject spans in it. It must not be sent them again. */
const rejected = (answer: string): Outcome | null => {
  try {
    const count = Number(JSON.parse(answer)?.partialSuccess?.rejectedSpans ?? 0)
    return count > 0 ? { _tag: "Refused", detail: `200, but ${count} spans were rejected` } : null
  } catch {
    // Not JSON: only the status counts.
    return null
  }
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** A hook with its secrets as they are sent: this module has no part of Effect in it. */
export interface OpenHook extends Omit<Hook, "secret" | "token" | "headers"> {
  readonly secret: string | null
  readonly token: string | null
  readonly headers: Readonly<Record<string, string>>
}

export const sendParcel = async (
  hook: OpenHook,
  parcel: Parcel,
  place: Place,
  abort: AbortSignal
): Promise<Outcome> => {
  const { timeoutMs } = hook
  try {
    if (hook.run !== undefined) return await run(hook.run, hook, parcel, place, abort)
    if (hook.url !== undefined) {
      const signature = signatureHeaders(parcel, hook.secret, Math.floor(Date.now() / 1000))
      const headers = { ...hook.headers, ...signature }
      return await post({ url: new URL(hook.url), headers, body: parcel.body, timeoutMs, abort })
    }
    if (hook.otlp !== undefined) {
      const { headers } = hook
      return await post({ url: tracesUrl(hook.otlp), headers, body: parcel.body, timeoutMs, judge: rejected, abort })
    }
    const message = readable(parcel.body)
    if (hook.ntfy !== undefined) {
      const headers = hook.token === null ? {} : { authorization: `Bearer ${hook.token}` }
      return await post({ ...ntfy(hook.ntfy, message), headers, timeoutMs, abort })
    }
    if (hook.slack !== undefined) {
      const text = `${message.needsYou ? ":warning: " : ""}${escaped(message.text)}`
      return await post({ url: new URL(hook.slack), headers: {}, body: JSON.stringify({ text }), timeoutMs, abort })
    }
    return await notify(message, { timeoutMs, place, abort })
  } catch (error) {
    // An address that Node does not take. Its message would quote the address.
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown"
    return { _tag: "Refused", detail: `cannot be sent (${code})` }
  }
}
