/** Submits a contest: each candidate with a workspace, its work and its evaluations. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Contest, ContestRules } from "../../domain/contest/Contest.ts"
import type { CandidateRole } from "../../domain/contest/NewContest.ts"
import type { StorageError, WorkerUnavailable } from "../../domain/Errors.ts"
import type { WorkspaceRequest } from "../../domain/workspace/Workspace.ts"
import { Contests } from "../../services/Contests.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { protectedPaths } from "../loops/protectedPaths.ts"
import { asShellCommand } from "../tasks/asShellCommand.ts"
import { prepareTask, type Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { planWorkspaces } from "../workspaces/planWorkspace.ts"
import { realDirectory } from "../workspaces/realDirectory.ts"

export interface SubmittedContest {
  readonly contest: Contest
  /** Hints about the agents, for the submitter. */
  readonly warnings: ReadonlyArray<string>
  /** Whether a worker was launched for it. */
  readonly launched: boolean
  /** The contest is stored and safe, but no worker could be started yet. */
  readonly problem: Option.Option<WorkerUnavailable | StorageError>
}

export interface Entry {
  readonly rules: ContestRules
  /** How many candidates there are. */
  readonly times: number
  /** The candidates take turns with these; null is the default agent. */
  readonly agents: ReadonlyArray<string | null>
  /** A shell command that runs in each workspace first. */
  readonly setup: string | null
  /** What the workspaces are cut from: `HEAD`, `tree`, a revision or a task. */
  readonly base: string
}

type Planned = readonly [role: CandidateRole, submission: Submission]

/** The tasks of one candidate. */
export const plannedTasks = (
  work: Submission,
  { rules, setup }: Pick<Entry, "rules" | "setup">
): ReadonlyArray<Planned> => {
  const evaluation = (command: string): Submission => ({
    ...asShellCommand(work, command),
    timeoutMs: rules.evaluationMs,
    notBefore: null,
    dependsOn: []
  })
  return [
    ...(setup === null ? [] : [["setup", asShellCommand(work, setup)] as const]),
    ["work", work],
    ...(rules.check === null ? [] : [["check", evaluation(rules.check)] as const]),
    ...(rules.score === null ? [] : [["score", evaluation(rules.score)] as const])
  ]
}

/** The first task of a candidate stores the workspace, and the others find it. */
export const placeAt = (
  request: Extract<WorkspaceRequest, { readonly kind: "new" }>,
  position: number
): WorkspaceRequest => (position === 0 ? request : { kind: "existing", id: request.id, startCommit: null })

/** Returns after the commit. */
export const submitContest = Effect.fn("submitContest")(function* (
  given: Submission,
  entry: Entry,
  submitter: Submitter
) {
  const contests = yield* Contests
  const { maxDepth } = yield* (yield* SettingsStore).get
  const directory = realDirectory(given.directory, submitter.environment)
  const { notes, requests } = yield* planWorkspaces(directory, entry.base, entry.times)
  const { check, protect, score } = entry.rules
  const [first] = requests
  const paths = first === undefined ? protect : yield* protectedPaths(protect, [check, score], first)
  const rules: ContestRules = { ...entry.rules, protect: paths }
  const warnings = new Set<string>(notes)
  const candidates = yield* Effect.forEach(requests, (request, index) => {
    const agent = entry.agents[index % entry.agents.length] ?? null
    return Effect.forEach(plannedTasks({ ...given, agent }, entry), ([role, submission], position) =>
      Effect.map(
        prepareTask({ ...submission, workspace: placeAt(request, position) }, submitter),
        ({ task, warnings: hints }) => {
          for (const hint of hints) warnings.add(hint)
          return { role, task }
        }
      )
    )
  })
  const contest = yield* contests.create({ rules, prompt: given.prompt, directory, candidates }, { maxDepth })
  const served = yield* Effect.either(ensureWorker())
  const result: SubmittedContest = {
    contest,
    warnings: Array.from(warnings),
    launched: served._tag === "Right" && served.right,
    problem: served._tag === "Left" ? Option.some(served.left) : Option.none()
  }
  return result
})
