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
const PlacesRow = Schema.Struct({ places: Schema.NullOr(Schema.Int), placesAt: Timestamp })

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
    execute: (key) => sql`SELECT places, places_at FROM accounts WHERE key = ${key}`
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
        onSome: ({ places, placesAt }): Places => ({ count: places, at: placesAt })
      })
    )

  const savePlaces = (gate: AccountKey, { at, count }: Places) =>
    sql`UPDATE accounts SET places = ${count}, places_at = ${at} WHERE key = ${gate}`

  /**
   * Works out again when the lanes of an account open. Where a limit closes one, one task at a time asks whether it is over:
   * `before` are the windows that were known, none where they cannot have changed.
   */
  const reopen = (gate: AccountKey, before: ReadonlyArray<Window> = []) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const known = yield* find(gate)
      let closes = false
      for (const lane of yield* findLanes(gate)) {
        const limit = opening(known, lane.family, now)
        const wasOpen = lane.spare ? opening(before, lane.family, now).opensAt === 0 : lane.opensAt <= now
        closes ||= limit.opensAt > now && wasOpen
        const next: SpareOpening = lane.spare ? spareOpening(known, lane.family, now) : { ...limit, shutsAt: null }
        const { opensAt, shutsAt, window } = next
        const isSame = opensAt === lane.opensAt || (opensAt === 0 && lane.opensAt <= now)
        if (isSame && shutsAt === lane.shutsAt) continue
        yield* sql`
          UPDATE lanes SET opens_at = ${opensAt}, shuts_at = ${shutsAt}, "window" = ${window} WHERE id = ${lane.id}
        `
      }
      if (closes) yield* savePlaces(gate, oneProbe(now))
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

  const served = (gate: AccountKey, claimedAt: number) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const places = yield* placesOf(gate)
      const after = afterServed(places, claimedAt, now)
      if (after !== places) yield* savePlaces(gate, after)
    })

  return {
    gateOf,
    find,
    findClaimed,
    replace,
    reopen,
    savePlaces,
    served,

    /** What the running claim of a task has shown. */
    observe: (taskId: TaskId, signals: ReadonlyArray<StoredSignal>) =>
      Effect.gen(function* () {
        if (signals.length === 0) return
        const claimed = yield* findClaimed(taskId)
        if (Option.isNone(claimed) || claimed.value.account === null) return
        const { account: gate, claimedAt, family } = claimed.value
        const now = yield* Clock.currentTimeMillis
        const before = yield* find(gate)
        const observer = { account: gate, source: taskId, family, claimedAt, now }
        const after = signals.reduce<ReadonlyArray<Window>>(
          (windows, signal) => windowsAfter(windows, signal, observer),
          before
        )
        yield* replace(gate, before, after)
        if (signals.some(({ _tag }) => _tag === "Served")) yield* served(gate, claimedAt)
      })
  }
}
