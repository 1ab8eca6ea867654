/** What `beat run --batch` prints: the ids in the order of the lines, as each part of them is stored. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/task/Task.ts"
import type { BatchResult } from "../../programs/tasks/submitBatch.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { printJson } from "../framework/Json.ts"
import { Terminal } from "../framework/Terminal.ts"

export const BatchDocument = Schema.Struct({
  tasks: Schema.Array(
    Schema.Struct({
      id: TaskId,
      line: Schema.Int,
      /** False: its key led to a task that was there before. */
      created: Schema.Boolean
    })
  )
}).annotations({ identifier: "BatchDocument" })
export type BatchDocument = typeof BatchDocument.Type

/** Once all are stored. Without `--json` the ids were printed before. */
export const announceBatch = Effect.fn("announceBatch")(function* (
  result: BatchResult,
  tasks: BatchDocument["tasks"],
  json: boolean
) {
  const terminal = yield* Terminal
  for (const warning of result.warnings) yield* terminal.say(`beat: ${sanitize(warning)}`)
  const known = result.count - result.created
  if (known > 0) {
    yield* terminal.say(`beat: ${known} of ${result.count} keys were used before; no new tasks were created for them`)
  }
  if (Option.isSome(result.problem)) {
    yield* terminal.say(`beat: the tasks are queued, but no worker could be started: ${result.problem.value.message}`)
  }
  if (json) yield* printJson(BatchDocument, { tasks })
  else if (terminal.stdout.tty) yield* terminal.say(`${result.created} tasks submitted. To watch them: beat list`)
  return ExitCode.ok
})
