/** Directories for one owner: made with what is above them, left alone where they are, and whatever the umask is. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as McpClientsLayer from "../../../../src/layers/node/files/McpClients.ts"
import { closeToOthers, makePrivateDirectory } from "../../../../src/layers/node/files/PrivateDirectory.ts"
import * as ServiceSystemLayer from "../../../../src/layers/node/system/ServiceSystem.ts"
import { McpClients } from "../../../../src/services/McpClients.ts"
import { Paths } from "../../../../src/services/Paths.ts"
import { ServiceSystem } from "../../../../src/services/ServiceSystem.ts"
import { WorkerCommand } from "../../../../src/services/WorkerCommand.ts"
import { pathsIn } from "../support.ts"

let home = ""
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "beat-directory-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const modeOf = (path: string) => statSync(path).mode & 0o777

it("makes all that is missing, for the owner alone", () => {
  const deep = join(home, "a", "b", "c")
  makePrivateDirectory(deep)
  for (const path of [deep, join(home, "a", "b"), join(home, "a")]) assert.strictEqual(modeOf(path), 0o700)
})

it("leaves one that is there as it is", () => {
  chmodSync(home, 0o755)
  makePrivateDirectory(home)
  assert.strictEqual(modeOf(home), 0o755)
})

it("refuses a file in the way", () => {
  writeFileSync(join(home, "file"), "")
  assert.throws(() => makePrivateDirectory(join(home, "file")), /EEXIST/)
  assert.throws(() => makePrivateDirectory(join(home, "file", "a", "b")), /ENOTDIR/)
})

it("takes from others the right to change one, and leaves all else", () => {
  for (const [before, after] of [
    [0o777, 0o755],
    [0o775, 0o755],
    [0o722, 0o700],
    [0o700, 0o700],
    [0o750, 0o750]
  ] as const) {
    chmodSync(home, before)
    closeToOthers(home)
    assert.strictEqual(modeOf(home), after)
  }
  chmodSync(home, 0o1777)
  closeToOthers(home)
  assert.strictEqual(statSync(home).mode & 0o7777, 0o1777)
  closeToOthers(join(home, "missing"))
  chmodSync(home, 0o777)
  symlinkSync(home, `${home}.link`)
  closeToOthers(`${home}.link`)
  rmSync(`${home}.link`)
  assert.strictEqual(modeOf(home), 0o777)
})

it("is what files of clients, skills and services are written into, also without a umask", async () => {
  const layer = Layer.merge(McpClientsLayer.layer, ServiceSystemLayer.layer).pipe(
    Layer.provide(
      Layer.merge(Layer.succeed(Paths, pathsIn(home)), Layer.succeed(WorkerCommand, { command: ["/bin/false"] }))
    )
  )
  const files = ["codex/config.toml", "claude/skills/backbeat/SKILL.md", "config/Code/User/mcp.json"].map((name) =>
    join(home, name)
  )
  const unit = join(home, "config/systemd/user/backbeat.service")
  const before = process.umask(0)
  try {
    await Effect.gen(function* () {
      const clients = yield* McpClients
      for (const file of files) yield* clients.replace(file, null, "text")
      yield* (yield* ServiceSystem).write(unit, "text")
    }).pipe(Effect.provide(layer), Effect.runPromise)
  } finally {
    process.umask(before)
  }
  const made = readdirSync(home, { recursive: true, withFileTypes: true })
  assert.strictEqual(made.filter((entry) => entry.isFile()).length, 4)
  for (const entry of made) {
    const path = join(entry.parentPath, entry.name)
    assert.strictEqual(modeOf(path), entry.isFile() ? 0o600 : 0o700, path)
  }
})
