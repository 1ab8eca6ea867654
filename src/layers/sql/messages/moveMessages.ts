/** Marks messages as moved to the task that says them in the next turn of the session. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import { alreadyMoved } from "../../../domain/message/alreadyMoved.ts"
import type { MessageId } from "../../../domain/message/Message.ts"
import type { Enqueued } from "../../../services/Queue.ts"
import { direct } from "../database/direct.ts"

/** It must run inside the transaction that stores the tasks. */
export const makeMoveMessages =
  (sql: SqlClient.SqlClient) =>
  (ids: ReadonlyArray<MessageId>, [first]: ReadonlyArray<Enqueued>) =>
    Effect.gen(function* () {
      if (first === undefined) return
      for (const id of ids) {
        const moved = yield* direct(sql`
          UPDATE messages SET state = 'moved', moved_to = ${first.task.id} WHERE id = ${id} AND state = 'stored' RETURNING id
        `)
        if (moved.length === 0) return yield* alreadyMoved(first.task.id)
      }
    })
