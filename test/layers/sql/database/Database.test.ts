/** Opening the database: made private, brought up to date under a lock, and left alone where it is not ours. */
import { createHash } from "node:crypto"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { migrations } from "../../../../migrations/index.ts"
import { self } from "../../../../src/layers/memory/fakes/Processes.ts"
import * as Ids from "../../../../src/layers/node/system/Ids.ts"
import * as Database from "../../../../src/layers/sql/database/Database.ts"
import type { Migrations } from "../../../../src/layers/sql/database/migrate.ts"
import * as SqlServices from "../../../../src/layers/sql/SqlServices.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { WorkerRegistry } from "../../../../src/services/WorkerRegistry.ts"
import { newTask, workerA, workerWith } from "../../../support/tasks.ts"
import { pathsIn, pathsLayer, services, temporaryHome } from "../support.ts"

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex")

/** Runs `use` on the database in `home`, opened by `database`. */
const on =
  (home: string, database: Layer.Layer<SqlClient.SqlClient, unknown, never> | typeof Database.layerWriter) =>
  <A, E>(use: Effect.Effect<A, E, SqlClient.SqlClient>) =>
    Effect.provide(use, database.pipe(Layer.provide(pathsLayer(home))))

const version = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly version: number }>`SELECT user_version AS version FROM pragma_user_version`
  return row?.version
})

const submit = (home: string) =>
  Effect.flatMap(Queue, (queue) => queue.enqueue([newTask()], { maxDepth: 3 })).pipe(Effect.provide(services(home)))

/** The schema version of the product. */
const current = Object.keys(migrations).length

/** The product's migrations and some more. */
const further = (steps: number): Migrations => ({
  ...migrations,
  ...Object.fromEntries(
    Array.from({ length: steps }, (_, index) => {
      const number = current + 1 + index
      return [
        `${String(number).padStart(4, "0")}_more`,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql.unsafe(`CREATE TABLE more_${number} (id TEXT)`)
        })
      ]
    })
  )
})

const backups = (home: string) => readdirSync(home).filter((name) => name.endsWith(".backup"))

describe("migrations", () => {
  it("are dense and increasing, and each file is in the record", () => {
    const names = Object.keys(migrations)
    assert.deepStrictEqual(
      names.map((name) => Number.parseInt(name, 10)),
      names.map((_, index) => index + 1)
    )
    const files = readdirSync(join(import.meta.dirname, "../../../../migrations")).filter((name) => /^[0-9]/.test(name))
    assert.deepStrictEqual(files.map((name) => name.replace(/\.ts$/, "")).sort(), names)
  })
})

