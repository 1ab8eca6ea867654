/** The terminal and the caller of this process. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Lines from "../domain/output/Lines.ts"
import { environment, workingDirectory } from "../layers/node/files/Surroundings.ts"
import { Caller } from "./framework/Caller.ts"
import { type Loss, makeLoss, type Screen, Terminal } from "./framework/Terminal.ts"
import { piped } from "./Piped.entry.ts"
import { standardStream, stdinIsTerminal } from "./StandardStream.entry.ts"

type Variables = Readonly<Record<string, string | undefined>>

const wantsColour = (tty: boolean, variables: Variables): boolean => {
  if (variables.NO_COLOR) return false
  if (variables.FORCE_COLOR !== undefined && variables.FORCE_COLOR !== "") return variables.FORCE_COLOR !== "0"
  return tty && variables.TERM !== "dumb"
}

const screenOf = (stream: ReturnType<typeof standardStream>, variables: Variables): Screen => {
  const tty = stream.tty()
  const asked = Number.parseInt(variables.COLUMNS ?? "", 10)
  const columns = Number.isInteger(asked) && asked > 0 ? asked : tty ? stream.columns() || 80 : null
  return { tty, columns, colour: wantsColour(tty, variables) }
}

const closed = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"])
const full = new Set(["ENOSPC", "EDQUOT", "EFBIG"])

const lossOf = ({ code = "" }: { readonly code?: string }): Loss =>
  closed.has(code) ? "closed" : full.has(code) ? "full" : "failed"

/** Yields whole lines, and the rest at the end. */
async function* stdinLines() {
  const lines = Lines.make()
  for await (const chunk of process.stdin) yield* lines.push(chunk)
  yield* lines.flush()
}

const readUpTo = (limit: number) =>
  Effect.promise(async () => {
    const chunks: Array<Buffer> = []
    let size = 0
    for await (const chunk of process.stdin) {
      const bytes = Buffer.from(chunk)
      chunks.push(bytes)
      size += bytes.length
      if (size > limit) break
    }
    return Buffer.concat(chunks)
  })

const clearLine = "\r\u001b[K"

const terminal = Layer.sync(Terminal, () => {
  let shown = false
  let taken = true
  const lost = makeLoss()
  const stdout = standardStream("stdout")
  const stderr = standardStream("stderr")
  // A stderr that cannot be written must not stop a command from doing its work.
  const error = (data: string | Uint8Array) => Effect.asVoid(stderr.send(data))
  const clear = Effect.suspend(() => {
    if (!shown) return Effect.void
    shown = false
    return error(clearLine)
  })
  const out = (data: string | Uint8Array) =>
    Effect.suspend(() => (taken ? Effect.zipRight(clear, stdout.send(data)) : Effect.succeed(null))).pipe(
      Effect.flatMap((failure) => {
        if (failure === null) return Effect.void
        // If the disk got room again, later output would start in the middle.
        taken = false
        return Deferred.succeed(lost, lossOf(failure))
      })
    )
  return Terminal.of({
    lost,
    get stdout() {
      return screenOf(stdout, process.env)
    },
    get stderr() {
      return screenOf(stderr, process.env)
    },
    get stdinTty() {
      return stdinIsTerminal()
    },
    lines: Stream.orDie(Stream.fromAsyncIterable(stdinLines(), (error) => error)),
    stdinBytes: readUpTo,
    piped: (limit) => piped(readUpTo(limit)),
    print: (text) => out(`${text}\n`),
    write: out,
    say: (text) => Effect.zipRight(clear, error(`${text}\n`)),
    writeError: (data) => Effect.zipRight(clear, error(data)),
    progress: (text) => {
      if (text === null) return clear
      if (!stderr.tty()) return Effect.void
      return Effect.suspend(() => {
        shown = true
        return error(`${clearLine}${text}`)
      })
    }
  })
})

export const layer = (version: string): Layer.Layer<Terminal | Caller> =>
  Layer.merge(
    terminal,
    Layer.sync(Caller, () => Caller.of({ directory: workingDirectory(), environment: environment(), version }))
  )
