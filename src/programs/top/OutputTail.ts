/** The end of what a task printed, kept up to date in pieces: memory and work are bounded however much it prints. */
import * as Effect from "effect/Effect"
import type { StorageError } from "../../domain/Errors.ts"
import type { OutputChunk } from "../../domain/output/Output.ts"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import * as Render from "../../text/Render.ts"
import { countNewlines } from "../../text/Tail.ts"
import { readTail } from "../output/follow.ts"

/** Lines that are kept. */
const keptLines = 5000

/** Characters that are kept of all lines together, and of one. */
const keptCharacters = 2_000_000
const lineCharacters = 4000

/** At the start, and where the reader is too far behind, this much of the end is read. */
const tailLines = 400
const tailBytes = 1024 * 1024

/** Chunks read at a time, of at most 1 MB each, and reads in a row before the rest is skipped. */
const batch = 2
const readsInRow = 3

export interface TailText {
  /** Safe to show, without newlines. */
  readonly lines: ReadonlyArray<string>
  /** The number of the first kept line: it rises as lines are dropped at the beginning. */
  readonly first: number
  /** When the newest bytes were captured; null before the first. */
  readonly at: number | null
}

export interface OutputTail {
  readonly text: () => TailText
  /** Reads what is new; whether there was any. */
  readonly advance: Effect.Effect<boolean, StorageError>
}

export const makeOutputTail = Effect.fn("makeOutputTail")(function* (task: Pick<TaskSummary, "id" | "agent">) {
  const output = yield* OutputStore
  const agents = yield* Agents
  let render = Render.make(yield* agents.renderer(task.agent))
  let lines: Array<string> = []
  let characters = 0
  let first = 0
  let after = -1
  let at: number | null = null

  const push = (chunk: OutputChunk) => {
    after = chunk.seq
    at = chunk.at
    for (const { text } of render.push(chunk)) {
      const line = text.length <= lineCharacters ? text : text.slice(0, lineCharacters)
      lines.push(line)
      characters += line.length
    }
    let drop = Math.max(0, lines.length - keptLines)
    for (let index = 0; index < drop; index += 1) characters -= lines[index]?.length ?? 0
    while (characters > keptCharacters && drop < lines.length - 1) {
      characters -= lines[drop]?.length ?? 0
      drop += 1
    }
    if (drop === 0) return
    lines = lines.slice(drop)
    first += drop
  }

  const isEnough = (newestFirst: ReadonlyArray<OutputChunk>): boolean =>
    newestFirst.reduce((sum, { bytes }) => sum + bytes.length, 0) >= tailBytes ||
    newestFirst.reduce((sum, { bytes }) => sum + countNewlines(bytes), 0) > tailLines

  /** Starts at the end: earlier output is not read. */
  const jump = Effect.gen(function* () {
    const { chunks } = yield* readTail(task.id, { stream: null, enough: isEnough }).pipe(
      Effect.provideService(OutputStore, output)
    )
    render = Render.make(yield* agents.renderer(task.agent))
    first += lines.length
    lines = []
    characters = 0
    for (const chunk of chunks) push(chunk)
    return chunks.length > 0
  })

  const tail: OutputTail = {
    text: () => ({ lines, first, at }),
    advance: Effect.gen(function* () {
      if (after < 0) return yield* jump
      for (let reads = 0; reads < readsInRow; reads += 1) {
        const chunks = yield* output.read({ taskId: task.id, stream: null, after, limit: batch })
        for (const chunk of chunks) push(chunk)
        if (chunks.length < batch) return reads > 0 || chunks.length > 0
      }
      return yield* jump
    }).pipe(Effect.withSpan("OutputTail.advance"))
  }
  return tail
})
