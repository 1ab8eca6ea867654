/** The identity of an operating-system process, which a recycled pid cannot fake, and what can be known of it from elsewhere. */
import * as Schema from "effect/Schema"

/** A pid that may be probed and signalled: 0 and 1 never are. */
export const Pid = Schema.Int.pipe(Schema.greaterThan(1))

/** The identity of a process: the pid counts only together with its start time and the place in which it was given. */
export const ProcessIdentity = Schema.Struct({
  pid: Pid,
  /** What the system says of the start, opaque: clock ticks since boot on Linux, a date elsewhere. */
  startTime: Schema.NonEmptyString,
  /** The place: host, boot and pid namespace, as `placeText` writes them. */
  bootId: Schema.NonEmptyString
}).annotations({ identifier: "ProcessIdentity" })
export type ProcessIdentity = typeof ProcessIdentity.Type

/**
 * Whether a process lives. `unknown`: it cannot be seen from here, since it belongs to another pid namespace or another
 * host, or since the system hides it. Only `dead` lets another process act in its place.
 */
export const Alive = Schema.Literal("alive", "dead", "unknown").annotations({ identifier: "Alive" })
export type Alive = typeof Alive.Type

/** Where pids mean something: numbers of one pid namespace, in one boot of one host. */
export interface Place {
  readonly host: string
  readonly boot: string
  /** The pid namespace; empty where the system has none. */
  readonly pids: string
}

export const placeText = ({ boot, host, pids }: Place): string => `${host}/${boot}/${pids}`

const parsePlace = (text: string): Place => {
  const [host, boot, pids, more] = text.split("/")
  return host === undefined || boot === undefined || pids === undefined || more !== undefined
    ? { host: "", boot: text, pids: "" }
    : { host, boot, pids }
}

/**
 * What is known of the processes of another place. `here`: it is this one, so the system answers. `over`: this host has
 * restarted since, so none of them lives. `hidden`: they may live, and no look from here can tell.
 */
export const nearness = (there: string, here: string): "here" | "over" | "hidden" => {
  if (there === here) return "here"
  const [asked, own] = [parsePlace(there), parsePlace(here)]
  return asked.host === own.host && asked.boot !== own.boot ? "over" : "hidden"
}
