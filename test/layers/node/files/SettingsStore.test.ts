/** The config file: what is read from it, what is refused and in which words, and how it is changed. */
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { ConfigInvalid, StorageError } from "../../../../src/domain/Errors.ts"
import type { SettingsFile } from "../../../../src/domain/settings/Settings.ts"
import { pathsOf } from "../../../../src/layers/node/files/Paths.ts"
import { layerWith } from "../../../../src/layers/node/files/SettingsStore.ts"
import { Host } from "../../../../src/services/Host.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import { SettingsStore } from "../../../../src/services/SettingsStore.ts"

let home = ""
let config = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "beat-settings-"))
  config = join(home, "config.json")
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const host = Layer.succeed(Host, {
  availableMemory: Effect.succeed(0),
  uptimeMs: Effect.succeed(0),
  sleepCounts: false,
  sinceBootMs: Effect.succeed(0),
  cores: Effect.succeed(1),
  user: Effect.succeed("ann")
})

const withStore = <A, E>(
  use: (store: SettingsStore["Type"]) => Effect.Effect<A, E>,
  variables: Record<string, string> = {}
) =>
  Effect.suspend(() => {
    const paths = Layer.succeed(Paths, pathsOf({ BACKBEAT_HOME: home }, { home: () => "/", current: () => "/" }))
    return Effect.provide(Effect.flatMap(SettingsStore, use), Layer.provide(layerWith(variables), [paths, host]))
  })

const problem = (text: string, variables: Record<string, string> = {}) => {
  writeFileSync(config, text)
  return withStore((store) => Effect.flip(store.get), variables).pipe(Effect.map((error) => error.message))
}

