/** The agents service: choice, program, environment, credentials and plan, fixed when a task is submitted. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { isNesting } from "../../../src/domain/environment/isNesting.ts"
import type { WrittenSettings } from "../../../src/domain/settings/Settings.ts"
import * as AgentsLayer from "../../../src/layers/agents/AgentsJudging.ts"
import { capture } from "../../../src/layers/agents/starting/EnvironmentCapture.ts"
import * as Fingerprints from "../../../src/layers/memory/fakes/Fingerprints.ts"
import * as Ids from "../../../src/layers/memory/fakes/Ids.ts"
import * as SettingsStore from "../../../src/layers/memory/fakes/SettingsStore.ts"
import { givenWith } from "../../../src/programs/tasks/sameSubmission.ts"
import { Agents, type PrepareRequest } from "../../../src/services/Agents.ts"

/** A home with these programs on its PATH, gone after the test. */
const machine = (programs: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const home = Fs.mkdtempSync(Path.join(Os.tmpdir(), "beat-agents-"))
      const bin = Path.join(home, "bin")
      Fs.mkdirSync(bin)
      for (const program of programs) Fs.writeFileSync(Path.join(bin, program), "#!/bin/sh\n", { mode: 0o755 })
      return { home, bin, environment: { HOME: home, PATH: bin, USER: "somebody" } }
    }),
    ({ home }) => Effect.sync(() => Fs.rmSync(home, { recursive: true, force: true }))
  )

const ask = (
  home: { readonly home: string; readonly environment: Record<string, string> },
  fields: Partial<PrepareRequest>
) => ({
  agent: null,
  prompt: "fix it",
  model: null,
  systemPrompt: null,
  extra: {},
  directory: home.home,
  ...fields,
  environment: { ...home.environment, ...fields.environment }
})

const prepare = (settings: WrittenSettings, request: PrepareRequest) =>
  Effect.flatMap(Agents, (agents) => agents.prepare(request)).pipe(
    Effect.provide(
      AgentsLayer.layer.pipe(Layer.provide([SettingsStore.layer(settings), Ids.layerTest, Fingerprints.layer]))
    )
  )

const list = (settings: WrittenSettings, environment: Record<string, string>) =>
  Effect.flatMap(Agents, (agents) => agents.list(environment)).pipe(
    Effect.provide(
      AgentsLayer.layer.pipe(Layer.provide([SettingsStore.layer(settings), Ids.layerTest, Fingerprints.layer]))
    )
  )

const messageOf = (result: Either.Either<unknown, { readonly _tag: string; readonly message: string }>) =>
  Either.isLeft(result) ? `${result.left._tag}: ${result.left.message}` : "success"

