/** Log lines of a worker, readable in a terminal and in a file, and of a command, for the person who typed it. */
import * as Cause from "effect/Cause"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"

const text = (message: unknown): string =>
  (Array.isArray(message) ? message : [message])
    .map((part) => (typeof part === "string" ? part : part instanceof Error ? part.message : JSON.stringify(part)))
    .join(" ")

/** Time, level, what happened; annotations and, on separate lines, the cause. */
export const logLine: Logger.Logger<unknown, string> = Logger.make(
  ({ annotations, cause, date, logLevel, message }) => {
    const about = [...HashMap.entries(annotations)].map(([key, value]) => ` ${key}=${String(value)}`).join("")
    const why = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
    return `${date.toISOString()} ${logLevel.label.toLowerCase().padEnd(5)} ${text(message)}${about}${why}`
  }
)

/** The same as one JSON document: `time`, `level`, `message`, `pid`, the annotations as they are (`task`, ...), and `cause`. */
export const logDocument = (pid: number): Logger.Logger<unknown, string> =>
  Logger.make(({ annotations, cause, date, logLevel, message }) =>
    JSON.stringify({
      ...Object.fromEntries(HashMap.entries(annotations)),
      time: date.toISOString(),
      level: logLevel.label.toLowerCase(),
      pid,
      message: text(message),
      ...(Cause.isEmpty(cause) ? {} : { cause: Cause.pretty(cause) })
    })
  )

/** `beat: what happened`, as the errors of a command. */
export const messageLine: Logger.Logger<unknown, string> = Logger.make(({ cause, message }) => {
  const why = Cause.isEmpty(cause) ? "" : `\n${Cause.pretty(cause)}`
  return `beat: ${text(message)}${why}`
})
