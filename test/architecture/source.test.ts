/** What every source file keeps to, whatever it does. */
import { assert, describe, it } from "@effect/vitest"
import { sourcesIn } from "./Sources.ts"

/** Where the process, the console, the system's clock and its random source may be touched. */
const mayTouchSystem =
  /^src\/layers\/(node|agents)\/|^src\/torture\/|^src\/web\/client\/|^src\/(cli|mcp)\.ts$|^src\/(cli|mcp)\/[^/]+\.entry\.ts$/

/** A local value may be called `process` too, hence the list of what only the global one has. */
const system = new RegExp(
  "^(process\\.(env|argv|argv0|execPath|exit|exitCode|cwd|chdir|kill|abort|on|once|off|emit|stdin|stdout|stderr|" +
    "platform|arch|version|versions|hrtime|uptime|memoryUsage|cpuUsage|nextTick|umask|title|getuid|geteuid)|" +
    "globalThis\\.\\w+|console\\.\\w+|Date\\.now|Math\\.random|performance\\.\\w+|crypto\\.(randomUUID|getRandomValues)|" +
    "new Date\\(\\)|(setTimeout|setInterval|setImmediate|require|fetch)\\(\\))$"
)

/** Longer than this and a file is doing two things. */
const mostLines = 300

/** Files that are longer and stay so for a reason. */
const longFiles: ReadonlyArray<string> = []

const sources = sourcesIn("src", "migrations")

describe("every source file", () => {
  it("opens with a sentence on what it is for", () => {
    const silent = [...sources, ...sourcesIn("test")]
      .filter(({ text }) => !/^\/\*\*\s*\S+(\s+\S+){2,}[\s\S]*?\*\//.test(text))
      .map(({ path }) => path)
    assert.deepStrictEqual(silent, [])
  })

  it("touches the system only where that is its job", () => {
    const found = sources
      .filter(({ path }) => !mayTouchSystem.test(path))
      .flatMap(({ path, uses }) => uses.filter((use) => system.test(use)).map((use) => `${path}: ${use}`))
    assert.deepStrictEqual(found, [])
  })

  it("bounds its waits on the clock that cannot be set", () => {
    const wall = /\bSchedule\.(upTo|elapsed|during|windowed|fixed|cron)\b/
    const found = sources.filter(({ text }) => wall.test(text.replace(/`[^`]*`/g, ""))).map(({ path }) => path)
    assert.deepStrictEqual(found, [])
  })

  it("makes directories with mode 0700, except in workspaces", () => {
    const calls = sources
      .filter(({ path }) => !/^src\/(torture|layers\/node\/git)\//.test(path))
      .flatMap(({ path, text }) =>
        Array.from(text.matchAll(/\bmkdir(?:Sync)?\([^\n]*/g), ([call]) => `${path}: ${call}`)
      )
    assert.isAbove(calls.length, 5)
    const open = calls.filter((call) => !call.includes("mode: 0o700"))
    assert.deepStrictEqual(open, [])
  })

  it(`has at most ${mostLines} lines`, () => {
    const long = sources.filter(({ text }) => text.split("\n").length > mostLines + 1).map(({ path }) => path)
    assert.deepStrictEqual(long, [...longFiles])
  })

  it("has a name that says what it is for", () => {
    const vague = sources.filter(({ path }) =>
      /(^|\/)(utils?|helpers?|common|misc|shared|.*Manager)(\/|\.ts$)/i.test(path)
    )
    assert.deepStrictEqual(
      vague.map(({ path }) => path),
      []
    )
  })
})
