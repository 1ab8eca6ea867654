/** The log of a worker on stderr; a detached worker's stderr is its log file. */
import * as Logger from "effect/Logger"
import { logLine } from "../text/LogLine.ts"

export const layer = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(logLine))
