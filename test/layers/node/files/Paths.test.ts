/** Where files live, for every combination of the variables that decide it. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { pathsOf, settleHome } from "../../../../src/layers/node/files/Paths.ts"
import { realFuture } from "../../../../src/layers/node/files/RealPath.ts"

const directories = { home: () => "/home/ann", current: () => "/srv/project" }
const gone = () => assert.fail("asked for a directory that may not exist")

describe("Paths", () => {
  it("follows the XDG defaults under the home directory", () => {
    assert.deepStrictEqual(pathsOf({}, directories), {
      home: "/home/ann/.local/state/backbeat",
      database: "/home/ann/.local/state/backbeat/backbeat.db",
      spool: "/home/ann/.local/state/backbeat/spool",
      workspaces: "/home/ann/.local/state/backbeat/workspaces",
      trash: "/home/ann/.local/state/backbeat/trash",
      logs: "/home/ann/.local/state/backbeat/logs",
      config: "/home/ann/.config/backbeat/config.json"
    })
  })

  it("follows XDG variables, and ignores relative ones as their specification asks", () => {
    const paths = pathsOf({ XDG_STATE_HOME: "/state", XDG_CONFIG_HOME: "etc" }, directories)
    assert.strictEqual(paths.home, "/state/backbeat")
    assert.strictEqual(paths.config, "/home/ann/.config/backbeat/config.json")
  })

  it("keeps everything under BACKBEAT_HOME, XDG variables or not", () => {
    const paths = pathsOf({ BACKBEAT_HOME: "/data/beat/", XDG_CONFIG_HOME: "/etc" }, { home: gone, current: gone })
    assert.strictEqual(paths.home, "/data/beat")
    assert.strictEqual(paths.database, "/data/beat/backbeat.db")
    assert.strictEqual(paths.config, "/data/beat/config.json")
  })

  it("resolves a relative BACKBEAT_HOME against the current directory", () => {
    assert.strictEqual(pathsOf({ BACKBEAT_HOME: "../beat" }, directories).home, "/srv/beat")
  })

  it("takes an empty BACKBEAT_HOME for none", () => {
    assert.strictEqual(pathsOf({ BACKBEAT_HOME: "" }, directories).home, "/home/ann/.local/state/backbeat")
  })
})

const inDirectory = (use: (directory: string) => void) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "beat-paths-")))
  try {
    use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe("the real path", () => {
  it("leads through links, also where the target or a part below it is missing", () => {
    inDirectory((directory) => {
      mkdirSync(join(directory, "real"))
      symlinkSync("real", join(directory, "link"))
      symlinkSync("../real/../later", join(directory, "real/dangling"))
      for (const [given, real] of [
        ["real", "real"],
        ["link", "real"],
        ["link/x/y", "real/x/y"],
        ["link/dangling/x", "later/x"],
        ["missing/x", "missing/x"]
      ] as const) {
        assert.strictEqual(realFuture(join(directory, given)), join(directory, real), given)
      }
    })
  })

  it("is refused for links in a circle", () => {
    inDirectory((directory) => {
      symlinkSync("b", join(directory, "a"))
      symlinkSync("a", join(directory, "b"))
      assert.throws(() => realFuture(join(directory, "a/x")), /circle/)
    })
  })
})

describe("a home that cannot be a directory", () => {
  it("is refused by its name, and not by a file in it: a file, a place below one, a name that is too long", () => {
    inDirectory((directory) => {
      writeFileSync(join(directory, "file"), "")
      for (const [home, code] of [
        ["file", "ENOTDIR"],
        ["file/below", "ENOTDIR"],
        ["n".repeat(300), "ENAMETOOLONG"],
        ["n/".repeat(3000), "ENAMETOOLONG"]
      ] as const) {
        const refused = Either.flip(settleHome({ BACKBEAT_HOME: join(directory, home) }))
        const message = Either.match(refused, { onLeft: () => "accepted", onRight: (error) => error.message })
        assert.include(message, `BACKBEAT_HOME: cannot be followed to a directory (${code})`)
      }
    })
  })
})

describe("a settled home", () => {
  it("is written back as one real path, and the same when asked again", () => {
    inDirectory((directory) => {
      mkdirSync(join(directory, "real"))
      symlinkSync("real", join(directory, "link"))
      const variables: Record<string, string | undefined> = { BACKBEAT_HOME: join(directory, "./link/") }
      const first = Either.getOrThrow(settleHome(variables))
      assert.deepStrictEqual(variables, { BACKBEAT_HOME: join(directory, "real") })
      assert.deepStrictEqual(Either.getOrThrow(settleHome(variables)), first)
      assert.strictEqual(first.config, join(directory, "real/config.json"))
    })
  })

  it("has the spool next to the real database, under its own name where that has another name", () => {
    inDirectory((directory) => {
      writeFileSync(join(directory, "other.db"), "")
      mkdirSync(join(directory, "home"))
      symlinkSync("../other.db", join(directory, "home/backbeat.db"))
      const paths = Either.getOrThrow(settleHome({ BACKBEAT_HOME: join(directory, "home") }))
      assert.strictEqual(paths.home, join(directory, "home"))
      assert.strictEqual(paths.database, join(directory, "other.db"))
      assert.strictEqual(paths.spool, join(directory, "other.db.spool"))
    })
  })

  it("is never the root directory", () => {
    for (const own of ["/", "//", "/../", "/tmp/.."]) {
      const refused = settleHome({ BACKBEAT_HOME: own })
      assert(Either.isLeft(refused), own)
      assert.include(refused.left.message, "root directory")
    }
  })

  it("leaves no empty variable to hand on", () => {
    const variables: Record<string, string | undefined> = { BACKBEAT_HOME: "", XDG_STATE_HOME: "/state" }
    settleHome(variables)
    assert.notProperty(variables, "BACKBEAT_HOME")
  })
})
