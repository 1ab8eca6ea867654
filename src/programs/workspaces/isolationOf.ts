/** Whether work is isolated: as its submitter says, otherwise as the setting `isolate` says for the directory or one above it. */
import * as Effect from "effect/Effect"
import { isAtOrBelow } from "../../domain/isAtOrBelow.ts"
import type { Environment } from "../../domain/task/NewTask.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"

export type Isolation = "asked" | "setting" | "none"

/** `asked`: null where the submitter says nothing. */
export const isolationOf = Effect.fn("isolationOf")(function* (
  directory: string,
  asked: boolean | null,
  environment: Environment
) {
  const answer = (isolated: boolean, by: Isolation): Isolation => (isolated ? by : "none")
  if (asked !== null) return answer(asked, "asked")
  const { isolate } = yield* (yield* SettingsStore).get
  const named = isolate.some((entry) => {
    const path = /^~(?=\/|$)/.test(entry) ? `${environment.HOME ?? ""}${entry.slice(1)}` : entry
    return isAtOrBelow(directory, path)
  })
  return answer(named, "setting")
})
