/** Reads the database again and again during a torture run: rows of ended tasks must not change, limits must hold. */
import * as Effect from "effect/Effect"
import { accountProblems } from "./checks/AccountCheck.ts"
import { HookFollower } from "./checks/HookCheck.ts"
import type { Store } from "./Store.ts"
import { maxConcurrency, type World } from "./World.ts"

const everyMs = 120

/** One look. `from` is the last number of the outbox that was seen. */
export const sample = (world: World, store: Store, hooks: HookFollower, from: number): number => {
  const { chronicle } = world
  chronicle.samples += 1
  const count = store.one<{ count: number }>("SELECT count(*) AS count FROM claims")?.count ?? 0
  if (count > maxConcurrency)
    chronicle.breach("at most maxConcurrency at the same time", null, `${count} workers, limit ${maxConcurrency}`)
  const { raisedAt, reserves } = chronicle
  for (const [invariant, detail] of accountProblems(store, raisedAt !== null, reserves)) {
    chronicle.breach(invariant, null, detail)
  }
  let last = from
  for (const { id, seq } of store.rows<{ id: string; seq: number }>(
    "SELECT seq, id FROM outbox WHERE kind = 'task' AND seq > ? ORDER BY seq",
    from
  )) {
    last = seq
    chronicle.endings.set(id, JSON.stringify(store.task(id)))
  }
  hooks.look(world, store)
  return last
}

export const runSampler = (world: World, store: Store): Effect.Effect<never> => {
  let last = 0
  const hooks = new HookFollower()
  return Effect.sync(() => {
    last = sample(world, store, hooks, last)
  }).pipe(Effect.zipRight(Effect.sleep(everyMs)), Effect.forever)
}
