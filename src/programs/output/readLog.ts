/** Reads an agent's output in pages of bounded size, each of which has the place where the next one begins. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { InvalidInput } from "../../domain/Errors.ts"
import type { OutputChunk, StreamName } from "../../domain/output/Output.ts"
import type { Renderer } from "../../domain/task/Agent.ts"
import { isTerminal, TaskId, TaskStatus, type TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import * as Render from "../../text/Render.ts"
import { enoughFor, tailBytes } from "../../text/Tail.ts"
import { follow, readTail } from "./follow.ts"
import { keepReader, type LogReader, takeReader } from "./LogReader.ts"

export const LogPage = Schema.Struct({
  taskId: TaskId,
  status: TaskStatus,
  /** Whole lines, safe to show: what the agent said, did and printed, stdout and stderr in the order of capture. */
  text: Schema.String,
  /** Pass this as `since` to get the next page. */
  next: Schema.String,
  /** Whether there is already more after this page. */
  more: Schema.Boolean
}).annotations({ identifier: "LogPage" })
export type LogPage = typeof LogPage.Type

interface ReadLogOptions {
  /** The lines as the agent printed them, without its renderer. */
  readonly raw: boolean
  /** The `next` of a page before; null: `lines` from the end. */
  readonly since: string | null
  readonly lines: number
  /** Bytes of text at most. */
  readonly maxBytes: number
}

/** How far each stream has been read, in bytes as the agent printed them: dropping the middle does not move it. */
type Position = Record<StreamName, number>

const format = ({ stderr, stdout }: Position): string => `${stdout}.${stderr}`

export const start = format({ stdout: 0, stderr: 0 })

const parse = (text: string) => {
  const found = /^(\d{1,15})\.(\d{1,15})$/.exec(text)
  return found === null
    ? new InvalidInput({ field: "since", problem: "is not a 'next' of an earlier page", example: start })
    : Effect.succeed<Position>({ stdout: Number(found[1]), stderr: Number(found[2]) })
}

/** Shows lines as they are. */
const verbatim: Renderer = { line: (line) => [line], end: () => [] }

const newline = 10

/** The chunk, cut after each newline. */
const pieces = function* (chunk: OutputChunk): Generator<OutputChunk> {
  for (let from = 0; from < chunk.bytes.length; ) {
    const at = chunk.bytes.indexOf(newline, from)
    const to = at < 0 ? chunk.bytes.length : at + 1
    yield { ...chunk, offset: chunk.offset + from, bytes: chunk.bytes.subarray(from, to) }
    from = to
  }
}

const encoder = new TextEncoder()

/** Cut to `limit` bytes, never within a character. */
const clip = (text: string, limit: number): string => {
  const encoded = encoder.encode(text)
  if (encoded.length <= limit) return text
  let end = limit
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return `${new TextDecoder().decode(encoded.subarray(0, end))}…`
}

/** Collects lines up to a size. A single line that is larger is cut. */
const collector = (maxBytes: number) => {
  const lines: Array<string> = []
  let size = 0
  return {
    lines,
    /** False: there was no room, and nothing was added. */
    add: (more: ReadonlyArray<string>): boolean => {
      const bytes = more.reduce((sum, line) => sum + encoder.encode(line).length + 1, 0)
      if (size + bytes > maxBytes && size > 0) return false
      if (bytes > maxBytes) lines.push(clip(more.join("\n"), maxBytes))
      else lines.push(...more)
      size += bytes
      return true
    }
  }
}

/**
 * Continues at a position. A renderer keeps state between lines, so the reader of the previous page is reused if it is
 * still kept. A new reader reads everything from the start and returns only the lines behind the position.
 */
