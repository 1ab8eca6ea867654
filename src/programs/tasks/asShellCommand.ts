/** The same work with a shell command in place of its agent, such as its setup or its evaluation: same directory, settings and labels. */
import type { Submission } from "./prepareTask.ts"

export const asShellCommand = (work: Submission, command: string): Submission => ({
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
