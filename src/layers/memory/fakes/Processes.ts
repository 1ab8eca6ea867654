/** Processes that live and die as a test says. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { Processes } from "../../../services/Processes.ts"

const keyOf = (process: ProcessIdentity): string => JSON.stringify([process.bootId, process.pid, process.startTime])

/** Who lives on the pretended machine. */
export class LivingProcesses extends Context.Tag("backbeat/memory/LivingProcesses")<
  LivingProcesses,
  {
    readonly add: (process: ProcessIdentity) => Effect.Effect<void>
    readonly end: (process: ProcessIdentity) => Effect.Effect<void>
    readonly has: (process: ProcessIdentity) => Effect.Effect<boolean>
  }
>() {}

export const layerLiving = Layer.effect(
  LivingProcesses,
  Effect.map(Ref.make<ReadonlySet<string>>(new Set()), (ref) =>
    LivingProcesses.of({
      add: (process) => Ref.update(ref, (living) => new Set(living).add(keyOf(process))),
      end: (process) =>
        Ref.update(ref, (living) => new Set(Array.from(living).filter((key) => key !== keyOf(process)))),
      has: (process) => Effect.map(Ref.get(ref), (living) => living.has(keyOf(process)))
    })
  )
)

/** The identity of the process that `layer` speaks for. */
export const self: ProcessIdentity = { pid: 4242, startTime: "1000", bootId: "boot-1" }

/** One process on a machine that others may share: it lives from the build of this layer on. */
export const layerAs = (identity: ProcessIdentity) =>
  Layer.effect(
    Processes,
    Effect.gen(function* () {
      const living = yield* LivingProcesses
      yield* living.add(identity)
      return Processes.of({
        self: Effect.succeed(identity),
        alive: living.has,
        bootId: Effect.succeed(identity.bootId)
      })
    })
  )

export const layer = layerAs(self).pipe(Layer.provideMerge(layerLiving))
