/** Spans and counters of this process in the file that `BACKBEAT_TRACE` names; without it no span is made at all. */
import { randomBytes } from "node:crypto"
import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs"
import { dirname, isAbsolute, resolve } from "node:path"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { type CounterName, Counters, counterNames } from "../../../services/Counters.ts"
import { Paths } from "../../../services/Paths.ts"
import { foreignOwner } from "../files/Ownership.ts"
import { type EndedSpan, resourceOf, spansDocument, sumsDocument } from "./Otlp.ts"

/** Between two writes. A process that is killed loses what came since the last one. */
const writeEvery = "1 second"

/** More spans than this are written immediately. A pool at work makes some hundred a second. */
const mostHeld = 1000

/** A larger file is renamed to `FILE.1`, in place of the one before. */
const maxBytes = 100 * 1024 * 1024

const now = (): bigint => BigInt(Date.now()) * 1_000_000n

const id = (bytes: number): string => randomBytes(bytes).toString("hex")

type Arguments = Parameters<Tracer.Tracer["span"]>

/** Attributes, events and links are dropped: durations are the purpose, and what is not kept cannot be shown by mistake. */
const makeSpan = (ended: (span: EndedSpan) => void, [name, parent, context, links, startTime, kind]: Arguments) => {
  let status: Tracer.SpanStatus = { _tag: "Started", startTime }
  const span: Tracer.Span = {
    _tag: "Span",
    name,
    spanId: id(8),
    traceId: Option.isSome(parent) ? parent.value.traceId : id(16),
    parent,
    context,
    links,
    kind,
    sampled: true,
    attributes: new Map(),
    get status() {
      return status
    },
    end: (endTime: bigint, exit: Exit.Exit<unknown, unknown>) => {
      status = { _tag: "Ended", startTime, endTime, exit }
      ended({ span, startTime, endTime, exit })
    },
    attribute: () => undefined,
    event: () => undefined,
    addLinks: () => undefined
  }
  return span
}

const append = (file: string, lines: ReadonlyArray<string>): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`)
  // One write, so that lines of several processes do not mix.
  appendFileSync(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 })
}

const write = (file: string) =>
  Effect.gen(function* () {
    const resource = resourceOf(process.pid)
    const since = now()
    const sums = new Map<CounterName, number>(counterNames.map((name) => [name, 0]))
    let spans: Array<EndedSpan> = []
    let counted = true
    let failure: unknown = null

    const flush = (): void => {
      if (failure !== null || (spans.length === 0 && !counted)) return
      const lines = spans.length === 0 ? [] : [spansDocument(resource, spans)]
      if (counted) lines.push(sumsDocument(resource, sums, since, now()))
      spans = []
      counted = false
      try {
        append(file, lines)
      } catch (error) {
        failure = error
      }
    }
    const ended = (span: EndedSpan): void => {
      if (failure !== null) return
      spans.push(span)
      if (spans.length >= mostHeld) flush()
    }
    const add = (name: CounterName, by: number): void => {
      sums.set(name, (sums.get(name) ?? 0) + by)
      counted = true
    }

    // The MCP server leaves by `process.exit`, which closes no scope.
    process.on("exit", flush)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        flush()
        process.off("exit", flush)
      })
    )
    yield* Effect.suspend(() => {
      flush()
      return failure === null ? Effect.sleep(writeEvery) : Effect.fail(failure)
    }).pipe(
      Effect.forever,
      Effect.catchAll((error) => Effect.logWarning(`no spans from here on: ${file} cannot be written`, error)),
      Effect.withTracerEnabled(false),
      Effect.forkScoped
    )

    const tracer = Tracer.make({
      span: (...given) => makeSpan(ended, given),
      context: (run) => run()
    })
    return Layer.merge(Layer.setTracer(tracer), Layer.succeed(Counters, add))
  })

/** A relative path is taken from the directory of the logs: a worker in the background has no working directory. */
export const layer: Layer.Layer<never, never, Paths> = Layer.unwrapScoped(
  Effect.flatMap(Paths, ({ database, logs }): Effect.Effect<Layer.Layer<never>, never, Scope.Scope> => {
    const file = process.env.BACKBEAT_TRACE
    // Making spans is a third of what a call of a tool costs.
    if (file === undefined || file === "") return Effect.succeed(Layer.setTracerEnabled(false))
    // What works in the home of another user is refused, and leaves no directory of logs in it.
    if (!isAbsolute(file) && foreignOwner(database) !== null) return Effect.succeed(Layer.setTracerEnabled(false))
    return write(resolve(logs, file))
  })
)
