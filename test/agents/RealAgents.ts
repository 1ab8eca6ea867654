/** The real agents: where they come from, and what each needs to work without network and login. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { AgentSettings } from "../../src/domain/settings/Settings.ts"

/** As the config file has it. */
type WrittenAgent = typeof AgentSettings.Encoded

export interface Server {
  readonly url: string
  readonly key: string
}

export interface RealAgent {
  readonly name: string
  readonly package: string
  /** The directory of its program, in the package directory. */
  readonly bin: string
  readonly model: string
  readonly settings: (server: Server) => WrittenAgent
  /** Files in the home directory. */
  readonly files?: (server: Server) => Readonly<Record<string, unknown>>
  readonly environment?: (home: string) => Readonly<Record<string, string>>
}

/** The platform's own package needs no install script. */
const claudePackage = `@anthropic-ai/claude-code-${process.platform}-${process.arch}`

const own = (server: Server, path: string): WrittenAgent => ({ apiKey: server.key, baseUrl: `${server.url}${path}` })

export const realAgents: ReadonlyArray<RealAgent> = [
  {
    name: "claude",
    package: claudePackage,
    bin: `node_modules/${claudePackage}`,
    model: "claude-sonnet-4-5",
    settings: (server) => own(server, ""),
    environment: (home) => ({ CLAUDE_CODE_TMPDIR: join(home, "tmp") })
  },
  {
    name: "codex",
    package: "@openai/codex",
    bin: "node_modules/.bin",
    model: "gpt-5.5",
    settings: (server) => ({ ...own(server, "/v1"), args: ["-c", "features.plugins=false"] })
  },
  {
    name: "gemini",
    package: "@google/gemini-cli",
    bin: "node_modules/.bin",
    model: "gemini-2.5-pro",
    settings: (server) => own(server, ""),
    files: () => ({
      ".gemini/settings.json": {
        security: { auth: { selectedType: "gemini-api-key" } },
        general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false }
      }
    })
  },
  {
    name: "opencode",
    package: "opencode-ai",
    bin: "node_modules/.bin",
    model: "fake/fake-1",
    settings: (server) => own(server, "/v1"),
    environment: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_DEFAULT_PLUGINS: "1" })
  },
  {
    name: "qwen",
    package: "@qwen-code/qwen-code",
    bin: "node_modules/.bin",
    model: "fake-1",
    settings: (server) => own(server, "/v1"),
    files: () => ({ ".qwen/settings.json": { privacy: { usageStatisticsEnabled: false } } })
  },
  {
    name: "copilot",
    package: "@github/copilot",
    bin: "node_modules/.bin",
    model: "fake-1",
    settings: (server) => own(server, "/v1")
  },
  {
    name: "pi",
    package: "@mariozechner/pi-coding-agent",
    bin: "node_modules/.bin",
    model: "fake/fake-1",
    settings: (server) => ({ apiKey: server.key }),
    files: (server) => ({
      ".pi/agent/models.json": {
        providers: {
          fake: {
            baseUrl: `${server.url}/v1`,
            api: "openai-completions",
            apiKey: "FAKE_API_KEY",
            models: [
              {
                id: "fake-1",
                name: "fake-1",
                reasoning: false,
                input: ["text"],
                contextWindow: 200000,
                maxTokens: 8000
              }
            ]
          }
        }
      }
    })
  }
]

const cache = process.env.BACKBEAT_AGENT_CACHE ?? join(tmpdir(), "backbeat-agent-cache")

export interface Installed {
  readonly path: string
  readonly version: string
}

/** Installs an agent into the cache unless it is there already; a text says why it could not be. */
export const install = (agent: RealAgent): Installed | string => {
  const directory = join(cache, agent.name)
  const manifest = join(directory, "node_modules", agent.package, "package.json")
  const program = join(directory, agent.bin, agent.name)
  try {
    if (!existsSync(manifest) || !existsSync(program)) {
      mkdirSync(directory, { recursive: true })
      writeFileSync(join(directory, "package.json"), "{}")
      // npm reads the caller's registry settings; the agent itself never sees this home.
      execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", `${agent.package}@latest`], {
        cwd: directory,
        stdio: ["ignore", "ignore", "pipe"],
        timeout: 240_000
      })
    }
    if (!existsSync(program)) return `${agent.package} brings no program ${agent.bin}/${agent.name}`
    const { version }: { readonly version: string } = JSON.parse(readFileSync(manifest, "utf8"))
    return { path: dirname(program), version }
  } catch (error) {
    return `${agent.package} could not be installed: ${String(error).split("\n").slice(0, 3).join(" ")}`
  }
}

/** Writes what an agent wants to find in its home. */
export const furnish = (agent: RealAgent, home: string, server: Server): void => {
  mkdirSync(join(home, "tmp"), { recursive: true })
  for (const [name, content] of Object.entries(agent.files?.(server) ?? {})) {
    const file = join(home, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, JSON.stringify(content))
  }
}
