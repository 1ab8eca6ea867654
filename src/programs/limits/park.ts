/** Parks a task whose agent met a usage limit or a spent budget, or waits for a person, and starts it again in its session. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { SpawnFailed } from "../../domain/Errors.ts"
import { decidePark, limitMet } from "../../domain/limits/Parking.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Outcome } from "../../domain/task/Outcome.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { Agents } from "../../services/Agents.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Gates } from "../../services/Gates.ts"
import { Questions } from "../../services/Questions.ts"
import { type ClaimedTask, type Held, type Parking, Queue } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import { Tasks } from "../../services/Tasks.ts"
import { TerminalEvents } from "../../services/TerminalEvents.ts"
import { Wakes } from "../../services/Wakes.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { inRoundSession } from "../loops/inRoundSession.ts"
import { parkForPerson } from "../questions/parkForPerson.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"
import { prepareTask } from "../tasks/prepareTask.ts"
import { resubmit } from "../tasks/resubmit.ts"
import { timeLeft } from "../timeLeft.ts"
import { sealTask } from "../workspaces/sealTask.ts"
import { freshStart, hasBegun, wasServed } from "./freshStart.ts"
import { promptForAnother } from "./promptForAnother.ts"

type ParkChoice =
  | {
      readonly _tag: "Park"
      readonly parking: Parking
      /** Why it does not start again until a person says so. */
      readonly hold?: string
    }
  /** It ends. `reason` is added to its error where it has waited for limits before. */
  | { readonly _tag: "End"; readonly reason: string | null }

export const notParked: ParkChoice = { _tag: "End", reason: null }

export interface Ended {
  readonly claimed: Held
  readonly claim: Claim
  readonly result: Outcome
  readonly settings: Settings
}

/** How agents say that they do not know a session. */
const unknownSession =
  /no (?:saved )?(?:conversation|session|rollout|thread)|(?:session|conversation|thread)[^.]{0,60}not (?:be )?found/i

/** It failed before any answer, in the session in which it was to continue, and says that it does not know it. */
const hasLostSession = Effect.fn("park.hasLostSession")(function* (
  { claim, task }: Held,
  result: Outcome,
  session: string | null
) {
  if (session === null || result.status !== "failed" || task.continuation === "session") return false
  const error = result.error ?? ""
  if (!error.includes(session) && !unknownSession.test(error)) return false
  return !(yield* wasServed({ claim, task }))
})

/**
 * What the run has asked for. The lead of a goal that ends its turn while tasks of it are open is woken once all the same:
 * what they do would be lost.
 */
const wakeOf = Effect.fn("park.wakeOf")(function* ({ task }: Held, claim: Claim, result: Outcome) {
  const wakes = yield* Wakes
  const asked = yield* wakes.askedIn(claim.claimId)
  if (Option.isSome(asked) || task.goalId === null || task.parentId !== null) return asked
  if (result.status !== "completed") return asked
  const questions = yield* (yield* Questions).ofTask(task.id)
  // It waits for a person first: the answer continues its session, and this is asked again at the end of that turn.
  if (questions.some(({ state }) => state === "open" || state === "answered")) return asked
  return yield* wakes.ask({ taskId: task.id, ids: [], groups: [], mode: "all", askedBy: "backbeat" }).pipe(
    Effect.asSome,
    Effect.catchTag("WakeRefused", () => Effect.succeedNone)
  )
})

