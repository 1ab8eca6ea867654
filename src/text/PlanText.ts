/** What an agent is asked that writes a pipeline for a goal, and what it answers with. */
import { fenced } from "./Quote.ts"

const format = `name: short-name
isolate: true              # all steps work in one git workspace; the user merges the result
setup: npm ci              # optional: a shell command that runs in it first
defaults: { timeout: 1h }
steps:
  - name: build            # letters, digits, - and _
    prompt: |
      A task for a coding agent, complete in itself: the goal, the files, how to check the result.
  - name: test
    agent: shell           # runs the prompt as a command; its exit code decides
    prompt: npm test
  - - name: docs           # steps in an inner list run side by side
      workspace: own       # with isolate: a separate workspace for a step that runs at the same time as others
      prompt: Write the documentation of the new command
    - name: lint
      agent: shell
      prompt: npm run lint
  - name: report
    policy: finished       # success (default), finished, failure: which end of the steps before lets it start
    continueFrom: test     # the results of that step go before the prompt
    prompt: Summarize what was done`

/** `draft`: the answer before, and what is wrong with it. */
export const planPrompt = (goal: string, draft: { readonly text: string; readonly problems: string } | null): string =>
  [
    "Write a plan for this goal as a pipeline file of Backbeat. Change no file. Read what you need to know of the repository first.",
    `The goal:\n\n${fenced(goal)}`,
    `The format is YAML. Keys are those of this example and 'agent', 'model', 'directory', 'systemPrompt', 'priority', 'labels', 'timeout', 'stall', 'retries', 'backoff', 'after' (a list of step names), 'delay'. No others:\n\n${fenced(format)}`,
    "Use few steps: each agent starts without knowledge of the others. Let a shell step check each result that can be checked. Answer with the YAML alone, in one fenced block.",
    ...(draft === null
      ? []
      : [
          `This draft of yours is not valid:\n\n${fenced(draft.text)}`,
          `What is wrong with it:\n\n${fenced(draft.problems)}`,
          "Answer with the corrected file."
        ])
  ].join("\n\n")

/** The texts of the fenced blocks. One that is not closed reaches to the end. */
const blocksIn = (text: string): ReadonlyArray<string> => {
  const blocks: Array<Array<string>> = []
  let fence = ""
  for (const line of text.split("\n")) {
    const found = /^(?:`{3,}|~{3,})/.exec(line)?.[0] ?? ""
    if (fence === "" && found !== "") {
      fence = found
      blocks.push([])
    } else if (fence !== "" && found.startsWith(fence) && line.trimEnd() === found) fence = ""
    else if (fence !== "") blocks.at(-1)?.push(line)
  }
  return blocks.map((lines) => lines.join("\n"))
}

/** The largest fenced block of an answer, else all of it. */
export const planIn = (answer: string): string => {
  const [largest] = Array.from(blocksIn(answer)).sort((left, right) => right.length - left.length)
  return `${(largest ?? answer).trim()}\n`
}
