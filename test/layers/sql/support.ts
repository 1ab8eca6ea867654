/** Databases of their own for tests, and tasks to put into them. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { WorkerId } from "../../../src/domain/worker/Worker.ts"
import { pathsOf } from "../../../src/layers/node/files/Paths.ts"
import * as Ids from "../../../src/layers/node/system/Ids.ts"
import * as Database from "../../../src/layers/sql/database/Database.ts"
import * as SqlServices from "../../../src/layers/sql/SqlServices.ts"
import { Paths } from "../../../src/services/Paths.ts"
import * as TestDatabase from "../../support/database.ts"

export const pathsIn = (home: string) => pathsOf({ BACKBEAT_HOME: home }, { home: () => home, current: () => home })

/** An empty home directory, gone with the scope. */
export const temporaryHome = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "backbeat-sql-"))),
  (home) => Effect.sync(() => rmSync(home, { recursive: true, force: true }))
)

export const pathsLayer = (home: string) => Layer.succeed(Paths, pathsIn(home))

/** Paths of a home that is gone with the layer. */
export const temporaryPaths = Layer.scoped(Paths, Effect.map(temporaryHome, pathsIn))

/** The services on a database in memory, and the connection to look behind them. */
export const memory = SqlServices.layer.pipe(
  Layer.provideMerge(TestDatabase.layer),
  Layer.provideMerge(Layer.merge(Ids.layer, temporaryPaths))
)

/** The services on the file in `home`. */
export const services = (home: string) =>
  SqlServices.layer.pipe(
    Layer.provideMerge(Database.layerWriter),
    Layer.provideMerge(Layer.merge(Ids.layer, pathsLayer(home)))
  )

/** Builds a layer in the scope of the test: for two connections side by side. */
export const built = <A, E, R>(layer: Layer.Layer<A, E, R>) => Layer.build(layer)

export const within =
  <S>(context: Context.Context<S>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, context)

export const workerA = WorkerId.make("aaaaaaaaaaaaaaaa")
export const workerB = WorkerId.make("bbbbbbbbbbbbbbbb")

export const claimOptions = {
  workerId: workerA,
  maxConcurrency: 1000,
  onlyWhenIdle: false,
  bootId: "boot",
  uptimeMs: 0,
  sinceBootMs: 0,
  uid: null
}