/** What happens to a task whose turn has ended: parked where it met a usage limit and may wait for it, or waits for a person. */
export const parkingOf = Effect.fn("parkingOf")(
  function* ({ claim, claimed, result, settings }: Ended) {
    const met = limitMet(result)
    const { task } = claimed
    const wakes = yield* Wakes
    const asked = yield* wakeOf(claimed, claim, result)
    const spent = claim.stopCause === "budget" && result.status === "failed"
    const tasks = yield* Tasks
    const agents = yield* Agents
    const woken = task.wakes > 0 && Option.isSome(yield* wakes.wokenIn(claim.claimId))
    const sessionId = result.sessionId ?? task.sessionId
    const continues = sessionId !== null && (yield* agents.resumes(task.agent, sessionId))
    const left = yield* timeLeft(claim)
    const timeLeftMs = Number.isFinite(left) ? Math.max(1, Math.round(left)) : null
    const { spending } = result
    const unlimited = { limit: false, resetsAt: null, credit: false, timeLeftMs, spending }
    if (met === null && !spent) {
      const told = result.status === "completed" || !woken || (yield* wasServed(claimed))
      const turn = { claimed, claim, result, timeLeftMs, told, wake: Option.isSome(asked) }
      const waiting = yield* parkForPerson(turn)
      if (waiting !== null) return { _tag: "Park", parking: waiting } satisfies ParkChoice
    }
    if (met === null && result.status === "completed" && Option.isSome(asked)) {
      const parking: Parking = {
        ...unlimited,
        wake: true,
        told: true,
        prompt: null,
        ...(continues ? { sessionId, launch: null } : yield* freshStart(claimed))
      }
      return { _tag: "Park", parking } satisfies ParkChoice
    }
    /** In its session, where there is something to continue. */
    const takingUp = Effect.gen(function* () {
      const { resumeSession } = yield* (yield* Queue).captured(task.id)
      const resumes = continues && (woken || (yield* hasBegun(claimed, resumeSession !== null)))
      return {
        wake: Option.isSome(asked),
        told: !woken || (yield* wasServed(claimed)),
        prompt: null,
        ...(resumes ? { sessionId, launch: null } : yield* freshStart(claimed))
      }
    })
    if (spent) {
      const parking: Parking = { ...unlimited, budget: true, ...(yield* takingUp) }
      const loses = !continues && (!(yield* agents.hasSessions(task.agent)) || (yield* wasServed(claimed)))
      // It would spend the next period on the same work, be ended again, and so on.
      const hold = `a budget ended it, and its agent has no session to continue in: it would begin again`
      return { _tag: "Park", parking, ...(loses ? { hold } : {}) } satisfies ParkChoice
    }
    if (met === null) {
      if (result.status !== "failed") return notParked
      const { resumeSession } = yield* (yield* Queue).captured(task.id)
      const session = woken ? yield* wakes.sessionOf(task.id) : resumeSession
      if (!(yield* hasLostSession(claimed, result, session))) return notParked
      const fresh = yield* freshStart(claimed)
      // A round that was to continue the session of the one before: it begins as a first round does.
      if (task.parks === 0 && !woken && (yield* inRoundSession(task.id))) {
        const again: Parking = { ...unlimited, wake: false, told: false, prompt: null, ...fresh }
        return { _tag: "Park", parking: again } satisfies ParkChoice
      }
      // Without a limit before, it was a pause or a question that its turn ended for.
      const why = woken ? "ended its turn to wait for its tasks" : task.parks === 0 ? "was stopped" : undefined
      const prompt = yield* promptForAnother(task, why)
      const parking: Parking = {
        ...unlimited,
        wake: false,
        told: false,
        prompt,
        ...fresh
      }
      return { _tag: "Park", parking } satisfies ParkChoice
    }
    const byLimits = (yield* tasks.parks(task.id)).filter(({ account }) => account !== null)
    const choice: ParkChoice | { readonly _tag: "Park" } = decidePark({
      task: { ...task, parks: byLimits.length },
      maxParks: settings.maxParks,
      firstParkedAt: byLimits[0]?.at ?? null,
      now: yield* Clock.currentTimeMillis
    })
    if (choice._tag === "End") return choice
    const parking: Parking = {
      limit: true,
      resetsAt: result.failureResetAt,
      credit: met === "credit",
      timeLeftMs,
      spending,
      ...(yield* takingUp)
    }
    return { _tag: "Park", parking } satisfies ParkChoice
  },
  Effect.catchTag("TaskNotFound", () => Effect.succeed(notParked)),
  retryWhileStorageFails
)

