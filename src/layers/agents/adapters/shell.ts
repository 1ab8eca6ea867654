/** The shell: the prompt is a script for `/bin/sh`. */
import type { Agent, Evidence, Verdict } from "../../../domain/task/Agent.ts"
import { plain } from "../reading/Show.ts"
import { judgeCommand } from "../starting/Command.ts"

/**
 * `> /dev/stderr` opens the file behind the stream again and empties it; `>&2` writes to the open stream. The stream is a
 * file so that output survives every process of Backbeat.
 */
const emptiesItsOutput = (script: string): boolean =>
  /(^|[^>])>\|?\s*\/dev\/(stdout|stderr|fd\/[12])\b/.test(script) ||
  /\btee\s+(?!-\S*a)[^|;&\n]{0,1000}\/dev\/(stdout|stderr)\b/.test(script)

export const shell: Agent = {
  name: "shell",
  title: "Shell command",
  program: "/bin/sh",
  install: null,
  login: null,
  credentialVariables: [],
  loginFiles: [],
  resumes: false,
  // The command is not there, or cannot be run (POSIX, Shell Command Language, 2.8.2).
  finalExitCodes: [126, 127],
  plan: (request) => {
    const args = request.settings.args ?? []
    return {
      launch: {
        file: request.program,
        // In a file: its length has no limit, and `ps` does not show it.
        args: [...args, "{promptFile}"],
        promptAt: [args.length],
        stdin: request.steer ? "lines" : "none"
      },
      environment: {},
      sessionId: null,
      warnings: [
        ...(request.model === null ? [] : ["The shell agent has no model: -m is ignored."]),
        ...(request.systemPrompt === null ? [] : ["The shell agent takes no system prompt: it is ignored."]),
        ...(emptiesItsOutput(request.prompt)
          ? ["'> /dev/stderr' empties what was printed there before: write '>&2' (for stdout '>&1'), or '>>'."]
          : [])
      ]
    }
  },
  renderer: plain
}

/** Judges by its stream and its exit code whether it did its work. */
export const verdict = (evidence: Evidence): Verdict => judgeCommand(shell, evidence)
