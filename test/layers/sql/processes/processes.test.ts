/** Several real processes on one file. */
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, beforeAll } from "vitest"
import { migrations } from "../../../../migrations/index.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { newTask } from "../../../support/tasks.ts"
import { pathsIn, services, temporaryHome } from "../support.ts"
import { bundle, run, stranger } from "./contenders.ts"

const place = { directory: "", program: "" }

beforeAll(async () => {
  place.directory = mkdtempSync(join(tmpdir(), "backbeat-contender-"))
  chmodSync(place.directory, 0o755)
  place.program = await bundle(place.directory)
})

afterAll(() => rmSync(place.directory, { recursive: true, force: true }))

const compete = (...[contenders, as]: [Parameters<typeof run>[1], Parameters<typeof run>[2]?]) =>
  Effect.promise(() => run(place.program, contenders, as))

const submitted = (home: string, count: number) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    yield* queue.enqueue(
      Array.from({ length: count }, () => newTask()),
      { maxDepth: 3 }
    )
  }).pipe(Effect.provide(services(home)))

describe("several processes", () => {
  it.scopedLive("may open a file at the same time that none of them has made", () =>
    Effect.gen(function* () {
      const home = join(yield* temporaryHome, "new")
      const told = yield* compete(Array.from({ length: 4 }, () => ["schema", home] as const))
      assert.deepStrictEqual(
        told,
        Array.from({ length: 4 }, () => ({ value: Object.keys(migrations).length }))
      )
      assert.strictEqual(statSync(pathsIn(home).database).mode & 0o777, 0o600)
    })
  )

  it.scopedLive("claim each task once", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      yield* submitted(home, 100)
      const told = yield* compete([
        ["work", home, "aaaaaaaaaaaaaaaa"],
        ["work", home, "bbbbbbbbbbbbbbbb"]
      ])
      const shares = told.map((one) => {
        assert.ok(one instanceof Object && "value" in one && Array.isArray(one.value), JSON.stringify(one))
        return one.value
      })
      assert.strictEqual(shares.flat().length, 100)
      assert.strictEqual(new Set(shares.flat()).size, 100)
      assert.isTrue(
        shares.every((share) => share.length > 0),
        "one of them got nothing: they did not compete"
      )
      const counts = yield* Effect.flatMap(Tasks, (tasks) => tasks.counts).pipe(Effect.provide(services(home)))
      assert.deepStrictEqual(counts, { queued: 0, running: 0, completed: 100, failed: 0, cancelled: 0 })
    })
  )
})

describe("two processes that tie tasks to each other", () => {
  it.scopedLive("never make a cycle: one of them is refused", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      for (let round = 0; round < 3; round++) {
        const [a, b, c] = yield* Effect.flatMap(Queue, (queue) =>
          queue.enqueue([newTask(), newTask(), newTask()], { maxDepth: 3 })
        ).pipe(
          Effect.provide(services(home)),
          Effect.map((stored) => stored.map(({ task }) => task.id))
        )
        const told = yield* compete([
          ["tie", home, `${a},${b}`],
          ["tie", home, `${b},${c}`],
          ["tie", home, `${c},${a}`]
        ])
        const refused = told.filter(
          (one) => JSON.stringify(one) === '{"error":{"tag":"DependencyInvalid","reason":"cycle"}}'
        )
        assert.lengthOf(refused, 1, JSON.stringify(told))
        assert.lengthOf(
          told.filter((one) => JSON.stringify(one) === '{"value":1}'),
          2
        )
      }
    })
  )
})

describe("a directory that cannot be written", () => {
  /** A home of ours that others may look into but not write. */
  const sealed = Effect.gen(function* () {
    const parent = yield* temporaryHome
    chmodSync(parent, 0o755)
    const home = join(parent, "home")
    return { parent, home }
  })

  /** The home belongs to the process that looks at it: another user's would be refused for that reason. */
  const seal = (home: string) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const { gid, uid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, ...stranger }
        const { database } = pathsIn(home)
        for (const file of [database, `${database}-wal`, `${database}-shm`].filter((path) => existsSync(path))) {
          chmodSync(file, 0o444)
          chownSync(file, uid, gid)
        }
        chmodSync(home, 0o555)
        chownSync(home, uid, gid)
      }),
      () => Effect.sync(() => chmodSync(home, 0o755))
    )

  const refused = { error: { tag: "StorageError", reason: "read-only" } }

  it.scopedLive("is named, to those who write and to those who read", () =>
    Effect.gen(function* () {
      const { home } = yield* sealed
      yield* submitted(home, 1)
      yield* seal(home)
      assert.deepStrictEqual(yield* compete([["submit", home]], stranger), [refused])
      assert.deepStrictEqual(yield* compete([["list", home]], stranger), [refused])
    })
  )

  it.scopedLive("lets every process read while another process has the database open", () =>
    Effect.gen(function* () {
      const { home } = yield* sealed
      const open = yield* Layer.build(services(home))
      yield* Effect.flatMap(Queue, (queue) => queue.enqueue([newTask()], { maxDepth: 3 })).pipe(Effect.provide(open))
      yield* seal(home)
      assert.deepStrictEqual(yield* compete([["list", home]], stranger), [{ value: 1 }])
      assert.deepStrictEqual(yield* compete([["submit", home]], stranger), [refused])
    })
  )

  it.scopedLive("cannot be given a new database", () =>
    Effect.gen(function* () {
      const { home, parent } = yield* sealed
      chmodSync(parent, 0o555)
      yield* Effect.addFinalizer(() => Effect.sync(() => chmodSync(parent, 0o755)))
      assert.deepStrictEqual(yield* compete([["submit", home]], stranger), [refused])
      assert.deepStrictEqual(yield* compete([["list", home]], stranger), [{ value: 0 }])
    })
  )
})
