/** Starting agents through the shim: what they get, what they leave, and that they run once. */
import * as fs from "node:fs"
import * as os from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Processes } from "../../../../src/services/Processes.ts"
import { Spawner } from "../../../../src/services/Spawner.ts"
import { claimOf, ended, fileWith, gone, script, start, targetOf, textOf, until, withSpawner } from "../support.ts"

describe("Spawner.start", () => {
  for (const [text, end] of [
    ["exit 0", { exitCode: 0, signal: null }],
    ["exit 3", { exitCode: 3, signal: null }],
    ["kill -KILL $$", { exitCode: 137, signal: "SIGKILL" }],
    ["kill -TERM $$", { exitCode: 143, signal: "SIGTERM" }],
    ["kill -INT $$", { exitCode: 130, signal: "SIGINT" }],
    ["exit 144", { exitCode: 144, signal: null }],
    ["exit 244", { exitCode: 244, signal: null }]
  ] as const) {
    it.scopedLive(`tells the end of: ${text}`, () =>
      withSpawner(({ bootId, directory }) =>
        Effect.gen(function* () {
          const claimed = claimOf({ directory, bootId, launch: script(text) })
          yield* start(claimed)
          assert.deepStrictEqual(yield* ended(claimed), end)
        })
      )
    )
  }

  it.scopedLive("tells when an agent ended, however late that is looked at", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({ directory, bootId, launch: script("exit 1") })
        yield* start(claimed)
        yield* ended(claimed)
        const hourAgo = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000)
        fs.utimesSync(join(directory, "spool", claimed.claim.claimId, "exit"), hourAgo, hourAgo)
        const seen = yield* spawner.observe(targetOf(claimed))
        assert.deepInclude(seen, { _tag: "Exited", endedAt: hourAgo.getTime() })
      })
    )
  )

  it.scopedLive("shows a running agent under the shim's identity, and its output as it comes", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const processes = yield* Processes
        const claimed = claimOf({
          directory,
          bootId,
          launch: script("echo first; while [ ! -e go ]; do sleep 0.02; done; echo last; echo oops >&2")
        })
        assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "NotStarted" })
        const process = yield* start(claimed)
        assert.strictEqual(yield* processes.alive(process), "alive")
        assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "Running", process })
        yield* until(
          "first line",
          Effect.map(textOf(claimed, "stdout"), (text) => text === "first\n")
        )
        fs.writeFileSync(join(directory, "go"), "")
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
        assert.strictEqual(yield* textOf(claimed, "stdout"), "first\nlast\n")
        assert.strictEqual(yield* textOf(claimed, "stderr"), "oops\n")
        yield* gone(process.pid)
        assert.deepStrictEqual(yield* spawner.spools, [claimed.claim.claimId])
        yield* spawner.discard(claimed.claim.claimId)
        assert.deepStrictEqual(yield* spawner.spools, [])
      })
    )
  )

  it.scopedLive("hands 5 MB over on stdin and takes every byte back", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const prompt = `-n 'quotes" $HOME \\ \`x\`\r\n\0{prompt} 🦊\n`.repeat(120_000)
        const claimed = claimOf({ directory, bootId, prompt, launch: { file: "/bin/cat", args: [], stdin: "prompt" } })
        yield* start(claimed)
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
        const bytes = yield* spawner.read(claimed.claim.claimId, "stdout", 0, 64 * 1024 * 1024)
        assert.isTrue(Buffer.from(prompt, "utf8").equals(bytes))
        assert.isAbove(bytes.length, 4_000_000)
        const part = yield* spawner.read(claimed.claim.claimId, "stdout", bytes.length - 7, 100)
        assert.deepStrictEqual(Array.from(part), Array.from(bytes.subarray(-7)))
        assert.lengthOf(yield* spawner.read(claimed.claim.claimId, "stdout", bytes.length + 7, 100), 0)
      })
    )
  )

  it.scopedLive("hands arguments over as they are", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const hard = ["-rf", "--", "", "two  words\n", "'\"`$(id)`\\", "*", "{prompt}", "🦊é", "-"]
        const launch = script('printf "%s\\0" "$@"', ...hard, "<{prompt}|{promptFile}>")
        const prompt = "-e 'do' \"it\"\n{promptFile} $& 🦊"
        const claimed = claimOf({
          directory,
          bootId,
          prompt,
          launch: { ...launch, promptAt: [launch.args.length - 1] }
        })
        yield* start(claimed)
        yield* ended(claimed)
        const file = join(directory, "spool", claimed.claim.claimId, "prompt")
        assert.deepStrictEqual((yield* textOf(claimed, "stdout")).split("\0").slice(0, -1), [
          ...hard,
          `<${prompt}|${file}>`
        ])
        assert.strictEqual(fs.readFileSync(file, "utf8"), prompt)
      })
    )
  )

  for (const [name, prompt] of [
    ["is longer than an argument may be", "x".repeat(100_001)],
    ["holds a zero byte", "a\0b"]
  ] as const) {
    it.scopedLive(`names the file where a prompt ${name}`, () =>
      withSpawner(({ bootId, directory }) =>
        Effect.gen(function* () {
          const launch = script('printf %s "$1"', "{prompt}")
          const claimed = claimOf({
            directory,
            bootId,
            prompt,
            launch: { ...launch, promptAt: [3], promptPrefix: "sys\n" }
          })
          yield* start(claimed)
          assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
          const said = yield* textOf(claimed, "stdout")
          const [file] = /\/\S+/.exec(said) ?? []
          assert.isBelow(said.length, 400)
          assert.strictEqual(fs.readFileSync(file ?? "", "utf8"), `sys\n${prompt}`)
        })
      )
    )
  }

  it.scopedLive("gives the agent its captured environment, its directory and its marks", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const captured = {
          PATH: "/nowhere",
          ENV: "/nowhere/env",
          CDPATH: "/",
          tricky: "a\nb'c\"$x",
          spool: "s",
          code: "c",
          BACKBEAT_WORKER: "1",
          BACKBEAT_TASK_ID: "outer"
        }
        const claimed = claimOf({
          directory,
          bootId,
          environment: captured,
          launch: { file: process.execPath, args: ["-p", "JSON.stringify([process.cwd(), process.env])"] }
        })
        yield* start(claimed)
        yield* ended(claimed)
        const [cwd, environment] = JSON.parse(yield* textOf(claimed, "stdout"))
        const { OLDPWD: _, SHLVL: __, _: ___, ...seen } = environment
        assert.strictEqual(cwd, fs.realpathSync(directory))
        const { BACKBEAT_WORKER: ____, ...kept } = captured
        assert.deepStrictEqual(seen, {
          ...kept,
          HOME: directory,
          PWD: directory,
          BACKBEAT_TASK_ID: claimed.task.id,
          BACKBEAT_DEPTH: "1",
          TRACEPARENT: claimed.traceparent
        })
      })
    )
  )

  it.scopedLive("gives the agent variables whose names no shell can set", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const odd = { "a.b": "dot", "npm_config_//host/:_authToken": "secret", "1st": "digit", ü: "letter", "x y": "" }
        const claimed = claimOf({
          directory,
          bootId,
          environment: { ...odd, BACKBEAT_BOOT_ID: "other", BACKBEAT_FAILPOINTS: "a:kill" },
          launch: { file: process.execPath, args: ["-p", "JSON.stringify(process.env)"], umask: 0o022 }
        })
        yield* start(claimed)
        yield* ended(claimed)
        const seen = JSON.parse(yield* textOf(claimed, "stdout"))
        for (const [name, value] of Object.entries(odd)) assert.strictEqual(seen[name], value, name)
        assert.isFalse("BACKBEAT_BOOT_ID" in seen || "BACKBEAT_FAILPOINTS" in seen)
      })
    )
  )

  it.scopedLive("filters at the start what an older rule captured, and nothing that was given since", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const given = { GIT_DIR: "/other/.git", SHELLOPTS: "errexit", MAKELEVEL: "1", MAKEFLAGS: "-j8" }
        const seenWith = (launch: { readonly umask?: number }) =>
          Effect.gen(function* () {
            const claimed = claimOf({
              directory,
              bootId,
              environment: given,
              launch: { file: process.execPath, args: ["-p", "JSON.stringify(process.env)"], ...launch }
            })
            yield* start(claimed)
            yield* ended(claimed)
            const seen = JSON.parse(yield* textOf(claimed, "stdout"))
            return Object.keys(given).filter((name) => name in seen)
          })
        assert.deepStrictEqual(yield* seenWith({}), [])
        assert.deepStrictEqual(yield* seenWith({ umask: 0o022 }), Object.keys(given))
      })
    )
  )

  it.scopedLive("starts the agent with the niceness of the submitter", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const niceness = os.getPriority() + 3
        const claimed = claimOf({ directory, bootId, launch: { ...script("nice"), niceness } })
        yield* start(claimed)
        yield* ended(claimed)
        assert.strictEqual(yield* textOf(claimed, "stdout"), `${niceness}\n`)
      })
    )
  )

  it.scopedLive("gives no PATH to an agent whose task had none", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const claimed = claimOf({
          directory,
          bootId,
          launch: { file: process.execPath, args: ["-p", "'PATH' in process.env"] }
        })
        const { PATH: _, ...environment } = claimed.environment
        yield* start({ ...claimed, environment })
        yield* ended(claimed)
        assert.strictEqual(yield* textOf(claimed, "stdout"), "false\n")
      })
    )
  )

  it.scopedLive(
    "starts the agent with default signals, /dev/null for stdin, the submitter's umask and private files",
    () =>
      withSpawner(({ bootId, directory }) =>
        Effect.gen(function* () {
          const claimed = claimOf({
            directory,
            bootId,
            launch: {
              ...script("umask; readlink /proc/self/fd/0; grep -E '^Sig(Blk|Ign)' /proc/self/status"),
              // Not the one of this process, whatever that is.
              umask: process.umask() ^ 0o050
            }
          })
          yield* start(claimed)
          yield* ended(claimed)
          const [umask, stdin, ...signals] = (yield* textOf(claimed, "stdout")).trim().split("\n")
          assert.strictEqual(Number.parseInt(umask ?? "", 8), process.umask() ^ 0o050)
          assert.strictEqual(stdin, "/dev/null")
          assert.lengthOf(signals, 2)
          for (const line of signals) assert.match(line, /\t0{16}$/)
          const spool = join(directory, "spool", claimed.claim.claimId)
          assert.strictEqual(fs.statSync(spool).mode & 0o777, 0o700)
          for (const name of fs.readdirSync(spool)) {
            if (name !== "started") assert.strictEqual(fs.statSync(join(spool, name)).mode & 0o777, 0o600, name)
          }
        })
      )
  )

  it.scopedLive("runs the agent once, however many start it", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const claimed = claimOf({
          directory,
          bootId,
          launch: script("echo run >>runs; while [ ! -e go ]; do sleep 0.02; done")
        })
        const found = yield* Effect.all([start(claimed), start(claimed), start(claimed)], { concurrency: "unbounded" })
        const later = yield* start(claimed)
        for (const identity of found) assert.deepStrictEqual(identity, later)
        fs.writeFileSync(join(directory, "go"), "")
        assert.deepStrictEqual(yield* ended(claimed), { exitCode: 0, signal: null })
        assert.deepStrictEqual(yield* start(claimed), later)
        assert.strictEqual(fs.readFileSync(join(directory, "runs"), "utf8"), "run\n")
      })
    )
  )

  it.scopedLive("starts nothing that was revoked, and revokes nothing that was started", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const revoked = claimOf({ directory, bootId, launch: script("echo run >>runs") })
        assert.isTrue(yield* spawner.revoke(revoked.claim.claimId))
        assert.isTrue(yield* spawner.revoke(revoked.claim.claimId))
        const error = yield* Effect.flip(start(revoked))
        assert.strictEqual(error.reason, "system")
        assert.deepStrictEqual(yield* spawner.observe(targetOf(revoked)), { _tag: "NotStarted" })
        assert.isFalse(fs.existsSync(join(directory, "runs")))

        const running = claimOf({ directory, bootId, launch: script("echo run >>runs") })
        yield* start(running)
        assert.isFalse(yield* spawner.revoke(running.claim.claimId))
        assert.deepStrictEqual(yield* ended(running), { exitCode: 0, signal: null })
        assert.isFalse(yield* spawner.revoke(running.claim.claimId))
      })
    )
  )

  it.scopedLive("lets exactly one of a start and a revoke win", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        for (let round = 0; round < 8; round++) {
          const claimed = claimOf({ directory, bootId, launch: script('echo run >"$1"', `run${round}`) })
          const revoke = Effect.zipRight(Effect.sleep(round), spawner.revoke(claimed.claim.claimId))
          const [started, revoked] = yield* Effect.all([Effect.either(start(claimed)), revoke], { concurrency: 2 })
          assert.strictEqual(started._tag === "Right", !revoked)
          if (!revoked) yield* ended(claimed)
          assert.strictEqual(fs.existsSync(join(directory, `run${round}`)), !revoked)
        }
      })
    )
  )

  it.scopedLive("says what is missing", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const plain = join(directory, "plain")
        fs.writeFileSync(plain, "text", { mode: 0o644 })
        const reasonOf = (claimed: Parameters<typeof start>[0]) =>
          Effect.map(Effect.flip(start(claimed)), (error) => `${error.reason} ${error.subject}`)
        const run = (file: string, where: string, ...args: ReadonlyArray<string>) =>
          claimOf({ directory: where, bootId, launch: { file, args } })
        assert.strictEqual(yield* reasonOf(run("/nowhere/agent", directory)), "program-missing /nowhere/agent")
        assert.strictEqual(yield* reasonOf(run(plain, directory)), `program-missing ${plain}`)
        assert.strictEqual(yield* reasonOf(run(directory, directory)), `program-missing ${directory}`)
        assert.strictEqual(yield* reasonOf(run("/bin/true", "/nowhere")), "directory-missing /nowhere")
        assert.strictEqual(yield* reasonOf(run("/bin/true", plain)), `directory-missing ${plain}`)
        const long = Array.from({ length: 60 }, () => "x".repeat(100_000))
        const tooLong = run("/bin/true", directory, ...long)
        assert.strictEqual(yield* reasonOf(tooLong), "arguments-too-long /bin/true")
        assert.strictEqual(yield* reasonOf(run("/bin/true", directory, "a\0secret")), "system /bin/true")
        assert.deepStrictEqual(yield* spawner.observe(targetOf(tooLong)), { _tag: "NotStarted" })
        assert.isTrue(yield* spawner.revoke(tooLong.claim.claimId))
      })
    )
  )

  it.scopedLive("names the spool when it cannot be written", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        fs.writeFileSync(join(directory, "spool"), "in the way")
        const error = yield* Effect.flip(start(claimOf({ directory, bootId, launch: script("true") })))
        assert.strictEqual(error.reason, "spool")
        assert.strictEqual(error.detail, "ENOTDIR")
      })
    )
  )

  it.scopedLive(
    "gives the start up permanently when the shim cannot report its identity, and leaves no half-written file",
    () =>
      withSpawner(({ bootId, directory }) =>
        Effect.gen(function* () {
          const spawner = yield* Spawner
          const claimed = claimOf({ directory, bootId, launch: script("echo > ran") })
          const spool = join(directory, "spool", claimed.claim.claimId)
          fs.mkdirSync(spool, { recursive: true })
          fs.symlinkSync("/dev/full", join(spool, "shim.new"))
          assert.strictEqual((yield* Effect.flip(start(claimed))).reason, "spool")
          assert.deepStrictEqual(yield* spawner.observe(targetOf(claimed)), { _tag: "NotStarted" })
          assert.isTrue(yield* spawner.revoke(claimed.claim.claimId))
          assert.isFalse(fs.existsSync(join(directory, "ran")))

          const other = claimOf({ directory, bootId, launch: script("echo > ran") })
          const inTheWay = join(directory, "spool", other.claim.claimId, "prompt")
          fs.mkdirSync(inTheWay, { recursive: true })
          assert.strictEqual((yield* Effect.flip(start(other))).reason, "spool")
          const left = fs.readdirSync(join(directory, "spool", other.claim.claimId))
          assert.deepStrictEqual(
            left.filter((name) => name.startsWith("prompt.")),
            []
          )
        })
      )
  )

  it.scopedLive("wakes a pause when the agent ends, and sleeps where it can know nothing", () =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const spawner = yield* Spawner
        const claimed = claimOf({ directory, bootId, launch: script("sleep 0.1") })
        yield* start(claimed)
        const begin = performance.now()
        yield* spawner.pause(claimed.claim.claimId, 60_000)
        assert.isBelow(performance.now() - begin, 50_000)
        assert.strictEqual((yield* spawner.observe(targetOf(claimed)))._tag, "Exited")
        const again = performance.now()
        yield* spawner.pause(claimed.claim.claimId, 30)
        assert.isAtLeast(performance.now() - again, 25)
        yield* fileWith(join(directory, "spool", claimed.claim.claimId, "exit"))
      })
    )
  )
})
