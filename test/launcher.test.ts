/** The file that `beat` starts with: which bundle it picks, its code cache, and what it says when Node does not fit. */
import { execFile } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { bootstrap } from "../build/bootstrap.mjs"

let root = ""
let dist = ""

/** A bundle that says who it is and what it was given; exit code 3 with the word `fail`. */
const bundleText = (name: string) => `
  console.log(JSON.stringify([${JSON.stringify(name)}, ...process.argv.slice(2)]))
  if (require("node:path").basename(__filename) !== "${name}.cjs") throw new Error(__filename)
  if (process.argv.includes("flood")) {
    const leave = (error) => error && process.exit(error.code === "EPIPE" ? 141 : 1)
    setInterval(() => process.stdout.write("x".repeat(65536) + "\\n", leave), 1)
  }
  if (process.argv.includes("full")) {
    console.error("to nobody")
    process.stdout.write("x", (error) => process.exit(error.code === "ENOSPC" ? 9 : 1))
  }
  if (process.argv.includes("bad")) process.exitCode = 2
`

const install = async (digest = "0001") => {
  for (const name of ["cli", "worker", "mcp"]) writeFileSync(join(dist, `${name}.cjs`), bundleText(name))
  writeFileSync(join(dist, "beat.cjs"), await bootstrap({ cli: digest, worker: digest, mcp: digest }, "1.2.3"))
  writeFileSync(join(dist, "completion.cjs"), 'exports.scripts = { bash: "complete beat\\n" }')
}

beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "beat-boot-")))
  dist = join(root, "dist")
  mkdirSync(dist)
  await install()
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
const run = (command: string, args: ReadonlyArray<string>, variables: Record<string, string> = {}) =>
  new Promise<Result>((resolve) => {
    const env = { PATH: process.env.PATH ?? "", HOME: root, ...variables }
    const child = execFile(command, [...args], { env, cwd: root, timeout: 120_000 }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr })
    )
  })
const beat = async (...words: ReadonlyArray<string>): Promise<unknown> => {
  const { stdout, stderr } = await run(process.execPath, [join(dist, "beat.cjs"), ...words])
  assert.strictEqual(stderr, "")
  return JSON.parse(stdout)
}

/** The commands that a file of the cache has seen. */
const seenBy = (file: string) =>
  readFileSync(join(dist, ".cache", file))
    .subarray(-256)
    .toString("latin1")
    .trim()
    .split(",")

const cached = (directory = join(dist, ".cache")): ReadonlyArray<string> =>
  existsSync(directory) ? readdirSync(directory).sort() : []

describe("the bundle", () => {
  const cases: ReadonlyArray<readonly [name: string, words: ReadonlyArray<string>]> = [
    ["cli", []],
    ["cli", ["status", "--json"]],
    ["cli", ["run", "worker"]],
    ["cli", ["worker", "--help"]],
    ["cli", ["worker", "-h"]],
    ["cli", ["workers"]],
    ["cli", ["mcp", "install"]],
    ["worker", ["worker"]],
    ["worker", ["worker", "--on-demand"]],
    ["mcp", ["mcp", "start"]],
    ["cli", ["mcp", "start", "--help"]]
  ]
  for (const [name, words] of cases) {
    it(`is ${name} for: beat ${words.join(" ")}`, async () => {
      assert.deepStrictEqual(await beat(...words), [name, ...words])
    })
  }
})

