/** A shell command that belongs to a piece of work, such as its setup or its evaluation, in the same place. */
import type { Submission } from "./prepareTask.ts"

export const shellBeside = (work: Submission, command: string): Submission => ({
  ...work,
  prompt: command,
  piped: null,
  agent: "shell",
  model: null,
  systemPrompt: null,
  stallMs: null,
  idempotencyKey: null,
  continueFrom: null,
  maxRetries: 0
})
