/** Config files that are broken in every way: settings or a message come of each, and no message quotes the file. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { SettingsFile } from "../../src/domain/settings/Settings.ts"
import { encodeSettings } from "../../src/domain/settings/SettingsProblem.ts"
import { pathsOf } from "../../src/layers/node/files/Paths.ts"
import { layerWith } from "../../src/layers/node/files/SettingsStore.ts"
import { Host } from "../../src/services/Host.ts"
import { Paths } from "../../src/services/Paths.ts"
import { SettingsStore } from "../../src/services/SettingsStore.ts"
import { patience, runs } from "./effort.ts"

let home = ""
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "beat-fuzz-config-"))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

const host = Layer.succeed(Host, {
  availableMemory: Effect.succeed(0),
  uptimeMs: Effect.succeed(0),
  sleepCounts: false,
  sinceBootMs: Effect.succeed(0),
  cores: Effect.succeed(2),
  user: Effect.succeed("ann")
})

const read = (content: string | Uint8Array) =>
  Effect.runPromise(
    Effect.suspend(() => {
      writeFileSync(join(home, "config.json"), content)
      const paths = Layer.succeed(Paths, pathsOf({ BACKBEAT_HOME: home }, { home: () => "/", current: () => "/" }))
      return Effect.flatMap(SettingsStore, (store) => Effect.either(store.get)).pipe(
        Effect.provide(Layer.provide(layerWith({}), [paths, host]))
      )
    })
  )

const secret = "sk-ant-api03-never-shown-anywhere"

/** Any JSON with the secret somewhere in it, under names that the file knows and under others. */
const name = FastCheck.oneof(
  FastCheck.constantFrom("agents", "claude", "env", "apiKey", "command", "maxConcurrency", "defaultAgent", "capture"),
  FastCheck.string({ maxLength: 8 })
)
const value: FastCheck.Arbitrary<unknown> = FastCheck.letrec((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 4 },
    FastCheck.constantFrom(secret, 4, -1, 1.5, null, true, "", "claude"),
    FastCheck.array(tie("value"), { maxLength: 3 }),
    FastCheck.dictionary(name, tie("value"), { maxKeys: 4 })
  )
})).value

/** A file as it should be, damaged at one place. */
const damaged = FastCheck.tuple(Arbitrary.make(SettingsFile), FastCheck.nat(), FastCheck.string({ maxLength: 3 })).map(
  ([settings, at, text]) => {
    const whole = JSON.stringify(encodeSettings(settings))
    const cut = at % (whole.length + 1)
    return `${whole.slice(0, cut)}${text}${whole.slice(cut + text.length)}`
  }
)

/** In force, and within the bounds of the file. Null is "none" there. */
const isSound = (settings: object) =>
  Schema.is(SettingsFile)(Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)))

describe("config files", () => {
  it(
    "any bytes give settings or a message that says where to look",
    async () => {
      const content = FastCheck.oneof(
        FastCheck.uint8Array({ maxLength: 200 }),
        FastCheck.string(),
        FastCheck.json(),
        damaged,
        value.map((json) => JSON.stringify(json)),
        value.map((json) => `${JSON.stringify(json)},`)
      )
      await FastCheck.assert(
        FastCheck.asyncProperty(content, async (bytes) => {
          const result = await read(bytes)
          if (result._tag === "Right") assert.isTrue(isSound(result.right))
          else {
            assert.include(result.left.message, "config.json")
            assert.notInclude(result.left.message, secret)
          }
        }),
        { numRuns: runs(400) }
      )
    },
    patience
  )

  it(
    "what was written as it should be is read as it was written",
    async () => {
      await FastCheck.assert(
        FastCheck.asyncProperty(Arbitrary.make(SettingsFile), async (settings) => {
          const result = await read(JSON.stringify(encodeSettings(settings)))
          assert.strictEqual(result._tag, "Right")
        }),
        { numRuns: runs(100) }
      )
    },
    patience
  )
})
