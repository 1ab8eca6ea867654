/** Names that people choose and that every object of the language has already: kept where they can be, refused where not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { parsePair, parseSize } from "../../src/cli/input/Values.ts"
import { parseFilter } from "../../src/cli/top/Filter.ts"
import { HookSettings } from "../../src/domain/hooks/Hook.ts"
import { windowWords } from "../../src/domain/limits/Window.ts"
import { ownOf } from "../../src/domain/Named.ts"
import { AgentSettings, SettingsFile } from "../../src/domain/settings/Settings.ts"
import { BatchFields } from "../../src/domain/task/BatchLine.ts"
import { Environment } from "../../src/domain/task/NewTask.ts"
import { Labels } from "../../src/domain/task/Task.ts"
import { taskFields } from "../../src/mcp/fields/TaskFields.ts"

/** What JSON says: a member of that name, also for `__proto__`. */
const named = (name: string, value: unknown): unknown => JSON.parse(`{"${name}": ${JSON.stringify(value)}}`)

const decodeTool = Schema.decodeUnknownEither(Schema.Struct({ env: taskFields.env, labels: taskFields.labels }))

/** Everything that takes names, by where it is written. */
const records: Readonly<Record<string, (name: string) => Either.Either<unknown, unknown>>> = {
  "env of an agent": (name) => Schema.decodeUnknownEither(AgentSettings)({ env: named(name, "x") }),
  "prices of the settings": (name) =>
    Schema.decodeUnknownEither(SettingsFile)({ prices: named(name, { input: 1, output: 1 }) }),
  "headers of a hook": (name) =>
    Schema.decodeUnknownEither(HookSettings)({ url: "http://127.0.0.1/", headers: named(name, "x") }),
  "labels that a hook selects": (name) =>
    Schema.decodeUnknownEither(HookSettings)({ run: ["true"], where: { labels: named(name, "x") } }),
  "env of a batch": (name) => Schema.decodeUnknownEither(BatchFields)({ prompt: "p", env: named(name, "x") }),
  "labels of a batch": (name) => Schema.decodeUnknownEither(BatchFields)({ prompt: "p", labels: named(name, "x") }),
  "env of a tool": (name) => decodeTool({ env: named(name, "x") }),
  "labels of a tool": (name) => decodeTool({ labels: named(name, "x") }),
  labels: (name) => Schema.decodeUnknownEither(Labels)(named(name, "x")),
  "KEY=VALUE": (name) => Either.map(parsePair(`${name}=x`), (pair) => Object.fromEntries([pair])),
  "filter of top": (name) =>
    Effect.runSync(Effect.either(parseFilter(`label:${name}=x`, 0, (path) => Effect.succeed(path))))
}

describe("names that objects have already", () => {
  for (const [where, decode] of Object.entries(records)) {
    it(`${where}: __proto__ is refused, others are kept`, () => {
      assert.isTrue(Either.isLeft(decode("__proto__")))
      for (const name of ["constructor", "toString", "hasOwnProperty", "A"]) {
        const found = decode(name)
        if (Either.isLeft(found)) assert.fail(`${name}: ${String(found.left)}`)
        assert.include(JSON.stringify(found.right), `"${name}":`)
      }
    })
  }

  it("the captured environment leaves out what cannot be held, and nothing else", () => {
    const environment = JSON.parse('{"__proto__": "x", "constructor": "y", "A": "z"}')
    assert.deepStrictEqual(Object.entries(Schema.decodeUnknownSync(Environment)(environment)), [
      ["constructor", "y"],
      ["A", "z"]
    ])
  })

  it("are not found where no person has written them", () => {
    for (const name of ["constructor", "toString", "__proto__"]) {
      assert.isUndefined(ownOf({}, name))
      assert.isTrue(Either.isLeft(parseSize(`10${name}`)), name)
      assert.match(windowWords({ name, family: "" }), / limit$/)
    }
  })
})
