/** The bounds and defaults of settings. */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { SettingsFile, withDefaults } from "../../../src/domain/settings/Settings.ts"
import { decodeSettings, encodeSettings } from "../../../src/domain/settings/SettingsProblem.ts"

const is = (value: unknown) => Schema.is(SettingsFile)(value, { onExcessProperty: "error" })
const day = 24 * 60 * 60 * 1000
/** The settings whose 0 in the file means no bound. */
const zeroIsOff = ["timeoutMs", "stallMs", "workspaceMaxBytes"]

describe("the secrets of settings", () => {
  const secrets = ["sk-very-secret", `whsec_${"c2VjcmV0".repeat(4)}`, "tk_very-secret", "Bearer very-secret"]
  const [apiKey, secret, token, authorization] = secrets
  const written = {
    agents: { claude: { apiKey } },
    hooks: {
      ci: { url: "https://ci.example", secret, headers: { authorization } },
      phone: { ntfy: "https://ntfy.sh/topic", token }
    }
  }
  const settings = Schema.decodeUnknownSync(SettingsFile)(written)

  it("are in no text that the settings are turned into, and come back when they are written", () => {
    const shown = [JSON.stringify(settings), inspect(settings, { depth: 9 }), String(settings.agents?.claude?.apiKey)]
    for (const text of shown) for (const one of secrets) assert.notInclude(text, one)
    assert.deepStrictEqual<unknown>(encodeSettings(settings), written)
  })
})

describe("SettingsFile", () => {
  for (const [key, low, high] of [
    ["maxConcurrency", 1, 1000],
    ["maxDepth", 0, 100],
    ["timeoutMs", 0, 365 * day],
    ["stallMs", 0, 365 * day],
    ["maxOutputBytes", 1024, 4 * 1024 ** 3],
    ["maxSpoolBytes", 1024, 1024 ** 4],
    ["graceMs", 0, 600_000],
    ["memoryReserveBytes", 0, 1024 ** 4],
    ["memoryPerTaskBytes", 0, 1024 ** 4],
    ["idleMs", 0, day]
  ] as const) {
    it(`${key} goes from ${low} to ${high}`, () => {
      for (const value of [low, high]) assert.isTrue(is({ [key]: value }), `${value}`)
      for (const value of [low - 1, high + 1, low + 0.5, "4", null, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.isFalse(is({ [key]: value }), `${value}`)
      }
    })
  }

  it("may be empty, and knows no other field", () => {
    assert.isTrue(is({}))
    assert.isFalse(is({ maxConcurrenc: 4 }))
    assert.isFalse(is({ agents: { claude: { modle: "opus" } } }))
  })

  it("names what is known in the place of a key that is not, or the rule for keys", () => {
    for (const [written, told] of [
      [{ maxDept: 1 }, "maxDept: there is no such setting. Did you mean 'maxDepth'? Known: defaultAgent, "],
      [{ agents: { claude: { retres: 1 } } }, "agents.claude.retres: there is no such setting. Did you mean 'agents.c"],
      [
        { agents: { claude: { approve: { zzzz: [] } } } },
        "agents.claude.approve.zzzz: there is no such setting. Known: allow, deny, else"
      ],
      [
        { prices: { x: { input: 1, output: 1, zzzzzz: 1 } } },
        "prices.x.zzzzzz: there is no such setting. Known: input, output, cacheRead, cacheWrite"
      ],
      [{ prices: { "": { input: 1, output: 1 } } }, 'prices[""]: the name of a model has 1 to 120 characters'],
      [
        { hooks: { ci: { run: ["true"], where: { zzzzzz: 1 } } } },
        "hooks.ci.where.zzzzzz: there is no such setting. Known: agent, labels, directory, status"
      ]
    ] as const) {
      const read = decodeSettings("FILE", written)
      const { message } = Either.getOrThrow(Either.flip(read))
      assert.isTrue(message.startsWith(`FILE: ${told}`), message)
    }
  })

  it("takes plain names of agents only", () => {
    for (const name of ["claude", "my-agent", "a1"]) assert.isTrue(is({ agents: { [name]: {} } }), name)
    for (const name of ["", "Claude", "1st", "a_b", "a b", "a".repeat(33)]) {
      assert.isFalse(is({ agents: { [name]: {} } }), name)
    }
  })
})

describe("withDefaults", () => {
  it("keeps what the file says, and fills in the rest", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(SettingsFile), FastCheck.integer({ min: 1, max: 256 }), (file, cores) => {
        const settings = withDefaults(file, cores)
        const said = Object.entries(file).filter(([, value]) => value !== undefined)
        for (const [key, value] of said) {
          const off = zeroIsOff.includes(key) && value === 0
          assert.deepStrictEqual(Reflect.get(settings, key), off ? null : value, key)
        }
        if (file.maxConcurrency === undefined) assert.strictEqual(settings.maxConcurrency, Math.max(2, cores))
      }),
      { numRuns: 60 }
    )
  })

  it("takes 0 as no bound where a bound may be off, and as 0 elsewhere", () => {
    for (const key of zeroIsOff) assert.isNull(Reflect.get(withDefaults({ [key]: 0 }, 1), key), key)
    for (const key of ["maxDepth", "graceMs", "memoryReserveBytes", "memoryPerTaskBytes", "idleMs"]) {
      assert.strictEqual(Reflect.get(withDefaults({ [key]: 0 }, 1), key), 0, key)
    }
  })

  it("has no default timeout, and ends what is silent for half an hour", () => {
    const settings = withDefaults({}, 1)
    assert.deepStrictEqual([settings.timeoutMs, settings.stallMs, settings.maxConcurrency], [null, 1_800_000, 2])
  })
})
