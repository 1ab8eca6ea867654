/** The environment that the shim's shell runs with: the agent's, without what a shell acts on or loses. */
import { accessSync, constants, realpathSync } from "node:fs"
import { basename } from "node:path"
import type { Environment } from "../../../domain/task/NewTask.ts"

interface ShimEnvironment {
  /** The shell, and what it is given before `-c`. */
  readonly shell: readonly [string, ...ReadonlyArray<string>]
  readonly environment: Environment
  /** How many variables are in it as `backbeat_aside_1`, `backbeat_aside_2`, ... instead, each as NAME=VALUE. */
  readonly aside: number
}

const isIdentifier = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

/** What makes a shell run other commands than those of its text. Bash before 4.3 took any value for a function. */
const actsOnShell = (name: string, value: string): boolean =>
  ["SHELLOPTS", "BASHOPTS", "BASH_ENV", "BASH_XTRACEFD", "BASH_COMPAT", "POSIXLY_CORRECT", "TMOUT"].includes(name) ||
  name.startsWith("BASH_FUNC_") ||
  value.startsWith("() {")

/** Bash hands on variables whose names are not identifiers; dash and busybox drop them. */
const bash = (): string | null => {
  for (const path of ["/bin/sh", "/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"]) {
    try {
      accessSync(path, constants.X_OK)
      if (basename(realpathSync(path)) === "bash") return path
    } catch {
      // Not there.
    }
  }
  return null
}

export const shimEnvironment = (agent: Environment): ShimEnvironment => {
  const kept: Array<readonly [string, string]> = []
  const aside: Array<string> = []
  for (const [name, value] of Object.entries(agent)) {
    if (actsOnShell(name, value)) aside.push(`${name}=${value}`)
    else kept.push([name, value])
  }
  const odd = kept.some(([name]) => !isIdentifier(name)) ? bash() : null
  return {
    shell: odd === null ? ["/bin/sh"] : [odd, "--posix"],
    environment: Object.fromEntries([...kept, ...aside.map((text, at) => [`backbeat_aside_${at + 1}`, text] as const)]),
    aside: aside.length
  }
}
