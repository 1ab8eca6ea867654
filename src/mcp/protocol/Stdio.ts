/**
 * Newline-delimited JSON-RPC over a pair of streams, as a transport of the SDK: a bad line gets an error answer and does not end the connection.
 *
 * Weighed: the SDK's `StdioServerTransport` (2.4), which answers nothing to a bad line, holds a line of any length, keeps reading
 * from a client that reads nothing, and does not tell when the last answer is written. Use it when it bounds a line and what it
 * buffers, answers −32700 and reports its flush. docs/decisions/0004-own-stdio-transport.md
 */
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  parseJSONRPCMessage,
  type RequestId,
  type Transport
} from "@modelcontextprotocol/server"
import { outgoing } from "./outgoing.ts"

/** A message larger than this is refused. Bytes. */
const largestMessage = 16 * 1024 * 1024

/** The most output buffered for a client that does not read: above it no new call starts. Bytes. */
const mostWaiting = 4 * 1024 * 1024

/** The most concurrent calls; further calls wait. */
const mostOpen = 512

/** The most input accepted while no call starts; after that the client counts as gone. Characters. */
const mostHeld = 32 * 1024 * 1024

/** While no call starts, read a little from time to time: only a read can find the end of stdin. */
const sipMs = 100

/** Above this much unread output, progress messages are dropped. Bytes. */
const mostProgressWaiting = 256 * 1024

const newline = 10

interface StdioTransport extends Transport {
  /** Stops reading, and returns when every request is answered. */
  readonly settled: () => Promise<void>
  /** Called when the client has closed its end. */
  onend: (() => void) | undefined
  /** Called when the system has accepted the first answer. */
  onanswer: (() => void) | undefined
}

/** The id in an invalid message, so that its sender learns what was wrong. */
const idOf = (value: unknown): RequestId | null => {
  const id: unknown = typeof value === "object" && value !== null && "id" in value ? value.id : null
  return typeof id === "string" || (typeof id === "number" && Number.isInteger(id)) ? id : null
}

/** Above this a line is not looked into before its turn. Characters. */
const longestUrgent = 64 * 1024

/** Whether this line is a ping or cancels an open call: neither must wait for a call to end. */
const isUrgent = (line: string, open: ReadonlySet<RequestId>): boolean => {
  if (line.length > longestUrgent || !/"(?:ping|notifications\/cancelled)"/.test(line)) return false
  try {
    const message = parseJSONRPCMessage(JSON.parse(line))
    if (isJSONRPCRequest(message)) return message.method === "ping"
    if (!isJSONRPCNotification(message) || message.method !== "notifications/cancelled") return false
    const id = idOf({ id: message.params?.requestId })
    return id !== null && open.has(id)
  } catch {
    return false
  }
}

/** Cuts bytes into lines. A line that grows too large is dropped while it arrives, and reported once. */
const lineReader = (onLine: (line: string) => void, onOversized: () => void) => {
  let parts: Array<Uint8Array> = []
  let size = 0
  let skipping = false
  const take = (part: Uint8Array) => {
    if (skipping) return
    size += part.length
    if (size > largestMessage) {
      skipping = true
      parts = []
      onOversized()
    } else parts.push(part)
  }
  const end = () => {
    const line = skipping ? "" : new TextDecoder().decode(joined(parts, size))
    parts = []
    size = 0
    skipping = false
    if (line.trim() !== "") onLine(line)
  }
  return (chunk: Uint8Array) => {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, at))
      end()
      from = at + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
}

const joined = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const stdioTransport = (
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  later: (ms: number, run: () => void) => void
): StdioTransport => {
  const open = new Set<RequestId>()
  const waiters: Array<() => void> = []
  let closed = false
  let answered = false

  const release = () => {
    if (open.size > 0) return
    for (const waiter of waiters.splice(0)) waiter()
  }

  const write = (message: object) => {
    if (!closed) output.write(`${JSON.stringify(outgoing(message))}\n`)
  }

  const refuse = (code: number, message: string, id: RequestId | null) =>
    write({ jsonrpc: "2.0", id, error: { code, message } })

  const onLine = (line: string) => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return refuse(-32700, "Parse error: this line is not JSON", null)
    }
    let message: JSONRPCMessage
    try {
      message = parseJSONRPCMessage(value)
    } catch {
      return refuse(-32600, "Invalid request: this is not one JSON-RPC 2.0 message", idOf(value))
    }
    if (isJSONRPCRequest(message)) open.add(message.id)
    else if (isJSONRPCNotification(message) && message.method === "notifications/cancelled") {
      const id: unknown = message.params?.requestId
      if (typeof id === "string" || typeof id === "number") open.delete(id)
    }
    transport.onmessage?.(message)
  }

  const held: Array<string> = []
  let size = 0

  const begin = () => {
    while (open.size < mostOpen && output.writableLength <= mostWaiting) {
      const line = held.shift()
      if (line === undefined) return
      size -= line.length
      onLine(line)
    }
  }

  const take = (line: string) => {
    const waits = held.length > 0 || open.size >= mostOpen
    // A client that does not read gets no answer before its turn either.
    if (waits && output.writableLength <= mostWaiting && isUrgent(line, open)) onLine(line)
    else {
      held.push(line)
      size += line.length
    }
    // A cancellation has made room.
    begin()
  }

  const read = lineReader(take, () =>
    refuse(
      -32600,
      `Message larger than ${largestMessage / 1024 ** 2} MB. Put long text into a file and name the file in the prompt.`,
      null
    )
  )
  const onEnd = () => transport.onend?.()
  const onData = (chunk: Uint8Array) => {
    read(chunk)
    if (held.length === 0) return
    if (size > mostHeld) return onEnd()
    input.pause()
    later(sipMs, () => input.resume())
  }

  const transport: StdioTransport = {
    onend: undefined,
    onanswer: undefined,
    start: async () => {
      input.on("data", onData)
      input.on("end", onEnd)
      input.on("close", onEnd)
      input.on("error", onEnd)
      // The client is gone: no answer can be delivered.
      output.on("error", onEnd)
      output.on("drain", begin)
    },
    send: async (message) => {
      if (isJSONRPCNotification(message)) {
        if (message.method === "notifications/progress" && output.writableLength > mostProgressWaiting) return
        write(message)
        return
      }
      write(message)
      if (isJSONRPCRequest(message)) return
      if (message.id !== undefined) open.delete(message.id)
      if (!answered) {
        answered = true
        transport.onanswer?.()
      }
      begin()
      release()
    },
    settled: () =>
      new Promise((resolve) => {
        input.off("data", onData)
        waiters.push(resolve)
        release()
      }),
    close: async () => {
      if (closed) return
      closed = true
      input.off("data", onData)
      input.pause()
      transport.onclose?.()
    }
  }
  return transport
}
