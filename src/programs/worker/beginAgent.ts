/** Starts the agent of a new claim, with the results that its task continues from, and records the state at the start. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { SpawnFailed } from "../../domain/Errors.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Agents } from "../../services/Agents.ts"
import { Checkpoints } from "../../services/Checkpoints.ts"
import { count } from "../../services/Counters.ts"
import { Git } from "../../services/Git.ts"
import type { ClaimedTask } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { type Holder, WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { continuation } from "../limits/park.ts"
import { isUnheardRound } from "../loops/inRoundSession.ts"
import { roundPrompt } from "../loops/roundPrompt.ts"
import { promptWithAnswers, turnPrompt } from "../questions/turnPrompt.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { wakePrompt, withWake } from "../wakes/wakePrompt.ts"
import { enterWorkspace } from "../workspaces/enterWorkspace.ts"
import { promptAtStart } from "./promptAtStart.ts"

/** Records the commit of the repository. Runs in parallel with the start, which does not wait for it. */
export const recordHead = Effect.fn("recordHead")(function* (claimed: ClaimedTask) {
  const git = yield* Git
  const checkpoints = yield* Checkpoints
  const head = yield* git.head(claimed.task.directory)
  if (head !== null) yield* retryWhileStorageFails(checkpoints.started(claimed.claim.claimId, head))
})

/** What an agent is asked that begins a session. */
const promptOf = Effect.fn("startAgent.prompt")(function* (
  claimed: ClaimedTask,
  wake: { readonly text: string } | null
) {
  const prompt = withWake(yield* roundPrompt(claimed, yield* promptAtStart(claimed)), wake, claimed)
  return yield* promptWithAnswers(claimed, prompt)
})

/** The prompt in a session that exists. */
const inSession = Effect.fn("startAgent.inSession")(function* (
  claimed: ClaimedTask,
  session: string,
  wake: { readonly text: string } | null
) {
  if (!(yield* isUnheardRound(claimed))) return yield* continuation(claimed, session, yield* turnPrompt(claimed, wake))
  const prompt = yield* promptOf(claimed, wake)
  const resumes = yield* (yield* Agents).resumes(claimed.task.agent, session)
  return resumes ? yield* continuation(claimed, session, prompt) : { ...claimed, task: { ...claimed.task, prompt } }
})

/** Starts the agent and returns the claim row as it is then. An agent that cannot be started is a `SpawnFailed`. */
const startAgent = Effect.fn("startAgent")(function* (unplaced: ClaimedTask, worker: Worker, settings: Settings) {
  const registry = yield* WorkerRegistry
  const spawner = yield* Spawner
  const began = yield* elapsedMs
  const claimed = yield* enterWorkspace(unplaced, settings)
  const wake = yield* wakePrompt(claimed)
  const session = claimed.resumeSession
  const asked =
    session === null
      ? { ...claimed, task: { ...claimed.task, prompt: yield* promptOf(claimed, wake) } }
      : yield* inSession(claimed, session, wake)
  const environment = wake === null ? asked.environment : { ...asked.environment, BACKBEAT_WAKE: String(wake.n) }
  const process = yield* spawner.start({ ...asked, environment }, worker.process)
  yield* count("start_time", (yield* elapsedMs) - began)
  return yield* retryWhileStorageFails(
    registry.started({ claimId: claimed.claim.claimId, workerId: worker.id }, process)
  )
})

/** The delay before another start is tried, in milliseconds, where the obstacle may go away. */
export const startAgainMs = 5000

/** Temporary errors, such as a full disk: no reason to end the task. */
const passing = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETIMEDOUT"])
const passesLater = ({ detail, reason }: SpawnFailed) =>
  reason === "spool" || (reason === "system" && passing.has(detail))

/** Notes what keeps an agent from starting; null: the same as before. On a full disk the note may fail as well. */
export const noteFailure = (holder: Holder, message: string | null) =>
  Effect.flatMap(WorkerRegistry, (registry) => Effect.ignoreLogged(registry.startFailed(holder, message)))

/**
 * Starts the agent of a fresh claim. What may pass is noted, and the claim returns as it was after a pause: the task goes
 * back to the queue once it is sure not to run. A cancel ends the wait: the spool shows whether it has started.
 */
export const beginAgent = Effect.fn("beginAgent")(function* (
  claimed: ClaimedTask,
  worker: Worker,
  settings: Settings,
  cancelled: Deferred.Deferred<void>
) {
  const holder = { claimId: claimed.claim.claimId, workerId: worker.id }
  return yield* startAgent(claimed, worker, settings).pipe(
    Effect.catchIf(
      (error) => error._tag === "SpawnFailed" && passesLater(error),
      (error) =>
        Effect.logWarning(`not started yet: ${error.message}`).pipe(
          Effect.zipRight(noteFailure(holder, error.message)),
          Effect.zipRight(Effect.sleep(startAgainMs)),
          Effect.as(claimed.claim)
        )
    ),
    Effect.raceFirst(Effect.as(Deferred.await(cancelled), claimed.claim))
  )
})
