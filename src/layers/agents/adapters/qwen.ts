/** Qwen Code: a Gemini CLI fork that prints Claude's stream-json. */
import type { Agent, Evidence, Verdict } from "../../../domain/task/Agent.ts"
import type { Usage } from "../../../domain/task/Task.ts"
import { modelUse, withoutCached } from "../../../domain/usage/ModelUse.ts"
import { qwenLogin } from "../accounts/Vendors.ts"
import { judge } from "../reading/Verdict.ts"
import { jsonWith, textSetting } from "../starting/Held.ts"
import { asArgument, configuredKey, defaults, modelOf, prefix } from "../starting/Start.ts"
import { renderer } from "./ClaudeShown.ts"
import { findings } from "./ClaudeStream.ts"

const credentialVariables = ["OPENAI_API_KEY", "DASHSCOPE_API_KEY", "BAILIAN_CODING_PLAN_API_KEY"]

export const qwen: Agent = {
  name: "qwen",
  title: "Qwen Code",
  program: "qwen",
  install: "npm install -g @qwen-code/qwen-code@latest",
  login: "qwen (then /auth)",
  credentialVariables,
  loginFiles: [
    { directory: ".qwen", path: "oauth_creds.json", holds: jsonWith("access_token", "refresh_token") },
    {
      directory: ".qwen",
      path: "settings.json",
      holds: jsonWith("security.auth.apiKey", ...credentialVariables.map((name) => `env.${name}`))
    },
    { directory: ".qwen", path: ".env", holds: textSetting(credentialVariables) }
  ],
  resumes: true,
  takesServer: false,
  // As Gemini, which it comes from: credentials, input, configuration.
  finalExitCodes: [41, 42, 52],
  account: qwenLogin,
  plan: (request) => {
    const model = modelOf(request)
    const system = asArgument(request.systemPrompt)
    const key = configuredKey(request, ["OPENAI_API_KEY"])
    const openai = key !== undefined || (request.environment.OPENAI_API_KEY ?? "") !== ""
    return {
      launch: {
        file: request.program,
        args: [
          ...(openai ? ["--auth-type", "openai"] : []),
          "--yolo",
          "--output-format",
          "stream-json",
          ...(request.resume === null ? ["--session-id", request.sessionId] : ["--resume", request.resume]),
          ...(model === null ? [] : ["--model", model]),
          ...(system === null ? [] : ["--append-system-prompt", system]),
          ...(request.settings.args ?? [])
        ],
        promptAt: [],
        stdin: "prompt",
        ...(system === null ? prefix(request.systemPrompt) : {})
      },
      environment: defaults(request, {
        OPENAI_API_KEY: key,
        OPENAI_BASE_URL: request.settings.baseUrl,
        OPENAI_MODEL: openai ? (model ?? undefined) : undefined,
        QWEN_CODE_SUPPRESS_YOLO_WARNING: "1",
        QWEN_SANDBOX: "false",
        GEMINI_SANDBOX: "false"
      }),
      sessionId: request.resume ?? request.sessionId
    }
  },
  renderer
}

/** Qwen Code's input tokens include those from a cache, as in its own counter. */
const apart = ({ cacheReadTokens, inputTokens, outputTokens }: Usage) =>
  modelUse(null, { inputTokens: withoutCached(inputTokens, cacheReadTokens), outputTokens, cacheReadTokens })

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict => {
  const found = findings(evidence)
  // It counts each run from zero and knows no cost.
  return judge(qwen, evidence, {
    ...found,
    usage: found.usage === null ? null : { ...found.usage, cumulative: false },
    uses: found.usage === null ? undefined : [apart(found.usage)]
  })
}
