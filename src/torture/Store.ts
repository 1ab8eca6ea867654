/** The database of a torture run, read with plain SQL and nothing of the product: what the checker believes. */
import { existsSync } from "node:fs"
import Database from "better-sqlite3"

/** Columns that the checker knows; a row has more. */
export interface TaskRow {
  readonly seq: number
  readonly id: string
  readonly status: "queued" | "running" | "completed" | "failed" | "cancelled"
  readonly cause: string | null
  readonly exit_code: number | null
  readonly signal: string | null
  readonly idempotency_key: string | null
  readonly priority: string
  readonly labels: string
  readonly max_output_bytes: number
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly cancel_requested_at: number | null
  readonly not_before: number | null
  readonly error: string | null
  readonly attempt: number
  readonly retry_of: string | null
  readonly retried_by: string | null
  readonly root_id: string | null
  readonly continuation: string | null
  readonly continue_from: string | null
  readonly max_retries: number
  readonly backoff_ms: number
  readonly waiting_on: number
  readonly created_at: number
}

export const ended = (row: Pick<TaskRow, "status">): boolean =>
  row.status === "completed" || row.status === "failed" || row.status === "cancelled"

export class Store {
  readonly #path: string
  #reader: Database.Database | null = null

  constructor(path: string) {
    this.#path = path
  }

  get exists(): boolean {
    return existsSync(this.#path)
  }

  /** No rows while there is no database or not all of its tables. */
  rows<Row>(statement: string, ...parameters: ReadonlyArray<string | number>): ReadonlyArray<Row> {
    if (this.#reader === null) {
      if (!this.exists) return []
      this.#reader = new Database(this.#path, { readonly: true, timeout: 5000 })
    }
    try {
      return this.#reader.prepare<Array<string | number>, Row>(statement).all(...parameters)
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("no such table")) return []
      throw error
    }
  }

  one<Row>(statement: string, ...parameters: ReadonlyArray<string | number>): Row | undefined {
    return this.rows<Row>(statement, ...parameters)[0]
  }

  task(id: string): TaskRow | undefined {
    return this.one<TaskRow>("SELECT * FROM tasks WHERE id = ?", id)
  }

  get unfinished(): ReadonlyArray<string> {
    return this.rows<{ id: string }>("SELECT id FROM tasks WHERE status IN ('queued', 'running') ORDER BY seq").map(
      ({ id }) => id
    )
  }

  /** Takes the write lock. Returns the function that releases it, or null where another connection holds it. */
  lock(): (() => void) | null {
    const holder = new Database(this.#path, { timeout: 20 })
    try {
      holder.exec("BEGIN IMMEDIATE")
    } catch {
      holder.close()
      return null
    }
    return () => {
      holder.exec("ROLLBACK")
      holder.close()
    }
  }

  close(): void {
    this.#reader?.close()
    this.#reader = null
  }
}

/** A task and the automatic retries of it, which a cancel and a wait mean too. */
export const attemptsOf = (store: Store, id: string): ReadonlyArray<TaskRow> => {
  const row = store.task(id)
  return row === undefined ? [] : [row, ...(row.retried_by === null ? [] : attemptsOf(store, row.retried_by))]
}
