/** What a schedule starts, as it was handed over: for capturing it again with something changed. */
import * as Effect from "effect/Effect"
import type { Work } from "../../domain/Schedule.ts"
import type { Submission } from "../prepareTask.ts"
import type { Submitter } from "../submitter.ts"

/** Null for a pipeline. The environment is the captured one, without what the config had added to it. */
export const recapture = (
  work: Work,
  submitter: Submitter
): Effect.Effect<{ readonly submission: Submission; readonly submitter: Submitter } | null> =>
  Effect.sync(() => {
    if (work.kind === "pipeline") return null
    const { task } = work
    const configured = new Set(task.launch.configured ?? [])
    const environment = Object.fromEntries(Object.entries(task.environment).filter(([name]) => !configured.has(name)))
    return {
      submission: {
        prompt: task.prompt,
        agent: task.agent,
        model: task.model,
        systemPrompt: task.systemPrompt,
        priority: task.priority,
        directory: task.directory,
        timeoutMs: task.timeoutMs,
        stallMs: task.stallMs,
        maxOutputBytes: task.maxOutputBytes,
        notBefore: null,
        idempotencyKey: null,
        labels: task.labels,
        extra: {},
        retryOf: null,
        maxRetries: task.maxRetries,
        backoffMs: task.backoffMs
      },
      submitter: { ...submitter, environment, depth: Math.max(submitter.depth, task.depth) }
    }
  })