describe("the choice of an agent", () => {
  it.scoped("takes the one named, the default, or the only one installed", () =>
    Effect.gen(function* () {
      const one = yield* machine(["codex"])
      assert.strictEqual((yield* prepare({}, ask(one, {}))).agent, "codex")
      const two = yield* machine(["codex", "claude"])
      assert.strictEqual((yield* prepare({ defaultAgent: "claude" }, ask(two, {}))).agent, "claude")
      assert.strictEqual((yield* prepare({ defaultAgent: "claude" }, ask(two, { agent: "codex" }))).agent, "codex")
    })
  )

  it.scoped("says what to do when there is none", () =>
    Effect.gen(function* () {
      const none = yield* machine([])
      const two = yield* machine(["codex", "claude"])
      const failing = (settings: WrittenSettings, request: PrepareRequest) =>
        Effect.map(Effect.either(prepare(settings, request)), messageOf)
      assert.match(yield* failing({}, ask(none, {})), /^NoDefaultAgent: .*none is installed.*-a shell/)
      assert.match(
        yield* failing({}, ask(two, {})),
        /^NoDefaultAgent: .*set defaultAgent claude \(installed: claude, codex\)/
      )
      assert.match(yield* failing({}, ask(none, { agent: "claude" })), /^AgentMissing: .*npm install -g @anthropic-ai/)
      assert.match(yield* failing({}, ask(none, { agent: "nobody" })), /^AgentUnknown: .*claude, codex, copilot/)
      assert.match(yield* failing({ defaultAgent: "nobody" }, ask(none, {})), /^AgentUnknown/)
      const own = { agents: { claude: { command: ["x"] as const } } }
      assert.match(yield* failing(own, ask(two, { agent: "claude" })), /^ConfigInvalid: agents\.claude\.command/)
    })
  )

  it.scoped("finds programs the way a shell does", () =>
    Effect.gen(function* () {
      const home = yield* machine(["claude"])
      const elsewhere = yield* machine(["claude"])
      const file = (settings: WrittenSettings, fields: Partial<PrepareRequest>) =>
        Effect.map(prepare(settings, ask(home, { agent: "claude", ...fields })), ({ launch }) => launch.file)
      assert.strictEqual(yield* file({}, {}), Path.join(home.bin, "claude"))
      // A relative entry counts from the task's directory.
      assert.strictEqual(
        yield* file({}, { environment: { PATH: "bin" }, directory: elsewhere.home }),
        Path.join(elsewhere.bin, "claude")
      )
      const own = Path.join(elsewhere.bin, "claude")
      assert.strictEqual(yield* file({ agents: { claude: { program: own } } }, {}), own)
      // Not executable, and a directory of that name: neither is a program.
      Fs.chmodSync(Path.join(home.bin, "claude"), 0o644)
      Fs.mkdirSync(Path.join(home.home, "claude"))
      const missing = yield* Effect.either(file({}, { environment: { PATH: `${home.home}:${home.bin}` } }))
      assert.match(messageOf(missing), /^AgentMissing/)
    })
  )

  it.scoped("refuses what cannot be run, before anything is stored", () =>
    Effect.gen(function* () {
      const home = yield* machine(["claude"])
      const why = (fields: Partial<PrepareRequest>) =>
        Effect.map(Effect.either(prepare({}, ask(home, { agent: "claude", ...fields }))), messageOf)
      assert.match(yield* why({ prompt: " \n\t" }), /^InvalidInput: prompt: is empty/)
      assert.match(yield* why({ prompt: "x".repeat(64 * 1024 * 1024 + 1) }), /^InvalidInput: prompt: is longer/)
      assert.match(yield* why({ model: "a\0b" }), /^InvalidInput: model/)
      for (const [name, shown] of [
        ["A=a secret", "A=…"],
        ["=\nsecret", "=…"],
        ["", ""],
        ["A\0B", "A\0B"]
      ] as const) {
        const told = yield* why({ extra: { OK: "1", [name]: "a secret" } })
        assert.include(told, `InvalidInput: env: ${JSON.stringify(shown)} cannot be the name of a variable`)
        assert.notInclude(told, "secret")
      }
      assert.match(yield* why({ extra: { A: "x\0y" } }), /^InvalidInput: env: the value of "A" has a NUL character/)
      assert.strictEqual(yield* why({ prompt: "--help\n'\"$(x) `y` 🙂\0" }), "success")
    })
  )
})

