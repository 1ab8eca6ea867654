/** Checks that the group of a submitted task exists: a mistyped name would have no limit. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { GroupNotFound } from "../../domain/gates/GateErrors.ts"
import { GroupName } from "../../domain/gates/GroupName.ts"
import { Gates } from "../../services/Gates.ts"

export const readGroupName = (text: string, field: string) =>
  Effect.mapError(
    Schema.decodeUnknown(GroupName)(text),
    () =>
      new InvalidInput({
        field,
        problem: "a name has 1 to 64 of A-Z a-z 0-9 . _ - and begins with a letter or a digit",
        example: "review"
      })
  )

/** Null stays null. */
export const requireGroup = Effect.fn("requireGroup")(function* (text: string | null) {
  if (text === null) return null
  const name = yield* readGroupName(text, "--group")
  if (!(yield* (yield* Gates).hasGroup(name))) return yield* new GroupNotFound({ name })
  return name
})
