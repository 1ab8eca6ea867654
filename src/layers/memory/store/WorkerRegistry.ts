/** The registry of workers and workers over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { isTerminal } from "../../../domain/task/Task.ts"
import type { WorkerId } from "../../../domain/worker/Worker.ts"
import { WorkerRegistry } from "../../../services/WorkerRegistry.ts"
import { changeHeld, held } from "./claimGuard.ts"
import { changed, claimWith, put, type State, Store, without } from "./Store.ts"

type When = "always" | "idle" | { readonly superseded: WorkerId }

/** Of the pretended database. */
export const schema = 1

const mayLeave = (state: State, when: When): boolean => {
  if (when === "always") return true
  if (when !== "idle") return state.workers.has(when.superseded)
  if (Array.from(state.schedules.values()).some(({ schedule }) => schedule.status === "active")) return false
  return !Array.from(state.tasks.values()).some(
    ({ task }) => (task.status === "queued" && task.waitingOn === 0 && task.asks === 0) || task.status === "running"
  )
}

const later = (deadline: number | null, ms: number): number | null =>
  deadline === null ? null : Math.min(deadline + ms, Number.MAX_SAFE_INTEGER)

const make = Effect.gen(function* () {
  const store = yield* Store

  return WorkerRegistry.of({
    register: (worker) =>
      store.write((state) =>
        Either.right([undefined, { ...state, workers: put(state.workers, worker.id, worker) }] as const)
      ),

    schema: Effect.succeed({ known: schema, stored: schema }),

    // The fake store has no notices and no deliveries.
    stillness: (id) =>
      store.read((state) => {
        const fires = Array.from(state.schedules.values()).flatMap(({ schedule }) => schedule.nextFireAt ?? [])
        return {
          schema,
          listed: state.workers.has(id) ? 1 : 0,
          workers: state.workers.size,
          open: Array.from(state.tasks.values()).filter(({ task }) => !isTerminal(task.status)).length,
          lastEnd: state.outbox.at(-1)?.seq ?? 0,
          lastNotice: 0,
          messages: state.messages.some((message) => message.state === "stored") ? 1 : 0,
          deliveries: 0,
          nextFireAt: fires.length === 0 ? null : Math.min(...fires)
        }
      }),

    leave: (id, when) =>
      store.write((state) =>
        Either.right(
          state.workers.has(id) && mayLeave(state, when)
            ? ([true, { ...state, workers: without(state.workers, id) }] as const)
            : ([false, state] as const)
        )
      ),

    workers: store.read((state) =>
      Array.from(state.workers.values()).sort((left, right) => left.startedAt - right.startedAt)
    ),

    claims: store.read((state) =>
      Array.from(state.claims.values()).sort((left, right) => left.claimedAt - right.claimedAt)
    ),

    claimOf: (taskId) => store.read((state) => Option.fromNullable(state.claims.get(taskId))),

    started: (holder, process) =>
      store.write((state, now) =>
        changeHeld(state, holder, "start", (claim) => ({
          ...claim,
          state: "running",
          process,
          bootId: process.bootId,
          runningAt: claim.runningAt ?? now
        }))
      ),

    stopping: (holder, cause) =>
      store.write((state, now) =>
        changeHeld(state, holder, "stop", (claim) =>
          claim.stopCause === null ? { ...claim, stopCause: cause, stopAt: now } : claim
        )
      ),

    postpone: (holder, sleptMs) =>
      store.write((state) =>
        changeHeld(state, holder, "postpone", (claim) => ({
          ...claim,
          deadlineUptime: later(claim.deadlineUptime, sleptMs)
        }))
      ),

    freezing: (holder, uptimeMs) =>
      store.write((state) =>
        changeHeld(state, holder, "freeze", (claim) => ({
          ...claim,
          frozenUptime: claim.frozenUptime ?? Math.floor(uptimeMs)
        }))
      ),

    frozen: (holder) =>
      store.write((state, now) =>
        Either.map(
          held(state, holder, "freeze"),
          ({ taskId }) =>
            [undefined, changed(state, taskId, { frozenAt: state.tasks.get(taskId)?.task.frozenAt ?? now })] as const
        )
      ),

    thawed: (holder, uptimeMs) =>
      store.write((state) =>
        Either.map(
          changeHeld(state, holder, "continue", (claim) => ({
            ...claim,
            frozenUptime: null,
            deadlineUptime: later(
              claim.deadlineUptime,
              Math.max(0, Math.floor(uptimeMs) - (claim.frozenUptime ?? Number.MAX_SAFE_INTEGER))
            )
          })),
          ([claim, next]) => [claim, changed(next, claim.taskId, { frozenAt: null })] as const
        )
      ),

    startFailed: ({ claimId }, message) =>
      store.write((state) => {
        const id = state.claimHistory.get(claimId)
        const before = id === undefined ? undefined : state.startProblems.get(id)
        const told = message ?? before?.message
        if (id === undefined || told === undefined) return Either.right([undefined, state] as const)
        const problem = { count: (before?.count ?? 0) + 1, message: told }
        return Either.right([undefined, { ...state, startProblems: put(state.startProblems, id, problem) }] as const)
      }),

    startProblem: (taskId) => store.read((state) => Option.fromNullable(state.startProblems.get(taskId))),

    adopt: (claimId, from, to) =>
      store.write((state) => {
        const claim = claimWith(state, claimId)
        return Either.right(
          claim?.workerId === from
            ? ([true, { ...state, claims: put(state.claims, claim.taskId, { ...claim, workerId: to }) }] as const)
            : ([false, state] as const)
        )
      })
  })
})

export const layer = Layer.effect(WorkerRegistry, make)
