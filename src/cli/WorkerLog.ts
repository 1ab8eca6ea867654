/** The log of a worker on stderr, which a detached one has in its log file. */
import * as Logger from "effect/Logger"
import { logLine } from "../text/LogLine.ts"

export const layer = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(logLine))
