/** How this very program is started again as a worker: by the same Node, through the same entry file. */
import * as Layer from "effect/Layer"
import { WorkerCommand } from "../services/WorkerCommand.ts"

/** A worker allocates much that dies at once. A small nursery keeps its memory low, and measured no slower. */
const nodeOptions = ["--max-semi-space-size=1"]

export const layer = Layer.sync(WorkerCommand, () =>
  WorkerCommand.of({ command: [process.execPath, ...nodeOptions, process.argv[1] ?? ""] })
)
