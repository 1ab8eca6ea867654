/** The gate that holds a step of a pipeline back while its loop is open: no person has paused anything. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LoopId } from "../loop/LoopId.ts"
import type { Gate } from "./Gate.ts"

/** The reason of such a gate, before the id of the loop. */
export const heldForLoop = "its loop is open: beat loop status "

/** The loop that a gate holds its task back for; null where a person, or a spent budget, has paused it. */
export const loopHolding = ({ by, reason }: Pick<Gate, "by" | "reason">): LoopId | null =>
  by === "backbeat" && reason?.startsWith(heldForLoop) === true
    ? Option.getOrNull(Schema.decodeUnknownOption(LoopId)(reason.slice(heldForLoop.length)))
    : null

/** Without the gates that hold tasks back for their loops. */
export const pausesOf = <G extends Pick<Gate, "by" | "reason">>(gates: ReadonlyArray<G>): ReadonlyArray<G> =>
  gates.filter((gate) => loopHolding(gate) === null)
