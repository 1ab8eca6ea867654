/** One database is meant from any directory: by relative, linked, empty and missing variables, through every process. */
import { execFileSync, spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join, relative as relativePath } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Server } from "../mcp/Server.ts"
import { Beat, binary, isAlive, kill, until } from "./Beat.ts"

const databasesBelow = (directory: string): ReadonlyArray<string> => {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("backbeat.db"))
    .map((name) => relativePath(realpathSync(directory), realpathSync(join(directory, name))))
  return [...new Set(files)].sort()
}

const nested = `"${process.execPath}" "${binary}"`

describe("a relative BACKBEAT_HOME", () => {
  const beat = new Beat()
  const relative = { env: { BACKBEAT_HOME: "state" } }
  afterAll(() => beat.close())

  it("runs a task, and a command inside it in another directory means the same database", async () => {
    const id = await beat.submit(
      `cd / && ${nested} run -a shell -C / -- 'echo inner' && echo "$BACKBEAT_HOME"`,
      [],
      relative
    )
    assert.strictEqual((await beat.run(["wait", id], relative)).code, 0)
    const home = realpathSync(join(beat.home, "state"))
    assert.include(beat.output(id).toString(), home)
    const tasks = await until("the inner task ends", () => {
      const rows = beat.rows<{ status: string }>("SELECT status FROM tasks")
      return rows.length === 2 && rows.every(({ status }) => status === "completed") && rows
    })
    assert.lengthOf(tasks, 2)
    assert.deepStrictEqual(databasesBelow(beat.home), ["state/backbeat.db"])
  })

  it("keeps it when the worker is killed: the shim calls another worker to the same database", async () => {
    const release = join(beat.home, "release")
    const id = await beat.submit(`until [ -e '${release}' ]; do sleep 0.05; done; echo end`, [], relative)
    await until("the agent runs", () => beat.shim(id))
    const [claim] = await until("a worker is registered", () => beat.workers().length > 0 && beat.workers())
    assert(claim !== undefined)
    kill(claim, "SIGKILL")
    // The shim looks once, when its agent ends.
    await until("the worker is gone", () => !isAlive(claim))
    writeFileSync(release, "")
    // No command of ours looks: what collects the result is started by the shim, whose directory is "/".
    await until("the result is collected", () => beat.status(id).status === "completed")
    assert.deepStrictEqual(databasesBelow(beat.home), ["state/backbeat.db"])
    assert.isFalse(existsSync("/state"))
  })

  it("is the same home by other texts for it", async () => {
    const id = await beat.submit("true", [], relative)
    mkdirSync(join(beat.home, "a/b"), { recursive: true })
    symlinkSync("../state", join(beat.home, "a/link"))
    const texts: ReadonlyArray<readonly [string, string]> = [
      ["./state/", beat.home],
      ["../../state", join(beat.home, "a/b")],
      ["link", join(beat.home, "a")],
      [join(beat.home, "a/link"), "/"],
      ["~/state", "/"]
    ]
    for (const [text, cwd] of texts) {
      const listed = await beat.run(["list", "--json"], { cwd, env: { BACKBEAT_HOME: text } })
      assert.strictEqual(listed.code, 0, `${text}: ${listed.stderr}`)
      assert.include(listed.stdout, id, text)
    }
    assert.deepStrictEqual(databasesBelow(beat.home), ["state/backbeat.db"])
  })
})

describe("a home that is a link", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("is made where the link points, also when nothing is there yet", async () => {
    symlinkSync("later/state", join(beat.home, "link"))
    const options = { env: { BACKBEAT_HOME: "link" } }
    const done = await beat.run(["run", "-f", "-a", "shell", "--", 'echo "$BACKBEAT_HOME"'], options)
    assert.strictEqual(done.code, 0, done.stderr)
    assert.strictEqual(done.stdout.trim(), join(realpathSync(beat.home), "later/state"))
  })
})