describe("the environment of a task", () => {
  it("drops what says where the submitter is, and keeps configuration and credentials", () => {
    const gone = [
      ...["_", "OLDPWD", "PWD", "SHLVL", "BACKBEAT_TASK_ID", "BACKBEAT_DEPTH", "BACKBEAT_WORKER", "AI_AGENT"],
      ...["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_CHILD_SESSION", "CLAUDE_CODE_SSE_PORT"],
      ...["CLAUDE_CODE_MESSAGING_SOCKET", "CLAUDE_CODE_MESSAGING_TOKEN", "CLAUDE_CODE_CHILD_NOTES_DIR", "CLAUDE_PID"],
      ...["CLAUDE_CODE_SESSION_KIND", "CLAUDE_BG_SOURCE", "CLAUDE_JOB_DIR", "CODEX_SESSION_ID", "CODEX_TOOL_CALL_ID"],
      ...["CODEX_THREAD_ID", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "GEMINI_CLI", "OPENCODE", "QWEN_CODE"],
      ...["GEMINI_CLI_IDE_SERVER_PORT", "COPILOT_CLI", "PI_CODING_AGENT", "NODE_CHANNEL_FD"]
    ]
    const kept = [
      ...["CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CONFIG_DIR"],
      ...["CLAUDE_CODE_MAX_OUTPUT_TOKENS", "CLAUDE_CODE_TMPDIR", "CODEX_HOME", "CODEX_API_KEY", "GEMINI_API_KEY"],
      ...["GEMINI_SANDBOX", "OPENCODE_CONFIG", "OPENCODE_CONFIG_CONTENT", "OPENCODE_API_KEY", "PI_CODING_AGENT_DIR"],
      ...["COPILOT_GITHUB_TOKEN", "COPILOT_PROVIDER_BASE_URL", "BACKBEAT_HOME", "HOME", "PATH", "ANTHROPIC_API_KEY"]
    ]
    for (const name of gone) assert.isTrue(isNesting(name), name)
    for (const name of kept) assert.isFalse(isNesting(name), name)
    const all = Object.fromEntries([...gone, ...kept, "ANYTHING"].map((name) => [name, "1"]))
    assert.deepStrictEqual(Object.keys(capture(all, "full", [])).sort(), [...kept, "ANYTHING"].sort())
  })

  it("is cut to a list on request", () => {
    const some = {
      ...{ HOME: "h", PATH: "p", LC_ALL: "c", XDG_STATE_HOME: "x", https_proxy: "y", SSH_AUTH_SOCK: "s" },
      ...{ ANTHROPIC_API_KEY: "k", BACKBEAT_HOME: "b", AWS_SECRET_ACCESS_KEY: "no", NODE_AUTH_TOKEN: "no" },
      ...{ MY_TOKEN: "no", CI_JOB: "1", CI_TOKEN: "2", PWD: "no", CLAUDECODE: "no" }
    }
    const names = (allowed: ReadonlyArray<string>) => Object.keys(capture(some, "allowlist", allowed)).sort()
    const usual = [
      "ANTHROPIC_API_KEY",
      "BACKBEAT_HOME",
      "HOME",
      "LC_ALL",
      "PATH",
      "SSH_AUTH_SOCK",
      "XDG_STATE_HOME",
      "https_proxy"
    ]
    assert.deepStrictEqual(names([]), usual)
    assert.deepStrictEqual(names(["CI_*", "PWD"]), [...usual, "CI_JOB", "CI_TOKEN"].sort())
  })

  it.scoped("goes: captured, the adapter's defaults, the config file, --env", () =>
    Effect.gen(function* () {
      const home = yield* machine(["claude"])
      const settings: WrittenSettings = { agents: { claude: { env: { FROM: "config", BOTH: "config" } } } }
      const { environment } = yield* prepare(
        settings,
        ask(home, {
          agent: "claude",
          environment: { FROM: "shell", CLAUDE_CODE_MAX_RETRIES: "7", CLAUDECODE: "1", PWD: "/x" },
          extra: { BOTH: "extra", DISABLE_X: "1" }
        })
      )
      assert.deepInclude(environment, {
        FROM: "config",
        BOTH: "extra",
        DISABLE_X: "1",
        CLAUDE_CODE_MAX_RETRIES: "7",
        CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1"
      })
      assert.notProperty(environment, "CLAUDECODE")
      assert.notProperty(environment, "PWD")
    })
  )
})

