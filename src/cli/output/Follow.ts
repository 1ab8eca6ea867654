/** Prints what an agent printed: as text for people, as raw bytes, or as JSON lines. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { StorageError, TaskNotFound } from "../../domain/Errors.ts"
import { OutputChunk, type StreamName } from "../../domain/output/Output.ts"
import { aside } from "../../domain/task/Agent.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { follow, readTail } from "../../programs/output/follow.ts"
import { Agents } from "../../services/Agents.ts"
import type { OutputStore } from "../../services/OutputStore.ts"
import type { Tasks } from "../../services/Tasks.ts"
import { bytes as bytesText } from "../../text/FormatDuration.ts"
import * as Render from "../../text/Render.ts"
import { enoughFor, lastLines, tailBytes } from "../../text/Tail.ts"
import { stylesOf } from "../framework/Style.ts"
import { Terminal } from "../framework/Terminal.ts"

interface PrintOptions {
  readonly taskId: TaskId
  /** The agent whose renderer formats stdout. */
  readonly agent: string
  readonly form: "text" | "raw" | "json"
  /** `both`: each to the stream of the same name. A single stream goes to stdout. */
  readonly streams: "both" | StreamName
  /** The last lines only; null: from the beginning. */
  readonly lines: number | null
  /** Only what was captured at or after this time. */
  readonly since: number | null
  readonly follow: boolean
  /** Prefix of each line of text when several tasks print at the same time. */
  readonly prefix?: string
}

type Printed = Effect.Effect<void, TaskNotFound | StorageError, Tasks | OutputStore | Terminal | Agents>

const everything = -1
const streamOf = ({ streams }: PrintOptions): StreamName | null => (streams === "both" ? null : streams)

/** Groups consecutive lines of one stream, so that each group needs one write. */
const printLines = Effect.fnUntraced(function* (lines: ReadonlyArray<Render.Rendered>, options: PrintOptions) {
  const terminal = yield* Terminal
  const { dim } = stylesOf(terminal.stdout)
  const wanted = options.since === null ? lines : lines.filter(({ at }) => at >= (options.since ?? 0))
  for (let from = 0; from < wanted.length; ) {
    const stream = wanted[from]?.stream
    let to = from
    while (wanted[to]?.stream === stream && to < wanted.length) to += 1
    const text = wanted
      .slice(from, to)
      .map((line) => `${options.prefix ?? ""}${line.text.startsWith(aside) ? dim(line.text) : line.text}`)
      .join("\n")
    yield* options.streams === "both" && stream === "stderr" ? terminal.say(text) : terminal.write(`${text}\n`)
    from = to
  }
})

const startOfText = Effect.fnUntraced(function* (options: PrintOptions, lines: number) {
  const agents = yield* Agents
  // One line of an agent's stream may render to none: look further back until there are enough.
  for (let raw = lines; ; raw = Math.max(raw, 8) * 8) {
    const { chunks, complete } = yield* readTail(options.taskId, { stream: streamOf(options), enough: enoughFor(raw) })
    const render = Render.make(yield* agents.renderer(options.agent))
    const shown = chunks.flatMap((chunk) => render.push(chunk))
    if (!options.follow) shown.push(...render.end())
    const size = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (shown.length >= lines || complete || size >= tailBytes) {
      return { render, after: chunks.at(-1)?.seq ?? everything, shown: lines === 0 ? [] : shown.slice(-lines) }
    }
  }
})

const printText = (options: PrintOptions): Printed =>
  Effect.gen(function* () {
    const agents = yield* Agents
    let after = everything
    let render: Render.Render
    if (options.lines === null) {
      render = Render.make(yield* agents.renderer(options.agent))
    } else {
      const start = yield* startOfText(options, options.lines)
      yield* printLines(start.shown, options)
      if (!options.follow) return
      after = start.after
      render = start.render
    }
    yield* follow(options.taskId, { stream: streamOf(options), after, follow: options.follow }).pipe(
      Stream.runForEach((chunk) => printLines(render.push(chunk), options))
    )
    yield* printLines(render.end(), options)
  })

const toJson = Schema.encodeSync(OutputChunk)

/** Reports missing bytes of a stream on stderr: stdout contains only what the agent printed. */
const printChunk = (options: PrintOptions) => {
  const expected = new Map<StreamName, number>()
  return Effect.fnUntraced(function* (chunk: OutputChunk) {
    const terminal = yield* Terminal
    if (options.since !== null && chunk.at < options.since) return
    if (options.form === "json") return yield* terminal.write(`${JSON.stringify(toJson(chunk))}\n`)
    const missing = chunk.offset - (expected.get(chunk.stream) ?? chunk.offset)
    expected.set(chunk.stream, chunk.offset + chunk.bytes.length)
    if (missing > 0) yield* terminal.say(`… ${bytesText(missing)} of ${chunk.stream} dropped …`)
    yield* options.streams === "both" && chunk.stream === "stderr"
      ? terminal.writeError(chunk.bytes)
      : terminal.write(chunk.bytes)
  })
}

const printChunks = (options: PrintOptions): Printed =>
  Effect.gen(function* () {
    const print = printChunk(options)
    let after = everything
    if (options.lines !== null) {
      const { chunks } = yield* readTail(options.taskId, {
        stream: streamOf(options),
        enough: enoughFor(options.lines)
      })
      yield* Effect.forEach(lastLines(chunks, options.lines), print, { discard: true })
      after = chunks.at(-1)?.seq ?? everything
    }
    if (options.lines !== null && !options.follow) return
    yield* follow(options.taskId, { stream: streamOf(options), after, follow: options.follow }).pipe(
      Stream.runForEach(print)
    )
  })

export const printOutput = (options: PrintOptions): Printed =>
  options.form === "text" ? printText(options) : printChunks(options)