describe("a database that is a link", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("works, with its spool next to the real file, so that both homes mean the same starts", async () => {
    await beat.run(["init"])
    const elsewhere = join(beat.home, "elsewhere")
    mkdirSync(elsewhere)
    renameSync(beat.databaseFile, join(elsewhere, "backbeat.db"))
    symlinkSync(join(elsewhere, "backbeat.db"), beat.databaseFile)
    const done = await beat.run(["run", "-f", "-a", "shell", "--", "echo hi"])
    assert.strictEqual(done.code, 0, done.stderr)
    assert.include(done.stdout, "hi")
    assert.isTrue(existsSync(join(elsewhere, "spool")))
    assert.isFalse(existsSync(join(beat.home, "state/spool")))
    const listed = await beat.run(["list"], { env: { BACKBEAT_HOME: elsewhere } })
    assert.include(listed.stdout, "echo hi")
  })
})

describe("a home that cannot be told", () => {
  const beat = new Beat()
  const gone = join(beat.home, "gone")
  beforeAll(() => symlinkSync("circle", join(beat.home, "circle")))
  afterAll(() => beat.close())

  /** From a directory that is removed before `beat` starts. */
  const fromNowhere = (variables: string, args: string) => {
    mkdirSync(gone, { recursive: true })
    return spawnSync("sh", ["-c", `cd '${gone}' && rmdir '${gone}' && exec env ${variables} ${nested} ${args}`], {
      encoding: "utf8",
      env: beat.environment
    })
  }

  const refused = (
    result: { readonly stdout: string; readonly stderr: string },
    code: number | null,
    words: RegExp
  ) => {
    assert.strictEqual(code, 2, result.stderr)
    assert.strictEqual(result.stdout, "")
    assert.match(result.stderr, words)
    assert.lengthOf(result.stderr.trim().split("\n"), 1)
  }

  for (const [text, words] of [
    ["/", /root directory/],
    ["/..", /root directory/],
    ["circle", /cannot be followed/]
  ] as const) {
    it(`is refused in one sentence: ${text}`, async () => {
      const found = await beat.run(["list"], { env: { BACKBEAT_HOME: text } })
      refused(found, found.code, words)
      const server = await beat.run(["mcp", "start"], { env: { BACKBEAT_HOME: text } })
      refused(server, server.code, words)
    })
  }

  it("is refused where it is relative and the directory is gone", () => {
    for (const variables of ["BACKBEAT_HOME=state", "BACKBEAT_HOME=./x PWD="]) {
      const found = fromNowhere(variables, "list")
      refused(found, found.status, /current directory is gone/)
    }
  })

  it("does not matter to a command from a directory that is gone, except where the task would run in it", () => {
    for (const variables of ["PWD=", "PWD=/", "PWD=relative", `PWD='${gone}'`, "-u PWD"]) {
      const run = fromNowhere(variables, "run -a shell -- true")
      refused(run, run.status, /current directory was removed/)
    }
    for (const args of ["list", `run -a shell -C '${beat.home}' -- true`]) {
      const found = fromNowhere("PWD=", args)
      assert.strictEqual(found.status, 0, found.stderr)
    }
  })

  it("is by HOME only where that is a directory of the user's", async () => {
    const known = execFileSync(process.execPath, ["-p", "os.userInfo().homedir"], { encoding: "utf8" }).trim()
    for (const home of ["", "relative", "/"]) {
      const shown = await beat.run(["mcp", "install", "claude", "--dry-run"], { env: { HOME: home } })
      assert.strictEqual(shown.code, 0, shown.stderr)
      assert.include(shown.stderr, `${known}/.claude.json`)
    }
  })

  const unknownUser = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups", "env", "-u", "HOME"]
  const maySwitch = process.getuid?.() === 0 && spawnSync("setpriv", [...unknownUser.slice(1), "true"]).status === 0

  it.skipIf(!maySwitch)("is told to a user without an entry in the password file", () => {
    const home = join(beat.home, "open")
    mkdirSync(home, { mode: 0o777 })
    execFileSync("chmod", ["777", home])
    execFileSync("chmod", ["755", beat.home])
    const [program = "", ...args] = unknownUser
    const as = (variables: ReadonlyArray<string>, ...words: ReadonlyArray<string>) =>
      spawnSync(program, [...args, ...variables, process.execPath, binary, ...words], {
        encoding: "utf8",
        cwd: "/",
        env: { PATH: beat.environment.PATH ?? "" }
      })
    const listed = as([`BACKBEAT_HOME=${home}/state`], "list")
    assert.strictEqual(listed.status, 0, listed.stderr)
    for (const variables of [[], ["HOME="], ["HOME=/"], ["HOME=relative"]]) {
      const found = as(variables, "list")
      refused(found, found.status, /HOME: is not set/)
    }
    const client = as([`BACKBEAT_HOME=${home}/state`], "mcp", "install", "claude", "--dry-run")
    refused(client, client.status, /HOME: is not set/)
  })
})