describe("credentials", () => {
  it.scoped("come from the environment, then the config file, then the agent's own login", () =>
    Effect.gen(function* () {
      const home = yield* machine(["claude"])
      const settings: WrittenSettings = { agents: { claude: { apiKey: "sk-config" } } }
      const key = (settings: WrittenSettings, environment: Record<string, string>) =>
        Effect.map(prepare(settings, ask(home, { agent: "claude", environment })), (prepared) => ({
          key: prepared.environment.ANTHROPIC_API_KEY,
          warnings: prepared.warnings
        }))
      assert.deepStrictEqual(yield* key(settings, {}), { key: "sk-config", warnings: [] })
      assert.deepStrictEqual(yield* key(settings, { ANTHROPIC_API_KEY: "sk-shell" }), { key: "sk-shell", warnings: [] })
      // A login by token is not mixed with the key of another account.
      assert.deepStrictEqual(yield* key(settings, { CLAUDE_CODE_OAUTH_TOKEN: "t" }), { key: undefined, warnings: [] })
      const { warnings } = yield* key({}, {})
      assert.match(
        warnings.join(),
        /No credentials for claude.*claude auth login.*ANTHROPIC_API_KEY.*agents\.claude\.apiKey/
      )
      Fs.mkdirSync(Path.join(home.home, ".claude"))
      Fs.writeFileSync(Path.join(home.home, ".claude/.credentials.json"), "{}")
      assert.lengthOf((yield* key({}, {})).warnings, 1)
      const login = { claudeAiOauth: { accessToken: "t", refreshToken: "r" } }
      Fs.writeFileSync(Path.join(home.home, ".claude/.credentials.json"), JSON.stringify(login))
      assert.deepStrictEqual(yield* key({}, {}), { key: undefined, warnings: [] })
    })
  )

  it.scoped("warn of the method that Gemini needs with a base URL, unless it is chosen already", () =>
    Effect.gen(function* () {
      const home = yield* machine(["gemini"])
      const settings: WrittenSettings = { agents: { gemini: { apiKey: "k", baseUrl: "http://127.0.0.1:1" } } }
      const warnings = Effect.map(prepare(settings, ask(home, { agent: "gemini" })), (prepared) => prepared.warnings)
      assert.match((yield* warnings).join(), /selectedType/)
      const file = Path.join(home.home, ".gemini/settings.json")
      Fs.mkdirSync(Path.dirname(file))
      Fs.writeFileSync(file, '{"security":{"auth":{"selectedType":"oauth-personal"}}}')
      assert.lengthOf(yield* warnings, 1)
      Fs.writeFileSync(file, '{ // chosen\n "security": { "auth": { "selectedType": "gemini-api-key" } } }')
      assert.deepStrictEqual(yield* warnings, [])
    })
  )

  it.scoped("are never in the arguments", () =>
    Effect.gen(function* () {
      const names = ["claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen"]
      const home = yield* machine(names)
      for (const agent of names) {
        for (const baseUrl of [undefined, "http://127.0.0.1:1/v1"]) {
          const apiKey = "sk-very-secret"
          const own = baseUrl === undefined ? { apiKey } : { apiKey, baseUrl }
          const prepared = yield* prepare({ agents: { [agent]: own } }, ask(home, { agent, model: "fake/fake-1" }))
          assert.notInclude(prepared.launch.args.join(" "), apiKey)
          assert.notInclude(prepared.warnings.join(" "), apiKey)
          assert.include(Object.values(prepared.environment).join(" "), apiKey, agent)
        }
      }
    })
  )

  it.effect("do not come back in the error of a verdict", () =>
    Effect.gen(function* () {
      const agents = yield* Agents
      const message = "Incorrect key: my-own-odd-key (sk-test) at http://u:pw@h/"
      const line = JSON.stringify({ type: "turn.failed", error: { message } })
      const verdict = yield* agents.verdict("codex", {
        end: { exitCode: 1, signal: null },
        stdout: [line],
        stderr: [],
        endedAt: 0
      })
      for (const secret of ["my-own-odd-key", "sk-test", "u:pw"]) assert.notInclude(verdict.error ?? "", secret)
    }).pipe(
      Effect.provide(
        AgentsLayer.layer.pipe(
          Layer.provide([
            SettingsStore.layer({ agents: { codex: { apiKey: "my-own-odd-key" } } }),
            Ids.layerTest,
            Fingerprints.layer
          ])
        )
      )
    )
  )
})

