/** A gate in words, and the command that opens it. */
import type { Gate } from "../../domain/gates/Gate.ts"
import { moment, relative } from "../../text/FormatDuration.ts"

/** `everything`, `group review`, `agent claude`, `pipeline k3v9x2m7q4ab`. */
export const subjectOf = ({ name, scope }: Pick<Gate, "scope" | "name">): string =>
  scope === "all" ? "everything" : `${scope} ${name}`

/** `group review until 2027-03-01 18:00:00 (in 2h), by anna: demo` */
export const gateWords = (gate: Gate, now: number): string => {
  const until = gate.until === null ? "" : ` until ${moment(gate.until)} (${relative(gate.until, now)})`
  return `${subjectOf(gate)}${until}, by ${gate.by}${gate.reason === null ? "" : `: ${gate.reason}`}`
}

export const openingCommand = ({ name, scope }: Pick<Gate, "scope" | "name">): string =>
  scope === "all" ? "beat resume --all" : scope === "task" ? `beat resume ${name}` : `beat resume --${scope} ${name}`
