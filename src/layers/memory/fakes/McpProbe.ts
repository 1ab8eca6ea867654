/** An MCP server that cannot be started. */
import * as Layer from "effect/Layer"
import { ProbeFailed } from "../../../domain/Errors.ts"
import { McpProbe } from "../../../services/McpProbe.ts"

export const layer = Layer.succeed(
  McpProbe,
  McpProbe.of({ start: ({ command }) => new ProbeFailed({ problem: `'${command}' cannot be started`, stderr: "" }) })
)