describe("plans", () => {
  const settings: WrittenSettings = {
    agents: {
      mine: { command: ["mytool", "--model={model}", "--sys", "{system}", "{prompt}"] },
      filed: { command: ["mytool", "-f", "{promptFile}"], stallMs: 0 },
      piped: { command: ["mytool"], args: ["-x"], model: "m1", stallMs: 1000 }
    }
  }
  const names = ["claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen"]
  const uuid = "00000000-0000-4000-8000-000000000001"

  it.scoped("give every agent its prompt by stdin, so that no size or character matters", () =>
    Effect.gen(function* () {
      const home = yield* machine(names)
      for (const agent of names) {
        const { launch } = yield* prepare({}, ask(home, { agent, prompt: "--help; rm -rf {prompt}", model: "m" }))
        assert.deepStrictEqual([agent, launch.stdin, launch.promptAt], [agent, "prompt", []])
        assert.notInclude(launch.args.join(" "), "rm -rf")
        assert.include(launch.args, "m")
      }
    })
  )

  it.scoped("hold the flags that make an agent run alone and stream", () =>
    Effect.gen(function* () {
      const home = yield* machine(names)
      const args = (agent: string, settings: WrittenSettings = {}) =>
        Effect.map(prepare(settings, ask(home, { agent, model: "m", systemPrompt: "be terse" })), (prepared) => ({
          line: prepared.launch.args.join(" "),
          prefix: prepared.launch.promptPrefix,
          session: prepared.sessionId
        }))
      assert.deepStrictEqual(yield* args("claude"), {
        line: `-p --output-format stream-json --verbose --dangerously-skip-permissions --session-id ${uuid} --model m --append-system-prompt be terse`,
        prefix: undefined,
        session: uuid
      })
      assert.deepStrictEqual(yield* args("codex", { agents: { codex: { args: ["--search"] } } }), {
        line: 'exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox --model m -c analytics.enabled=false -c check_for_update_on_startup=false -c features.unbounded_connection_retries=false -c developer_instructions="be terse" --search -',
        prefix: undefined,
        session: null
      })
      assert.deepStrictEqual(yield* args("gemini"), {
        line: `--output-format stream-json --approval-mode yolo --skip-trust --session-id ${uuid} --model m`,
        prefix: "be terse\n\n",
        session: uuid
      })
      assert.deepStrictEqual(yield* args("opencode"), {
        line: "run --format json --print-logs --log-level ERROR --model m",
        prefix: "be terse\n\n",
        session: null
      })
      assert.deepStrictEqual(yield* args("qwen"), {
        line: `--yolo --output-format stream-json --session-id ${uuid} --model m --append-system-prompt be terse`,
        prefix: undefined,
        session: uuid
      })
      assert.deepStrictEqual(yield* args("copilot"), {
        line: `--output-format json --allow-all --session-id ${uuid} --model m`,
        prefix: "be terse\n\n",
        session: uuid
      })
      assert.deepStrictEqual(yield* args("pi"), {
        line: "-p --mode json --model m --append-system-prompt be terse",
        prefix: undefined,
        session: null
      })
    })
  )

  it.scoped("continue the agent's own session where it has one", () =>
    Effect.gen(function* () {
      const home = yield* machine([...names, "mytool"])
      const resume = "ses_01a2-0832"
      const ways = {
        claude: `--resume ${resume}`,
        codex: `resume ${resume} -`,
        copilot: `--resume ${resume}`,
        gemini: `--resume ${resume}`,
        opencode: `--session ${resume}`,
        pi: `--session ${resume}`,
        qwen: `--resume ${resume}`
      }
      for (const [agent, way] of Object.entries(ways)) {
        const { launch, sessionId } = yield* prepare({}, ask(home, { agent, resume }))
        const line = launch.args.join(" ")
        assert.include(line, way)
        assert.notInclude(line, "--session-id")
        assert.strictEqual(sessionId, resume, agent)
      }
      const { launch, sessionId } = yield* prepare(settings, ask(home, { agent: "piped", resume }))
      assert.deepStrictEqual([launch.args, sessionId], [["-x"], null])
    })
  )

  it.scoped("never take what an agent printed for an option", () =>
    Effect.gen(function* () {
      const home = yield* machine(["claude"])
      for (const resume of ["--model", "-c", "", "a b", "../x", "a".repeat(129)]) {
        const refused = yield* Effect.either(prepare({}, ask(home, { agent: "claude", resume })))
        assert.match(messageOf(refused), /^InvalidInput: session/, resume)
      }
      const agents = yield* Effect.provide(
        Agents,
        AgentsLayer.layer.pipe(Layer.provide([SettingsStore.layer(settings), Ids.layerTest, Fingerprints.layer]))
      )
      for (const agent of names) assert.isTrue(yield* agents.resumes(agent, uuid), agent)
      assert.isFalse(yield* agents.resumes("claude", "--model"))
      for (const agent of ["shell", "mine", "nobody"]) assert.isFalse(yield* agents.resumes(agent, uuid), agent)
    })
  )

  it.scoped("cap an agent's own retries, unless the config file says otherwise", () =>
    Effect.gen(function* () {
      const home = yield* machine(names)
      const plan = (agent: string, retries?: number | null) =>
        prepare(
          { agents: { [agent]: { baseUrl: "http://h/v1", ...(retries === undefined ? {} : { retries }) } } },
          ask(home, { agent })
        )
      assert.strictEqual((yield* plan("claude")).environment.CLAUDE_CODE_MAX_RETRIES, "2")
      assert.strictEqual((yield* plan("claude", 0)).environment.CLAUDE_CODE_MAX_RETRIES, "0")
      assert.notProperty((yield* plan("claude", null)).environment, "CLAUDE_CODE_MAX_RETRIES")
      assert.include((yield* plan("codex")).launch.args.join(" "), "request_max_retries=2,stream_max_retries=2}")
      assert.include((yield* plan("codex", 5)).launch.args.join(" "), "request_max_retries=5")
      const free = (yield* plan("codex", null)).launch.args.join(" ")
      assert.notInclude(free, "retries")
    })
  )

  it.scoped("put a system prompt that no argument holds before the prompt", () =>
    Effect.gen(function* () {
      const home = yield* machine(names)
      const systemPrompt = "x".repeat(200_000)
      for (const agent of names) {
        const { launch } = yield* prepare({}, ask(home, { agent, systemPrompt }))
        assert.strictEqual(launch.promptPrefix, `${systemPrompt}\n\n`)
        assert.isBelow(launch.args.join(" ").length, 2000)
      }
    })
  )

  it.scoped("fill custom commands, leaving the prompt to the start", () =>
    Effect.gen(function* () {
      const home = yield* machine(["mytool"])
      const launch = (agent: string, fields: Partial<PrepareRequest> = {}) =>
        Effect.map(prepare(settings, ask(home, { agent, ...fields })), (prepared) => {
          const { uid, umask, niceness, ...launch } = prepared.launch
          assert.strictEqual(umask, process.umask())
          assert.strictEqual(niceness, Os.getPriority())
          assert.strictEqual(uid, process.geteuid?.())
          return launch
        })
      const file = Path.join(home.bin, "mytool")
      assert.deepStrictEqual(yield* launch("mine", { model: "{prompt}", systemPrompt: "{model}" }), {
        file,
        args: ["--model={prompt}", "--sys", "{model}", "{prompt}"],
        promptAt: [3],
        stdin: "none"
      })
      assert.deepStrictEqual(yield* launch("filed", { systemPrompt: "s" }), {
        file,
        args: ["-f", "{promptFile}"],
        promptAt: [1],
        stdin: "none",
        promptPrefix: "s\n\n"
      })
      assert.deepStrictEqual(yield* launch("piped"), { file, args: ["-x"], promptAt: [], stdin: "prompt" })
      assert.deepInclude(yield* prepare(settings, ask(home, { agent: "piped" })), { model: "m1", stallMs: 1000 })
      assert.deepInclude(yield* prepare(settings, ask(home, { agent: "filed" })), { stallMs: null })
    })
  )

  it.scoped(
    "keep the umask, the niceness and the variables that were given to this task alone for another attempt",
    () =>
      Effect.gen(function* () {
        const home = yield* machine([])
        const given = { GIT_DIR: "/other/.git", MAKEFLAGS: "-j1" }
        for (const umask of [0, 0o022, 0o077, 0o777]) {
          const fields = {
            agent: "shell",
            umask,
            niceness: 7,
            extra: given,
            environment: { PATH: home.bin, GIT_DIR: "/mine/.git" }
          }
          const { environment, launch } = yield* prepare({ capture: "allowlist" }, ask(home, fields))
          assert.deepInclude(launch, { umask, niceness: 7, given: ["GIT_DIR", "MAKEFLAGS"] })
          assert.deepInclude(environment, { PATH: home.bin, ...given })
          const again = givenWith({ environment, launch })
          assert.deepStrictEqual(again, {
            extra: given,
            umask,
            niceness: 7,
            server: undefined,
            steer: false,
            loop: undefined,
            asks: undefined
          })
          assert.deepStrictEqual(yield* prepare({ capture: "allowlist" }, ask(home, { ...fields, ...again })), {
            ...(yield* prepare({ capture: "allowlist" }, ask(home, fields)))
          })
        }
      })
  )

  it.scoped("look on the PATH of now for a program that has moved", () =>
    Effect.gen(function* () {
      const home = yield* machine(["mytool"])
      const asked = (path: string, otherPath?: string) =>
        prepare(settings, ask(home, { agent: "mine", environment: { PATH: path }, otherPath }))
      const fileAndPath = (path: string, otherPath?: string) =>
        Effect.map(asked(path, otherPath), ({ environment, launch }) => [launch.file, environment.PATH])
      const file = Path.join(home.bin, "mytool")
      // What stands beside it, e.g. the Node of its first line, has moved with it.
      assert.deepStrictEqual(yield* fileAndPath("/gone:/bin", `/bin:${home.bin}`), [file, `/gone:/bin:${home.bin}`])
      assert.deepStrictEqual(yield* fileAndPath("", home.bin), [file, home.bin])
      // The captured one comes first where it has the program.
      assert.deepStrictEqual(yield* fileAndPath(home.bin, "/elsewhere"), [file, home.bin])
      for (const other of [undefined, "", "/gone"]) {
        const missing = yield* Effect.flip(asked("/gone", other))
        assert.include(missing.message, "'mytool' of agent 'mine' is not on your PATH; put it on your PATH")
      }
    })
  )

  it.scoped("name a path that cannot be executed as such: missing, a directory, without the mode", () =>
    Effect.gen(function* () {
      const home = yield* machine([])
      const plain = Path.join(home.bin, "plain")
      Fs.writeFileSync(plain, "#!/bin/sh\n", { mode: 0o644 })
      for (const program of [Path.join(home.bin, "missing"), home.bin, plain]) {
        const agents = { mine: { command: [program, "{prompt}"] as const } }
        const missing = yield* Effect.flip(prepare({ agents }, ask(home, { agent: "mine" })))
        assert.include(
          missing.message,
          `'${program}' of agent 'mine' is not an executable file; correct its path or mode`
        )
      }
    })
  )

  it.scoped("run a shell prompt from its file", () =>
    Effect.gen(function* () {
      const home = yield* machine([])
      const prepared = yield* prepare({}, ask(home, { agent: "shell", prompt: "echo secret", model: "m" }))
      assert.deepStrictEqual(prepared.launch, {
        file: "/bin/sh",
        args: ["{promptFile}"],
        promptAt: [0],
        stdin: "none",
        umask: process.umask(),
        niceness: Os.getPriority(),
        uid: process.geteuid?.()
      })
      assert.strictEqual(prepared.stallMs, undefined)
      assert.match(prepared.warnings.join(), /no model/)
    })
  )

  it.scoped("warns of a script that empties its own output", () =>
    Effect.gen(function* () {
      const home = yield* machine([])
      const warnings = (prompt: string) =>
        Effect.map(prepare({}, ask(home, { agent: "shell", prompt })), (prepared) => prepared.warnings.join())
      for (const script of [
        "echo x > /dev/stderr",
        "make 2>/dev/stdout",
        "ls | tee /dev/stderr | wc",
        "x >| /dev/fd/2"
      ]) {
        assert.include(yield* warnings(script), ">&2", script)
      }
      for (const script of ["echo x >&2", "echo x >> /dev/stderr", "ls > /dev/null 2>&1", "ls | tee -a /dev/stderr"]) {
        assert.strictEqual(yield* warnings(script), "", script)
      }
    })
  )
})

