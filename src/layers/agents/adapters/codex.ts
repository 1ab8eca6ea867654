/** Codex: `codex exec --json`. */
import * as Schema from "effect/Schema"
import type { Agent, Evidence, PlanRequest, Renderer, Verdict } from "../../../domain/task/Agent.ts"
import { openai } from "../accounts/Vendors.ts"
import { oneLine } from "../reading/Bounds.ts"
import { listOf, loose, number, ofTypes, reader, text } from "../reading/Printed.ts"
import { failureLine, lines, strangers, toolCall, toolError } from "../reading/Show.ts"
import { type Findings, judge } from "../reading/Verdict.ts"
import { jsonWith } from "../starting/Held.ts"
import { asArgument, configuredKey, defaults, modelOf, prefix, retriesOf } from "../starting/Start.ts"
import { codexUsage } from "./codexUsage.ts"

const credentialVariables = ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN"]

const Event = Schema.Struct({
  type: Schema.String,
  thread_id: text,
  message: text,
  error: loose(Schema.Struct({ message: text })),
  usage: loose(
    Schema.Struct({
      input_tokens: number,
      cached_input_tokens: number,
      cache_write_input_tokens: number,
      output_tokens: number
    })
  ),
  item: loose(
    Schema.Struct({
      type: text,
      text,
      message: text,
      command: text,
      aggregated_output: text,
      exit_code: number,
      status: text,
      server: text,
      tool: text,
      arguments: Schema.optional(Schema.Unknown),
      error: loose(Schema.Struct({ message: text })),
      query: text,
      changes: listOf(Schema.Struct({ path: text, kind: text }), {})
    })
  )
})
type Event = typeof Event.Type

const read = reader(Event)

const findings = (evidence: Evidence): Findings => {
  const events = ofTypes(evidence.stdout, [
    "thread.started",
    "item.completed",
    "error",
    "turn.completed",
    "turn.failed"
  ])
    .map(read)
    .filter((event) => event !== null)
  const last = (type: string) => events.findLast((event) => event.type === type)
  const turn = events.findLast((event) => event.type === "turn.completed" || event.type === "turn.failed")
  const message = events.findLast((event) => event.type === "item.completed" && event.item?.type === "agent_message")
  const usage = last("turn.completed")?.usage
  const said = turn?.error?.message ?? last("error")?.message
  // An `error` may be a retry that worked; only without the end of a turn is it the last word.
  const failed = turn?.type === "turn.failed" || (turn === undefined && said !== undefined)
  return {
    failure: failed ? { message: said ?? "The turn failed." } : null,
    finished: turn?.type === "turn.completed",
    answer: turn?.type === "turn.completed" ? (message?.item?.text ?? null) : null,
    sessionId: last("thread.started")?.thread_id ?? null,
    ...(usage === undefined ? { usage: null } : codexUsage(usage))
  }
}

const started = (item: NonNullable<Event["item"]>): ReadonlyArray<string> => {
  switch (item.type) {
    case "command_execution":
      return [toolCall("Bash", { command: item.command ?? "" })]
    case "mcp_tool_call":
      return [toolCall(`${item.server ?? "mcp"}.${item.tool ?? "tool"}`, item.arguments)]
    default:
      return []
  }
}

const completed = (item: NonNullable<Event["item"]>, unknown: () => ReadonlyArray<string>): ReadonlyArray<string> => {
  switch (item.type) {
    case "agent_message":
      return lines(item.text ?? "")
    case "command_execution":
      return item.status === "failed"
        ? [toolError(`Exit code ${item.exit_code ?? "?"}: ${item.aggregated_output ?? ""}`)]
        : []
    case "mcp_tool_call":
      return item.status === "failed" ? [toolError(item.error?.message ?? "")] : []
    case "file_change":
      return (item.changes ?? [])
        .slice(0, 50)
        .map((change) => toolCall(fileChange(change.kind), { path: change.path ?? "" }))
    case "web_search":
      return [toolCall("WebSearch", { query: item.query ?? "" })]
    case "error":
      return [`! ${item.message ?? ""}`]
    case "reasoning":
    case "todo_list":
      return []
    default:
      return unknown()
  }
}

const fileChange = (kind: string | undefined): string =>
  kind === "add" ? "Write" : kind === "delete" ? "Delete" : "Edit"

