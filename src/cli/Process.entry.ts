/** The terminal and the caller of this very process. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Caller } from "./Caller.ts"
import { type Screen, Terminal } from "./Terminal.ts"

type Variables = Readonly<Record<string, string | undefined>>

const wantsColour = (tty: boolean, variables: Variables): boolean => {
  if (variables.NO_COLOR) return false
  if (variables.FORCE_COLOR !== undefined && variables.FORCE_COLOR !== "") return variables.FORCE_COLOR !== "0"
  return tty && variables.TERM !== "dumb"
}

const screenOf = (stream: { readonly isTTY?: boolean; readonly columns?: number }, variables: Variables): Screen => {
  const tty = stream.isTTY === true
  const asked = Number.parseInt(variables.COLUMNS ?? "", 10)
  const columns = Number.isInteger(asked) && asked > 0 ? asked : tty ? stream.columns || 80 : null
  return { tty, columns, colour: wantsColour(tty, variables) }
}

/** Returns when the system has taken the bytes, so that leaving right after loses nothing. */
const send = (stream: NodeJS.WriteStream, data: string | Uint8Array) =>
  Effect.async<void>((resume) => {
    stream.write(data, () => resume(Effect.void))
  })

const readAll = Effect.promise(async () => {
  const chunks: Array<Buffer> = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString("utf8")
})

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

// Each stream that Node makes takes a while, so none is made before somebody uses it.
const terminal = Layer.sync(Terminal, () => {
  let shown = false
  const clear = Effect.suspend(() => {
    if (!shown) return Effect.void
    shown = false
    return send(process.stderr, clearLine)
  })
  const out = (data: string | Uint8Array) => Effect.zipRight(clear, send(process.stdout, data))
  return Terminal.of({
    get stdout() {
      return screenOf(process.stdout, process.env)
    },
    get stderr() {
      return screenOf(process.stderr, process.env)
    },
    get stdinTty() {
      return process.stdin.isTTY === true
    },
    stdin: readAll,
    stdinBytes: readUpTo,
    print: (text) => out(`${text}\n`),
    write: out,
    say: (text) => Effect.zipRight(clear, send(process.stderr, `${text}\n`)),
    writeError: (data) => Effect.zipRight(clear, send(process.stderr, data)),
    progress: (text) => {
      if (text === null) return clear
      if (process.stderr.isTTY !== true) return Effect.void
      return Effect.suspend(() => {
        shown = true
        return send(process.stderr, `${clearLine}${text}`)
      })
    }
  })
})

const environment = (): Record<string, string> => {
  const variables: Record<string, string> = {}
  for (const [key, value] of Object.entries(process.env)) if (value !== undefined) variables[key] = value
  return variables
}

/** The shell's own idea of it where the directory itself is gone. */
const workingDirectory = (): string => {
  try {
    return process.cwd()
  } catch {
    return process.env.PWD ?? "/"
  }
}

export const layer = (version: string): Layer.Layer<Terminal | Caller> =>
  Layer.merge(
    terminal,
    Layer.sync(Caller, () => Caller.of({ directory: workingDirectory(), environment: environment(), version }))
  )