describe("the list", () => {
  it.scoped("names every agent with its program, credentials and install command", () =>
    Effect.gen(function* () {
      const home = yield* machine(["codex", "mytool"])
      const settings: WrittenSettings = { agents: { zeta: { command: ["mytool"] }, alpha: { command: ["nothere"] } } }
      const infos = yield* list(settings, { ...home.environment, CODEX_API_KEY: "sk-1" })
      assert.deepStrictEqual(
        infos.map(({ name }) => name),
        ["claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen", "shell", "alpha", "zeta"]
      )
      const of = (name: string) => infos.find((info) => info.name === name)
      assert.deepInclude(of("codex"), { path: Path.join(home.bin, "codex"), credentials: "environment", custom: false })
      assert.deepInclude(of("claude"), { path: null, credentials: null, default: false })
      assert.match(of("claude")?.install ?? "", /^npm install -g/)
      assert.deepInclude(of("shell"), { path: "/bin/sh", credentials: "not-needed", login: null })
      assert.deepInclude(of("zeta"), { custom: true, path: Path.join(home.bin, "mytool"), credentials: "not-needed" })
      assert.notInclude(JSON.stringify(infos), "sk-1")
    })
  )

  it.scoped("marks the one that is used when none is named", () =>
    Effect.gen(function* () {
      const one = yield* machine(["codex"])
      const defaults = (settings: WrittenSettings, environment: Record<string, string>) =>
        Effect.map(list(settings, environment), (infos) => infos.filter((info) => info.default).map(({ name }) => name))
      assert.deepStrictEqual(yield* defaults({}, one.environment), ["codex"])
      assert.deepStrictEqual(yield* defaults({ defaultAgent: "shell" }, one.environment), ["shell"])
      const two = yield* machine(["codex", "gemini"])
      assert.deepStrictEqual(yield* defaults({}, two.environment), [])
    })
  )
})
