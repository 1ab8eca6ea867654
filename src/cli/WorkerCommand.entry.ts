/** How this program starts itself again as a worker: with the same Node and the same entry file. */
import * as Layer from "effect/Layer"
import { WorkerCommand } from "../services/WorkerCommand.ts"

/** Most objects of a worker are short-lived. A small nursery keeps its memory low, and it measured no slower. */
const nodeOptions = ["--max-semi-space-size=1"]

export const layer = Layer.sync(WorkerCommand, () =>
  WorkerCommand.of({ command: [process.execPath, ...nodeOptions, process.argv[1] ?? ""] })
)
