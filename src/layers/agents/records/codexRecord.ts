/**
 * The rollout of a Codex session: `token_count` after each answer and after a refusal, with the windows of the account and
 * the tokens of the whole session. `exec --json` prints neither before the end of a turn. Seen with Codex 0.171.0.
 */
import * as Schema from "effect/Schema"
import type { SessionRecord } from "../../../services/SessionRecords.ts"
import { codexUsage } from "../adapters/codexUsage.ts"
import { loose, number, reader, text } from "../reading/Printed.ts"
import { instant } from "../reading/ResetTime.ts"
import { codexWindow } from "./codexWindow.ts"

const WindowInfo = loose(
  Schema.Struct({ used_percent: number, window_minutes: number, resets_at: Schema.optional(Schema.Unknown) })
)

const read = reader(
  Schema.Struct({
    timestamp: text,
    payload: loose(
      Schema.Struct({
        type: text,
        info: loose(
          Schema.Struct({
            total_token_usage: loose(
              Schema.Struct({
                input_tokens: number,
                cached_input_tokens: number,
                cache_write_input_tokens: number,
                output_tokens: number
              })
            )
          })
        ),
        rate_limits: loose(Schema.Struct({ limit_id: text, primary: WindowInfo, secondary: WindowInfo }))
      })
    )
  })
)

/** The limits of other products have other names. */
const own = "codex"

/** What the last lines of a record say. A line that was cut, or that is none of its events, says nothing. */
export const codexRecord = (lines: ReadonlyArray<string>, since: number): Omit<SessionRecord, "bytes"> => {
  const counts = lines.flatMap((line) => {
    if (!line.includes('"token_count"')) return []
    const event = read(line)
    return event?.payload?.type === "token_count" ? [{ at: instant(event.timestamp), ...event.payload }] : []
  })
  const limits = counts.findLast(
    ({ at, rate_limits }) =>
      at !== null && at >= since && rate_limits !== undefined && (rate_limits.limit_id ?? own) === own
  )?.rate_limits
  const total = counts.findLast(({ info }) => info?.total_token_usage !== undefined)?.info?.total_token_usage
  return {
    windows: [limits?.primary, limits?.secondary].flatMap((window) =>
      codexWindow(window?.used_percent, window?.window_minutes, window?.resets_at)
    ),
    ...(total === undefined ? { usage: null } : codexUsage(total))
  }
}
