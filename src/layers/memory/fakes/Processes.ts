/** Processes that live and die as a test says. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { type Alive, nearness, type ProcessIdentity } from "../../../domain/worker/Process.ts"
import { Processes } from "../../../services/Processes.ts"

const keyOf = (process: ProcessIdentity): string => JSON.stringify([process.bootId, process.pid, process.startTime])

/** The processes that live on the pretended machine. */
export class LivingProcesses extends Context.Tag("backbeat/memory/LivingProcesses")<
  LivingProcesses,
  {
    readonly add: (process: ProcessIdentity) => Effect.Effect<void>
    readonly end: (process: ProcessIdentity) => Effect.Effect<void>
    readonly has: (process: ProcessIdentity) => Effect.Effect<boolean>
    /** Stops a process as SIGSTOP does; `continue` undoes it. */
    readonly stop: (process: ProcessIdentity) => Effect.Effect<void>
    readonly continue: (process: ProcessIdentity) => Effect.Effect<void>
    readonly isStopped: (process: ProcessIdentity) => Effect.Effect<boolean>
  }
>() {}

const layerLiving = Layer.effect(
  LivingProcesses,
  Effect.gen(function* () {
    const living = yield* Ref.make<ReadonlySet<string>>(new Set())
    const frozen = yield* Ref.make<ReadonlySet<string>>(new Set())
    const add = (ref: typeof living) => (process: ProcessIdentity) =>
      Ref.update(ref, (keys) => new Set(keys).add(keyOf(process)))
    const remove = (ref: typeof living) => (process: ProcessIdentity) =>
      Ref.update(ref, (keys) => new Set(Array.from(keys).filter((key) => key !== keyOf(process))))
    const has = (ref: typeof living) => (process: ProcessIdentity) =>
      Effect.map(Ref.get(ref), (keys) => keys.has(keyOf(process)))
    return LivingProcesses.of({
      add: add(living),
      end: remove(living),
      has: has(living),
      stop: add(frozen),
      continue: remove(frozen),
      isStopped: has(frozen)
    })
  })
)

/** The identity of the process that `layer` speaks for. */
export const self: ProcessIdentity = { pid: 4242, startTime: "1000", bootId: "boot-1" }

/** The user that every process of the pretended machine acts as, where a test does not say otherwise. */
export const uid = 1000

/** One process on a machine that others may share: it lives from the build of this layer on. */
const layerAs = (identity: ProcessIdentity, user: number | null = uid) =>
  Layer.effect(
    Processes,
    Effect.gen(function* () {
      const living = yield* LivingProcesses
      yield* living.add(identity)
      return Processes.of({
        freezes: true,
        self: Effect.succeed(identity),
        alive: Effect.fn("Processes.alive")(function* (asked) {
          const near = nearness(asked.bootId, identity.bootId)
          if (near !== "here") return (near === "over" ? "dead" : "unknown") satisfies Alive
          return ((yield* living.has(asked)) ? "alive" : "dead") satisfies Alive
        }),
        stopped: (asked) =>
          Effect.zipWith(living.has(asked), living.isStopped(asked), (lives, stopped) => lives && stopped),
        wake: (asked) => Effect.zipLeft(living.isStopped(asked), living.continue(asked)),
        restraints: () => Effect.succeed([]),
        bootId: Effect.succeed(identity.bootId),
        uid: user
      })
    })
  )

export const layer = layerAs(self).pipe(Layer.provideMerge(layerLiving))
