/** Which variables of the submitter a task gets: at(1)'s rule, without what only means something in the place it came from. */
import { isNesting } from "../../../domain/environment/isNesting.ts"
import { matcher } from "../../../domain/environment/matcher.ts"
import type { Environment } from "../../../domain/task/NewTask.ts"
import { withoutCall } from "./CallBound.ts"

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
