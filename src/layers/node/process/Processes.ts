/** Who this process is, and whether another still lives, as the operating system says. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { Processes } from "../../../services/Processes.ts"
import { codeOf } from "../files/SystemCode.ts"
import { linuxReader } from "./LinuxProcesses.ts"
import { portableReader } from "./PortableProcesses.ts"
import { type ProcessReader, reader as systemReader } from "./ProcessReader.ts"

/** Signal 0 only checks. A refusal means that the process exists. */
const probe = (pid: number): "there" | "refused" | "missing" => {
  try {
    process.kill(pid, 0)
    return "there"
  } catch (error) {
    return codeOf(error) === "EPERM" ? "refused" : "missing"
  }
}

/** The boot this process belongs to. Tests pretend another one with `BACKBEAT_BOOT_ID`. */
const bootOf = (reader: ProcessReader): Effect.Effect<string> =>
  Effect.suspend(() => {
    const pretended = process.env.BACKBEAT_BOOT_ID
    return pretended === undefined || pretended === "" ? reader.bootId : Effect.succeed(pretended)
  })

const make = Effect.fn("Processes.make")(function* (reader: ProcessReader) {
  const bootId = yield* Effect.cached(bootOf(reader))
  const self = yield* Effect.cached(
    Effect.gen(function* () {
      const entry = yield* reader.entry(process.pid)
      const startTime = entry === null || entry === "unknown" ? "unknown" : entry.startTime
      return { pid: process.pid, startTime, bootId: yield* bootId } satisfies ProcessIdentity
    })
  )

  const alive = Effect.fn("Processes.alive")(function* (asked: ProcessIdentity) {
    if (asked.pid <= 1 || asked.bootId !== (yield* bootId)) return false
    const entry = yield* reader.entry(asked.pid)
    // Without an entry it may still be there, hidden from us (the mount option hidepid).
    if (entry === null) return probe(asked.pid) === "refused"
    if (entry === "unknown" || asked.startTime === "unknown") return probe(asked.pid) !== "missing"
    return !entry.ended && entry.startTime === asked.startTime
  })

  return Processes.of({ self, alive, bootId })
})

export const layer = Layer.effect(Processes, make(systemReader))

/** Through `/proc`. */
export const layerLinux = Layer.effect(Processes, make(linuxReader))

/** Through `ps` and `sysctl`. */
export const layerPortable = Layer.effect(Processes, make(portableReader))