describe("get", () => {
  it.effect("has a default for everything when there is no file, and when it is empty", () =>
    Effect.gen(function* () {
      const without = yield* withStore((store) => store.get)
      assert.strictEqual(without.maxConcurrency, 2)
      assert.isNull(without.timeoutMs)
      writeFileSync(config, "\n")
      assert.deepStrictEqual(yield* withStore((store) => store.get), without)
    })
  )

  it.effect("puts variables over the file, and reads the file again each time", () =>
    withStore(
      (store) =>
        Effect.gen(function* () {
          writeFileSync(config, '{ "maxConcurrency": 5, "graceMs": 1 }')
          const first = yield* store.get
          assert.deepStrictEqual([first.maxConcurrency, first.graceMs, first.defaultAgent], [5, 7, null])
          writeFileSync(config, '\uFEFF{ "maxConcurrency": 6, "defaultAgent": "codex" }')
          const second = yield* store.get
          assert.deepStrictEqual([second.maxConcurrency, second.graceMs, second.defaultAgent], [6, 7, "codex"])
          assert.deepStrictEqual(yield* store.file, { maxConcurrency: 6, defaultAgent: "codex" })
        }),
      { BACKBEAT_GRACE_MS: "7", BACKBEAT_MAX_CONCURRENCY: "" }
    )
  )

  const page = readFileSync(fileURLToPath(new URL("../../../../docs/settings.md", import.meta.url)), "utf8")
  const [table = ""] = page.split("## Settings of one agent")
  const documented = [...table.matchAll(/^\| `(\w+)` \|/gm)].flatMap(([, name]) => name ?? [])
  /** A value of each setting that is not its default, and the variable's text. */
  const others: {
    readonly [K in Exclude<keyof SettingsFile, "agents" | "hooks">]-?: readonly [string, string, unknown]
  } = {
    defaultAgent: ["BACKBEAT_DEFAULT_AGENT", "7", "7"],
    maxConcurrency: ["BACKBEAT_MAX_CONCURRENCY", "9", 9],
    maxDepth: ["BACKBEAT_MAX_DEPTH", "0", 0],
    timeoutMs: ["BACKBEAT_TIMEOUT_MS", "5", 5],
    stallMs: ["BACKBEAT_STALL_MS", "0", null],
    maxOutputBytes: ["BACKBEAT_MAX_OUTPUT_BYTES", "2000", 2000],
    maxSpoolBytes: ["BACKBEAT_MAX_SPOOL_BYTES", "2000", 2000],
    graceMs: ["BACKBEAT_GRACE_MS", "7", 7],
    leftovers: ["BACKBEAT_LEFTOVERS", "keep", "keep"],
    maxParks: ["BACKBEAT_MAX_PARKS", "3", 3],
    askParkMs: ["BACKBEAT_ASK_PARK_MS", "7", 7],
    overage: ["BACKBEAT_OVERAGE", "allow", "allow"],
    headroomPercent: ["BACKBEAT_HEADROOM_PERCENT", "50", 50],
    prices: ["BACKBEAT_PRICES", '{"m": {"input": 1, "output": 2}}', { m: { input: 1, output: 2 } }],
    capture: ["BACKBEAT_CAPTURE", "allowlist", "allowlist"],
    captureAllow: ["BACKBEAT_CAPTURE_ALLOW", '["AWS_*"]', ["AWS_*"]],
    memoryReserveBytes: ["BACKBEAT_MEMORY_RESERVE_BYTES", "1", 1],
    memoryPerTaskBytes: ["BACKBEAT_MEMORY_PER_TASK_BYTES", "1", 1],
    idleMs: ["BACKBEAT_IDLE_MS", "0", 0],
    workspaceMount: ["BACKBEAT_WORKSPACE_MOUNT", "never", "never"],
    workspaceInclude: ["BACKBEAT_WORKSPACE_INCLUDE", '[".env"]', [".env"]],
    isolate: ["BACKBEAT_ISOLATE", ' ["~/shop"] ', ["~/shop"]],
    workspaceMaxBytes: ["BACKBEAT_WORKSPACE_MAX_BYTES", "7", 7],
    workspaceKeepMs: ["BACKBEAT_WORKSPACE_KEEP_MS", "7", 7],
    workspaceTrashMs: ["BACKBEAT_WORKSPACE_TRASH_MS", "7", 7],
    mcpShell: ["BACKBEAT_MCP_SHELL", "false", false]
  }

  it("has a variable for every documented setting, except those that have others inside", () => {
    assert.sameMembers(documented, [...Object.keys(others), "agents", "hooks"])
  })

  for (const [name, [variable, text, value]] of Object.entries(others)) {
    it.effect(`obeys ${variable}`, () =>
      Effect.gen(function* () {
        const without = yield* withStore((store) => store.get)
        assert.deepStrictEqual<unknown>(yield* withStore((store) => store.get, { [variable]: text }), {
          ...without,
          [name]: value
        })
        assert.notDeepEqual<unknown>(Reflect.get(without, name), value)
      })
    )
  }

  for (const [variable, text, message] of [
    ["BACKBEAT_MCP_SHELL", "no", 'expected boolean, not "no", for example false'],
    ["BACKBEAT_ISOLATE", "~/shop", 'expected a list of texts, not "~/shop", for example ["~/shop"]'],
    ["BACKBEAT_CAPTURE_ALLOW", "[7]", "captureAllow[0]: "],
    ["BACKBEAT_WORKSPACE_MOUNT", "often", 'not "often", for example "never"'],
    ["BACKBEAT_HEADROOM_PERCENT", "1e1", 'expected a whole number from 0 to 90, not "1e1", for example 3']
  ] as const) {
    it.effect(`refuses ${variable}=${text}`, () =>
      Effect.gen(function* () {
        const refused = yield* problem("{}", { [variable]: text })
        assert.isTrue(refused.startsWith(`${variable}: `), refused)
        assert.include(refused, message)
      })
    )
  }

  it.effect("takes agents and hooks from the file alone", () =>
    Effect.gen(function* () {
      const { agents, hooks } = yield* withStore((store) => store.get, { BACKBEAT_AGENTS: "x", BACKBEAT_HOOKS: "x" })
      assert.deepStrictEqual<unknown>([agents, hooks], [{}, {}])
    })
  )

  it.effect("refuses a file that is not UTF-8, and leaves it as it is", () =>
    Effect.gen(function* () {
      const latin = Buffer.from('{"agents":{"x":{"env":{"A":"caf\u00e9"}}}}', "latin1")
      writeFileSync(config, latin)
      const change = (store: SettingsStore["Type"]) => store.update((file) => Effect.succeed({ ...file, maxDepth: 2 }))
      for (const use of [(store: SettingsStore["Type"]) => store.get, change]) {
        const error = yield* Effect.flip(withStore<unknown, ConfigInvalid | StorageError>(use))
        assert.strictEqual(error.message, `${config}: is not UTF-8 text`)
      }
      assert.deepStrictEqual(readFileSync(config), latin)
    })
  )

  for (const value of ["0", "-3", "NaN", "1e3", "0x10", "2.5", "many", "1001"]) {
    it.effect(`refuses BACKBEAT_MAX_CONCURRENCY=${value}, naming the variable`, () =>
      Effect.gen(function* () {
        const message = yield* problem("{}", { BACKBEAT_MAX_CONCURRENCY: value })
        assert.match(
          message,
          /^BACKBEAT_MAX_CONCURRENCY: expected a whole number from 1 to 1000, not .*, for example 4$/
        )
        assert.include(message, value)
      })
    )
  }

  it.effect("says which field is wrong, what was expected, and gives an example", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* problem('{ "maxConcurrency": 0 }'),
        `${config}: maxConcurrency: expected a whole number from 1 to 1000, not 0, for example 4`
      )
      assert.include(
        yield* problem('{ "maxConcurrency": "4" }'),
        'maxConcurrency: expected a whole number from 1 to 1000, not "4", for example 4'
      )
      assert.include(
        yield* problem('{ "leftovers": "drop" }'),
        'leftovers: expected "end" or "keep", not "drop", for example "keep"'
      )
      assert.include(yield* problem("[]"), "expected one object")
      assert.include(
        yield* problem('{ "agents": [] }'),
        'agents: expected an object, for example { "claude": { "model": "opus" } }'
      )
      assert.include(yield* problem('{ "hooks": [] }'), 'hooks: expected an object, for example { "phone": ')
      assert.include(yield* problem('{ "prices": [] }'), 'prices: expected an object, for example { "gpt-6": ')
      assert.include(
        yield* problem('{ "agents": { "x": { "env": [] } } }'),
        'agents.x.env: expected an object of texts, for example { "LANG": "C" }'
      )
      assert.include(
        yield* problem('{ "hooks": { "x": { "headers": [] } } }'),
        "hooks.x.headers: expected an object of texts,"
      )
      assert.include(yield* problem('{ "agents": { "x": { "args": "-v" } } }'), "agents.x.args: expected")
      assert.include(yield* problem('{ "agents": { "My Agent": {} } }'), "agents.My Agent: agent names are")
    })
  )

  it.effect("refuses unknown settings and suggests the nearest", () =>
    Effect.gen(function* () {
      assert.include(yield* problem('{ "maxConcurency": 1 }'), "Did you mean 'maxConcurrency'?")
      assert.include(yield* problem('{ "agents": { "pi": { "modle": "x" } } }'), "Did you mean 'agents.pi.model'?")
      assert.notInclude(yield* problem('{ "zzzzzzzz": 1 }'), "Did you mean")
    })
  )

  it.effect("never repeats a secret, whatever is wrong around it", () =>
    Effect.gen(function* () {
      for (const text of [
        '{ "agents": { "claude": { "apiKey": "sk-secret", "retries": -1 } } }',
        '{ "agents": { "claude": { "apiKey": ["sk-secret"] } } }',
        '{ "agents": { "claude": { "env": { "TOKEN": ["sk-secret"] } } } }',
        '{ "agents": { "Claude": { "apiKey": "sk-secret" } } }',
        '{ "agents": "sk-secret" }',
        '{ "apiKey": "sk-secret" }',
        '{ "agents": { "claude": { "apiKey": "sk-secret" ',
        "sk-secret"
      ]) {
        const message = yield* problem(text)
        assert.notInclude(message, "sk-secret", text)
      }
    })
  )

  it.effect("says where a file stops being JSON", () =>
    Effect.gen(function* () {
      assert.include(yield* problem('{\n  "maxConcurrency": 4,\n  oops }'), "is not valid JSON at line 3, column 3")
    })
  )
})