describe("the code cache", () => {
  it("is written once per command, next to the bundle, for its owner only", async () => {
    await beat("status")
    const [file = "", ...more] = cached()
    assert.deepStrictEqual(more, [])
    const path = join(dist, ".cache", file)
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    assert.strictEqual(statSync(join(dist, ".cache")).mode & 0o777, 0o700)
    const { ino } = statSync(path)
    await beat("status")
    assert.strictEqual(statSync(path).ino, ino, "written again although it was good")
    await beat("list")
    assert.notStrictEqual(statSync(path).ino, ino, "not extended by a new command")
    assert.match(readFileSync(path, "latin1"), /status,list *$/)
  })

  it("knows beat without a word, and beat with nothing but options, as separate commands", async () => {
    await beat()
    await beat("--json")
    assert.deepStrictEqual(cached().map(seenBy), [["-"], ["."]])
  })

  it("holds what only looks apart from everything else", async () => {
    await beat("status")
    await beat("run")
    await beat("list")
    assert.deepStrictEqual(cached().map(seenBy), [["run"], ["status", "list"]])
  })

  it("is not extended by what was no command", async () => {
    await beat("stauts", "bad")
    assert.deepStrictEqual(cached(), [])
  })

  it("that is damaged is replaced, and does no harm", async () => {
    await beat("status")
    const [file = ""] = cached()
    const path = join(dist, ".cache", file)
    for (const damage of [Buffer.alloc(0), Buffer.from("junk"), Buffer.alloc(5000, 7)]) {
      writeFileSync(path, damage)
      assert.deepStrictEqual(await beat("status"), ["cli", "status"])
      assert.match(readFileSync(path, "latin1"), /status *$/)
    }
  })

  it("of another release is never used, even where npm gives both the same time and size", async () => {
    const time = new Date("1985-10-26T08:15:00Z")
    utimesSync(join(dist, "cli.cjs"), time, time)
    await beat("status")
    await install("0002")
    writeFileSync(join(dist, "cli.cjs"), bundleText("cli").replace("process.argv.slice(2)", "process.argv.slice(3)"))
    utimesSync(join(dist, "cli.cjs"), time, time)
    assert.deepStrictEqual(await beat("status", "--json"), ["cli", "--json"])
    assert.lengthOf(cached(), 2)
  })

  it("is kept apart for each set of V8 flags, which would reject each other's", async () => {
    const under = (...flags: ReadonlyArray<string>) =>
      run(process.execPath, [...flags, join(dist, "beat.cjs"), "status"])
    await under()
    await under("--max-semi-space-size=1")
    const before = cached().map((name) => statSync(join(dist, ".cache", name)).ino)
    assert.lengthOf(before, 2)
    await under("--max-semi-space-size=1")
    await under()
    assert.deepStrictEqual(
      cached().map((name) => statSync(join(dist, ".cache", name)).ino),
      before
    )
  })

  it("is shared by sets of flags that V8 does not know", async () => {
    const options = ["", "--no-warnings", "--max-http-header-size=20000", "--no-warnings --no-deprecation"]
    for (const NODE_OPTIONS of options) {
      await run(process.execPath, [join(dist, "beat.cjs"), "status"], { NODE_OPTIONS })
    }
    assert.isAtMost(cached().length, 2)
  })

  it("of a set of flags survives more sets than there are files", async () => {
    const round = async () => {
      for (const size of [1, 2, 3, 4, 5, 6, 7, 8]) {
        await run(process.execPath, [`--stack-size=${900 + size}`, join(dist, "beat.cjs"), "status"])
      }
      return cached().map((name) => statSync(join(dist, ".cache", name)).ino)
    }
    const first = await round()
    assert.lengthOf(first, 6)
    assert.deepStrictEqual(await round(), first)
  })

  it("gives its place to another set of flags after a day", async () => {
    await beat("status")
    const days = new Date(Date.now() - 2 * 86_400_000)
    const under = (size: number) =>
      run(process.execPath, [`--stack-size=${900 + size}`, join(dist, "beat.cjs"), "status"])
    for (const size of [1, 2, 3, 4, 5]) await under(size)
    const before = cached()
    assert.lengthOf(before, 6)
    for (const name of before) utimesSync(join(dist, ".cache", name), days, days)
    await under(6)
    const added = cached().filter((name) => !before.includes(name))
    assert.lengthOf(added, 1)
    assert.lengthOf(cached(), 6)
  })

  it("never grows past a few files", async () => {
    mkdirSync(join(dist, ".cache"), { mode: 0o700 })
    for (let index = 0; index < 20; index++) writeFileSync(join(dist, ".cache", `look.v1.${index}`), "old")
    await beat("status")
    assert.isAtMost(cached().length, 6)
    assert.isTrue(cached().some((name) => name.includes(process.version)))
  })

  it("goes to the user's cache directory where others may write next to the bundle", async () => {
    chmodSync(dist, 0o777)
    await beat("status")
    assert.deepStrictEqual(cached(), [])
    assert.lengthOf(cached(join(root, ".cache", "backbeat")), 1)
  })

  it("is not read from a directory that others may write to", async () => {
    chmodSync(dist, 0o777)
    mkdirSync(join(root, ".cache", "backbeat"), { recursive: true })
    chmodSync(join(root, ".cache", "backbeat"), 0o777)
    assert.deepStrictEqual(await beat("status"), ["cli", "status"])
    assert.deepStrictEqual(cached(join(root, ".cache", "backbeat")), [])
  })

  it("can be turned off by Node's own switch", async () => {
    await run(process.execPath, [join(dist, "beat.cjs"), "status"], { NODE_DISABLE_COMPILE_CACHE: "1" })
    assert.deepStrictEqual(cached(), [])
  })
})

it("Node's own code cache, which keeps less, is not used", async () => {
  const newer = join(root, "newer.cjs")
  writeFileSync(newer, 'require("module").enableCompileCache = (directory) => console.error(directory)')
  const { stderr, stdout } = await run(process.execPath, ["-r", newer, join(dist, "beat.cjs"), "status"])
  assert.strictEqual(stdout, '["cli","status"]\n')
  assert.strictEqual(stderr, "")
  assert.lengthOf(cached(), 1)
})