describe("XDG variables", () => {
  const beat = new Beat({ BACKBEAT_HOME: "" })
  afterAll(() => beat.close())

  it("count where they are absolute, and relative ones are ignored, as is an empty BACKBEAT_HOME", async () => {
    const env = { XDG_STATE_HOME: "state", XDG_CONFIG_HOME: "config", BACKBEAT_IDLE_MS: "0" }
    const done = await beat.run(["run", "-f", "-a", "shell", "--", "echo hi"], { env })
    assert.strictEqual(done.code, 0, done.stderr)
    assert.deepStrictEqual(databasesBelow(beat.home), [".local/state/backbeat/backbeat.db"])
    await until("its worker leaves", () =>
      readFileSync(join(beat.home, ".local/state/backbeat/logs/worker.log"), "utf8").match(/leav|idle|nothing/i)
    )
    rmSync(join(beat.home, ".local"), { recursive: true })
  })
})

describe("a home that is removed while it is in use", () => {
  const beat = new Beat()
  const state = join(beat.home, "state")
  afterAll(() => beat.close())

  it("ends its worker and everything that waits, takes no task that would be lost, and makes no other database", async () => {
    const server = new Server(beat)
    await server.initialize()
    const release = join(beat.home, "release")
    const id = await beat.submit(`until [ -e '${release}' ]; do sleep 0.05; done`)
    assert.strictEqual((await beat.run(["schedule", "create", "-a", "shell", "--every", "1h", "--", "true"])).code, 0)
    const shim = await until("the agent runs", () => beat.shim(id))
    const waits = [beat.start(["wait", id]), beat.start(["logs", "-f", id]), beat.start(["events", "-f"])]
    const page = beat.start(["web", "--port", "0"])
    await until("the page is served", () => page.stdout().includes("http"))
    waits.push(page)
    const workers = [...beat.workers(), beat.start(["worker", "--keep"]).child.pid ?? 0]
    await until("both workers are registered", () => workers.every((pid) => beat.workers().includes(pid)))

    renameSync(state, `${state}.gone`)
    rmSync(`${state}.gone`, { recursive: true, maxRetries: 20, retryDelay: 100 })
    for (const { done } of waits) {
      const end = await done
      assert.strictEqual(end.code, 74, end.stderr)
      assert.match(end.stderr, /backbeat\.db was removed or replaced/)
    }
    const lost = await server.call("DelegateTask", { agent: "shell", prompt: "true" })
    assert.isTrue(lost.isError)
    assert.include(lost.content[0]?.text, "was removed or replaced")
    await server.leave()
    // The server's own worker is among them.
    await until("the workers leave", () => !workers.some(isAlive))
    assert.isTrue(isAlive(shim))
    writeFileSync(release, "")
    await until("the shim ends", () => !isAlive(shim))
    assert.isFalse(existsSync(beat.databaseFile))
  })
})
