/**
 * What an agent is told while it runs: lines that only the owner of its claim appends to the file `input` of the spool, and
 * that the shim hands to the agent in order.
 *
 *   say ID TEXT     the text is the rest of the line
 *   file ID         the text is in the file `say.ID`: a shell reads lines byte by byte
 *   close           nothing follows: the agent's stdin is ended
 *
 * The file is the record, and the bell only wakes: a line whose ring was lost is read at the next one, or by a shim that starts.
 */
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { failpoint } from "../../../services/Failpoints.ts"
import { replaceFileSoon } from "../files/AtomicFile.ts"
import { codeOf } from "../files/SystemCode.ts"
import * as Spool from "./Spool.ts"

/** Above this many characters a text is in a separate file. */
const longestLine = 4096

const closing = "close"

const isLong = (text: string): boolean => text.length > longestLine || text.includes("\n")

const fileOf = ({ directory }: Spool.SpoolFiles, id: string): string => join(directory, `say.${id}`)

const lineOf = (id: string, text: string): string => (isLong(text) ? `file ${id}` : `say ${id} ${text}`)

/** Writes the first input: the file does not exist yet. */
export const begin = async (files: Spool.SpoolFiles, id: string, text: string): Promise<void> => {
  if (isLong(text)) await replaceFileSoon(fileOf(files, id), `${text}\n`)
  await replaceFileSoon(files.input, `${lineOf(id, text)}\n`)
}

/** Whole lines, and the beginning of a line whose write was cut off by a kill or a full disk. */
const linesOf = async (files: Spool.SpoolFiles) => {
  const lines = (await fs.readFile(files.input, "utf8")).split("\n")
  const begun = lines.pop() ?? ""
  return { lines, begun }
}

const isOf = (id: string) => (line: string) => line.startsWith(`say ${id} `) || line === `file ${id}`

const append = async (files: Spool.SpoolFiles, line: string, begun: string): Promise<void> => {
  // The beginning is always that of the line that is to be written: they are written in one order.
  const rest = line.startsWith(begun) ? line.slice(begun.length) : `\n${line}`
  await fs.appendFile(files.input, `${rest}\n`)
}

/** False if no process reads the input now. */
const ring = async (files: Spool.SpoolFiles): Promise<boolean> => {
  try {
    const bell = await fs.open(files.bell, constants.O_WRONLY | constants.O_NONBLOCK)
    try {
      await bell.write("\n")
    } finally {
      await bell.close()
    }
    return true
  } catch (error) {
    // Full: it rings already.
    return codeOf(error) === "EAGAIN"
  }
}

/** Writes once for each id, however often it is called. False if the agent's input has ended. */
export const tell = Effect.fn("Input.tell")(function* (files: Spool.SpoolFiles, id: string, text: string) {
  const taken = yield* Spool.attempt(files, async () => {
    const { begun, lines } = await linesOf(files)
    if (lines.some(isOf(id))) return true
    if (lines.includes(closing)) return false
    if (isLong(text)) await replaceFileSoon(fileOf(files, id), `${text}\n`)
    await append(files, lineOf(id, text), begun)
    return true
  })
  yield* failpoint("send.written")
  if (!taken) return false
  const heard = yield* Spool.attempt(files, () => ring(files))
  yield* failpoint("send.rung")
  return heard
})

/** Ends the agent's stdin after what was said before. */
export const close = (files: Spool.SpoolFiles) =>
  Spool.attempt(files, async () => {
    const { begun, lines } = await linesOf(files)
    if (!lines.includes(closing)) await append(files, closing, begun)
    await ring(files)
  })