const renderer = (): Renderer => {
  const unknown = strangers()
  // An error that ends the turn comes twice: alone, then as the failure.
  let held: string | null = null
  const release = (): ReadonlyArray<string> => {
    const error = held
    held = null
    return error === null ? [] : [`! ${error}`]
  }
  const shown = (event: Event | null, line: string): ReadonlyArray<string> => {
    switch (event?.type) {
      case "thread.started":
      case "turn.started":
      case "turn.completed":
      case "item.updated":
        return []
      case "item.started":
        return event.item === undefined ? [] : started(event.item)
      case "item.completed":
        return event.item === undefined ? unknown(line) : completed(event.item, () => unknown(line))
      case "turn.failed":
        return [failureLine(event.error?.message ?? "")]
      default:
        return unknown(line)
    }
  }
  return {
    line: (line) => {
      const event = read(line)
      if (event?.type === "turn.failed" && oneLine(event.error?.message ?? "", 1000) === held) held = null
      const before = release()
      if (event?.type !== "error") return [...before, ...shown(event, line)]
      held = oneLine(event.message ?? "", 1000)
      return before
    },
    end: release
  }
}

/** What it says on stderr when all is well. */
const chatter = /^(WARNING: proceeding|Reading (additional input|prompt) from stdin|warning: Model metadata)/

/** A string as TOML has it; JSON's form is one of them. */
const toml = (value: string): string => JSON.stringify(value)

/** Codex passes little of its environment to a server, and by default gives up on a call after a minute. */
const serverSettings = (server: PlanRequest["server"]): ReadonlyArray<string> => {
  if (server === null) return []
  const key = "mcp_servers.backbeat"
  const env = Object.entries(server.env).map(([name, value]) => `${toml(name)}=${toml(value)}`)
  return [
    `${key}.command=${toml(server.command)}`,
    `${key}.args=[${server.args.map(toml).join(",")}]`,
    `${key}.env={${env.join(",")}}`,
    `${key}.env_vars=["BACKBEAT_TASK_ID","BACKBEAT_DEPTH","BACKBEAT_WORKSPACE","BACKBEAT_WORKSPACE_HOME","CODEX_API_KEY","OPENAI_API_KEY","ANTHROPIC_API_KEY","CODEX_HOME"]`,
    `${key}.tool_timeout_sec=90`
  ]
}

export const codex: Agent = {
  name: "codex",
  title: "Codex",
  program: "codex",
  install: "npm install -g @openai/codex@latest",
  login: "codex login",
  credentialVariables,
  loginFiles: [
    {
      directory: ".codex",
      moved: "CODEX_HOME",
      path: "auth.json",
      holds: jsonWith("OPENAI_API_KEY", "tokens.access_token", "tokens.refresh_token")
    }
  ],
  resumes: true,
  takesServer: true,
  // Wrong arguments.
  finalExitCodes: [2],
  account: openai,
  plan: (request) => {
    const model = modelOf(request)
    const system = asArgument(request.systemPrompt)
    const retries = retriesOf(request, 2)
    const { baseUrl } = request.settings
    const set = (value: string) => ["-c", value]
    // Only a provider of one's own takes limits on retries, and OPENAI_BASE_URL is ignored.
    const limits = retries === null ? "" : `,request_max_retries=${retries},stream_max_retries=${retries}`
    const provider =
      baseUrl === undefined
        ? []
        : [
            ...set("model_provider=backbeat"),
            ...set(
              `model_providers.backbeat={name="OpenAI",base_url=${toml(baseUrl)},env_key="CODEX_API_KEY",wire_api="responses"${limits}}`
            )
          ]
    return {
      launch: {
        file: request.program,
        args: [
          "exec",
          "--json",
          "--skip-git-repo-check",
          "--dangerously-bypass-approvals-and-sandbox",
          ...(model === null ? [] : ["--model", model]),
          ...provider,
          // With analytics the process stays for seconds after the answer when it cannot reach the network.
          ...set("analytics.enabled=false"),
          ...set("check_for_update_on_startup=false"),
          // Otherwise it waits for the network with no limit.
          ...(retries === null ? [] : set("features.unbounded_connection_retries=false")),
          ...serverSettings(request.server).flatMap(set),
          ...(system === null ? [] : set(`developer_instructions=${toml(system)}`)),
          ...(request.settings.args ?? []),
          ...(request.resume === null ? [] : ["resume", request.resume]),
          "-"
        ],
        promptAt: [],
        stdin: "prompt",
        ...(system === null ? prefix(request.systemPrompt) : {})
      },
      environment: defaults(request, {
        CODEX_API_KEY: configuredKey(request, credentialVariables)
      }),
      sessionId: request.resume
    }
  },
  renderer
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict =>
  judge(
    codex,
    evidence,
    findings(evidence),
    evidence.stderr.filter((line) => !chatter.test(line))
  )
