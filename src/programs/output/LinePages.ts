/**
 * Reads the lines of an agent's output from a place in either direction: the newest first and older ones on demand, or what
 * follows. A place lies between two lines of each stream, so that no page cuts a line and none is shown twice.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { InvalidInput } from "../../domain/Errors.ts"
import { type OutputChunk, StreamName } from "../../domain/output/Output.ts"
import type { Renderer } from "../../domain/task/Agent.ts"
import { isTerminal, TaskId, TaskStatus } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import { Tasks } from "../../services/Tasks.ts"
import * as Render from "../../text/Render.ts"
import { follow, readTail } from "./follow.ts"

/** One line as it is shown. */
export const OutputLine = Schema.Struct({
  stream: StreamName,
  /** Without its newline and without control characters. */
  text: Schema.String
}).annotations({ identifier: "OutputLine" })
export type OutputLine = typeof OutputLine.Type

export const OutputPage = Schema.Struct({
  taskId: TaskId,
  status: TaskStatus,
  /** Oldest first. */
  lines: Schema.Array(OutputLine),
  /** Give this as `before` to get the lines before these; null: these are the first. */
  before: Schema.NullOr(Schema.String),
  /** Give this as `after` to follow what comes after these. */
  after: Schema.String
}).annotations({ identifier: "OutputPage" })
export type OutputPage = typeof OutputPage.Type

/** A place between two lines: the number of its chunk, and the position in each stream. */
interface Place {
  readonly seq: number
  readonly stdout: number
  readonly stderr: number
}

const format = ({ seq, stderr, stdout }: Place): string => `${seq}.${stdout}.${stderr}`

const parse = (field: string, text: string) => {
  const found = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text)
  return found === null
    ? new InvalidInput({ field, problem: "is not a place that an earlier page gave", example: null })
    : Effect.succeed<Place>({ seq: Number(found[1]), stdout: Number(found[2]), stderr: Number(found[3]) })
}

const newline = 10
const streams = ["stdout", "stderr"] as const

/** A line that is longer than this is shown cut: its beginning is not looked for any further. */
const longestSearch = 4 * 1024 * 1024

/** The part of the chunk before a position of its stream. */
const upTo = (chunk: OutputChunk, end: number): ReadonlyArray<OutputChunk> => {
  const length = Math.min(chunk.bytes.length, end - chunk.offset)
  return length <= 0 ? [] : [{ ...chunk, bytes: chunk.bytes.subarray(0, length) }]
}

/** The part of the chunk after a position of its stream. */
const from = (chunk: OutputChunk, start: number): ReadonlyArray<OutputChunk> => {
  const skipped = Math.max(0, start - chunk.offset)
  return skipped >= chunk.bytes.length
    ? []
    : [{ ...chunk, offset: chunk.offset + skipped, bytes: chunk.bytes.subarray(skipped) }]
}

/** Tells a fresh renderer that a line begins at each of these positions: otherwise it takes the first one for the rest of one. */
const beginAt = (render: Render.Render, taskId: TaskId, place: Pick<Place, "stdout" | "stderr">): void => {
  for (const stream of streams) {
    if (place[stream] === 0) continue
    render.push({ taskId, seq: -1, stream, offset: place[stream] - 1, bytes: Uint8Array.of(newline), at: 0 })
  }
}

const lineOf = ({ stream, text }: Render.Rendered): OutputLine => ({ stream, text })

/** The position after the last line break of a stream; null where these chunks have none. */
const lastBreak = (chunks: ReadonlyArray<OutputChunk>, stream: StreamName): number | null => {
  for (const { bytes, offset, stream: own } of chunks.toReversed()) {
    const at = own === stream ? bytes.lastIndexOf(newline) : -1
    if (at >= 0) return offset + at + 1
  }
  return null
}

/** The chunks of the last `lines` lines, and where they were cut; null: all of them are kept. */
const lastLines = (chunks: ReadonlyArray<OutputChunk>, lines: number) => {
  let left = lines
  for (let index = chunks.length - 1; index >= 0; index -= 1) {
    const chunk = chunks[index]
    if (chunk === undefined) break
    for (
      let at = chunk.bytes.lastIndexOf(newline);
      at >= 0;
      at = at === 0 ? -1 : chunk.bytes.lastIndexOf(newline, at - 1)
    ) {
      if (left === 0) {
        const start = chunk.offset + at + 1
        return { kept: [...from(chunk, start), ...chunks.slice(index + 1)], cut: { stream: chunk.stream, start } }
      }
      left -= 1
    }
  }
  return { kept: chunks, cut: null }
}

/** The beginning of the line at a position of a stream; null where these chunks do not reach back to it. */
const lineStart = (chunks: ReadonlyArray<OutputChunk>, stream: StreamName, position: number): number | null => {
  if (position === 0) return 0
  for (const { bytes, offset, stream: own } of chunks.toReversed()) {
    if (own !== stream || offset >= position) continue
    const at = bytes.lastIndexOf(newline, position - offset - 1)
    if (at >= 0) return offset + at + 1
    if (offset === 0) return 0
  }
  return null
}

const firstOf = (chunks: ReadonlyArray<OutputChunk>, name: StreamName) => chunks.find(({ stream }) => stream === name)

