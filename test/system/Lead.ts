/** A home whose `claude` follows a script and speaks MCP: what it did is in its journal. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert } from "vitest"
import { Beat, binary } from "./Beat.ts"

const program = resolve(import.meta.dirname, "scriptedLead.cjs")

export interface Noted {
  readonly at: number
  readonly session: string
  readonly what: "turn" | "request" | "tool" | "sh"
  readonly turn?: number
  readonly prompt?: string
  readonly wake?: string
  readonly tool?: string
  readonly isError?: boolean
  readonly text?: string
  readonly output?: string
}

export type Step =
  | { readonly tool: string; readonly args?: object }
  | { readonly sh: string }
  | { readonly say: string }

/** A command for a task of a lead that begins once the lead has asked to be woken: before, there may be nothing to wait for. */
export const onceWaiting = (command: string) => `until test -e "$LEAD_HOME/waiting"; do sleep 0.05; done; ${command}`

export const scriptedLead = (
  turns: ReadonlyArray<ReadonlyArray<Step>>,
  settings: Readonly<Record<string, string>> = {}
) => {
  const beat = new Beat(settings)
  const bin = join(beat.home, "bin")
  const home = mkdtempSync(join(beat.home, "lead-"))
  mkdirSync(bin)
  symlinkSync(program, join(bin, "claude"))
  writeFileSync(join(home, "turns.json"), JSON.stringify(turns))
  const env = {
    PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`,
    LEAD_HOME: home,
    LEAD_BEAT: binary,
    ANTHROPIC_API_KEY: "sk-test"
  }
  const journal = (): ReadonlyArray<Noted> => {
    const file = join(home, "journal")
    return existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          // What follows the last line break is being written.
          .slice(0, -1)
          .map((line) => JSON.parse(line))
      : []
  }
  const submit = async (args: ReadonlyArray<string> = [], cwd = beat.home) => {
    const { code, stderr, stdout } = await beat.run(["run", "-a", "claude", ...args, "lead the work"], { env, cwd })
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  return {
    beat,
    env,
    journal,
    submit,
    tools: () => journal().filter(({ what }) => what === "tool"),
    turns: () => journal().filter(({ what }) => what === "turn")
  }
}
