/** Files that a person names: what is read, what is refused and why, and that no file holds a command up. */
import { execFileSync } from "node:child_process"
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { layer } from "../../../../src/layers/node/files/TextFiles.ts"
import { TextFiles } from "../../../../src/services/TextFiles.ts"

const root = mkdtempSync(join(tmpdir(), "beat-text-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const limit = 1024 ** 2
const read = (name: string) => Effect.flatMap(TextFiles, (files) => files.read(name, root, limit))
const reason = (name: string) => Effect.map(Effect.flip(read(name)), ({ problem }) => problem)

/** A pipe with these bytes, held open for writing; Linux gives it 64 kB. */
const pipe = (name: string, text: string): number => {
  const path = join(root, name)
  execFileSync("mkfifo", [path])
  const fd = openSync(path, constants.O_RDWR)
  writeSync(fd, text)
  return fd
}

describe("a text file", () => {
  it.effect("is read to its end", () =>
    Effect.gen(function* () {
      writeFileSync(join(root, "some"), "one\ntwö")
      writeFileSync(join(root, "none"), "")
      writeFileSync(join(root, "full"), "x".repeat(limit))
      assert.strictEqual(yield* read("some"), "one\ntwö")
      assert.strictEqual(yield* read("none"), "")
      assert.lengthOf(yield* read("full"), limit)
      assert.strictEqual(yield* read("/dev/null"), "")
    }).pipe(Effect.provide(layer))
  )

  it.effect("is refused with the reason", () =>
    Effect.gen(function* () {
      writeFileSync(join(root, "large"), "x".repeat(limit + 1))
      writeFileSync(join(root, "latin"), Buffer.from("caf\u00e9", "latin1"))
      assert.match(yield* reason("missing"), /no such file/)
      assert.match(yield* reason("."), /is a directory/)
      assert.match(yield* reason("large"), /larger than 1 MB/)
      assert.match(yield* reason("latin"), /not UTF-8/)
      assert.match(yield* reason("/dev/zero"), /neither a file nor a pipe/)
      assert.match(yield* reason("some/thing"), /ENOTDIR|no such file/)
      assert.match(yield* reason("nu\0l"), /cannot be read/)
    }).pipe(Effect.provide(layer))
  )
})

describe("a pipe", () => {
  it.live("is read to its end", () =>
    Effect.gen(function* () {
      const fd = pipe("whole", "steps")
      const reading = yield* Effect.fork(read("whole"))
      // It has opened the pipe and read all that is in it, and waits for more.
      yield* Effect.yieldNow()
      closeSync(fd)
      assert.strictEqual(yield* Fiber.join(reading), "steps")
    }).pipe(Effect.provide(layer))
  )

  it.live("whose writer comes later is waited for", () =>
    Effect.gen(function* () {
      execFileSync("mkfifo", [join(root, "late")])
      const reading = yield* Effect.fork(read("late"))
      yield* Effect.yieldNow()
      assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
      writeFileSync(join(root, "late"), "steps")
      assert.strictEqual(yield* Fiber.join(reading), "steps")
    }).pipe(Effect.provide(layer))
  )

  it.live("whose writer comes and sends nothing is empty", () =>
    Effect.gen(function* () {
      const fd = pipe("empty", "")
      const reading = yield* Effect.fork(read("empty"))
      // It has opened the pipe, found its writer, and waits.
      yield* Effect.yieldNow()
      closeSync(fd)
      assert.strictEqual(yield* Fiber.join(reading), "")
    }).pipe(Effect.provide(layer))
  )

  it.effect("that has no writer is refused after a minute", () =>
    Effect.gen(function* () {
      execFileSync("mkfifo", [join(root, "lonely")])
      const reading = yield* Effect.fork(reason("lonely"))
      yield* TestClock.adjust("59 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(reading)))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* Fiber.join(reading), "nothing was written to it within a minute")
    }).pipe(Effect.provide(layer))
  )

  it.live("that does not end is refused at the limit", () =>
    Effect.gen(function* () {
      const fd = pipe("endless", "x".repeat(1000))
      const refused = yield* Effect.flatMap(TextFiles, (files) => Effect.flip(files.read("endless", root, 999)))
      assert.match(refused.problem, /larger than/)
      closeSync(fd)
    }).pipe(Effect.provide(layer))
  )

  it.live("that nothing is written to is left when the command ends", () =>
    Effect.gen(function* () {
      const fd = pipe("silent", "")
      const reading = yield* Effect.fork(read("silent"))
      yield* Effect.yieldNow()
      const exit = yield* Fiber.interrupt(reading)
      assert.strictEqual(exit._tag, "Failure")
      closeSync(fd)
    }).pipe(Effect.provide(layer))
  )
})
