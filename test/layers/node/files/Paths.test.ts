/** Where files live, for every combination of the variables that decide it. */
import { assert, describe, it } from "@effect/vitest"
import { pathsOf } from "../../../../src/layers/node/files/Paths.ts"

const directories = { home: () => "/home/ann", current: () => "/srv/project" }
const gone = () => assert.fail("asked for a directory that may not exist")

describe("Paths", () => {
  it("follows the XDG defaults under the home directory", () => {
    assert.deepStrictEqual(pathsOf({}, directories), {
      home: "/home/ann/.local/state/backbeat",
      database: "/home/ann/.local/state/backbeat/backbeat.db",
      spool: "/home/ann/.local/state/backbeat/spool",
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
