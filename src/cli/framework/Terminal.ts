/** The terminal as commands see it: data goes to stdout, everything else to stderr. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

/** The abilities of a stream. */
export interface Screen {
  readonly tty: boolean
  /** Columns of the terminal; null if lines are never cut (a pipe, a file). */
  readonly columns: number | null
  readonly colour: boolean
}

/** Why stdout cannot be written: its reader is gone, its disk is full, or the system gave another reason. */
export type Loss = "closed" | "full" | "failed"

/** Holds the first loss. */
export const makeLoss = (): Deferred.Deferred<Loss> => Deferred.unsafeMake(FiberId.none)

/** Input on a stdin that no `-` argument asked for. */
export type Piped =
  | { readonly _tag: "Nothing" }
  /** There may be input, but another process may be reading it, e.g. a loop that calls this command. */
  | { readonly _tag: "Unread" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }

export class Terminal extends Context.Tag("backbeat/Terminal")<
  Terminal,
  {
    readonly stdout: Screen
    readonly stderr: Screen
    /** Whether stdin is a terminal; false for a pipe, a file and `/dev/null`. */
    readonly stdinTty: boolean
    /** The lines of stdin as they come, without their newlines. */
    readonly lines: Stream.Stream<string>
    /** The bytes of stdin. Reading stops once there are more than `limit`, so a longer answer means "too long". */
    readonly stdinBytes: (limit: number) => Effect.Effect<Uint8Array>
    /** Done once stdout cannot be written. Later output is dropped, as is all output that stderr does not accept. */
    readonly lost: Deferred.Deferred<Loss>
    /** Input piped into this command that no other process reads. `limit` as for `stdinBytes`. */
    readonly piped: (limit: number) => Effect.Effect<Piped>
    /** Writes one line of data to stdout and adds a newline. */
    readonly print: (text: string) => Effect.Effect<void>
    /** Writes data to stdout unchanged. */
    readonly write: (data: string | Uint8Array) => Effect.Effect<void>
    /** One line for the person on stderr. */
    readonly say: (text: string) => Effect.Effect<void>
    /** Writes data to stderr unchanged: what an agent printed there. */
    readonly writeError: (data: string | Uint8Array) => Effect.Effect<void>
    /** A line on stderr that the next one replaces; null removes it. Does nothing if stderr is not a terminal. */
    readonly progress: (text: string | null) => Effect.Effect<void>
  }
>() {}

/** What a command printed. */
interface Captured {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly layer: Layer.Layer<Terminal>
}

/** A terminal that keeps what is printed: for tests, and for commands that run behind the live screen. */
export const capture = (options: {
  readonly tty?: boolean
  readonly columns?: number | null
  readonly colour?: boolean
  readonly stdin?: string
  /** Makes stdout fail, for this reason. */
  readonly lost?: Loss
  /** Makes stdin look as if another process may read it. */
  readonly stdinShared?: boolean
}): Captured => {
  const out: Array<string> = []
  const err: Array<string> = []
  const lost = makeLoss()
  const keep = (into: Array<string>, text: string) =>
    into === out && options.lost !== undefined
      ? Deferred.succeed(lost, options.lost)
      : Effect.sync(() => void into.push(text))
  const outDecoder = new TextDecoder()
  const errDecoder = new TextDecoder()
  const screen: Screen = {
    tty: options.tty ?? false,
    columns: options.columns ?? null,
    colour: options.colour ?? false
  }
  return {
    stdout: () => out.join(""),
    stderr: () => err.join(""),
    layer: Layer.succeed(
      Terminal,
      Terminal.of({
        stdout: screen,
        stderr: screen,
        stdinTty: options.stdin === undefined,
        lines: Stream.fromIterable((options.stdin ?? "").split("\n").filter((line) => line !== "")),
        stdinBytes: () => Effect.sync(() => new TextEncoder().encode(options.stdin ?? "")),
        lost,
        piped: () =>
          Effect.sync((): Piped => {
            if (options.stdin === undefined) return { _tag: "Nothing" }
            if (options.stdinShared === true) return { _tag: "Unread" }
            return { _tag: "Bytes", bytes: new TextEncoder().encode(options.stdin) }
          }),
        print: (text) => keep(out, `${text}\n`),
        write: (data) => keep(out, typeof data === "string" ? data : outDecoder.decode(data, { stream: true })),
        writeError: (data) => keep(err, typeof data === "string" ? data : errDecoder.decode(data, { stream: true })),
        say: (text) => keep(err, `${text}\n`),
        progress: () => Effect.void
      })
    )
  }
}
