/** What the loop of a worker tells the supervisors of its tasks: cancels, pauses, freezes, spent budgets, open questions and messages that wait. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as EffectQueue from "effect/Queue"
import * as Ref from "effect/Ref"
import type { StorageError } from "../../domain/Errors.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Messages } from "../../services/Messages.ts"
import type { Held } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"

/** What concerns one running task. */
export interface TaskSignals {
  /** Done when a cancel is requested. */
  readonly cancelled: Deferred.Deferred<void>
  /** Done when a person pauses it. Never of an agent without sessions: it could not continue. */
  readonly paused: Deferred.Deferred<void>
  /** Whether a person wants its processes to be stopped where they are. `changed` has something when that changes. */
  readonly frozen: Ref.Ref<boolean>
  /** Done when a budget with the action `stop` is spent. */
  readonly spent: Deferred.Deferred<void>
  /** Whether a question of it is open. */
  readonly asks: Ref.Ref<boolean>
  /** Whether its agent can be ended and continue later. */
  readonly parks: boolean
  /** Has something when any of these has changed, or when a message may wait for the agent. The supervisor rests until then. */
  readonly changed: EffectQueue.Queue<void>
}

export interface SignalBoard {
  readonly open: (held: Held) => Effect.Effect<TaskSignals, never, Agents>
  readonly close: (id: TaskId, signals: TaskSignals) => Effect.Effect<void>
  /** Looks for all of it in the store and tells those whom it concerns. */
  readonly look: Effect.Effect<void, StorageError, Budgets | Gates | Messages | Tasks>
}

export const makeSignalBoard = (): SignalBoard => {
  const known = new Map<TaskId, TaskSignals>()

  /** One queue wakes the supervisor: a pause that waited for each of them would start a fiber for each. */
  const tell = ({ changed }: TaskSignals, signal: Deferred.Deferred<void>) =>
    Effect.zipRight(Deferred.succeed(signal, undefined), EffectQueue.offer(changed, undefined))

  return {
    open: Effect.fn("signals.open")(function* ({ claim, task }) {
      const agents = yield* Agents
      const signals: TaskSignals = {
        cancelled: yield* Deferred.make<void>(),
        paused: yield* Deferred.make<void>(),
        // Until a look shows that the pause was ended meanwhile: a worker that takes it over must not let it continue.
        frozen: yield* Ref.make(claim.frozenUptime !== null),
        spent: yield* Deferred.make<void>(),
        asks: yield* Ref.make(task.asks > 0),
        parks: yield* agents.hasSessions(task.agent),
        changed: yield* EffectQueue.sliding<void>(1)
      }
      known.set(task.id, signals)
      return signals
    }),

    close: (id, signals) =>
      Effect.sync(() => {
        if (known.get(id) === signals) known.delete(id)
      }),

    look: Effect.gen(function* () {
      if (known.size === 0) return
      const tasks = yield* Tasks
      const gates = yield* Gates
      const messages = yield* Messages
      for (const id of yield* tasks.cancelRequested) {
        const signals = known.get(id)
        if (signals !== undefined) yield* tell(signals, signals.cancelled)
      }
      for (const id of yield* gates.pausing) {
        const signals = known.get(id)
        if (signals?.parks === true) yield* tell(signals, signals.paused)
      }
      const freezing = new Set(yield* gates.freezing)
      for (const [id, { changed, frozen }] of known) {
        if ((yield* Ref.getAndSet(frozen, freezing.has(id))) !== freezing.has(id)) {
          yield* EffectQueue.offer(changed, undefined)
        }
      }
      for (const id of yield* (yield* Budgets).stopping) {
        const signals = known.get(id)
        if (signals !== undefined) yield* tell(signals, signals.spent)
      }
      const asking = new Set(yield* tasks.asking)
      for (const [id, { asks, changed }] of known) {
        // Its clocks stand still from now on, or an answer may wait for the agent.
        if ((yield* Ref.getAndSet(asks, asking.has(id))) !== asking.has(id)) {
          yield* EffectQueue.offer(changed, undefined)
        }
      }
      for (const id of yield* messages.waiting) {
        const signals = known.get(id)
        if (signals !== undefined) yield* EffectQueue.offer(signals.changed, undefined)
      }
    })
  }
}