describe("the writer", () => {
  it.scopedLive("makes a private home and file with the settings that promises rest on", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "deep", "home")
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`PRAGMA journal_mode`, [{ journalMode: "wal" }])
        assert.deepStrictEqual(yield* sql`PRAGMA synchronous`, [{ synchronous: 2 }])
        assert.deepStrictEqual(yield* sql`PRAGMA foreign_keys`, [{ foreignKeys: 1 }])
        assert.deepStrictEqual(yield* sql`PRAGMA busy_timeout`, [{ timeout: 50 }])
        const { database } = pathsIn(home)
        for (const file of [database, `${database}-wal`, `${database}-shm`]) {
          assert.strictEqual(statSync(file).mode & 0o777, 0o600, file)
        }
        assert.strictEqual(statSync(home).mode & 0o777, 0o700)
      }).pipe(on(home, Database.layerWriter))
    })
  )

  it.scopedLive("copies an old database before it changes it, and keeps three copies", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      for (const steps of [1, 2, 3, 4, 5]) {
        assert.strictEqual(yield* version.pipe(on(home, Database.layerMigrating(further(steps)))), current + steps)
      }
      const kept = backups(home)
      assert.deepStrictEqual(
        kept.map((name) => /\.v(\d+)-/.exec(name)?.[1]),
        [2, 3, 4].map((steps) => `${current + steps}`)
      )
      for (const name of kept) {
        assert.strictEqual(statSync(join(home, name)).mode & 0o777, 0o600)
        const copy = new Sqlite(join(home, name), { readonly: true })
        assert.deepStrictEqual(copy.prepare("SELECT count(*) AS count FROM tasks").get(), { count: 1 })
        assert.strictEqual(copy.pragma("user_version", { simple: true }), Number(/\.v(\d+)-/.exec(name)?.[1]))
        assert.strictEqual(copy.pragma("integrity_check", { simple: true }), "ok")
        copy.close()
      }
      assert.notInclude(readdirSync(home).join(" "), "partial")
    })
  )

  it.scopedLive("migrates once when several come at the same time", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      const opened = yield* Effect.all(
        Array.from({ length: 4 }, () => version.pipe(on(home, Database.layerMigrating(further(1))))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(opened, Array(4).fill(current + 1))
      assert.strictEqual(backups(home).length, 1)
    })
  )

  it.scopedLive("takes back a migration that fails, or that leaves rows without what they refer to", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      const statements = (...texts: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          for (const text of texts) yield* sql.unsafe(text)
        })
      const opened = (migration: Migrations[string]) =>
        Effect.flip(
          version.pipe(
            on(
              home,
              Database.layerMigrating({ ...migrations, [`${String(current + 1).padStart(4, "0")}_bad`]: migration })
            )
          )
        )
      const failing = yield* opened(statements("CREATE TABLE more (id TEXT)", "CREATE TABLE tasks (id TEXT)"))
      assert.deepInclude(failing, { _tag: "StorageError", reason: "unknown", operation: "open" })
      const dangling = yield* opened(statements("CREATE TABLE more (id TEXT)", "DELETE FROM environments"))
      assert.deepInclude(dangling, { _tag: "StorageError", reason: "corrupt" })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.strictEqual(yield* version, current)
        assert.deepStrictEqual(yield* sql`SELECT name FROM sqlite_master WHERE name = 'more'`, [])
        assert.strictEqual((yield* sql`SELECT id FROM environments`).length, 1)
      }).pipe(on(home, Database.layerWriter))
    })
  )

  it.scopedLive("may rebuild a table that others refer to, without losing their rows", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      const rebuild = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE TABLE rebuilt (id TEXT PRIMARY KEY, variables TEXT NOT NULL) STRICT`
        yield* sql`INSERT INTO rebuilt SELECT * FROM environments`
        yield* sql`DROP TABLE environments`
        yield* sql`ALTER TABLE rebuilt RENAME TO environments`
      })
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.strictEqual((yield* sql`SELECT task_id FROM task_inputs`).length, 1)
        assert.deepStrictEqual(yield* sql`PRAGMA foreign_keys`, [{ foreignKeys: 1 }])
      }).pipe(
        on(
          home,
          Database.layerMigrating({ ...migrations, [`${String(current + 1).padStart(4, "0")}_rebuild`]: rebuild })
        )
      )
    })
  )
})

describe("a database that this version does not know", () => {
  const refused = (home: string, reason: string) =>
    Effect.gen(function* () {
      const { database } = pathsIn(home)
      const isFile = existsSync(database) && statSync(database).isFile()
      const before = isFile ? digest(database) : null
      for (const layer of [Database.layerWriter, Database.layerReader]) {
        const error = yield* Effect.flip(version.pipe(on(home, layer)))
        assert.deepInclude(error, { _tag: "StorageError", operation: "open", reason, path: database })
      }
      if (isFile) assert.strictEqual(digest(database), before)
    })

  it.scopedLive("is refused and left as it is when it is newer", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* version.pipe(on(home, Database.layerMigrating(further(1))))
      yield* refused(home, "schema-too-new")
      assert.deepStrictEqual(backups(home), [])
    })
  )

  it.scopedLive("is refused when it is not a database", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      writeFileSync(pathsIn(home).database, "not a database at all, but long enough to be looked at ".repeat(200))
      yield* refused(home, "corrupt")
    })
  )

  it.scopedLive("is refused when its pages are damaged", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      const bytes = readFileSync(pathsIn(home).database)
      writeFileSync(
        pathsIn(home).database,
        Buffer.concat([bytes.subarray(0, 200), Buffer.alloc(bytes.length - 200, 7)])
      )
      yield* refused(home, "corrupt")
    })
  )

  it.scopedLive("is refused when it belongs to another program", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const other = new Sqlite(pathsIn(home).database)
      other.exec("CREATE TABLE theirs (x); PRAGMA user_version = 1")
      other.close()
      yield* refused(home, "corrupt")
    })
  )

  it.scopedLive("is refused when it is a directory, or lies below a file", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      mkdirSync(pathsIn(home).database)
      yield* refused(home, "unreadable")
      const file = join(home, "file")
      writeFileSync(file, "")
      yield* refused(join(file, "home"), "unreadable")
    })
  )
})

describe("the reader", () => {
  const list = Effect.flatMap(Tasks, (tasks) => tasks.counts)

  it.scopedLive("finds nothing on a fresh machine, and makes nothing", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "home")
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.deepStrictEqual(yield* sql`SELECT id FROM tasks`, [])
        const error = yield* Effect.flip(sql`DELETE FROM tasks`)
        assert.strictEqual(error._tag, "SqlError")
      }).pipe(on(home, Database.layerReader))
      assert.isFalse(existsSync(home))
    })
  )

  it.scopedLive("takes a file that is being made for an empty one", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      writeFileSync(pathsIn(home).database, "")
      assert.strictEqual(yield* version.pipe(on(home, Database.layerReader)), current)
      assert.strictEqual(statSync(pathsIn(home).database).size, 0)
    })
  )

  it.scopedLive("sees what others commit, and cannot write", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        assert.strictEqual((yield* sql`SELECT id FROM tasks`).length, 1)
        yield* submit(home)
        assert.strictEqual((yield* sql`SELECT id FROM tasks`).length, 2)
        const error = yield* Effect.flip(sql`DELETE FROM task_inputs`)
        assert.include(String(error.cause), "readonly")
      }).pipe(on(home, Database.layerReader))
      assert.strictEqual((yield* list.pipe(Effect.provide(services(home)))).queued, 2)
    })
  )

  it.scopedLive("brings an old schema up to date, with a copy, and still cannot write rows", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* version, current + 1)
        const sql = yield* SqlClient.SqlClient
        assert.strictEqual((yield* sql`SELECT id FROM tasks`).length, 1)
        assert.include(String((yield* Effect.flip(sql`DELETE FROM task_inputs`)).cause), "readonly")
      }).pipe(on(home, Database.layerReaderMigrating(further(1))))
      assert.strictEqual(backups(home).length, 1)
    })
  )

  it.scopedLive("waits where others bring it up to date at the same time", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submit(home)
      const layers = [Database.layerReaderMigrating, Database.layerMigrating].flatMap((layer) => [layer, layer])
      const opened = yield* Effect.all(
        layers.map((layer) => version.pipe(on(home, layer(further(1))))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(opened, Array(4).fill(current + 1))
      assert.strictEqual(backups(home).length, 1)
    })
  )
})

describe("a database that is removed or replaced while it is open", () => {
  const enqueue = Effect.flatMap(Queue, (queue) => queue.enqueue([newTask()], { maxDepth: 3 }))
  const read = Effect.flatMap(Tasks, (tasks) => tasks.counts)

  const changes: ReadonlyArray<readonly [string, (home: string, database: string) => void]> = [
    ["the file is removed", (_home, database) => rmSync(database)],
    ["its directory is removed", (home) => rmSync(home, { recursive: true })],
    ["it is moved", (_home, database) => renameSync(database, `${database}.old`)],
    ["its directory is moved", (home) => renameSync(home, `${home}.old`)],
    [
      "a copy takes its place",
      (_home, database) => {
        copyFileSync(database, `${database}.copy`)
        renameSync(`${database}.copy`, database)
      }
    ]
  ]

  for (const [text, change] of changes) {
    it.scopedLive(`takes no task, and gives no answer from the old one: ${text}`, () =>
      Effect.gen(function* () {
        const home = join(yield* temporaryHome, "home")
        yield* Effect.gen(function* () {
          yield* enqueue
          change(home, pathsIn(home).database)
          for (const error of [yield* Effect.flip(enqueue), yield* Effect.flip(read)]) {
            assert.strictEqual(error._tag === "StorageError" ? error.reason : error._tag, "moved")
            assert.include(error.message, "Start the program again.")
          }
        }).pipe(Effect.provide(services(home)))
      })
    )
  }

  it.scopedLive("tells a worker of the same file from one whose row came with a copy", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const { database } = pathsIn(home)
      /** Whether the file that is open there is the one in the row of the worker. */
      const isHere = (there: string) =>
        Effect.gen(function* () {
          const registry = yield* WorkerRegistry
          const [row] = yield* registry.workers
          assert.isNotNull(row?.file)
          return row?.file === (yield* registry.schema).file
        }).pipe(Effect.provide(services(there)))
      const copied = (name: string) => {
        mkdirSync(join(home, name))
        for (const suffix of ["", "-wal"])
          copyFileSync(`${database}${suffix}`, join(home, name, `backbeat.db${suffix}`))
        return join(home, name)
      }
      const [first, moved] = yield* Effect.gen(function* () {
        const registry = yield* WorkerRegistry
        const { file } = yield* registry.schema
        yield* registry.register(workerWith({ id: workerA, process: self, file }))
        return [copied("copy"), copied("moved")]
      }).pipe(Effect.provide(services(home)))
      assert.isTrue(yield* isHere(home))
      symlinkSync(home, join(home, "link"))
      assert.isTrue(yield* isHere(join(home, "link")))
      assert.isFalse(yield* isHere(first ?? ""))
      renameSync(moved ?? "", join(home, "again"))
      assert.isFalse(yield* isHere(join(home, "again")))
    })
  )

  it.scopedLive("takes no task through a service that is made after the change either", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "home")
      yield* enqueue.pipe(Effect.provide(services(home)))
      const error = yield* Effect.gen(function* () {
        yield* SqlClient.SqlClient
        const { database } = pathsIn(home)
        copyFileSync(database, `${database}.copy`)
        renameSync(`${database}.copy`, database)
        return yield* Effect.flip(enqueue.pipe(Effect.provide(SqlServices.layer)))
      }).pipe(Effect.provide(Database.layerWriter.pipe(Layer.provideMerge(Layer.merge(pathsLayer(home), Ids.layer)))))
      assert.strictEqual(error._tag === "StorageError" ? error.reason : error._tag, "moved")
    })
  )

  it.scopedLive("works on where the same file comes back", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "home")
      yield* Effect.gen(function* () {
        yield* enqueue
        renameSync(home, `${home}.old`)
        yield* Effect.flip(enqueue)
        renameSync(`${home}.old`, home)
        yield* enqueue
        assert.strictEqual((yield* read).queued, 2)
      }).pipe(Effect.provide(services(home)))
    })
  )
})
