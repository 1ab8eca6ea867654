/** The error of a claim that is no longer valid: ended, put back, or adopted by another worker. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { TaskStateConflict } from "../../../domain/Errors.ts"
import { TaskId } from "../../../domain/task/Task.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import { taskOfClaim } from "../tasks/TaskRows.ts"

/** The placeholder for the task of a claim that was never made, or whose task was pruned. */
const nobody = { id: TaskId.make("000000000000"), status: "queued" } as const

export const failClaimLost = (sql: SqlClient.SqlClient) => {
  const find = taskOfClaim(sql)
  return (claimId: ClaimId, step: string) =>
    Effect.flatMap(find(claimId), (found) => {
      const { id, status } = Option.getOrElse(found, () => nobody)
      return Effect.fail(new TaskStateConflict({ id, step, actual: status }))
    })
}
