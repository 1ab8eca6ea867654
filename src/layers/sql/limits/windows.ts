/** The windows of accounts, and what follows from a change of one: when the lanes open, and how many may run. */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AccountKey } from "../../../domain/limits/Account.ts"
import { opening, windowsAfter } from "../../../domain/limits/Limit.ts"
import { afterServed, noBound, oneProbe, type Places } from "../../../domain/limits/Places.ts"
import type { StoredSignal } from "../../../domain/limits/Signal.ts"
import { type SpareOpening, spareOpening } from "../../../domain/limits/Spare.ts"
import { Window } from "../../../domain/limits/Window.ts"
import { TaskId, Timestamp } from "../../../domain/task/Task.ts"
import { direct } from "../database/direct.ts"
import * as Statement from "../database/Statement.ts"
import { storedAccount, storedFlag } from "../tasks/Rows.ts"

const WindowRow = Schema.Struct({
  ...Window.fields,
  closed: storedFlag
})

const readWindow = Schema.decodeUnknownOption(WindowRow)

const Claimed = Schema.Struct({ account: storedAccount, claimedAt: Timestamp, family: Schema.String })
const PlacesRow = Schema.Struct({ places: Schema.NullOr(Schema.Int), placesAt: Timestamp, placesSince: Timestamp })

/** A claim of a task with an account: since when, and with models of which family. */
interface Showing {
  readonly account: AccountKey
  readonly claimedAt: number
  readonly family: string
}

/** Must run inside a transaction. */
export const makeWindows = (sql: SqlClient.SqlClient) => {
  /** A row that cannot be read is left out: no task of the account may end because of it. */
  const find = (account: string) =>
    Effect.map(direct(sql`SELECT * FROM windows WHERE account = ${account} ORDER BY name, family`), (rows) =>
      rows.flatMap((row) => Option.toArray(readWindow(row)))
    )

  const save = Statement.run(() => ({
    Request: WindowRow,
    execute: (row) => sql`
      INSERT INTO windows ${sql.insert(row)}
      ON CONFLICT (account, name, family) DO UPDATE SET used = excluded.used, closed = excluded.closed,
        resets_at = excluded.resets_at, length_ms = excluded.length_ms, refusals = excluded.refusals,
        observed_at = excluded.observed_at, source = excluded.source, reason = excluded.reason
    `
  }))

  const findGate = Statement.findOne(() => ({
    Request: AccountKey,
    Result: Schema.Struct({ gate: AccountKey }),
    execute: (key) => sql`SELECT coalesce(joined_to, key) AS gate FROM accounts WHERE key = ${key}`
  }))

  const findLanes = Statement.findAll(() => ({
    Request: AccountKey,
    Result: Schema.Struct({
      id: Schema.Int,
      family: Schema.String,
      spare: storedFlag,
      opensAt: Schema.Int,
      shutsAt: Schema.NullOr(Schema.Int)
    }),
    execute: (gate) => sql`SELECT id, family, spare, opens_at, shuts_at FROM lanes WHERE gate = ${gate}`
  }))

  const findPlaces = Statement.findOne(() => ({
    Request: AccountKey,
    Result: PlacesRow,
    execute: (key) => sql`SELECT places, places_at, places_since FROM accounts WHERE key = ${key}`
  }))

  const findClaimed = Statement.findOne(() => ({
    Request: TaskId,
    Result: Claimed,
    execute: (id) => sql`
      SELECT claims.account, claims.claimed_at, lanes.family
      FROM claims JOIN tasks ON tasks.id = claims.task_id JOIN lanes ON lanes.id = tasks.lane
      WHERE claims.task_id = ${id}
    `
  }))

  /** The account whose windows count: itself, or the one that a person joined it to. */
  const gateOf = (key: AccountKey) =>
    Effect.map(findGate(key), Option.match({ onNone: () => key, onSome: ({ gate }) => gate }))

  const placesOf = (gate: AccountKey) =>
    Effect.map(
      findPlaces(gate),
      Option.match({
        onNone: () => noBound,
        onSome: ({ places, placesAt, placesSince }): Places => ({ count: places, at: placesAt, since: placesSince })
      })
    )

  const savePlaces = (gate: AccountKey, { at, count, since }: Places) =>
    sql`UPDATE accounts SET places = ${count}, places_at = ${at}, places_since = ${since} WHERE key = ${gate}`

  /**
   * Works out again when the lanes of an account open. Where a limit closes all of them, one task at a time asks whether it is over:
   * `before` are the windows that were known, none where they cannot have changed. The limit of one family of models takes no
   * place of the others: the claim lets one task of that family ask.
   */
  const reopen = (gate: AccountKey, before: ReadonlyArray<Window> = []) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const known = yield* find(gate)
      for (const lane of yield* findLanes(gate)) {
        const limit = opening(known, lane.family, now)
        const next: SpareOpening = lane.spare ? spareOpening(known, lane.family, now) : { ...limit, shutsAt: null }
        const { opensAt, shutsAt, window } = next
        const isSame = opensAt === lane.opensAt || (opensAt === 0 && lane.opensAt <= now)
        if (isSame && shutsAt === lane.shutsAt) continue
        yield* sql`
          UPDATE lanes SET opens_at = ${opensAt}, shuts_at = ${shutsAt}, "window" = ${window} WHERE id = ${lane.id}
        `
      }
      if (opening(known, "", now).opensAt > 0 && opening(before, "", now).opensAt === 0) {
        yield* savePlaces(gate, oneProbe(now))
      }
    })

  const isChanged = (before: ReadonlyArray<Window>) => (window: Window) =>
    !before.some((one) => JSON.stringify(one) === JSON.stringify(window))

  /** Writes what has changed, and what follows. */
  const replace = (gate: AccountKey, before: ReadonlyArray<Window>, after: ReadonlyArray<Window>) =>
    Effect.gen(function* () {
      const changed = after.filter(isChanged(before))
      if (changed.length === 0) return
      yield* Effect.forEach(changed, save, { discard: true })
      yield* reopen(gate, before)
    })

  /** What a claim of a task has shown. */
  const observeBy = (
    taskId: TaskId,
    { account: gate, claimedAt, family }: Showing,
    signals: ReadonlyArray<StoredSignal>
  ) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const before = yield* find(gate)
      const observer = { account: gate, source: taskId, family, claimedAt, now }
      const after = signals.reduce<ReadonlyArray<Window>>(
        (windows, signal) => windowsAfter(windows, signal, observer),
        before
      )
      yield* replace(gate, before, after)
      if (!signals.some(({ _tag }) => _tag === "Served")) return
      const opened = before.some(
        (window) =>
          window.family === family && window.closed && after.every((one) => one.family !== family || !one.closed)
      )
      const places = yield* placesOf(gate)
      const next = afterServed(places, claimedAt, opened, now)
      if (next !== places) yield* savePlaces(gate, next)
    })

  return {
    gateOf,
    find,
    findClaimed,
    replace,
    reopen,
    savePlaces,
    observeBy,

    /** What the running claim of a task has shown. */
    observe: (taskId: TaskId, signals: ReadonlyArray<StoredSignal>) =>
      Effect.gen(function* () {
        if (signals.length === 0) return
        const claimed = yield* findClaimed(taskId)
        if (Option.isNone(claimed) || claimed.value.account === null) return
        const { account, ...claim } = claimed.value
        yield* observeBy(taskId, { ...claim, account }, signals)
      })
  }
}
