/** Which variables of the submitter a task gets: at(1)'s rule, without what only means something in the place it came from. */
import type { Environment } from "../../../domain/task/NewTask.ts"
import { matcher, withoutCall } from "./CallBound.ts"

/**
 * Variables that describe a process's surroundings: the shell's own, the surrounding task's, and those that agents and
 * editors set to recognise their children. An agent that sees them refuses to start, or takes itself for a part of another
 * session. Configuration and credentials of the same families (CLAUDE_CODE_OAUTH_TOKEN, CLAUDE_CODE_USE_BEDROCK,
 * CODEX_HOME, ...) are not among them.
 */
export const isNesting = matcher(`
_ OLDPWD PWD SHLVL BACKBEAT_TASK_ID BACKBEAT_DEPTH BACKBEAT_WORKER BACKBEAT_FAILPOINTS BACKBEAT_WORKSPACE
BACKBEAT_WORKSPACE_HOME TRACEPARENT BACKBEAT_SLOT BACKBEAT_HOOK BACKBEAT_EVENT_* NODE_CHANNEL_FD
NODE_CHANNEL_SERIALIZATION_MODE NODE_UNIQUE_ID AI_AGENT CLAUDECODE CLAUDE_CODE_ENTRYPOINT
CLAUDE_CODE_CHILD_SESSION CLAUDE_CODE_SSE_PORT CLAUDE_CODE_SESSION_ID CLAUDE_CODE_PARENT_SESSION_ID
CLAUDE_CODE_REMOTE_SESSION_ID CLAUDE_CODE_AGENT_ID CLAUDE_CODE_AGENT_NAME CLAUDE_CODE_TEAM_NAME
CLAUDE_CODE_TASK_LIST_ID CLAUDE_CODE_EXECPATH CLAUDE_AGENT_SDK_VERSION CLAUDE_PROJECT_DIR CLAUDE_ENV_FILE
CLAUDE_PLUGIN_ROOT CODEX_THREAD_ID CODEX_SANDBOX* CODEX_CI CODEX_INTERNAL_ORIGINATOR_OVERRIDE CODEX_MANAGED_*
GEMINI_CLI GEMINI_CLI_IDE_* QWEN_CODE QWEN_CODE_IDE_* QWEN_CODE_SESSION_ID OPENCODE OPENCODE_PID OPENCODE_RUN_ID
OPENCODE_PROCESS_ROLE OPENCODE_SESSION_ID OPENCODE_CALLER COPILOT_CLI COPILOT_AGENT_* COPILOT_CLI_BINARY_VERSION
COPILOT_LOADER_PID COPILOT_RUN_APP PI_CODING_AGENT CURSOR_AGENT CURSOR_TRACE_ID
`)

/**
 * What a program needs to work like at home, and where agents have their configuration and their models. Nothing here is a
 * secret, but for what agents log in with.
 */
const everyday = `
HOME PATH USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TERM COLORTERM NO_COLOR TMPDIR TMP TEMP XDG_* EDITOR VISUAL
PAGER SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME
GIT_COMMITTER_EMAIL GIT_CONFIG_GLOBAL GIT_SSH_COMMAND GNUPGHOME HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
http_proxy https_proxy all_proxy no_proxy SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS NODE_OPTIONS NODE_PATH NVM_DIR NVM_BIN FNM_DIR VOLTA_HOME PNPM_HOME
COREPACK_HOME BUN_INSTALL DENO_DIR CARGO_HOME RUSTUP_HOME GOPATH GOROOT GOMODCACHE JAVA_HOME PYENV_ROOT
VIRTUAL_ENV CONDA_PREFIX BACKBEAT_* ANTHROPIC_* CLAUDE_* CODEX_* OPENAI_* GEMINI_* GOOGLE_* OPENCODE_* QWEN_*
COPILOT_* PI_* API_TIMEOUT_MS
`

/** The environment without the variables that describe a process's surroundings. */
export const withoutPlace = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(withoutCall(environment)).filter(([name]) => !isNesting(name)))

/** The submitter's variables that a task gets. */
export const capture = (
  environment: Environment,
  mode: "full" | "allowlist",
  allowed: ReadonlyArray<string>
): Record<string, string> => {
  const isAllowed = mode === "full" ? () => true : matcher([everyday, ...allowed].join(" "))
  return Object.fromEntries(Object.entries(withoutPlace(environment)).filter(([name]) => isAllowed(name)))
}
