/** What a pipeline file says about workspaces: its problems, its setup as a step, and which steps take turns. */

import { isObject } from "../../domain/isObject.ts"
import type { PipelinePlan, PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import type { PlannedStep } from "../../domain/pipeline/PlannedStep.ts"
import { plainStep } from "../../domain/pipeline/plainStep.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import type { Parsed, Path } from "../files/Document.ts"
import { problem } from "../files/Problems.ts"
import type { Placed } from "./order.ts"

/** The name of the step that runs the setup. */
const setupName = "setup"

interface Written {
  readonly isolate: boolean
  readonly setup: string | null
  readonly names: ReadonlyArray<string>
  readonly after: ReadonlyArray<ReadonlyArray<number>>
}

export const needsIsolation = "Write 'isolate: true' at the top of the file."

export const isolationProblems = (
  content: Readonly<Record<string, unknown>>,
  placed: ReadonlyArray<Placed>,
  { after, isolate, names, setup }: Written,
  parsed: Parsed
): ReadonlyArray<PipelineProblem> => {
  const problems: Array<PipelineProblem> = []
  const add = (path: Path, message: string, hint: string) =>
    problems.push(problem(parsed.keyAt(path), `${nameOf(path)}: ${message}`, hint))
  if (setup !== null && !isolate) add(["setup"], "there is no workspace to run it in", needsIsolation)
  if (isolate && isObject(content.defaults) && content.defaults.directory !== undefined)
    add(["defaults", "directory"], "the steps work in the workspace", "Leave it out.")
  for (const [index, { path, step }] of placed.entries()) {
    if (isolate && step.directory !== undefined)
      add([...path, "directory"], "the steps work in the workspace", "Leave it out.")
    if (setup !== null && names[index] === setupName)
      add([...path, "name"], `'${setupName}' is the name of the step that runs the setup`, "Choose another name.")
    if (step.workspace === undefined) continue
    if (!isolate) add([...path, "workspace"], "the steps work in the directory itself", needsIsolation)
    else if ((after[index] ?? []).length > 1)
      add([...path, "workspace"], "it cannot be cut from several steps", "Let it follow one step: 'after: NAME'.")
  }
  return problems
}

/** The setup is the first step, and the steps that follow no other follow it. */
export const withSetup = (steps: ReadonlyArray<PlannedStep>, command: string): ReadonlyArray<PlannedStep> => {
  const setup = { ...plainStep({ name: setupName, prompt: command, stage: 0, after: [] }), agent: "shell" }
  const moved = steps.map((step) => ({
    ...step,
    stage: step.stage + 1,
    ...(step.after.length === 0
      ? { after: [0], policy: "success" as const }
      : { after: step.after.map((place) => place + 1) }),
    continueFrom: step.continueFrom === null ? null : step.continueFrom + 1
  }))
  return [setup, ...moved]
}

/** The names of steps that could run side by side, but take turns in the workspace that they share. */
export const takingTurns = ({ isolate, steps }: PipelinePlan): ReadonlyArray<ReadonlyArray<string>> => {
  if (!isolate) return []
  const stages = new Map<number, Array<string>>()
  for (const { contest, name, stage, workspace } of steps) {
    if (workspace === null && contest === null) stages.set(stage, [...(stages.get(stage) ?? []), name])
  }
  return Array.from(stages.values()).filter(({ length }) => length > 1)
}
