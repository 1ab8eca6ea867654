/** What work that is stored was submitted as: for submitting it again, whole or with something changed. */
import { type Environment, inputFormatOf, type Launch, type NewTask } from "../../domain/task/NewTask.ts"
import type { Submission } from "./prepareTask.ts"

type Work = Pick<
  NewTask,
  | "prompt"
  | "agent"
  | "model"
  | "systemPrompt"
  | "priority"
  | "directory"
  | "timeoutMs"
  | "stallMs"
  | "maxOutputBytes"
  | "labels"
  | "maxRetries"
  | "backoffMs"
  | "onLimit"
  | "giveUpMs"
  | "fallback"
  | "spare"
  | "group"
>

/** Without what concerned that one submission: its key, its start time, its place in a line of retries. */
export const sameSubmission = (work: Work): Submission => ({
  prompt: work.prompt,
  agent: work.agent,
  model: work.model,
  systemPrompt: work.systemPrompt,
  priority: work.priority,
  directory: work.directory,
  timeoutMs: work.timeoutMs,
  stallMs: work.stallMs,
  maxOutputBytes: work.maxOutputBytes,
  notBefore: null,
  idempotencyKey: null,
  labels: work.labels,
  extra: {},
  retryOf: null,
  maxRetries: work.maxRetries,
  backoffMs: work.backoffMs,
  ...(work.onLimit === undefined ? {} : { onLimit: work.onLimit }),
  ...(work.group === undefined ? {} : { group: work.group }),
  ...(work.fallback === undefined ? {} : { fallback: work.fallback }),
  ...(work.spare === undefined ? {} : { spare: work.spare }),
  ...(work.giveUpMs === undefined ? {} : { giveUpMs: work.giveUpMs })
})

/** What the submitter gave to this task alone, the umask and niceness of the submit, and whether it takes messages. */
export const givenWith = (captured: {
  readonly environment: Environment
  readonly launch: Launch
}): Pick<Submission, "extra" | "umask" | "niceness" | "server" | "steer" | "loop" | "asks"> => {
  const given = new Set(captured.launch.given ?? [])
  return {
    extra: Object.fromEntries(Object.entries(captured.environment).filter(([name]) => given.has(name))),
    umask: captured.launch.umask,
    server: captured.launch.server,
    niceness: captured.launch.niceness,
    loop: captured.launch.loop,
    steer: inputFormatOf(captured.launch) !== null,
    asks: captured.launch.asks
  }
}

/** The environment as the submitter had it. A key that was wrong in the config then must not precede the right one. */
export const submittersEnvironment = (captured: {
  readonly environment: Environment
  readonly launch: Launch
}): Environment => {
  const configured = new Set(captured.launch.configured ?? [])
  return Object.fromEntries(Object.entries(captured.environment).filter(([name]) => !configured.has(name)))
}
