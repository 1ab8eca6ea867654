/** Makes a task ready to be stored: its agent's launch is fixed, and what the submitter left open comes from the settings. */
import * as Effect from "effect/Effect"
import { InvalidInput } from "../../domain/Errors.ts"
import type { GroupName } from "../../domain/gates/GroupName.ts"
import type { LoopPlan } from "../../domain/loop/LoopPlan.ts"
import type { Environment, Launch, NewDependency, NewTask, Upstream } from "../../domain/task/NewTask.ts"
import {
  type Continuation,
  type Labels,
  maxPromptBytes,
  type OnLimit,
  type Priority,
  type TaskId
} from "../../domain/task/Task.ts"
import { readTraceparent } from "../../domain/traces/TraceContext.ts"
import type { WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { Agents, type PrepareRequest } from "../../services/Agents.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { fenced, isScript } from "../../text/Quote.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"
import { keepRoutes } from "./keepRoutes.ts"
import type { Submitter } from "./Submitter.ts"

/** The pause before the first automatic retry, in milliseconds. */
const defaultBackoffMs = 30_000

export interface Submission {
  readonly prompt: string
  /** Text that the submitter piped in: it follows the prompt, unless the agent runs its prompt as a script. */
  readonly piped?: string | null
  /** Text that Backbeat puts after the prompt, unless the agent runs its prompt as a script. */
  readonly closing?: string | null
  /** Null: the default agent. */
  readonly agent: string | null
  readonly model: string | null
  readonly systemPrompt: string | null
  readonly priority: Priority
  /** Absolute, and known to be a directory. */
  readonly directory: string
  /** Milliseconds; null is none, undefined is what the settings say. */
  readonly timeoutMs: number | null | undefined
  /** Milliseconds; null is off, undefined is what the settings say. */
  readonly stallMs: number | null | undefined
  /** Undefined is what the settings say. */
  readonly maxOutputBytes: number | undefined
  readonly notBefore: number | null
  readonly idempotencyKey: string | null
  readonly labels: Labels
  /** Variables added to the captured ones. */
  readonly extra: Environment
  /** Gives the agent the MCP server of Backbeat. */
  readonly server?: Launch["server"]
  /** Undefined: the umask of this process. */
  readonly umask?: number | undefined
  /** Undefined: the niceness of this process. */
  readonly niceness?: number | undefined
  /** Where a program is looked for that is not on the captured PATH: it may have moved since. */
  readonly otherPath?: string | undefined
  readonly retryOf: TaskId | null
  /** How it continues the task in `retryOf`. */
  readonly continuation?: Continuation | null
  /** The agent session to continue. */
  readonly resume?: string | undefined
  readonly dependsOn?: ReadonlyArray<NewDependency>
  /** The task whose checkpoint goes before the prompt at the start; a dependency on it is implied. */
  readonly continueFrom?: Upstream | null
  /** The workspace that it works in. */
  readonly workspace?: WorkspaceRequest | undefined
  readonly maxRetries?: number
  /** Milliseconds before the first automatic retry. */
  readonly backoffMs?: number
  /** What is done when it meets a usage limit. */
  readonly onLimit?: OnLimit
  /** Milliseconds that it waits for limits in all. */
  readonly giveUpMs?: number
  /** Agents that take it over while its account is closed for long. */
  readonly fallback?: ReadonlyArray<string>
  /** It starts only while its account has room that would go unused. */
  readonly spare?: boolean
  /** What it may spend with its tree, in US dollars. */
  readonly budgetUsd?: number
  /** The group whose limit it counts against. */
  readonly group?: GroupName | null
  /** The loop that is its work: it begins when the task starts. */
  readonly loop?: LoopPlan | undefined
  /** Its agent takes messages while it runs; undefined is what the settings say. */
  readonly steer?: boolean | undefined
  /** Its agent asks a person over its stdin. */
  readonly asks?: PrepareRequest["asks"]
}

const promptProblem = (prompt: string): string | null => {
  if (prompt.trim() === "") return "it is empty"
  if (prompt.includes("\0")) return "it contains a NUL character, which no program accepts in an argument"
  if (prompt.length > maxPromptBytes || new TextEncoder().encode(prompt).length > maxPromptBytes)
    return `it is larger than ${maxPromptBytes / 1024 ** 2} MB; put it into a file and name the file in the prompt`
  return null
}

const withPiped = (prompt: string, piped: string): string =>
  `${prompt}\n\nThe input that was piped in with this prompt:\n\n${fenced(piped.replace(/\n$/, ""))}`

const leftOut = (agent: string): string =>
  `what is piped in is left out: ${agent} runs its prompt as a script. Save it to a file that the script reads`

/** A spare task has no fallback. */
export const spareAlone = () =>
  new InvalidInput({
    field: "spare",
    problem: "excludes 'fallback': a spare task waits for its own account",
    example: null
  })

/** The task as it will be stored, and hints about its agent for the submitter. */
export const prepareTask = Effect.fn("prepareTask")(function* (submission: Submission, submitter: Submitter) {
  const agents = yield* Agents
  const settings = yield* (yield* SettingsStore).get
  const problem = promptProblem(submission.prompt)
  if (problem !== null) return yield* new InvalidInput({ field: "prompt", problem, example: null })
  const spare = submission.spare ?? false
  if (spare && (submission.fallback ?? []).length > 0) return yield* spareAlone()
  const directory = realDirectory(submission.directory, submitter.environment)
  const routes = yield* keepRoutes(submission, submitter, settings)
  const {
    warnings: hints,
    stallMs,
    ...plan
  } = yield* agents.prepare({
    agent: submission.agent,
    prompt: submission.prompt,
    model: submission.model,
    systemPrompt: submission.systemPrompt,
    environment: routes.environment,
    extra: submission.extra,
    directory,
    programPath: routes.programPath,
    umask: submission.umask,
    server: submission.server,
    niceness: submission.niceness,
    otherPath: submission.otherPath,
    resume: submission.resume,
    steer: submission.steer,
    asks: submission.asks
  })
  const account = plan.account ?? null
  const free = `spare changes nothing: no account, and so no usage limit, is known for ${plan.agent}`
  const warnings = [...routes.warnings, ...hints, ...(spare && account === null ? [free] : [])]
  const piped = submission.piped ?? null
  const closing = submission.closing ?? null
  const script = (piped !== null || closing !== null) && isScript({ agent: plan.agent, program: plan.launch.file })
  const given = piped === null || script ? submission.prompt : withPiped(submission.prompt, piped)
  const prompt = closing === null || script ? given : `${given}\n\n${closing}`
  const tooLarge = promptProblem(prompt)
  if (tooLarge !== null) return yield* new InvalidInput({ field: "prompt", problem: tooLarge, example: null })
  const agentStallMs = stallMs === undefined ? settings.stallMs : stallMs
  const traceparent = readTraceparent(submission.extra.TRACEPARENT ?? submitter.environment.TRACEPARENT)
  const task: NewTask = {
    ...plan,
    ...(submission.loop === undefined ? {} : { launch: { ...plan.launch, loop: submission.loop } }),
    prompt,
    systemPrompt: submission.systemPrompt,
    priority: submission.priority,
    directory,
    timeoutMs: submission.timeoutMs === undefined ? settings.timeoutMs : submission.timeoutMs,
    stallMs: submission.stallMs === undefined ? agentStallMs : submission.stallMs,
    maxOutputBytes: submission.maxOutputBytes ?? settings.maxOutputBytes,
    notBefore: submission.notBefore,
    parentId: submitter.taskId,
    depth: submitter.depth,
    ...(traceparent === null ? {} : { traceparent }),
    retryOf: submission.retryOf,
    continuation: submission.continuation ?? null,
    dependsOn: submission.dependsOn ?? [],
    continueFrom: submission.continueFrom ?? null,
    maxRetries: submission.maxRetries ?? 0,
    backoffMs: submission.backoffMs ?? defaultBackoffMs,
    ...(submission.onLimit === undefined ? {} : { onLimit: submission.onLimit }),
    ...(submission.giveUpMs === undefined ? {} : { giveUpMs: submission.giveUpMs }),
    ...(submission.fallback === undefined ? {} : { fallback: submission.fallback }),
    ...(submission.spare === undefined ? {} : { spare: submission.spare }),
    ...(submission.budgetUsd === undefined
      ? {}
      : { budgetMicro: Math.max(1, Math.round(submission.budgetUsd * 1_000_000)) }),
    ...(submission.group === undefined ? {} : { group: submission.group }),
    idempotencyKey: submission.idempotencyKey,
    labels: submission.labels,
    ...(submission.workspace === undefined ? {} : { workspace: submission.workspace })
  }
  return { task, warnings: script && piped !== null ? [...warnings, leftOut(plan.agent)] : warnings }
})
