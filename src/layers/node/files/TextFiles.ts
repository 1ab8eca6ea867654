/** Text files of the file system. Not `FileSystem` of @effect/platform: docs/decisions/0013-own-file-ports.md. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import { InvalidInput } from "../../../domain/Errors.ts"
import { TextFiles } from "../../../services/TextFiles.ts"
import { codeOf, inWords } from "./SystemCode.ts"
import { expandHome } from "./UserHome.ts"

const tooLarge = (limit: number) => `it is larger than ${limit / 1024 ** 2} MB`

/** What the system refuses, in words. */
const attempt = <A>(access: () => A): Effect.Effect<A, string> =>
  Effect.try({ try: access, catch: (error) => `it cannot be read ${inWords(error)}` })

/** Read into by each call, so that a pipe which sends a few bytes at a time takes no more memory than these. */
const buffer = Buffer.allocUnsafe(64 * 1024)

/** The next bytes, none at the end; null if the writer of a pipe has sent nothing yet. */
const readPart = (fd: number): Buffer | null => {
  try {
    return Buffer.from(buffer.subarray(0, fs.readSync(fd, buffer)))
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return null
    throw error
  }
}

/** For the first writer of a pipe, in milliseconds. One that comes and goes between two looks is not seen. */
const patienceMs = 60_000

/**
 * All bytes up to the limit, which also holds for a file whose size the system does not say, as in /proc. `waits`: a pipe may
 * have no writer yet.
 */
const readBytes = Effect.fnUntraced(function* (fd: number, limit: number, waits: boolean) {
  const parts: Array<Buffer> = []
  const began = yield* elapsedMs
  let hasWriter = !waits
  for (let size = 0; size <= limit; ) {
    const part = yield* attempt(() => readPart(fd))
    if (part?.length === 0) {
      if (hasWriter) return Buffer.concat(parts)
      if ((yield* elapsedMs) - began > patienceMs)
        return yield* Effect.fail("nothing was written to it within a minute")
    } else hasWriter = true
    if (part === null || part.length === 0) yield* Effect.sleep(20)
    else {
      parts.push(part)
      size += part.length
    }
  }
  return yield* Effect.fail(tooLarge(limit))
})

/** A pipe that this process was started with, such as `<(...)` of a shell, has had its writer. */
const inherited = /^\/(dev|proc)\//

const readFile = Effect.fnUntraced(function* (file: string, limit: number) {
  const found = yield* attempt(() => fs.statSync(file, { throwIfNoEntry: false }))
  if (found === undefined) return yield* Effect.fail("there is no such file")
  if (found.isDirectory()) return yield* Effect.fail("it is a directory")
  const isPipe = found.isFIFO()
  if (!found.isFile() && !isPipe && file !== "/dev/null") return yield* Effect.fail("it is neither a file nor a pipe")
  // A pipe must not block the process, which a signal ends meanwhile.
  const flags = isPipe ? fs.constants.O_RDONLY | fs.constants.O_NONBLOCK : fs.constants.O_RDONLY
  return yield* Effect.acquireUseRelease(
    attempt(() => fs.openSync(file, flags)),
    (fd) => readBytes(fd, limit, isPipe && !inherited.test(file)),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )
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
