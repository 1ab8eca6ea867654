/** What every command has in common: routing, help, errors and exit codes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { tree } from "../../src/cli/Commands.ts"
import { loadAll } from "../../src/cli/framework/CommandTree.ts"
import { descriptionsOf } from "../../src/cli/framework/HelpText.ts"
import { JsonError } from "../../src/cli/framework/Json.ts"
import { widthOf } from "../../src/cli/output/Layout.ts"
import type { StorageError } from "../../src/domain/Errors.ts"
import { beat, world } from "./world.ts"

const decodeError = Schema.decodeUnknown(Schema.parseJson(JsonError))
const { commands } = await Effect.runPromise(loadAll(tree))
const named = commands.filter(({ path, section }) => path.length > 0 && section !== "hidden")

describe("the table of commands", () => {
  it("names each as the command names itself", () => {
    for (const [at, { aliases, path }] of tree.entries.entries()) {
      assert.deepStrictEqual({ path, aliases }, { path: commands[at]?.path, aliases: commands[at]?.aliases ?? [] })
      const shown = path[0]?.startsWith("__") === false
      assert.strictEqual(shown, commands[at]?.section !== "hidden", path.join(" "))
    }
  })
})

describe("help", () => {
  it("describes every option and argument", () => {
    for (const command of commands.filter(({ section }) => section !== "hidden")) {
      const options = descriptionsOf(command.optionHelp)
      assert.strictEqual(options.length, command.optionShapes.length, command.name)
      for (const [at, text] of options.entries()) {
        assert.isAbove(text.length, 5, `${command.name} ${command.optionShapes[at]?.names.join()}`)
        assert.notMatch(text, /This (setting|option)|user-defined/)
      }
      const args = descriptionsOf(command.argumentHelp)
      assert.strictEqual(args.length, command.argumentShapes.length, command.name)
      for (const text of args) assert.isAbove(text.length, 5, command.name)
    }
  })

  it.effect("shows full names, fits the screen, and is the same by --help, -h and help", () =>
    Effect.gen(function* () {
      for (const { path, name } of named) {
        const page = yield* beat([...path, "--help"], { columns: 60 })
        assert.strictEqual(page.code, 0, name)
        assert.include(page.stdout, `beat ${name}`)
        for (const line of page.stdout
          .split("\n")
          .filter((each) => !each.startsWith("  beat ") && !each.startsWith("      "))) {
          assert.isAtMost(widthOf(line), 100, line)
        }
        assert.deepStrictEqual(yield* beat(["help", ...path], { columns: 60 }), page)
        assert.deepStrictEqual(yield* beat([...path, "-h"], { columns: 60 }), page)
      }
      const root = yield* beat(["--help"])
      assert.deepStrictEqual(yield* beat(["help"]), root)
      for (const { path } of named) assert.include(root.stdout, path[0] ?? "?")
      assert.notInclude(root.stdout, "__complete")
      assert.notInclude(root.stdout, "wizard")
    }).pipe(Effect.provide(world()))
  )

  it.effect("has no colour where none is wanted", () =>
    Effect.gen(function* () {
      assert.notInclude((yield* beat(["--help"])).stdout, "\u001b")
      assert.include((yield* beat(["--help"], { colour: true })).stdout, "\u001b[1m")
    }).pipe(Effect.provide(world()))
  )

  it.effect("opens no database", () =>
    Effect.gen(function* () {
      for (const words of [["--help"], ["list", "--help"], ["--version"], ["config", "-h"]]) {
        assert.strictEqual((yield* beat(words, { broken: "corrupt" })).code, 0)
      }
      assert.strictEqual((yield* beat(["--version"])).stdout, "1.2.3\n")
    }).pipe(Effect.provide(world()))
  )
})

describe("usage errors", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
    [["lst"], /Unknown command 'lst'\nDid you mean 'beat list'\?/],
    [["stat"], /'beat status'/],
    [["List"], /Unknown command 'List'/],
    [["fix the test"], /beat run "fix the test"/],
    [["--tpyo"], /Unknown option '--tpyo'/],
    [["list", "--tpyo"], /Unknown option '--tpyo'/],
    [["list", "stray"], /Unexpected argument 'stray'/],
    [["status", "a", "b"], /Unexpected argument 'b'/],
    [["why"], /Missing argument <id>/],
    [["list", "--status", "sleeping"], /queued, running, completed, failed, cancelled/],
    [["list", "--since", "someday"], /--since: 'someday' is not a time; use e.g./],
    [["list", "-n", "0"], /--limit: '0' is not a whole number from 1 to 1000/],
    [["list", "--label", "x"], /KEY=VALUE/],
    [["prune", "--older-than", "30"], /write 30s or 30m/],
    [["config", "gte", "x"], /Did you mean 'beat config get'/],
    [["limits", "close", "zz"], /beat: Missing option '--until'\n/],
    [["completion", "tcsh"], /beat: Expected one of these: bash, zsh, fish\n/],
    [["completion"], /beat: Missing argument <shell> with choices bash \| zsh \| fish\n/]
  ]
  it.effect.each(cases)("%j", ([words, message]) =>
    Effect.gen(function* () {
      const text = yield* beat(words)
      assert.strictEqual(text.code, 2)
      assert.strictEqual(text.stdout, "")
      assert.match(text.stderr, message)
      assert.strictEqual(text.stderr.split("beat:").length, 2, "told once")

      const json = yield* beat(["--json", ...words])
      const { error } = yield* decodeError(json.stdout)
      assert.strictEqual(json.code, 2)
      assert.strictEqual(json.stderr, "")
      assert.strictEqual(error.exitCode, 2)
      assert.strictEqual(error.code, "UsageError")
    }).pipe(Effect.provide(world()))
  )
})

describe("errors", () => {
  it.effect("an empty name of a setting is named as one", () =>
    Effect.gen(function* () {
      for (const words of [["get"], ["set", "x"], ["unset"]]) {
        const [step = "", ...value] = words
        const { code, stderr } = yield* beat(["config", step, "", ...value])
        assert.strictEqual(code, 2)
        assert.match(stderr, /^beat: '': is not a setting/)
      }
    }).pipe(Effect.provide(world()))
  )

  const reasons: ReadonlyArray<StorageError["reason"]> = ["busy", "full", "read-only", "corrupt", "schema-too-new"]
  it.effect.each(reasons)("a database that is %s is exit code 74", (broken) =>
    Effect.gen(function* () {
      for (const words of [["list"], ["status", "a"], ["prune"], []]) {
        const seen = yield* beat(words, { broken })
        assert.strictEqual(seen.code, 74)
        assert.include(seen.stderr, "/b/backbeat.db")
      }
    }).pipe(Effect.provide(world()))
  )

  it.effect("an unknown task is exit code 3", () =>
    Effect.gen(function* () {
      for (const words of [
        ["status", "zzz"],
        ["why", "@last"]
      ])
        assert.strictEqual((yield* beat(words)).code, 3)
      const { error } = yield* decodeError((yield* beat(["status", "zzz", "--json"])).stdout)
      assert.strictEqual(error.code, "TaskNotFound")
    }).pipe(Effect.provide(world()))
  )

  it.effect("control bytes in a message do not reach the terminal", () =>
    Effect.gen(function* () {
      const seen = yield* beat(["status", "\u001b]0;owned\u0007x"])
      assert.notInclude(seen.stderr, "\u001b")
    }).pipe(Effect.provide(world()))
  )

  it.effect("completions stay silent without a database", () =>
    Effect.gen(function* () {
      const silent = yield* beat(["__complete", "--", "status", ""], { broken: "corrupt" })
      assert.deepStrictEqual(silent, { code: 0, stdout: "", stderr: "" })
    }).pipe(Effect.provide(world()))
  )
})
