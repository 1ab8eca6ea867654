/** Completes the message of a hook that exports spans: adds the calls of tools, which the stored output of each task has. */
import * as Effect from "effect/Effect"
import type { OutputChunk } from "../../domain/output/Output.ts"
import { TaskId } from "../../domain/task/Task.ts"
import { type CallReader, collectCalls } from "../../domain/traces/ToolCall.ts"
import { tasksWithoutCalls, type WithoutCalls, withCalls } from "../../domain/traces/withCalls.ts"
import { Agents } from "../../services/Agents.ts"
import { OutputStore } from "../../services/OutputStore.ts"

/** Chunks that are in memory at a time. */
const page = 16

/** Longer lines are skipped. */
const longestLine = 4 * 1024 * 1024

const newline = 10

/** Finds the calls in the chunks of stdout, one after the other. */
const scan = (read: CallReader, runs: ReadonlyArray<number>) => {
  const calls = collectCalls()
  const decoder = new TextDecoder()
  let rest: Array<Uint8Array> = []
  let held = 0
  let offset = 0
  let run = 0
  /** The bytes up to the next newline belong to a line whose beginning is missing. */
  let broken = false

  const take = (bytes: Uint8Array, at: number) => {
    const whole = !broken && held + bytes.length <= longestLine
    const line = whole ? [...rest, bytes].map((part) => decoder.decode(part, { stream: true })).join("") : ""
    decoder.decode()
    rest = []
    held = 0
    broken = false
    for (const event of whole ? read(line) : []) calls.add(event, at)
  }

  return {
    add: ({ at, bytes, offset: from }: OutputChunk) => {
      if (from !== offset) {
        calls.gap(at)
        rest = []
        held = 0
        broken = true
      }
      offset = from + bytes.length
      for (let next = runs[run + 1]; next !== undefined && at >= next; next = runs[run + 1]) {
        calls.nextRun()
        run += 1
      }
      let start = 0
      for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
        take(bytes.subarray(start, end), at)
        start = end + 1
      }
      const left = bytes.subarray(start)
      held += left.length
      if (held > longestLine) broken = true
      if (broken) rest = []
      else if (left.length > 0) rest.push(left)
    },
    /** The last line counts without a newline too. */
    end: (at: number) => {
      if (held > 0) take(new Uint8Array(), at)
      return calls.all()
    }
  }
}

const callsOf = Effect.fn("hooks.callsOf")(function* ({ agent, runs, taskId }: WithoutCalls) {
  const read = yield* (yield* Agents).calls(agent)
  if (read === null) return []
  const store = yield* OutputStore
  const found = scan(
    read,
    runs.map(({ startTimeUnixNano }) => Number(startTimeUnixNano / 1_000_000n))
  )
  let after = -1
  let at = 0
  while (true) {
    const chunks = yield* store.read({ taskId: TaskId.make(taskId), stream: "stdout", after, limit: page })
    for (const chunk of chunks) found.add(chunk)
    after = chunks.at(-1)?.seq ?? after
    at = chunks.at(-1)?.at ?? at
    if (chunks.length < page) return found.end(at)
    // A task may have printed megabytes: the worker does its other work in between.
    yield* Effect.yieldNow()
  }
})

/** The message with all calls; null: it stays as it is. What has ended prints no more, so every attempt finds the same. */
export const completeSpans = Effect.fn("hooks.completeSpans")(function* (body: string) {
  const found: Array<readonly [WithoutCalls, Effect.Effect.Success<ReturnType<typeof callsOf>>]> = []
  for (const task of tasksWithoutCalls(body)) found.push([task, yield* callsOf(task)])
  return withCalls(body, found)
})