const readOn = Effect.fn("readLog.on")(function* (
  taskId: TaskId,
  renderer: Effect.Effect<Renderer>,
  from: Position,
  over: boolean,
  options: ReadLogOptions
) {
  const output = yield* OutputStore
  const placeOf = (position: Position) => `${taskId} ${options.raw} ${format(position)}`
  const reader: LogReader = takeReader(output, placeOf(from)) ?? {
    render: Render.make(yield* renderer),
    seq: -1,
    shownTo: 0,
    held: null
  }
  const page = collector(options.maxBytes)
  const read: Position = { ...from }
  if (reader.held !== null) {
    const { end, lines, stream } = reader.held
    page.add(lines)
    if (end !== null) read[stream] = end
    reader.held = null
  }
  // Its last chunk is read once more: the page may have ended within it.
  yield* follow(taskId, { stream: null, after: reader.seq - 1, follow: false }).pipe(
    Stream.takeWhile(() => reader.held === null),
    Stream.runForEach((chunk) =>
      Effect.sync(() => {
        // Chunks come in batches: the end of the page may be within one.
        if (reader.held !== null) return
        for (const piece of pieces(chunk)) {
          const end = piece.offset + piece.bytes.length
          if (chunk.seq === reader.seq && end <= reader.shownTo) continue
          const lines = reader.render.push(piece).map(({ text }) => text)
          reader.seq = chunk.seq
          reader.shownTo = end
          if (end <= from[chunk.stream]) continue
          // An unfinished line is returned once it is finished.
          const finished = piece.bytes.at(-1) === newline
          if (!page.add(lines)) {
            reader.held = { lines, stream: chunk.stream, end: finished ? end : null }
            return
          }
          if (finished) read[chunk.stream] = end
        }
      }).pipe(Effect.zipRight(Effect.yieldNow()))
    )
  )
  const full = reader.held !== null
  if (full || !over) {
    keepReader(output, placeOf(read), reader)
    return { text: page.lines, position: read, more: full }
  }
  const rest = reader.render.end().map(({ text }) => text)
  const sizes = yield* output.streams(taskId)
  const done = sizes.every(({ size, stream }) => size <= from[stream])
  if (done) return { text: page.lines, position: read, more: false }
  const fits = page.add(rest)
  if (fits) for (const { size, stream } of sizes) read[stream] = size
  return { text: page.lines, position: read, more: !fits }
})

/** The last lines. The position after them is where unfinished lines begin. */
const readEnd = Effect.fn("readLog.end")(function* (
  taskId: TaskId,
  renderer: Effect.Effect<Renderer>,
  over: boolean,
  options: ReadLogOptions
) {
  const output = yield* OutputStore
  const sizes = yield* output.streams(taskId)
  const sizeOf = (name: StreamName) => sizes.find(({ stream }) => stream === name)?.size ?? 0
  for (let raw = options.lines; ; raw = Math.max(raw, 8) * 8) {
    const { chunks, complete } = yield* readTail(taskId, { stream: null, enough: enoughFor(raw) })
    const render = Render.make(yield* renderer)
    // A stream that printed nothing lately is not among the chunks.
    const position: Position = { stdout: sizeOf("stdout"), stderr: sizeOf("stderr") }
    const seen = new Set<StreamName>()
    const shown: Array<string> = []
    for (const chunk of chunks) {
      shown.push(...render.push(chunk).map(({ text }) => text))
      const at = over ? chunk.bytes.length : chunk.bytes.lastIndexOf(newline) + 1
      if (at > 0 || !seen.has(chunk.stream)) position[chunk.stream] = chunk.offset + at
      seen.add(chunk.stream)
    }
    if (over) shown.push(...render.end().map(({ text }) => text))
    const size = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (shown.length >= options.lines || complete || size >= tailBytes) {
      const page = collector(options.maxBytes)
      const wanted = options.lines === 0 ? [] : shown.slice(-options.lines)
      for (const line of wanted.toReversed()) if (!page.add([line])) break
      return { text: page.lines.reverse(), position, more: false }
    }
  }
})

/** Of a task whose row was read before: what a task that has ended printed is all there. */
export const readLogOf = Effect.fn("readLog.of")(function* (
  { agent, id: taskId, status }: Pick<TaskSummary, "id" | "agent" | "status">,
  options: ReadLogOptions
) {
  const agents = yield* Agents
  const over = isTerminal(status)
  const renderer = options.raw ? Effect.succeed(verbatim) : agents.renderer(agent)
  const { more, position, text } =
    options.since === null
      ? yield* readEnd(taskId, renderer, over, options)
      : yield* readOn(taskId, renderer, yield* parse(options.since), over, options)
  const page: LogPage = { taskId, status, text: text.join("\n"), next: format(position), more }
  return page
})

export const readLog = Effect.fn("readLog")(function* (taskId: TaskId, options: ReadLogOptions) {
  const tasks = yield* Tasks
  return yield* readLogOf(yield* tasks.summary(taskId), options)
})
