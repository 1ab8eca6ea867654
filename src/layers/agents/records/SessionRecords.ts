/** Reads the end of the records that agents keep of their sessions. Nothing is written, and no more than a bound is read. */
import * as fs from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type RecordRequest, type SessionRecord, SessionRecords } from "../../../services/SessionRecords.ts"
import { codexRecord } from "./codexRecord.ts"
import { findRollout } from "./findRollout.ts"

/** What is between two counts is what tools printed, of which Codex keeps some ten kB each. */
const mostBytes = 256 * 1024

/** Places of records that were found, the oldest forgotten first. */
const mostKnown = 200

const homeOf = ({ directory, environment }: RecordRequest): string | null => {
  const moved = environment.CODEX_HOME ?? ""
  if (moved !== "") return resolve(directory, moved)
  const home = environment.HOME ?? ""
  return home === "" ? null : resolve(home, ".codex")
}

/** The last lines of a file, without one that begins before them. Null where it has not grown, and for a directory. */
const tailOf = async (path: string, seenBytes: number) => {
  const before = await fs.stat(path)
  if (!before.isFile() || before.size === seenBytes) return null
  const file = await fs.open(path, "r")
  try {
    const { size } = await file.stat()
    const start = Math.max(0, size - mostBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    const lines = buffer.subarray(0, bytesRead).toString("utf8").split("\n")
    return { bytes: size, lines: start > 0 ? lines.slice(1) : lines }
  } finally {
    await file.close()
  }
}

const make = () => {
  const places = new Map<string, string>()
  const placeOf = async (home: string, sessionId: string) => {
    const key = `${home}\0${sessionId}`
    const known = places.get(key)
    if (known !== undefined) return known
    const found = await findRollout(home, sessionId)
    if (found !== null) {
      for (const [oldest] of places) if (places.size >= mostKnown) places.delete(oldest)
      places.set(key, found)
    }
    return found
  }
  const read = async (request: RecordRequest): Promise<SessionRecord | null> => {
    const home = homeOf(request)
    const place = request.agent !== "codex" || home === null ? null : await placeOf(home, request.sessionId)
    const tail = place === null ? null : await tailOf(place, request.seenBytes)
    return tail === null ? null : { ...codexRecord(tail.lines, request.since), bytes: tail.bytes }
  }
  return SessionRecords.of({
    agents: ["codex"],
    // One that is gone or cannot be read says nothing: the agent's output and the answers of its service count.
    read: (request) =>
      Effect.tryPromise(() => read(request)).pipe(
        Effect.map(Option.fromNullable),
        Effect.orElseSucceed(() => Option.none())
      )
  })
}

export const layer = Layer.sync(SessionRecords, make)