describe("update", () => {
  const setClaims = (maxConcurrency: number) => (store: SettingsStore["Type"]) =>
    store.update((file) => Effect.succeed({ ...file, maxConcurrency }))

  for (const [text, make] of [
    ["a directory", (path: string) => mkdirSync(path)],
    ["a device without an end", (path: string) => symlinkSync("/dev/zero", path)],
    ["a pipe that nothing writes to", (path: string) => execFileSync("mkfifo", [path])]
  ] as const) {
    it.effect(`reads only a regular file: not ${text}`, () =>
      Effect.gen(function* () {
        make(config)
        const error = yield* Effect.flip(withStore((store) => store.get))
        assert.include(error.message, "config.json: is not a regular file")
      })
    )
  }

  it.effect("creates the directory for its owner only, the file too, and leaves nothing else behind", () =>
    Effect.gen(function* () {
      home = join(home, "deep", "er")
      config = join(home, "config.json")
      assert.deepStrictEqual(yield* withStore(setClaims(3)), { maxConcurrency: 3 })
      assert.strictEqual(statSync(home).mode & 0o777, 0o700)
      assert.strictEqual(statSync(config).mode & 0o777, 0o600)
      assert.deepStrictEqual(readdirSync(home), ["config.json"])
      assert.deepStrictEqual(JSON.parse(readFileSync(config, "utf8")), { maxConcurrency: 3 })
    })
  )

  it.effect("refuses a bad value and leaves the file as it was", () =>
    Effect.gen(function* () {
      for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        writeFileSync(config, '{"maxConcurrency":2}')
        const result = yield* Effect.either(withStore(setClaims(bad)))
        assert.isTrue(Either.isLeft(result))
        assert.strictEqual(readFileSync(config, "utf8"), '{"maxConcurrency":2}')
      }
      assert.deepStrictEqual(readdirSync(home), ["config.json"])
    })
  )

  for (const [text, key] of [
    ['{"maxDepth":2,"maxDepth":5}', "maxDepth"],
    ['{"agents":{"pi":{"model":"a"}},"maxDepth":2,"agents":{"qwen":{"model":"b"}}}', "agents"],
    ['{"agents":{"pi":{"env":{"A":"1","B":"2","\\u0041":"3"}}}}', "A"]
  ] as const) {
    it.effect(`changes no file with a key twice: ${text}`, () =>
      Effect.gen(function* () {
        writeFileSync(config, text)
        const error = yield* Effect.flip(withStore(setClaims(3)))
        assert.include(error.message, `config.json: has '${key}' twice in one object`)
        assert.strictEqual(readFileSync(config, "utf8"), text)
        yield* withStore((store) => store.get)
      })
    )
  }

  it.effect("takes the same key in several objects, and keys within texts", () =>
    Effect.gen(function* () {
      const env = { model: '{"model":"}"', 'a"': "\\" }
      writeFileSync(
        config,
        JSON.stringify({ agents: { pi: { model: "a", env }, qwen: { model: "a", args: ["model", "model"] } } })
      )
      const file = yield* withStore(setClaims(3))
      assert.deepStrictEqual(file.agents?.pi?.env, env)
    })
  )

  it.effect("writes through a link and keeps it", () =>
    Effect.gen(function* () {
      mkdirSync(join(home, "dotfiles"))
      const real = join(home, "dotfiles", "beat.json")
      writeFileSync(real, "{}")
      symlinkSync(real, config)
      yield* withStore(setClaims(9))
      assert.strictEqual(readFileSync(config, "utf8"), readFileSync(real, "utf8"))
      assert.include(readFileSync(real, "utf8"), "9")
    })
  )

  it.effect("makes the file that a link points to where it is not there yet", () =>
    Effect.gen(function* () {
      symlinkSync("dotfiles/new/beat.json", config)
      yield* withStore(setClaims(9))
      assert.strictEqual(readlinkSync(config), "dotfiles/new/beat.json")
      assert.include(readFileSync(join(home, "dotfiles/new/beat.json"), "utf8"), "9")
    })
  )

  it.live("loses no change when many are made at the same time", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 20 }, (_, index) => `agent-${index}`)
      const add = (name: string) =>
        withStore((store) =>
          store.update((file) =>
            // A pause inside the change gives every other one the chance to interfere.
            Effect.as(Effect.sleep("2 millis"), { ...file, agents: { ...file.agents, [name]: { model: "x" } } })
          )
        )
      yield* Effect.forEach(names, add, { concurrency: "unbounded", discard: true })
      const file = yield* withStore((store) => store.file)
      assert.sameMembers(Object.keys(file.agents ?? {}), names)
    })
  )

  it.effect.skipIf(process.getuid?.() === 0)("names a directory that cannot be written", () =>
    Effect.gen(function* () {
      chmodSync(home, 0o500)
      const error = yield* Effect.flip(withStore(setClaims(1)))
      assert.include(error.message, "EACCES")
    })
  )
})
