/**
 * The log of a worker on stderr; a detached worker's stderr is its log file. With `BACKBEAT_LOG_FORMAT=json` each event is one JSON
 * document on a line.
 */
import { copyFileSync, fstatSync, ftruncateSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { maxLogBytes, shiftLogs } from "../layers/node/system/rotateLog.ts"
import { Paths } from "../services/Paths.ts"
import { logDocument, logLine } from "../text/LogLine.ts"

/** A look at the size costs microseconds, and a line is some hundred bytes: the log grows little past its bound. */
const linesBetweenLooks = 200

const stderr = 2

/**
 * Copies the log and empties it: other workers write to the same open file, so it cannot be replaced under them. What they
 * write between the two steps is lost, and a log can bear that.
 */
const rotateOpen = (file: string): void => {
  try {
    const open = fstatSync(stderr)
    const named = statSync(file, { throwIfNoEntry: false })
    const same = named !== undefined && named.ino === open.ino && named.dev === open.dev
    if (!same || !open.isFile() || open.size <= maxLogBytes) return
    shiftLogs(file)
    copyFileSync(file, `${file}.1`)
    ftruncateSync(stderr, 0)
  } catch {
    // A full disk, or a log that was removed: the worker continues without.
  }
}

/** Writes each line of `format` to stderr, and keeps the log file within its bound. */
const writing = (format: Logger.Logger<unknown, string>, file: string) => {
  let lines = 0
  return Logger.map(format, (line) => {
    process.stderr.write(`${line}\n`)
    lines += 1
    if (lines % linesBetweenLooks === 1) rotateOpen(file)
  })
}

export const layer: Layer.Layer<never, never, Paths> = Layer.unwrapEffect(
  Effect.map(Paths, ({ logs }) =>
    Logger.replace(
      Logger.defaultLogger,
      writing(process.env.BACKBEAT_LOG_FORMAT === "json" ? logDocument(process.pid) : logLine, join(logs, "worker.log"))
    )
  )
)
