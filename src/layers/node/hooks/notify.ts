/** A notification on the desktop, by the program that the system has for it. */
import type { Outcome } from "../../../domain/hooks/Delivery.ts"
import { type ProgramCall, runProgram } from "./runProgram.ts"

interface Shown {
  readonly needsYou: boolean
  readonly text: string
}

/** The text is an argument of the script and never part of it. */
const script = ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"].flatMap(
  (line) => ["-e", line]
)

const tries = 3

export const notify = async (
  { needsYou, text }: Shown,
  call: Pick<ProgramCall, "timeoutMs" | "place" | "abort">
): Promise<Outcome> => {
  const title = needsYou ? "Backbeat needs you" : "Backbeat"
  const programs: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["notify-send", ["--app-name=Backbeat", `--urgency=${needsYou ? "critical" : "normal"}`, "--", title, text]],
    ["osascript", [...script, title, text]]
  ]
  for (const [file, args] of programs) {
    const { code, detail, missing } = await runProgram({ ...call, file, args, input: "" })
    if (missing) continue
    return code === 0
      ? { _tag: "Accepted", detail: `shown by ${file}` }
      : { _tag: "Failed", detail: `${file}: ${detail}`, pauseMs: null, tries }
  }
  return { _tag: "Refused", detail: "neither notify-send nor osascript is installed" }
}
