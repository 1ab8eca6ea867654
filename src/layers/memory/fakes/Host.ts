/** A machine whose memory and cores a test sets. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import { Host } from "../../../services/Host.ts"

/** How far the clock of the pretended machine is ahead of that of this process. */
const bootedBefore = 1_000_000

/** The knobs of the pretended machine. */
export class HostControl extends Context.Tag("backbeat/memory/HostControl")<
  HostControl,
  {
    /** In bytes. */
    readonly setAvailableMemory: (bytes: number) => Effect.Effect<void>
    readonly setCores: (cores: number) => Effect.Effect<void>
    /** The machine sleeps, and its clock counts that. */
    readonly sleep: (milliseconds: number) => Effect.Effect<void>
  }
>() {}

const gigabyte = 1024 ** 3

/** Starts with 8 GB available on 2 cores, used by `tester`. */
export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const memory = yield* Ref.make(8 * gigabyte)
    const cores = yield* Ref.make(2)
    const slept = yield* Ref.make(0)
    const uptime = Effect.zipWith(elapsedMs, Ref.get(slept), (elapsed, asleep) => bootedBefore + elapsed + asleep)
    return Context.make(
      Host,
      Host.of({
        availableMemory: Ref.get(memory),
        uptimeMs: uptime,
        sleepCounts: true,
        sinceBootMs: uptime,
        cores: Ref.get(cores),
        user: Effect.succeed("tester")
      })
    ).pipe(
      Context.add(
        HostControl,
        HostControl.of({
          setAvailableMemory: (bytes) => Ref.set(memory, bytes),
          setCores: (count) => Ref.set(cores, count),
          sleep: (milliseconds) => Ref.update(slept, (before) => before + milliseconds)
        })
      )
    )
  })
)