describe("the answer without a bundle", () => {
  const printed = async (...words: ReadonlyArray<string>) => {
    const { stderr, stdout } = await run(process.execPath, [join(dist, "beat.cjs"), ...words])
    assert.strictEqual(stderr, "")
    return stdout
  }

  it("is the version", async () => {
    rmSync(join(dist, "cli.cjs"))
    for (const word of ["--version", "-V"]) assert.strictEqual(await printed(word), "1.2.3\n")
  })

  it("is the completion script", async () => {
    rmSync(join(dist, "cli.cjs"))
    for (const word of ["completion", "completions"]) assert.strictEqual(await printed(word, "bash"), "complete beat\n")
  })

  it("is left to the bundle where the words say anything else", async () => {
    for (const words of [
      ["--version", "--json"],
      ["list", "--version"],
      ["completion"],
      ["completion", "tcsh"],
      ["completion", "toString"],
      ["completion", "bash", "--help"]
    ]) {
      assert.deepStrictEqual(await beat(...words), ["cli", ...words])
    }
  })

  it("is left to the bundle where stdout takes nothing", async () => {
    for (const words of ["--version", "completion bash"]) {
      const script = `"$0" "$1" ${words} >/dev/full; echo "$?" >&3`
      const arguments_ = ["-c", `exec 3>&1; ${script}`, process.execPath, join(dist, "beat.cjs")]
      writeFileSync(join(dist, "cli.cjs"), "process.exit(74)")
      assert.strictEqual((await run("/bin/sh", arguments_)).stdout, "74\n", words)
    }
  })
})

it("a full disk behind both streams is told to the writer alone", async () => {
  const script = `"$0" "$1" full >/dev/full 2>&1; echo "$?" >&3`
  const { stdout } = await run("/bin/sh", ["-c", `exec 3>&1; ${script}`, process.execPath, join(dist, "beat.cjs")])
  assert.strictEqual(stdout, "9\n")
})

it("a reader that has seen enough is told to the writer alone", async () => {
  const script = `{ "$0" "$1" flood; echo "$?" >&3; } | head -n 1`
  const { stderr, stdout } = await run("/bin/sh", [
    "-c",
    `exec 3>&1; ${script}`,
    process.execPath,
    join(dist, "beat.cjs")
  ])
  assert.strictEqual(stderr, "")
  assert.strictEqual(stdout, '["cli","flood"]\n141\n')
})

it("an outdated Node is told what is needed", async () => {
  const older = join(root, "older.cjs")
  writeFileSync(older, 'Object.defineProperty(process, "versions", { value: { node: "18.19.0" } })')
  const { code, stderr } = await run(process.execPath, ["-r", older, join(dist, "beat.cjs"), "status"])
  assert.strictEqual(code, 70)
  assert.match(stderr, /^beat: needs Node 20 or newer; this is v/)
})

for (const [key, name] of [
  ["bun", "Bun"],
  ["deno", "Deno"]
] as const) {
  it(`${name} is told that Node is needed`, async () => {
    const other = join(root, "other.cjs")
    const versions = `{ ...process.versions, ${key}: "1.2.0" }`
    writeFileSync(other, `Object.defineProperty(process, "versions", { value: ${versions} })`)
    const { code, stderr } = await run(process.execPath, ["-r", other, join(dist, "beat.cjs"), "status"])
    assert.strictEqual(code, 70)
    assert.match(stderr, new RegExp(`^beat: needs Node 20 or newer; this is ${name} `))
  })
}

describe("the native module", () => {
  const load = async () => {
    copyFileSync(new URL("../build/native-module.cjs", import.meta.url), join(dist, "native-module.cjs"))
    return run(process.execPath, ["-e", `require(${JSON.stringify(join(dist, "native-module.cjs"))})()`])
  }
  const place = (file: string) => join(root, "node_modules", "better-sqlite3", file)
  beforeEach(() => {
    mkdirSync(place("build/Release"), { recursive: true })
    writeFileSync(place("package.json"), '{ "name": "better-sqlite3" }')
  })

  it("that was not built is explained with the command that builds it", async () => {
    const { code, stderr } = await load()
    assert.strictEqual(code, 70)
    assert.include(stderr, "was not built")
    assert.include(stderr, `cd '${root}' && npm rebuild better-sqlite3`)
  })

  it("that does not load is explained in one line, without a stack", async () => {
    writeFileSync(place("build/Release/better_sqlite3.node"), "not a library")
    const { code, stderr } = await load()
    assert.strictEqual(code, 70)
    assert.include(stderr, "cannot be loaded")
    assert.notInclude(stderr, "    at ")
  })

  it("that was built for another Node is called that", async () => {
    writeFileSync(place("build/Release/better_sqlite3.node"), "")
    writeFileSync(
      join(root, "other.cjs"),
      `require("module")._extensions[".node"] = () => { throw Object.assign(new Error("compiled against NODE_MODULE_VERSION 115"), { code: "ERR_DLOPEN_FAILED" }) }`
    )
    copyFileSync(new URL("../build/native-module.cjs", import.meta.url), join(dist, "native-module.cjs"))
    const args = ["-r", join(root, "other.cjs"), "-e", `require(${JSON.stringify(join(dist, "native-module.cjs"))})()`]
    const { code, stderr } = await run(process.execPath, args)
    assert.strictEqual(code, 70)
    assert.include(stderr, "was built for another Node")
  })
})
