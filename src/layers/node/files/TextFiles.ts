/** Text files of the file system. Not `FileSystem` of @effect/platform: docs/decisions/0013-own-file-ports.md. */
import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InvalidInput } from "../../../domain/Errors.ts"
import { TextFiles } from "../../../services/TextFiles.ts"
import { inWords } from "./SystemCode.ts"
import { expandHome } from "./UserHome.ts"

const tooLarge = (limit: number) => `it is larger than ${limit / 1024 ** 2} MB`

/** What the system refuses, in words. */
const attempt = <A>(access: () => A): Effect.Effect<A, string> =>
  Effect.try({ try: access, catch: (error) => `it cannot be read ${inWords(error)}` })

/** A file whose size the system does not say, as in /proc, is cut as well. */
const readBytes = (fd: number, limit: number): Buffer | null => {
  const parts: Array<Buffer> = []
  for (let size = 0; size <= limit; ) {
    const part = Buffer.allocUnsafe(64 * 1024)
    const length = fs.readSync(fd, part)
    if (length === 0) return Buffer.concat(parts)
    parts.push(part.subarray(0, length))
    size += length
  }
  return null
}

/** A pipe (`<(...)` of a shell) is read without blocking the process, which a signal ends meanwhile. Closes it. */
const readPipe = (fd: number, limit: number) =>
  Effect.async<Buffer, string>((resume) => {
    const pipe = new net.Socket({ fd, readable: true, writable: false })
    const parts: Array<Buffer> = []
    let size = 0
    pipe.on("data", (part: Buffer) => {
      size += part.length
      parts.push(part)
      if (size <= limit) return
      pipe.destroy()
      resume(Effect.fail(tooLarge(limit)))
    })
    pipe.on("error", (error) => resume(Effect.fail(`it cannot be read ${inWords(error)}`)))
    pipe.on("end", () => resume(Effect.succeed(Buffer.concat(parts))))
    return Effect.sync(() => pipe.destroy())
  })

const readFile = Effect.fnUntraced(function* (file: string, limit: number) {
  const found = yield* attempt(() => fs.statSync(file, { throwIfNoEntry: false }))
  if (found === undefined) return yield* Effect.fail("there is no such file")
  if (found.isDirectory()) return yield* Effect.fail("it is a directory")
  if (found.isFIFO()) {
    // Otherwise a pipe that no program has opened for writing would block the process.
    const fd = yield* attempt(() => fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK))
    return yield* readPipe(fd, limit)
  }
  if (!found.isFile() && file !== "/dev/null") return yield* Effect.fail("it is neither a file nor a pipe")
  const bytes = yield* Effect.acquireUseRelease(
    attempt(() => fs.openSync(file, "r")),
    (fd) => attempt(() => readBytes(fd, limit)),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )
  return bytes ?? (yield* Effect.fail(tooLarge(limit)))
})

const decoder = new TextDecoder("utf-8", { fatal: true })

export const layer = Layer.succeed(
  TextFiles,
  TextFiles.of({
    read: (given, base, limit) =>
      readFile(path.resolve(base, expandHome(given)), limit).pipe(
        Effect.flatMap((bytes) =>
          Effect.try({ try: () => decoder.decode(bytes), catch: () => "it is not UTF-8 text" })
        ),
        Effect.mapError((problem) => new InvalidInput({ field: given, problem, example: null })),
        Effect.withSpan("TextFiles.read")
      )
  })
)
