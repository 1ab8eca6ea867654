/** The identity of an operating-system process, which a recycled pid cannot fake. */
import * as Schema from "effect/Schema"

/** A pid that may be probed and signalled: 0 and 1 never are. */
export const Pid = Schema.Int.pipe(Schema.greaterThan(1))

/** Who a process is: the pid counts only together with its start time and the boot it belongs to. */
export const ProcessIdentity = Schema.Struct({
  pid: Pid,
  /** What the system says of the start, opaque: clock ticks since boot on Linux, a date elsewhere. */
  startTime: Schema.NonEmptyString,
  /** Changes with every boot of the machine. */
  bootId: Schema.NonEmptyString
}).annotations({ identifier: "ProcessIdentity" })
export type ProcessIdentity = typeof ProcessIdentity.Type
