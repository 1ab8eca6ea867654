/** `web.json` in the home: written under a lock, with mode 0600, and believed only while its process lives. */
import { randomBytes } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import { WebUnavailable } from "../../../domain/web/WebErrors.ts"
import { WebRecord } from "../../../domain/web/WebRecord.ts"
import { Paths } from "../../../services/Paths.ts"
import { Processes } from "../../../services/Processes.ts"
import { WebRecords } from "../../../services/WebRecords.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { withFileLock } from "../files/FileLock.ts"
import { makePrivateDirectory } from "../files/PrivateDirectory.ts"
import { codeOf, inWords } from "../files/SystemCode.ts"

const Stored = Schema.parseJson(WebRecord)
const decode = Schema.decodeUnknownOption(Stored)
const encode = Schema.encodeSync(Stored)

const lookMs = 40

const make = Effect.gen(function* () {
  const paths = yield* Paths
  const processes = yield* Processes
  const file = join(paths.home, "web.json")

  const read = Effect.suspend(() => {
    try {
      return Effect.succeed(decode(readFileSync(file, "utf8")))
    } catch (error) {
      if (codeOf(error) === "ENOENT") return Effect.succeed(Option.none<WebRecord>())
      return new WebUnavailable({ problem: `${file} cannot be read ${inWords(error)}` })
    }
  })

  const running = Effect.gen(function* () {
    const found = yield* read
    if (Option.isNone(found)) return found
    // In another container or on another host, its port leads nowhere from here.
    return (yield* processes.alive(found.value.process)) === "alive" ? found : Option.none<WebRecord>()
  })

  const write = (record: WebRecord) =>
    Effect.try({
      try: () => {
        makePrivateDirectory(paths.home)
        replaceFile(file, `${encode(record)}\n`, { mode: 0o600 })
      },
      catch: (error) => new WebUnavailable({ problem: `${file} cannot be written ${inWords(error)}` })
    })

  const remove = Effect.gen(function* () {
    const self = yield* processes.self
    const found = yield* read
    if (Option.isNone(found)) return
    const { pid, startTime } = found.value.process
    if (pid === self.pid && startTime === self.startTime) rmSync(file, { force: true })
  }).pipe(Effect.ignore)

  return WebRecords.of({
    running,
    write,
    remove,
    alone: (work) =>
      withFileLock(`${file}.lock`, { waitMs: 20_000, staleMs: 15_000 })(Effect.either(work)).pipe(
        Effect.mapError(
          () =>
            new WebUnavailable({
              problem: `Another 'beat web' does not finish its start. If it has been killed, remove ${file}.lock`
            })
        ),
        Effect.flatten
      ),
    stop: Effect.fn("WebRecords.stop")(function* (record, withinMs) {
      const until = (yield* elapsedMs) + withinMs
      // Only a process that is certainly the one in the record gets a signal.
      if ((yield* processes.alive(record.process)) !== "alive") return true
      yield* Effect.sync(() => {
        try {
          process.kill(record.process.pid, "SIGTERM")
        } catch {
          // It has ended in the meantime.
        }
      })
      while ((yield* processes.alive(record.process)) === "alive") {
        if ((yield* elapsedMs) >= until) return false
        yield* Effect.sleep(lookMs)
      }
      return true
    }),
    newToken: Effect.sync(() => Redacted.make(randomBytes(32).toString("base64url")))
  })
})

export const layer = Layer.effect(WebRecords, make)
