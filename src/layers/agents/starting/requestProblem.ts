/** Checks what is asked of an agent: texts that no program can be given, and what is too long. */
import { Buffer } from "node:buffer"
import { InvalidInput } from "../../../domain/Errors.ts"
import { shownValue } from "../../../domain/SchemaProblems.ts"
import { maxPromptBytes } from "../../../domain/task/Task.ts"
import type { PrepareRequest } from "../../../services/Agents.ts"

/** The ids of all agents look like this. It comes from what an agent printed, and must not be taken for an option. */
export const sessionPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/

/** What is wrong with a request before anything is looked up; null if nothing is. */
export const requestProblem = (request: PrepareRequest): InvalidInput | null => {
  const invalid = (field: string, problem: string, example: string | null = null) =>
    new InvalidInput({ field, problem, example })
  if (request.prompt.trim().length === 0) return invalid("prompt", "is empty", 'beat run "fix the failing test"')
  if (Buffer.byteLength(request.prompt) > maxPromptBytes) {
    return invalid("prompt", `is longer than ${maxPromptBytes} bytes; put the material into a file and name it`)
  }
  const texts = [
    ["model", request.model],
    ["systemPrompt", request.systemPrompt],
    ["directory", request.directory]
  ] as const
  for (const [field, value] of texts) {
    if (value?.includes("\0") === true) return invalid(field, "holds a NUL character, which no program can be given")
  }
  for (const [name, value] of Object.entries(request.extra)) {
    // What follows `=` in a name was meant as the value, which is not shown.
    const shown = shownValue(name.replace(/=[\s\S]*/, "=…"))
    if (name === "" || /[=\0]/.test(name)) {
      return invalid("env", `${shown} cannot be the name of a variable: it is empty, or has '=' or NUL in it`)
    }
    if (value.includes("\0")) {
      return invalid("env", `the value of ${shown} has a NUL character, which no program can be given`)
    }
  }
  if (request.resume !== undefined && !sessionPattern.test(request.resume)) {
    return invalid("session", "is not an id that an agent gives its sessions")
  }
  return null
}
