/** The waits that are open in a process, by what they wait for: one look at the store finds the ones that are over. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { StorageError } from "../domain/Errors.ts"
import { isAsking } from "../domain/task/isAsking.ts"
import { isTerminal, type TaskId } from "../domain/task/Task.ts"
import type { TaskHalt } from "../domain/task/TaskHalt.ts"
import type { Interest, News } from "../services/EndWatch.ts"

/** Waits that are over, answered in one go. A hundred answers at a time would keep a ping waiting. */
const answersInOneGo = 4

/** Waits by what they wait for. A key without a wait is not kept. */
export interface OpenWaits<K, W> {
  readonly keys: () => ReadonlyArray<K>
  readonly of: (key: K) => Iterable<W>
  readonly add: (wait: W, keys: Iterable<K>) => void
  readonly remove: (wait: W, keys: Iterable<K>) => void
}

export const makeOpenWaits = <K, W>(): OpenWaits<K, W> => {
  const byKey = new Map<K, Set<W>>()
  return {
    keys: () => Array.from(byKey.keys()),
    of: (key) => byKey.get(key) ?? [],
    add: (wait, keys) => {
      for (const key of keys) byKey.set(key, (byKey.get(key) ?? new Set()).add(wait))
    },
    remove: (wait, keys) => {
      for (const key of keys) {
        const waits = byKey.get(key)
        waits?.delete(wait)
        if (waits?.size === 0) byKey.delete(key)
      }
    }
  }
}

/** A wait for tasks. */
export interface TaskWait {
  readonly interest: Interest
  readonly news: Deferred.Deferred<News, StorageError>
}

const isHeld = (halt: TaskHalt | undefined, until: number): boolean =>
  halt !== undefined && (isAsking(halt) || (halt.opensAt !== null && halt.opensAt > until))

/** What there is to say to a wait, as the tasks are now; null: it continues. */
export const newsFor = ({ all, heldUntil, ids }: Interest, halts: ReadonlyMap<TaskId, TaskHalt>): News | null => {
  const open: Array<TaskId> = []
  for (const id of ids) {
    const halt = halts.get(id)
    if (halt === undefined || !isTerminal(halt.status)) open.push(id)
    // What was retried is replaced by the retry, which only the wait itself can look for.
    else if (!all || halt.retriedBy !== null) return { held: [] }
  }
  if (open.length === 0) return { held: [] }
  return heldUntil !== null && open.every((id) => isHeld(halts.get(id), heldUntil)) ? { held: open } : null
}

/** Ends waits a few at a time, so that other requests are answered meanwhile. */
export const tell = <A>(ends: ReadonlyArray<readonly [Deferred.Deferred<A, StorageError>, A]>) =>
  Effect.forEach(
    ends,
    ([deferred, value], index) =>
      Effect.zipRight(
        // A sleep, if only of nothing, lets the process read its input. A yield does not.
        index > 0 && index % answersInOneGo === 0 ? Effect.sleep(0) : Effect.void,
        Deferred.succeed(deferred, value)
      ),
    { discard: true }
  )
