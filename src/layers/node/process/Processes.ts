/** The identity of this process, and whether another one still lives, by the operating system. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Alive, nearness, type ProcessIdentity, placeText } from "../../../domain/worker/Process.ts"
import { Processes } from "../../../services/Processes.ts"
import { codeOf } from "../files/SystemCode.ts"
import { linuxReader } from "./LinuxProcesses.ts"
import { portableReader } from "./PortableProcesses.ts"
import type { ProcessReader } from "./ProcessEntry.ts"
import { living, reader as systemReader } from "./ProcessReader.ts"
import { restraintsOf } from "./Restraints.ts"

/** Signal 0 only checks. A refusal means that the process exists. */
const probe = (pid: number): "there" | "refused" | "missing" => {
  try {
    process.kill(pid, 0)
    return "there"
  } catch (error) {
    return codeOf(error) === "EPERM" ? "refused" : "missing"
  }
}

/** The place of this process. Tests pretend another boot with `BACKBEAT_BOOT_ID`. */
const placeOf = (reader: ProcessReader): Effect.Effect<string> =>
  Effect.map(reader.place, (place) => {
    const pretended = process.env.BACKBEAT_BOOT_ID
    return placeText(pretended === undefined || pretended === "" ? place : { ...place, boot: pretended })
  })

const make = Effect.fn("Processes.make")(function* (reader: ProcessReader) {
  const bootId = yield* Effect.cached(placeOf(reader))
  const self = yield* Effect.cached(
    Effect.gen(function* () {
      const entry = yield* reader.entry(process.pid)
      const startTime = entry === null || entry === "unknown" ? "unknown" : entry.startTime
      return { pid: process.pid, startTime, bootId: yield* bootId } satisfies ProcessIdentity
    })
  )

  const alive = Effect.fn("Processes.alive")(function* (asked: ProcessIdentity) {
    if (asked.pid <= 1) return "dead" satisfies Alive
    const near = nearness(asked.bootId, yield* bootId)
    if (near !== "here") return (near === "over" ? "dead" : "unknown") satisfies Alive
    const entry = yield* reader.entry(asked.pid)
    // Without an entry it may still be there, hidden from us (the mount option hidepid).
    if (entry === null) return (probe(asked.pid) === "refused" ? "unknown" : "dead") satisfies Alive
    if (entry === "unknown" || asked.startTime === "unknown") {
      return (probe(asked.pid) === "missing" ? "dead" : "unknown") satisfies Alive
    }
    return (!entry.ended && entry.startTime === asked.startTime ? "alive" : "dead") satisfies Alive
  })

  const stopped = Effect.fn("Processes.stopped")(function* (asked: ProcessIdentity) {
    if ((yield* alive(asked)) !== "alive") return false
    const entry = yield* living(reader, asked)
    return entry !== null && entry !== "unknown" && entry.stopped
  })

  const wake = Effect.fn("Processes.wake")(function* (asked: ProcessIdentity) {
    if (!(yield* stopped(asked))) return false
    return yield* Effect.sync(() => {
      try {
        return process.kill(asked.pid, "SIGCONT")
      } catch {
        return false
      }
    })
  })

  const restraints = Effect.fn("Processes.restraints")(function* (asked: ProcessIdentity) {
    return (yield* alive(asked)) === "alive" ? restraintsOf(asked.pid) : []
  })

  return Processes.of({
    self,
    alive,
    stopped,
    wake,
    restraints,
    freezes: reader === linuxReader,
    bootId,
    uid: process.geteuid?.() ?? null
  })
})

/** On what a reader shows of the system. */
export const layerOf = (reader: ProcessReader) => Layer.effect(Processes, make(reader))

export const layer = layerOf(systemReader)

/** Through `/proc`. */
export const layerLinux = layerOf(linuxReader)

/** Through `ps` and `sysctl`. */
export const layerPortable = layerOf(portableReader)
