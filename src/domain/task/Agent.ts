/** The agent: how a coding agent is started, and how what it prints is read. */
import * as Schema from "effect/Schema"
import type { AccountIdentity } from "../limits/Account.ts"
import type { AgentSettings } from "../settings/Settings.ts"
import type { ModelUse } from "../usage/ModelUse.ts"
import type { Environment, Launch } from "./NewTask.ts"
import type { Outcome } from "./Outcome.ts"

/** What a person can know of an agent without starting it. */
export const AgentInfo = Schema.Struct({
  name: Schema.NonEmptyString,
  title: Schema.String,
  /** From the config file, not built in. */
  custom: Schema.Boolean,
  /** The program looked for on PATH. */
  program: Schema.String,
  /** Where it was found; null when it is not installed. */
  path: Schema.NullOr(Schema.String),
  /** The command that installs it. */
  install: Schema.NullOr(Schema.String),
  /** Where credentials come from: `environment`, `config`, `login` (the agent's own), `not-needed`; null: none seen. */
  credentials: Schema.NullOr(Schema.Literal("environment", "config", "login", "not-needed")),
  /** The command or setting that gives it credentials. */
  login: Schema.NullOr(Schema.String),
  default: Schema.Boolean
}).annotations({ identifier: "AgentInfo" })
export type AgentInfo = typeof AgentInfo.Type

export const AgentList = Schema.Struct({ agents: Schema.Array(AgentInfo) }).annotations({ identifier: "AgentList" })

/** What an adapter decides a start from. */
/** A file of an agent, and what to look for in it. */
export interface HeldFile {
  /** Under the home directory; `task`: the directory of the task. */
  readonly directory: string
  /** The variable that names another directory in its place. */
  readonly moved?: string
  readonly path: string
  readonly holds: (text: string) => boolean
}

/** A file of a login. */
export type AccountFile = Pick<HeldFile, "directory" | "moved" | "path">

/** What an adapter derives an account from. */
export interface AccountRequest {
  /** All variables that the agent will get. */
  readonly environment: Environment
  readonly settings: AgentSettings
  readonly model: string | null
  /** The text of a file; null where there is none or it cannot be read. */
  readonly read: (file: AccountFile) => string | null
}

export interface PlanRequest {
  /** Absolute path of the program. */
  readonly program: string
  readonly prompt: string
  readonly model: string | null
  readonly systemPrompt: string | null
  readonly settings: AgentSettings
  /** A fresh UUID, for agents that let their caller choose the session id. */
  readonly sessionId: string
  /** The agent's session to continue; null starts a new one. */
  readonly resume: string | null
  /** The submitter's captured variables. */
  readonly environment: Environment
  /** The MCP server of Backbeat, for agents that take one on their command line; null: none was asked for. */
  readonly server: NonNullable<Launch["server"]> | null
  /** Its stdin stays open for messages while it runs, where the agent can take them. */
  readonly steer: boolean
  /** What it asks a person over its stdin, where it can; null: nothing. */
  readonly asks: "questions" | "permissions" | null
  /** Whether the task will run as the super-user, which some agents refuse without a word more. */
  readonly root: boolean
}

interface Plan {
  readonly launch: Launch
  /** Variables added to (or, with null, taken from) the captured environment. */
  readonly environment: Readonly<Record<string, string | null>>
  /** The session id, where the agent accepts ours or continues a known session. */
  readonly sessionId: string | null
  /** What was asked for and this agent cannot do. */
  readonly warnings?: ReadonlyArray<string>
  /** A warning that is left out where one of the files holds what it asks for. */
  readonly warningUnless?: { readonly held: ReadonlyArray<HeldFile>; readonly warning: string }
}

/** How the agent's process ended: a shell's exit code (128 + n for signal n), null when no process could read it. */
export interface ProcessEnd {
  readonly exitCode: number | null
  readonly signal: string | null
}

/** What an adapter judges by: the end of the process and the stored output, whose middle may be missing. */
export interface Evidence {
  readonly end: ProcessEnd
  /** Lines of stdout without their newline; the beginning and the end of a long stream; a line that was cut is left out. */
  readonly stdout: ReadonlyArray<string>
  readonly stderr: ReadonlyArray<string>
  /** When the process ended, in milliseconds since 1970: a length of time, or a time of day, in its words counts from there. */
  readonly endedAt: number
  /** The variable `TZ` of the agent, which prints local times; missing: its zone is that of this process. */
  readonly zone?: string | undefined
}

/** The verdict of an adapter on an ended process. The caller adds its own status changes (cancel, timeout). */
/** `uses`: what it used of each model, where it tells more than the sum in `usage`. */
export type Verdict = Pick<Outcome, "error" | "failureClass" | "failureResetAt" | "sessionId" | "answer" | "usage"> & {
  readonly status: "completed" | "failed"
  readonly cause: "exit" | "signal" | "agent-error"
  readonly uses?: ReadonlyArray<ModelUse> | undefined
}

/** How a line begins that only names what an agent printed. Terminals show it dim. */
export const aside = "· "

/** Turns one agent's raw lines into text people can read. Keeps state between lines; never throws. */
export interface Renderer {
  /** Lines to show for one raw line of stdout (without newline): none, one or several. */
  readonly line: (raw: string) => ReadonlyArray<string>
  /** What is left when the stream ends. */
  readonly end: () => ReadonlyArray<string>
}

/** One coding agent, as a value. Everything in it is pure. */
export interface Agent {
  readonly name: string
  readonly title: string
  readonly program: string
  readonly install: string | null
  readonly login: string | null
  /** Variables any one of which carries credentials; empty when none are needed. */
  readonly credentialVariables: ReadonlyArray<string>
  /** Files any one of which holds a login of the agent's own. That a file is there proves nothing. */
  readonly loginFiles: ReadonlyArray<HeldFile>
  /** Whether the agent can continue one of its sessions that has ended. */
  readonly resumes: boolean
  /** Exit codes after which another attempt would end the same: wrong arguments, nothing to run. */
  readonly finalExitCodes?: ReadonlyArray<number>
  /** Whether `plan` hands over `server`. False: its user can set the server up; missing: it knows none. */
  readonly takesServer?: boolean
  /** It asks for permissions, and what it wants to know, over its stdin and stdout. */
  readonly asks?: boolean
  readonly plan: (request: PlanRequest) => Plan
  /** Whose limits its requests count against; missing: no limit is known of it, and it never waits for one. */
  readonly account?: (request: AccountRequest) => AccountIdentity
  readonly renderer: () => Renderer
}
