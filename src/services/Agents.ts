/** The coding agents this machine knows: built in and from the config file. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AgentMissing, AgentUnknown, ConfigInvalid, InvalidInput, NoDefaultAgent } from "../domain/Errors.ts"
import type { Account } from "../domain/limits/Account.ts"
import type { LimitSignal } from "../domain/limits/Signal.ts"
import type { Heard } from "../domain/message/AgentInput.ts"
import type { StreamName } from "../domain/output/Output.ts"
import type { Asks } from "../domain/questions/AgentRequest.ts"
import type { AgentInfo, Evidence, Renderer, Verdict } from "../domain/task/Agent.ts"
import type { Environment, Launch } from "../domain/task/NewTask.ts"
import type { CallReader } from "../domain/traces/ToolCall.ts"

export interface PrepareRequest {
  /** Null: the default agent, or the only one installed. */
  readonly agent: string | null
  readonly prompt: string
  readonly model: string | null
  readonly systemPrompt: string | null
  /** The submitter's environment as it is; `prepare` applies the capture setting and strips nesting variables. */
  readonly environment: Environment
  /** `--env` of the submitter: added last. */
  readonly extra: Environment
  /** Working directory of the task, against which a relative PATH entry is resolved. */
  readonly directory: string
  /** The umask that the agent runs with; undefined: that of this process. */
  readonly umask?: number | undefined
  /** The niceness that the agent runs with; undefined: that of this process. */
  readonly niceness?: number | undefined
  /** The PATH on which the program of the agent is looked for first; undefined: that of `environment` alone. */
  readonly programPath?: string | undefined
  /** A second PATH, for a program that the PATH of `environment` does not have. */
  readonly otherPath?: string | undefined
  /** Gives the agent the MCP server of Backbeat. */
  readonly server?: Launch["server"]
  /** The agent's session to continue, for which `resumes` has answered true. */
  readonly resume?: string | undefined
  /** Keep its stdin open for messages; undefined: as the settings say. An agent that cannot take any gives a warning. */
  readonly steer?: boolean | undefined
  /** It asks a person, over its stdin, which stays open; permissions are refused by an agent that cannot ask for them. */
  readonly asks?: Pick<Asks, "permissions" | "parkMs"> | undefined
}

interface Prepared {
  readonly agent: string
  readonly model: string | null
  /** Whose limits its requests count against; missing where none are known. */
  readonly account?: Account
  readonly launch: Launch
  readonly environment: Environment
  readonly sessionId: string | null
  /** Per-agent stall setting; undefined: the general one. */
  readonly stallMs: number | null | undefined
  /** Hints for the submitter, for example that no credentials were seen. */
  readonly warnings: ReadonlyArray<string>
}

/** What lines of a stream say of limits. */
export type SignalReader = (stream: StreamName, lines: ReadonlyArray<string>) => ReadonlyArray<LimitSignal>

export class Agents extends Context.Tag("backbeat/Agents")<
  Agents,
  {
    /** Built in first, then custom, each group by name. Looks at PATH of `environment`. */
    readonly list: (environment: Environment) => Effect.Effect<ReadonlyArray<AgentInfo>, ConfigInvalid>
    /** Decides how a task will be started: everything is fixed here. */
    readonly prepare: (
      request: PrepareRequest
    ) => Effect.Effect<Prepared, AgentUnknown | AgentMissing | NoDefaultAgent | InvalidInput | ConfigInvalid>
    /** Whose limits count for an agent that starts now in this environment; null where none are known. */
    readonly account: (
      agent: string,
      start: { readonly model: string | null; readonly environment: Environment; readonly directory: string }
    ) => Effect.Effect<Account | null, ConfigInvalid>
    /** Whether this agent can continue its session with this id. */
    readonly resumes: (agent: string, sessionId: string) => Effect.Effect<boolean>
    /** Whether this agent keeps sessions that it can continue. */
    readonly hasSessions: (agent: string) => Effect.Effect<boolean>
    /** Whether the agent says of this exit code that another attempt would end the same. */
    readonly isFinal: (agent: string, exitCode: number | null) => Effect.Effect<boolean>
    /** What an agent's end means. An agent unknown by now is judged by its exit code alone. */
    readonly verdict: (agent: string, evidence: Evidence) => Effect.Effect<Verdict>
    /** Reads what lines say of the limits of the agent's account; null where no format is known. */
    readonly signals: (agent: string) => Effect.Effect<SignalReader | null>
    /** What lines of stdout say of messages and turns, of an agent that takes messages while it runs. */
    readonly heard: (agent: string, lines: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Heard>>
    /** Reads the calls of tools in stdout; null where no format is known. */
    readonly calls: (agent: string) => Effect.Effect<CallReader | null>
    /** A fresh renderer; for an unknown agent one that shows lines as they are. */
    readonly renderer: (agent: string) => Effect.Effect<Renderer>
  }
>() {}
