/** Configuration files of MCP clients in memory, which a test fills and reads. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { McpClients } from "../../../services/McpClients.ts"

export class ClientFiles extends Context.Tag("backbeat/test/ClientFiles")<ClientFiles, Map<string, string>>() {}

export const layerWith = (env: Readonly<Record<string, string>>) =>
  Layer.effectContext(
    Effect.sync(() => {
      const files = new Map<string, string>()
      return Context.make(ClientFiles, files).pipe(
        Context.add(
          McpClients,
          McpClients.of({
            server: Effect.succeed({ command: "beat", args: ["mcp", "start"], env }),
            directories: Effect.succeed({
              home: "/home/b",
              config: "/home/b/.config",
              applications: "/home/b/.config",
              codex: "/home/b/.codex",
              copilot: "/home/b/.copilot",
              claude: "/home/b/.claude"
            }),
            read: (path) => Effect.sync(() => files.get(path) ?? null),
            replace: (path, _before, text) =>
              Effect.sync(() => {
                const before = files.get(path)
                files.set(path, text)
                if (before === undefined) return null
                files.set(`${path}.before-backbeat`, before)
                return `${path}.before-backbeat`
              }),
            remove: (path) => Effect.sync(() => void files.delete(path))
          })
        )
      )
    })
  )

export const layer = layerWith({})
