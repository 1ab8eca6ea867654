/** Tasks in numbers over the in-memory store. */

import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Tally, tallyOf } from "../../../domain/metrics/Tally.ts"
import { isTerminal } from "../../../domain/task/Task.ts"
import { Metrics } from "../../../services/Metrics.ts"
import { Store } from "./Store.ts"

const keyOf = ({ count: _count, runMs: _runMs, waitMs: _waitMs, ...fields }: Tally): string => JSON.stringify(fields)

const make = Effect.map(Store, (store) =>
  Metrics.of({
    tally: (since) =>
      store.read((state) => {
        const groups = new Map<string, Tally>()
        for (const { task } of state.tasks.values()) {
          if (isTerminal(task.status) && (task.endedAt ?? 0) < since) continue
          const one = tallyOf(task)
          const known = groups.get(keyOf(one))
          groups.set(keyOf(one), {
            ...one,
            count: (known?.count ?? 0) + 1,
            waitMs: (known?.waitMs ?? 0) + one.waitMs,
            runMs: (known?.runMs ?? 0) + one.runMs
          })
        }
        return Array.from(groups.values())
      })
  })
)

export const layer = Layer.effect(Metrics, make)
