/** The contract of the settings store, over the file and over the fake. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ConfigInvalid } from "../../src/domain/Errors.ts"
import { withDefaults } from "../../src/domain/settings/Settings.ts"
import * as MemoryHost from "../../src/layers/memory/fakes/Host.ts"
import * as MemorySettings from "../../src/layers/memory/fakes/SettingsStore.ts"
import * as NodeSettings from "../../src/layers/node/files/SettingsStore.ts"
import { SettingsStore } from "../../src/services/SettingsStore.ts"
import * as TemporaryHome from "../support/home.ts"

const subjects = [
  { name: "memory", layer: MemorySettings.layer({}) },
  {
    name: "a file",
    layer: NodeSettings.layer.pipe(Layer.provide(TemporaryHome.layer), Layer.provide(MemoryHost.layer))
  }
] as const

for (const { layer, name } of subjects) {
  describe(`SettingsStore over ${name}`, () => {
    it.scopedLive("starts empty: the defaults are in force", () =>
      Effect.gen(function* () {
        const store = yield* SettingsStore
        assert.deepStrictEqual(yield* store.file, {})
        assert.deepStrictEqual(yield* store.get, withDefaults({}, 2))
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("keeps a change, and puts it in force", () =>
      Effect.gen(function* () {
        const store = yield* SettingsStore
        const wanted = { maxConcurrency: 7, agents: { claude: { model: "opus", env: { A: "" } } } }
        assert.deepStrictEqual(yield* store.update(() => Effect.succeed(wanted)), wanted)
        yield* store.update((file) => Effect.succeed({ ...file, leftovers: "keep" }))
        assert.deepStrictEqual(yield* store.file, { ...wanted, leftovers: "keep" })
        assert.deepStrictEqual(yield* store.get, withDefaults({ ...wanted, leftovers: "keep" }, 2))
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("changes nothing when the change fails", () =>
      Effect.gen(function* () {
        const store = yield* SettingsStore
        yield* store.update(() => Effect.succeed({ maxDepth: 5 }))
        const refusal = new ConfigInvalid({ path: "maxDepth", problem: "no" })
        const error = yield* Effect.flip(store.update(() => Effect.fail(refusal)))
        assert.strictEqual(error.message, refusal.message)
        assert.deepStrictEqual(yield* store.file, { maxDepth: 5 })
      }).pipe(Effect.provide(layer))
    )

    it.scopedLive("loses no change of many at the same time", () =>
      Effect.gen(function* () {
        const store = yield* SettingsStore
        const count = 8
        yield* Effect.forEach(
          Array.from({ length: count }),
          () => store.update((file) => Effect.succeed({ ...file, maxDepth: (file.maxDepth ?? 0) + 1 })),
          { concurrency: "unbounded" }
        )
        assert.strictEqual((yield* store.file).maxDepth, count)
      }).pipe(Effect.provide(layer))
    )
  })
}
