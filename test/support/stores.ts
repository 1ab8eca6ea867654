/** The implementations of the store ports that every contract runs over. */
import * as SqlClient from "@effect/sql/SqlClient"
import { it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ids from "../../src/layers/memory/fakes/Ids.ts"
import * as MemoryServices from "../../src/layers/memory/MemoryServices.ts"
import * as LateRounds from "../../src/layers/sql/loops/LateRounds.ts"
import * as SqlServices from "../../src/layers/sql/SqlServices.ts"
import * as DueTimes from "../../src/layers/sql/workers/DueTimes.ts"
import * as PutRight from "../../src/layers/sql/workers/PutRight.ts"
import * as WorkerWorkspaces from "../../src/layers/sql/workspaces/WorkerWorkspaces.ts"
import type { Budgets } from "../../src/services/Budgets.ts"
import type { Checkpoints } from "../../src/services/Checkpoints.ts"
import type { Gates } from "../../src/services/Gates.ts"
import type { Ledger } from "../../src/services/Ledger.ts"
import type { Limits } from "../../src/services/Limits.ts"
import type { Loops } from "../../src/services/Loops.ts"
import type { Messages } from "../../src/services/Messages.ts"
import type { Metrics } from "../../src/services/Metrics.ts"
import type { OutputStore } from "../../src/services/OutputStore.ts"
import type { Pipelines } from "../../src/services/Pipelines.ts"
import type { PutRight as PutRightPort } from "../../src/services/PutRight.ts"
import type { Questions } from "../../src/services/Questions.ts"
import type { Queue } from "../../src/services/Queue.ts"
import type { Schedules } from "../../src/services/Schedules.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import type { WorkerRegistry } from "../../src/services/WorkerRegistry.ts"
import * as Database from "./database.ts"
import * as TemporaryHome from "./home.ts"

/** Looks under the ports, at what they promise but do not show. */
export class Probe extends Context.Tag("backbeat/test/Probe")<
  Probe,
  {
    /** How many distinct environments are stored. */
    readonly environments: Effect.Effect<number>
  }
>() {}

/** What every store under test has. */
export type Ports = Queue | Tasks | WorkerRegistry | OutputStore

/** What a database has. */
export type AllPorts =
  | Ports
  | Pipelines
  | Checkpoints
  | Schedules
  | Limits
  | Gates
  | Questions
  | Budgets
  | Loops
  | Ledger
  | Messages
  | Metrics
  | PutRightPort
  | Probe

/** A store under test: each build of the layer starts empty. */
export interface Subject<P = Ports> {
  readonly name: string
  readonly layer: Layer.Layer<P, unknown>
}

export const memory: Subject = { name: "memory", layer: Layer.provide(MemoryServices.layer, Ids.layerTest) }

const sqlProbe = Layer.effect(
  Probe,
  Effect.map(SqlClient.SqlClient, (sql) =>
    Probe.of({
      environments: Effect.map(Effect.orDie(sql`SELECT id FROM environments`), (rows) => rows.length)
    })
  )
)

/** The SQL services with their connection, on a database in memory. */
export const testSql = Layer.mergeAll(
  SqlServices.layer,
  DueTimes.layer,
  LateRounds.layer,
  PutRight.layer,
  WorkerWorkspaces.layer
).pipe(Layer.provideMerge(Database.layer), Layer.provideMerge(Layer.merge(TemporaryHome.layer, Ids.layerTest)))

/**
 * The same for programs that act as several processes in one test: the version rises with every commit, as if each were that of
 * another connection.
 */
export const sharedSql = Layer.effect(
  Tasks,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const version = Effect.map(
      Effect.orDie(sql<{ readonly version: number }>`SELECT total_changes() AS version`),
      ([row]) => row?.version ?? 0
    )
    return Tasks.of({ ...(yield* Tasks), version })
  })
).pipe(Layer.provideMerge(testSql))

export const sql: Subject<AllPorts> = { name: "SQL", layer: sqlProbe.pipe(Layer.provideMerge(testSql)) }

/** The stores of tasks, claims and output: the database and its fakes. */
export const subjects: ReadonlyArray<Subject> = [memory, sql]

/** The stores of all that only a database keeps. */
export const databases: ReadonlyArray<Subject<AllPorts>> = [sql]

/** Declares tests that each get a fresh store. */
export const testsOver =
  <P>(subject: Subject<P>) =>
  (name: string, effect: Effect.Effect<unknown, unknown, P>) =>
    it.effect(name, () => Effect.provide(effect, subject.layer))
