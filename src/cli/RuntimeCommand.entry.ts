/** How this very program is started again as a runtime: by the same Node, through the same entry file. */
import * as Layer from "effect/Layer"
import { RuntimeCommand } from "../services/RuntimeCommand.ts"

/** A runtime allocates much that dies at once. A small nursery keeps its memory low, and measured no slower. */
const nodeOptions = ["--max-semi-space-size=1"]

export const layer = Layer.sync(RuntimeCommand, () =>
  RuntimeCommand.of({ command: [process.execPath, ...nodeOptions, process.argv[1] ?? ""] })
)