/** Chunks before a place, oldest first, that hold whole the last `lines` lines before it, and whether they are all. */
const chunksBefore = Effect.fn("LinePages.before")(function* (taskId: TaskId, place: Place | null, lines: number) {
  return yield* readTail(taskId, {
    stream: null,
    ...(place === null ? {} : { before: place.seq + 1 }),
    enough: (newestFirst) => {
      const found = newestFirst.toReversed()
      const open = place === null ? found : found.flatMap((chunk) => upTo(chunk, place[chunk.stream]))
      if (open.reduce((sum, { bytes }) => sum + bytes.length, 0) >= longestSearch) return true
      const { cut, kept } = lastLines(open, lines)
      if (cut === null) return false
      return streams.every((stream) => {
        const first = firstOf(kept, stream)
        if (place === null && firstOf(open, stream) !== undefined && lastBreak(open, stream) === null) return false
        return stream === cut.stream || first === undefined || lineStart(open, stream, first.offset) !== null
      })
    }
  })
})

/** The last `lines` lines before a place; null: the newest. */
export const linesBefore = Effect.fn("linesBefore")(function* (
  reference: TaskId,
  options: { readonly before: string | null; readonly lines: number }
) {
  const tasks = yield* Tasks
  const agents = yield* Agents
  const output = yield* OutputStore
  const { agent, status } = yield* tasks.summary(reference)
  // Read before the output: what a task that has ended printed is all there.
  const over = isTerminal(status)
  const place = options.before === null ? null : yield* parse("before", options.before)
  const sizes = place === null ? yield* output.streams(reference) : []
  const sizeOf = (name: StreamName) => sizes.find(({ stream }) => stream === name)?.size ?? 0
  const { chunks: found, complete } = yield* chunksBefore(reference, place, options.lines)

  const endOf = (stream: StreamName): number =>
    place !== null
      ? place[stream]
      : over
        ? sizeOf(stream)
        : (lastBreak(found, stream) ?? firstOf(found, stream)?.offset ?? sizeOf(stream))
  const ends = { stdout: endOf("stdout"), stderr: endOf("stderr") }
  const open = found.flatMap((chunk) => upTo(chunk, ends[chunk.stream]))
  const { cut, kept } = lastLines(open, options.lines)
  const first = complete && cut === null
  const startOf = (stream: StreamName): number => {
    if (first) return 0
    if (cut?.stream === stream) return cut.start
    const { offset } = firstOf(kept, stream) ?? { offset: null }
    if (offset === null) return ends[stream]
    // A line that is longer than what was read is shown in parts.
    return lineStart(open, stream, offset) ?? (complete ? 0 : offset)
  }
  const starts = { stdout: startOf("stdout"), stderr: startOf("stderr") }
  // Older lines end in the last chunk that begins before them, and newer ones begin in the first that ends after them.
  const lastBefore = found.findLast(({ offset, stream }) => offset < starts[stream]) ?? found[0]
  const firstBehind = found.find(({ bytes, offset, stream }) => offset + bytes.length > ends[stream]) ?? found.at(-1)
  const render = Render.make(yield* agents.renderer(agent))
  beginAt(render, reference, starts)
  const rendered = open.flatMap((chunk) => from(chunk, starts[chunk.stream]).flatMap(render.push))
  const page: OutputPage = {
    taskId: reference,
    status,
    lines: [...rendered, ...(over || place !== null ? render.end() : [])].map(lineOf),
    before: first ? null : format({ seq: lastBefore?.seq ?? 0, ...starts }),
    after: format({ seq: firstBehind?.seq ?? 0, ...ends })
  }
  return page
})

/** Lines that follow a place, with the place after them: reading continues there after a break. */
interface FollowedLines {
  readonly lines: ReadonlyArray<OutputLine>
  readonly after: string
}

/** What follows a place until the task has ended. An unfinished line comes once it is finished, or at the end. */
export const linesAfter = (taskId: TaskId, after: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const tasks = yield* Tasks
      const agents = yield* Agents
      const place = yield* parse("after", after)
      const { agent } = yield* tasks.summary(taskId)
      const renderer: Renderer = yield* agents.renderer(agent)
      const render = Render.make(renderer)
      beginAt(render, taskId, place)
      const read = { ...place }
      /** The end of what was read: after the lines that no line break ends. */
      const end = { ...place }
      /** The chunks in which unfinished lines begin: reading continues there. */
      const open = new Map<StreamName, number>()
      const push = (chunk: OutputChunk): ReadonlyArray<OutputLine> => {
        const { bytes, offset, seq, stream } = chunk
        const lines = from(chunk, place[stream]).flatMap(render.push).map(lineOf)
        const at = bytes.lastIndexOf(newline)
        end.seq = seq
        end[stream] = Math.max(end[stream], offset + bytes.length)
        if (at >= 0) {
          read[stream] = Math.max(read[stream], offset + at + 1)
          open.delete(stream)
        }
        if (at < bytes.length - 1 && !open.has(stream)) open.set(stream, seq)
        read.seq = Math.min(seq, ...open.values())
        return lines
      }
      const rest = Stream.suspend(() => {
        const lines = render.end().map(lineOf)
        return lines.length === 0 ? Stream.empty : Stream.succeed<FollowedLines>({ lines, after: format(end) })
      })
      return follow(taskId, { stream: null, after: place.seq - 1, follow: true }).pipe(
        Stream.mapChunks((chunks) => {
          const lines = Chunk.toReadonlyArray(chunks).flatMap(push)
          return lines.length === 0 ? Chunk.empty() : Chunk.of<FollowedLines>({ lines, after: format(read) })
        }),
        Stream.concat(rest)
      )
    })
  )
