/** Takes back the answers that a claim was given: its turn did not happen, or the agent may not have seen them. The next turn begins with them. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { ClaimId } from "../../../domain/worker/Claim.ts"

/** Must run inside a transaction. */
export const makeGiveBack = (sql: SqlClient.SqlClient) => (claimId: ClaimId) =>
  sql`UPDATE questions SET state = 'answered', claim_id = NULL WHERE claim_id = ${claimId} AND state = 'taken'`
