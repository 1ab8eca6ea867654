/** The registry of workers and their claims in memory. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { isStartable } from "../../../domain/task/Readiness.ts"
import { isTerminal } from "../../../domain/task/Task.ts"
import type { Claim } from "../../../domain/worker/Claim.ts"
import { type Holder, WorkerRegistry } from "../../../services/WorkerRegistry.ts"
import { change, claimWith, held, type State, Store, tasksIn } from "./State.ts"

/** Of the pretended database. */
export const schema = 1

const later = (deadline: number | null, ms: number): number | null =>
  deadline === null ? null : Math.min(deadline + ms, Number.MAX_SAFE_INTEGER)

const make = Effect.gen(function* () {
  const store = yield* Store

  /** Changes the claim that `holder` holds, and returns it. */
  const changeHeld = (
    holder: Holder,
    step: string,
    next: (claim: Claim, now: number, draft: State) => Partial<Claim>
  ) =>
    store.write((draft, now) =>
      Either.map(held(draft, holder, step), (claim) => {
        const changed = { ...claim, ...next(claim, now, draft) }
        draft.claims.set(claim.taskId, changed)
        return changed
      })
    )

  return WorkerRegistry.of({
    register: (worker) => store.write((draft) => Either.right(void draft.workers.set(worker.id, worker))),

    schema: Effect.succeed({ known: schema, stored: schema, file: null }),

    // There are no notices, messages, deliveries and schedules in memory.
    stillness: (id) =>
      store.read((state) => ({
        schema,
        listed: state.workers.has(id) ? 1 : 0,
        workers: state.workers.size,
        open: tasksIn(state).filter(({ status }) => !isTerminal(status)).length,
        lastEnd: Math.max(0, ...state.ends.keys()),
        lastNotice: 0,
        messages: 0,
        deliveries: 0,
        nextFireAt: null
      })),

    leave: (id, when) =>
      store.write((draft) => {
        const isBusy = tasksIn(draft).some((task) => task.status === "running" || isStartable(task))
        const may = when === "always" || (when === "idle" ? !isBusy : draft.workers.has(when.superseded))
        return Either.right(may && draft.workers.delete(id))
      }),

    workers: store.read(({ workers }) => Array.from(workers.values()).sort((a, b) => a.startedAt - b.startedAt)),

    claims: store.read(({ claims }) => Array.from(claims.values()).sort((a, b) => a.claimedAt - b.claimedAt)),

    claimOf: (taskId) => store.read(({ claims }) => Option.fromNullable(claims.get(taskId))),

    started: (holder, process) =>
      changeHeld(holder, "start", ({ runningAt }, now) => ({
        state: "running",
        process,
        bootId: process.bootId,
        runningAt: runningAt ?? now
      })),

    stopping: (holder, cause) =>
      changeHeld(holder, "stop", ({ stopCause }, now) => (stopCause === null ? { stopCause: cause, stopAt: now } : {})),

    postpone: (holder, sleptMs) =>
      changeHeld(holder, "postpone", ({ deadlineUptime }) => ({ deadlineUptime: later(deadlineUptime, sleptMs) })),

    freezing: (holder, uptimeMs) =>
      changeHeld(holder, "freeze", ({ frozenUptime }) => ({ frozenUptime: frozenUptime ?? Math.floor(uptimeMs) })),

    frozen: (holder) =>
      changeHeld(holder, "freeze", ({ taskId }, now, draft) => {
        change(draft, taskId, { frozenAt: draft.tasks.get(taskId)?.task.frozenAt ?? now })
        return {}
      }),

    thawed: (holder, uptimeMs) =>
      changeHeld(holder, "continue", ({ deadlineUptime, frozenUptime, taskId }, _now, draft) => {
        change(draft, taskId, { frozenAt: null })
        const ms = Math.max(0, Math.floor(uptimeMs) - (frozenUptime ?? Number.POSITIVE_INFINITY))
        return { frozenUptime: null, deadlineUptime: later(deadlineUptime, ms) }
      }),

    startFailed: ({ claimId }, message) =>
      store.write((draft) => {
        const id = draft.history.get(claimId)
        const before = id && draft.problems.get(id)
        const latest = message ?? (before ? before.message : undefined)
        if (id !== undefined && latest !== undefined) {
          draft.problems.set(id, { count: (before ? before.count : 0) + 1, message: latest })
        }
        return Either.void
      }),

    startProblem: (taskId) => store.read(({ problems }) => Option.fromNullable(problems.get(taskId))),

    adopt: (claimId, from, to) =>
      store.write((draft) => {
        const claim = claimWith(draft, claimId)
        if (claim?.workerId !== from) return Either.right(false)
        draft.claims.set(claim.taskId, { ...claim, workerId: to })
        return Either.right(true)
      })
  })
})

export const layer = Layer.effect(WorkerRegistry, make)
