/** The service files and what installing, removing and looking at a service asks of the system: through a fake, never for real. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerFake, ServiceControl } from "../../../src/layers/memory/fakes/ServiceSystem.ts"
import { installService, serviceStatus, uninstallService } from "../../../src/programs/setup/Service.ts"
import { launchdList, systemdUnit } from "../../../src/programs/setup/ServiceFile.ts"
import { ServiceSystem } from "../../../src/services/ServiceSystem.ts"
import * as TemporaryHome from "../../support/home.ts"

const plan = {
  command: [process.execPath, "/opt/back beat/100% $HOME/beat.cjs"],
  environment: { BACKBEAT_HOME: '/home/me/50% & <"more">', PATH: "/usr/bin:/bin" },
  log: "/home/me/logs/worker.log"
}

const has = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

const inFile = (name: string, text: string, use: (file: string) => void) => {
  const directory = mkdtempSync(join(tmpdir(), "beat-unit-"))
  try {
    writeFileSync(join(directory, name), text)
    use(join(directory, name))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const on = (kind: "systemd" | "launchd" | null, answers: Parameters<typeof layerFake>[0]["answers"] = {}) =>
  Layer.merge(layerFake({ kind, answers }), TemporaryHome.layer)

describe("the systemd unit", () => {
  it("ends the worker alone, starts it again, and quotes what systemd would read", () => {
    const unit = systemdUnit(plan)
    assert.include(unit, '"/opt/back beat/100%% $$HOME/beat.cjs" "worker" "--keep"')
    assert.include(unit, 'Environment="BACKBEAT_HOME=/home/me/50%% & <\\"more\\">"')
    for (const line of ["KillMode=process", "OOMPolicy=continue", "Restart=always", "WantedBy=default.target"]) {
      assert.include(unit.split("\n"), line)
    }
  })

  it.skipIf(!has("systemd-analyze"))("passes systemd's own check, also where the program has an odd path", () => {
    const odd = mkdtempSync(join(tmpdir(), "beat 100% $HOME-"))
    symlinkSync(process.execPath, join(odd, "node"))
    const unit = systemdUnit({ ...plan, command: [join(odd, "node"), "/dev/null"] })
    inFile("backbeat-check.service", unit, (file) => {
      const said = execFileSync("systemd-analyze", ["--user", "verify", "--man=no", file], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, XDG_RUNTIME_DIR: tmpdir() }
      })
      assert.strictEqual(said, "")
    })
    rmSync(odd, { recursive: true, force: true })
  })
})

describe("the launchd list", () => {
  it("keeps the worker alone alive, and escapes what XML would read", () => {
    const list = launchdList(plan)
    assert.include(list, '<string>/home/me/50% &amp; &lt;"more"&gt;</string>')
    assert.match(list, /<key>AbandonProcessGroup<\/key>\s*<true\/>/)
    assert.match(list, /<key>KeepAlive<\/key>\s*<true\/>/)
  })

  it.skipIf(!has("plutil"))("passes the system's own check", () => {
    inFile("x.plist", launchdList(plan), (file) => {
      execFileSync("plutil", ["-lint", file])
    })
  })
})

describe("a service", () => {
  it.effect("is written, enabled and started; again does nothing else; and goes without a trace", () =>
    Effect.gen(function* () {
      const control = yield* ServiceControl
      assert.deepInclude(yield* serviceStatus(), { installed: false, survives: "no" })
      const installed = yield* installService()
      assert.deepInclude(installed, { installed: true, current: true, running: true, survives: "after-login" })
      assert.include(installed.advice ?? "", "loginctl enable-linger me")
      assert.includeMembers(Array.from(yield* control.ran), [
        "systemctl --user daemon-reload",
        "systemctl --user enable backbeat.service",
        "systemctl --user start backbeat.service"
      ])
      const [text = ""] = Object.values(yield* control.files)
      assert.include(text, "BACKBEAT_HOME=")
      assert.isTrue((yield* uninstallService()).removed)
      assert.deepStrictEqual(yield* control.files, {})
      assert.isFalse((yield* uninstallService()).removed)
    }).pipe(Effect.provide(on("systemd")))
  )

  it.effect("survives a reboot only where the user's services start with the machine", () =>
    Effect.gen(function* () {
      assert.deepInclude(yield* installService(), { survives: "yes", advice: null })
    }).pipe(
      Effect.provide(on("systemd", { "loginctl show-user me --property=Linger": { code: 0, output: "Linger=yes" } }))
    )
  )

  it.effect("that the system refuses is an error with its words", () =>
    Effect.gen(function* () {
      const control = yield* ServiceControl
      const error = yield* Effect.flip(installService())
      assert.include(error.message, "Failed to connect to bus")
      assert.deepStrictEqual(yield* control.files, {})
      assert.deepInclude(yield* serviceStatus(), { installed: false })
    }).pipe(
      Effect.provide(
        on("systemd", { "systemctl --user daemon-reload": { code: 1, output: "Failed to connect to bus" } })
      )
    )
  )

  for (const refused of ["--user enable backbeat.service", "--user start backbeat.service"]) {
    it.effect(`leaves nothing half-installed after a failing 'systemctl ${refused}'`, () =>
      Effect.gen(function* () {
        const control = yield* ServiceControl
        yield* Effect.flip(installService())
        assert.deepStrictEqual(yield* control.files, {})
        assert.include(yield* control.ran, "systemctl --user disable backbeat.service")
      }).pipe(Effect.provide(on("systemd", { [`systemctl ${refused}`]: { code: 1, output: "refused" } })))
    )
  }

  it.effect("that was there before stays as it was where the new one is refused", () =>
    Effect.gen(function* () {
      const { file, write } = yield* ServiceSystem
      const control = yield* ServiceControl
      yield* write(file, "an older unit")
      yield* Effect.flip(installService())
      assert.deepStrictEqual(yield* control.files, { [file]: "an older unit" })
      assert.notInclude(yield* control.ran, "systemctl --user disable backbeat.service")
    }).pipe(Effect.provide(on("systemd", { "systemctl --user restart backbeat.service": { code: 1, output: "no" } })))
  )

  it.effect("is loaded by launchd, and there is none where neither is", () =>
    Effect.gen(function* () {
      const control = yield* ServiceControl
      assert.deepInclude(yield* installService(), { system: "launchd", running: true, survives: "after-login" })
      assert.include(yield* control.ran, "launchctl bootstrap gui/501 /home/me/Library/LaunchAgents/x.plist")
      const none = Effect.provide(Effect.either(installService()), on(null))
      assert.strictEqual((yield* none)._tag, "Left")
    }).pipe(Effect.provide(on("launchd")))
  )
})
