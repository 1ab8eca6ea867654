/** Whether a hook selects a notice, by its words and by its filter. */
import { isSelected, statusOf } from "../events/Notice.ts"
import { isAtOrBelow } from "../isAtOrBelow.ts"
import { type Hook, needsYouWord } from "./Hook.ts"
import { type HookNotice, needsYou } from "./HookMessage.ts"

const passes = (where: NonNullable<Hook["where"]>, notice: HookNotice): boolean => {
  const agent = notice.agent ?? (typeof notice.data.agent === "string" ? notice.data.agent : null)
  const { directory, labels } = notice
  if (where.agent !== undefined && (agent === null || !where.agent.includes(agent))) return false
  if (where.status !== undefined && !where.status.includes(statusOf(notice) ?? "")) return false
  if (
    where.directory !== undefined &&
    (directory === null || !where.directory.some((top) => isAtOrBelow(directory, top)))
  )
    return false
  return Object.entries(where.labels ?? {}).every(([key, value]) => labels?.[key] === value)
}

export const selects = (hook: Pick<Hook, "on" | "where" | "enabled">, notice: HookNotice): boolean =>
  hook.enabled &&
  (isSelected(notice, hook.on) || (hook.on.includes(needsYouWord) && needsYou(notice))) &&
  (hook.where === undefined || passes(hook.where, notice))
