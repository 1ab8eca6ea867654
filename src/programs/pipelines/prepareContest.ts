/** The contests of steps: what is wrong with them in a file, and the tasks that they become. */
import * as Effect from "effect/Effect"
import { fewestCandidates, mostCandidates } from "../../domain/contest/Contest.ts"
import type { NewCandidate, NewContest } from "../../domain/contest/NewContest.ts"
import { standardEvaluationMs } from "../../domain/loop/LoopRequest.ts"
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import type { FileStep } from "../../domain/pipeline/PipelineFile.ts"
import type { StepContest } from "../../domain/pipeline/PlannedStep.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import type { NewDependency } from "../../domain/task/NewTask.ts"
import { titleOf } from "../../domain/task/Task.ts"
import type { WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { placeAt, plannedTasks } from "../contests/submitContest.ts"
import type { Parsed, Path } from "../files/Document.ts"
import { problem } from "../files/Problems.ts"
import { protectedPaths } from "../loops/protectedPaths.ts"
import { asShellCommand } from "../tasks/asShellCommand.ts"
import { prepareTask, type Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"
import { needsIsolation } from "./isolationProblems.ts"
import type { Placed } from "./order.ts"

const isContest = ({ matrix, times }: FileStep) => times !== undefined || matrix !== undefined

/** Each agent with each model. */
const candidatesOf = ({ matrix, times }: FileStep): StepContest["candidates"] => {
  if (matrix === undefined) return Array.from({ length: times ?? 0 }, () => ({ agent: null, model: null }))
  return (matrix.agent ?? [null]).flatMap((agent) => (matrix.model ?? [null]).map((model) => ({ agent, model })))
}

/** Null: the step is one task. */
export const contestOf = (step: FileStep): StepContest | null =>
  isContest(step)
    ? {
        candidates: candidatesOf(step),
        check: step.best?.check ?? null,
        score: step.best?.score ?? null,
        better: step.best?.better ?? "lower"
      }
    : null

/** The steps that a step follows, directly or not. */
const before = (after: ReadonlyArray<ReadonlyArray<number>>, step: number): ReadonlySet<number> => {
  const found = new Set<number>()
  const visit = (at: number) => {
    for (const next of after[at] ?? []) {
      if (found.has(next)) continue
      found.add(next)
      visit(next)
    }
  }
  visit(step)
  return found
}

interface Written {
  readonly isolate: boolean
  readonly names: ReadonlyArray<string>
  readonly after: ReadonlyArray<ReadonlyArray<number>>
}

/**
 * The steps that would work in the shared workspace at the same time as a step whose result takes the place of all that is in
 * it: work that it did not begin with would be lost.
 */
export const meanwhile = (
  placed: ReadonlyArray<Placed>,
  index: number,
  { after, names }: Pick<Written, "after" | "names">
): { readonly message: string; readonly hint: string } | null => {
  const earlier = before(after, index)
  const others = placed.flatMap(({ step }, at) =>
    at === index || step.workspace === "own" || earlier.has(at) || before(after, at).has(index) ? [] : [names[at] ?? ""]
  )
  const message = `${others.join(", ")} would work in the workspace meanwhile`
  return others.length === 0 ? null : { message, hint: "Add 'workspace: own' there, or 'after'." }
}

export const contestProblems = (
  placed: ReadonlyArray<Placed>,
  { after, isolate, names }: Written,
  parsed: Parsed
): ReadonlyArray<PipelineProblem> => {
  const problems: Array<PipelineProblem> = []
  const add = (path: Path, message: string, hint: string) =>
    problems.push(problem(parsed.keyAt(path), `${nameOf(path)}: ${message}`, hint))
  for (const [index, { path, step }] of placed.entries()) {
    const { best, matrix, times } = step
    if (!isContest(step)) {
      if (best !== undefined) add([...path, "best"], "there are no candidates", "Write 'times: 3' or 'matrix'.")
      continue
    }
    const key = [...path, times === undefined ? "matrix" : "times"]
    const { length } = candidatesOf(step)
    if (!isolate) add(key, "candidates work in workspaces", needsIsolation)
    if (times !== undefined && matrix !== undefined) add(key, "it has a matrix too", "Leave one of them out.")
    else if (length < fewestCandidates || length > mostCandidates)
      add(key, `${length} candidates`, `Give ${fewestCandidates} to ${mostCandidates}.`)
    if (best === undefined || (best.check === undefined && best.score === undefined))
      add(key, "nothing decides which candidate is kept", "Write 'best: { check: npm test }'.")
    else if ((best.score === undefined) !== (best.better === undefined))
      add([...path, "best"], "'score' and 'better' need each other", "Write 'better: lower' or 'better: higher'.")
    for (const name of ["workspace", "gate", "delay"] as const) {
      if (step[name] !== undefined) add([...path, name], "a step with candidates has none", "Leave it out.")
    }
    if ((after[index] ?? []).length > 1)
      add(key, "candidates cannot begin with what several steps left", "Let it follow one step: 'after: NAME'.")
    const others = meanwhile(placed, index, { after, names })
    if (others !== null) add(key, others.message, others.hint)
  }
  return problems
}

/** Replaces what the workspace of the pipeline holds with the candidate that is kept. Its worker sets the variables. */
const choiceScript = (prompt: string, count: number): string =>
  `# Keep the best of ${count}: ${titleOf(prompt)}\necho "Candidate \${BACKBEAT_KEPT:?is chosen inside a pipeline} of ${count} is kept."\n`

/** The submission of the task that hands on what is kept. */
export const choiceOf = (work: Submission, count: number): Submission => ({
  ...asShellCommand(work, choiceScript(work.prompt, count)),
  closing: null
})

interface ContestParts {
  readonly step: StepContest
  /** The work of each candidate, before its agent is set. */
  readonly work: Submission
  readonly setup: string | null
  readonly requests: ReadonlyArray<Extract<WorkspaceRequest, { readonly kind: "new" }>>
  /** The number among the members of the pipeline that its first task gets. */
  readonly first: number
}

interface PreparedContest {
  readonly contest: NewContest
  /** What the choice waits for: the last task of each candidate. */
  readonly edges: ReadonlyArray<NewDependency>
  readonly warnings: ReadonlyArray<string>
}

/** A candidate stops at the first of its tasks that does not complete. */
export const linked = (candidate: NewCandidate, first: number): NewCandidate =>
  candidate.map(({ role, task }, position) => {
    if (position === 0) return { role, task }
    const edge: NewDependency = { upstream: { member: first + position - 1 }, policy: "success" }
    return { role, task: { ...task, dependsOn: [...task.dependsOn, edge] } }
  })

export const prepareContest = Effect.fn("prepareContest")(function* (
  { first, requests, setup, step, work }: ContestParts,
  submitter: Submitter
) {
  const { better, check, score } = step
  const warnings = new Set<string>()
  const [request] = requests
  const protect = request === undefined ? [] : yield* protectedPaths([], [check, score], request)
  const rules = { check, score, better, protect, evaluationMs: standardEvaluationMs }
  const candidates: Array<NewCandidate> = []
  const edges: Array<NewDependency> = []
  let member = first
  for (const [index, place] of requests.entries()) {
    const { agent = null, model = null } = step.candidates[index] ?? {}
    const own = { ...work, agent: agent ?? work.agent, model: model ?? work.model }
    const tasks = yield* Effect.forEach(plannedTasks(own, { rules, setup }), ([role, submission], position) =>
      Effect.map(
        prepareTask({ ...submission, workspace: placeAt(place, position) }, submitter),
        ({ task, warnings: hints }) => {
          for (const hint of hints) warnings.add(hint)
          return { role, task }
        }
      )
    )
    candidates.push(linked(tasks, member))
    member += tasks.length
    edges.push({ upstream: { member: member - 1 }, policy: "finished" })
  }
  const directory = realDirectory(work.directory, submitter.environment)
  const contest: NewContest = { rules, prompt: work.prompt, directory, candidates }
  const prepared: PreparedContest = { contest, edges, warnings: Array.from(warnings) }
  return prepared
})
