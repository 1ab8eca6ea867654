/** Whose account an agent uses: the same for every agent on one key, and never readable. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { accountKey, fingerprinted, modelFamily, otherFamily } from "../../../src/domain/limits/Account.ts"
import type { AgentSettings } from "../../../src/domain/settings/Settings.ts"
import { builtInAgent } from "../../../src/layers/agents/Registry.ts"
import * as Fingerprints from "../../../src/layers/node/files/Fingerprints.ts"
import { Fingerprints as FingerprintsPort } from "../../../src/services/Fingerprints.ts"
import { Paths } from "../../../src/services/Paths.ts"
import { temporaryDirectory } from "../../support/home.ts"

interface Given {
  readonly environment?: Record<string, string>
  readonly settings?: AgentSettings
  readonly model?: string
  /** Text of files, by the end of their path. */
  readonly files?: Record<string, string>
}

const identityOf = (agent: string, { environment = {}, files = {}, model, settings = {} }: Given = {}) => {
  const identify = builtInAgent(agent)?.account
  assert(identify !== undefined)
  return identify({
    environment: { HOME: "/home/ada", ...environment },
    settings,
    model: model ?? null,
    read: ({ path }) => files[path] ?? null
  })
}

const named = (agent: string, given?: Given) => {
  const { kind, vendor } = identityOf(agent, given)
  return `${vendor}/${kind}`
}

describe("the account of an agent", () => {
  const table: ReadonlyArray<readonly [string, string, Given]> = [
    ["claude", "anthropic/key", { environment: { ANTHROPIC_API_KEY: "sk-1" } }],
    ["claude", "anthropic/token", { environment: { CLAUDE_CODE_OAUTH_TOKEN: "t" } }],
    ["claude", "cloud/bedrock", { environment: { CLAUDE_CODE_USE_BEDROCK: "1", AWS_PROFILE: "work" } }],
    ["claude", "anthropic/token", { environment: { CLAUDE_CODE_USE_BEDROCK: "0", ANTHROPIC_AUTH_TOKEN: "t" } }],
    ["claude", "host/127.0.0.1:8899", { environment: { ANTHROPIC_BASE_URL: "http://127.0.0.1:8899/x" } }],
    [
      "claude",
      "anthropic/login",
      { files: { ".claude.json": '{"oauthAccount":{"accountUuid":"u","organizationUuid":"o"}}' } }
    ],
    ["codex", "openai/login", { files: { "auth.json": '{"tokens":{"account_id":"acc","access_token":"x"}}' } }],
    ["codex", "openai/key", { environment: { CODEX_API_KEY: "k" } }],
    ["codex", "host/gate.example:444", { settings: { baseUrl: "https://gate.example:444/v1" } }],
    ["gemini", "google/key", { environment: { GEMINI_API_KEY: "k" } }],
    ["gemini", "google/login", { files: { ".gemini/google_accounts.json": '{"active":"ada@example.com"}' } }],
    ["gemini", "cloud/vertex", { environment: { GOOGLE_GENAI_USE_VERTEXAI: "true", GOOGLE_CLOUD_PROJECT: "p" } }],
    ["copilot", "github/token", { environment: { GH_TOKEN: "t" } }],
    ["opencode", "anthropic/key", { environment: { ANTHROPIC_API_KEY: "sk-1" }, model: "anthropic/claude-opus" }],
    [
      "opencode",
      "openai/key",
      { files: { "opencode/auth.json": '{"openai":{"type":"api","key":"k"}}' }, model: "openai/x" }
    ],
    ["pi", "openai/key", { environment: { OPENAI_API_KEY: "k" } }],
    ["qwen", "host/dashscope.example", { environment: { OPENAI_BASE_URL: "https://dashscope.example/v1" } }]
  ]
  for (const [agent, expected, given] of table) {
    it(`of ${agent} is ${expected}`, () => assert.strictEqual(named(agent, given), expected))
  }

  it("is one for two agents on one key, and two for two keys", () => {
    const environment = { ANTHROPIC_API_KEY: "sk-1" }
    const claude = identityOf("claude", { environment })
    assert.deepStrictEqual(identityOf("opencode", { environment, model: "anthropic/claude-opus" }), claude)
    assert.deepStrictEqual(identityOf("pi", { environment }), claude)
    assert.notDeepEqual(identityOf("claude", { environment: { ANTHROPIC_API_KEY: "sk-2" } }), claude)
  })

  it("is the same login after its tokens were renewed", () => {
    const login = (token: string) =>
      identityOf("codex", { files: { "auth.json": `{"tokens":{"account_id":"acc","access_token":"${token}"}}` } })
    assert.deepStrictEqual(login("one"), login("two"))
  })

  it("of a script is none", () => assert.isUndefined(builtInAgent("shell")?.account))

  it("tells the family of a model where a window may limit it", () => {
    const key = accountKey(identityOf("claude"), "0123456789")
    assert.strictEqual(modelFamily(key, "claude-opus-4-6"), "opus")
    assert.strictEqual(modelFamily(key, null), otherFamily)
    assert.strictEqual(modelFamily(accountKey(identityOf("codex"), "0123456789"), "gpt-opus"), otherFamily)
  })
})

describe("a fingerprint", () => {
  const of = (home: string, text: string) =>
    Effect.flatMap(FingerprintsPort, (fingerprints) => fingerprints.of(text)).pipe(
      Effect.provide(
        Fingerprints.layer.pipe(
          Layer.provide(
            Layer.succeed(Paths, {
              home,
              database: `${home}/d`,
              spool: `${home}/s`,
              workspaces: `${home}/w`,
              trash: `${home}/t`,
              logs: `${home}/l`,
              config: `${home}/c`
            })
          )
        )
      )
    )

  it.scopedLive("is the same in one home and another in the next, and its key is private", () =>
    Effect.gen(function* () {
      const one = yield* temporaryDirectory
      const other = yield* temporaryDirectory
      const text = fingerprinted(identityOf("claude", { environment: { ANTHROPIC_API_KEY: "sk-1" } }))
      const first = Option.getOrThrow(yield* of(one, text))
      assert.match(first, /^[0-9a-z]{10}$/)
      assert.strictEqual(Option.getOrThrow(yield* of(one, text)), first)
      assert.notStrictEqual(Option.getOrThrow(yield* of(other, text)), first)
      assert.strictEqual(Fs.statSync(Path.join(one, "account.salt")).mode & 0o777, 0o600)
      assert.deepStrictEqual(
        Fs.readdirSync(one).filter((name) => name.startsWith("account.salt.")),
        []
      )
    })
  )

  it.scopedLive("is none where the key of the home is damaged: accounts are never mixed up", () =>
    Effect.gen(function* () {
      const home = yield* temporaryDirectory
      Fs.writeFileSync(Path.join(home, "account.salt"), "short")
      assert.isTrue(Option.isNone(yield* of(home, "text")))
    })
  )
})