/** The account that counts for a start now, where a login was changed since the submit; null: it is the same. */
export const otherAccount = Effect.fn("park.otherAccount")(function* ({ environment, task }: ClaimedTask) {
  if (task.account === null) return null
  const agents = yield* Agents
  const { agent, directory, model } = task
  const now = yield* agents.account(agent, { model, environment, directory }).pipe(
    // A configuration that cannot be read by now does not keep the task from its start.
    Effect.catchTag("ConfigInvalid", () => Effect.succeed(null))
  )
  return now === null || now.key === task.account ? null : now
})

/** Why it is in the queue again. */
const parkWords = ({ budget, launch, limit, wake }: Parking, stopCause: Claim["stopCause"]): string => {
  const where = launch === null ? ", in its session" : ""
  if (budget === true) return `waits for a budget${where}`
  if (limit) return `waits for a usage limit to end${where}`
  if (wake) return "waits for tasks that it delegated"
  if (stopCause === "paused") return `is paused${where}`
  return launch === null ? "waits for a person, in its session" : "starts again from the beginning"
}

/**
 * Puts it back into the queue, and clears the spool. Accepts an end of the same claim by another worker. What the turn left is
 * sealed first: a parked task can be cancelled at any time, and that ends it without a worker.
 */
export const park = Effect.fn("park")(function* (claimed: Held, parking: Parking, holder: Holder, hold?: string) {
  const queue = yield* Queue
  const spawner = yield* Spawner
  const events = yield* TerminalEvents
  yield* failpoint("park.decided")
  yield* sealTask(claimed)
  if (hold !== undefined) {
    const gates = yield* Gates
    const gate = {
      scope: "task",
      name: claimed.task.id,
      until: null,
      reason: hold,
      by: "backbeat",
      freeze: false
    } as const
    yield* retryWhileStorageFails(gates.close(gate))
  }
  const ended = yield* retryWhileStorageFails(queue.park(holder, parking)).pipe(
    Effect.catchTag("TaskStateConflict", (conflict) =>
      Effect.as(Effect.logInfo(`not ours to park any more: ${conflict.message}`), null)
    )
  )
  if (ended === null) return
  yield* spawner.discard(claimed.claim.claimId)
  yield* failpoint("park.discarded")
  if (Option.isSome(ended)) yield* events.publish(ended.value)
  yield* Effect.logInfo(
    Option.isSome(ended)
      ? `task ${claimed.task.id} ${ended.value.status}`
      : `task ${claimed.task.id} ${parkWords(parking, claimed.claim.stopCause)}`
  )
})

/** The start of a task that continues in its session. The stored prompt and launch stay as they are. */
export const continuation = Effect.fn("park.continuation")(function* (
  claimed: ClaimedTask,
  session: string,
  prompt: string
) {
  const { task } = claimed
  return yield* Effect.gen(function* () {
    const { environment, submission } = yield* resubmit(task)
    const prepared = yield* prepareTask(
      {
        ...submission,
        prompt,
        resume: session,
        continuation: "session",
        continueFrom: null,
        dependsOn: []
      },
      { environment, taskId: task.parentId, depth: task.depth }
    )
    // The session has the system prompt already.
    const { promptPrefix: _said, ...launch } = prepared.task.launch
    return { ...claimed, launch, environment: prepared.task.environment, task: { ...task, prompt } }
  }).pipe(
    Effect.catchTags({
      AgentMissing: ({ program }) => new SpawnFailed({ reason: "program-missing", subject: program, detail: "" }),
      AgentUnknown: ({ agent }) => new SpawnFailed({ reason: "program-missing", subject: agent, detail: "" }),
      ConfigInvalid: (error) => new SpawnFailed({ reason: "system", subject: task.agent, detail: error.message }),
      InvalidInput: (error) => new SpawnFailed({ reason: "system", subject: task.agent, detail: error.message }),
      NoDefaultAgent: (error) => new SpawnFailed({ reason: "system", subject: task.agent, detail: error.message }),
      OutsideTask: (error) => new SpawnFailed({ reason: "system", subject: task.agent, detail: error.message }),
      TaskNotFound: (error) => new SpawnFailed({ reason: "system", subject: task.agent, detail: error.message })
    })
  )
})
