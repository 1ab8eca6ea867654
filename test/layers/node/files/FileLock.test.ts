/** The lock between processes: one at a time, bounded waits, and a dead holder does not hold for ever. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { withFileLock } from "../../../../src/layers/node/files/FileLock.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "beat-lock-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))
const lock = () => join(home, "a.lock")

it.live("lets one in at a time", () =>
  Effect.gen(function* () {
    let inside = 0
    let most = 0
    const work = Effect.sync(() => {
      most = Math.max(most, ++inside)
    }).pipe(Effect.zipRight(Effect.sleep("5 millis")), Effect.ensuring(Effect.sync(() => inside--)))
    const guarded = withFileLock(lock(), { waitMs: 10_000, staleMs: 10_000 })(work)
    yield* Effect.forEach(Array.from({ length: 8 }), () => guarded, { concurrency: "unbounded" })
    assert.strictEqual(most, 1)
    assert.deepStrictEqual(readdirSync(home), [])
  })
)

it.effect("gives up after its bound when others keep it busy", () =>
  Effect.gen(function* () {
    writeFileSync(lock(), "somebody")
    const fiber = yield* Effect.fork(Effect.flip(withFileLock(lock(), { waitMs: 1000, staleMs: 60_000 })(Effect.void)))
    yield* TestClock.adjust("1100 millis")
    const error = yield* Fiber.join(fiber)
    assert.isNull(error.cause)
    assert.isTrue(existsSync(lock()))
  })
)

it.effect("takes the lock of a holder that has not let go for too long", () =>
  Effect.gen(function* () {
    writeFileSync(lock(), "dead")
    const fiber = yield* Effect.fork(withFileLock(lock(), { waitMs: 10_000, staleMs: 5000 })(Effect.succeed("mine")))
    yield* TestClock.adjust("4 seconds")
    assert.isNull(yield* Fiber.poll(fiber).pipe(Effect.map((exit) => (exit._tag === "None" ? null : exit.value))))
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual(yield* Fiber.join(fiber), "mine")
    assert.deepStrictEqual(readdirSync(home), [])
  })
)

it.effect("lets go when the work fails or is interrupted", () =>
  Effect.gen(function* () {
    const guard = withFileLock(lock(), { waitMs: 0, staleMs: 60_000 })
    yield* Effect.exit(guard(Effect.fail("no")))
    assert.isFalse(existsSync(lock()))
    const fiber = yield* Effect.fork(guard(Effect.never))
    yield* Effect.yieldNow()
    assert.isTrue(existsSync(lock()))
    yield* Fiber.interrupt(fiber)
    assert.isFalse(existsSync(lock()))
  })
)
