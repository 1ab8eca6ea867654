/** Failpoints that kill this very process, named in `BACKBEAT_FAILPOINTS`: for `beat doctor --torture` and tests. */
import { writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AtFailpoint, Failpoints } from "../../../services/Failpoints.ts"

/** `finish.commit:kill@3,start.spawned:kill`: at the third and at the first time that the place is reached. */
export const parseFailpoints = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text.split(",").flatMap((word) => {
      const [, name, at] = /^([\w.-]+):kill(?:@(\d+))?$/.exec(word.trim()) ?? []
      return name === undefined ? [] : [[name, Number(at ?? 1)] as const]
    })
  )

/** As at a power cut of this one process: nothing is flushed, no finalizer runs. */
const die = (name: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    try {
      writeSync(2, `failpoint ${name}\n`)
    } catch {
      // No process reads stderr.
    }
    process.kill(process.pid, "SIGKILL")
    return Effect.never
  })

/** None where the variable is not set. */
export const failpointsOf = (text: string | undefined): AtFailpoint => {
  const wanted = parseFailpoints(text ?? "")
  if (wanted.size === 0) return null
  const seen = new Map<string, number>()
  return (name) =>
    Effect.suspend(() => {
      const count = (seen.get(name) ?? 0) + 1
      seen.set(name, count)
      return wanted.get(name) === count ? die(name) : Effect.void
    })
}

export const layer = Layer.sync(Failpoints, () => failpointsOf(process.env.BACKBEAT_FAILPOINTS))
