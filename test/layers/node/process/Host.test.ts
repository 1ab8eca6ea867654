/** Available memory as Linux tells it, read from made-up /proc and control group files. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { layer, linuxAvailable } from "../../../../src/layers/node/process/Host.ts"
import { Host } from "../../../../src/services/Host.ts"

const mega = 1024 ** 2

describe("linuxAvailable", () => {
  let root = ""
  const put = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "beat-host-"))
    put({ "proc/meminfo": "MemTotal: 16384000 kB\nMemFree: 1024 kB\nMemAvailable: 8388608 kB\n" })
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it("is MemAvailable, not free memory, without a limit", () => {
    assert.strictEqual(linuxAvailable(root), 8192 * mega)
  })

  it("is null where the system does not say", () => {
    assert.isNull(linuxAvailable(join(root, "nowhere")))
  })

  it("stays within the tightest limit above a v2 group, not counting idle file pages as used", () => {
    put({
      "proc/self/cgroup": "0::/user.slice/session.scope\n",
      "sys/fs/cgroup/user.slice/session.scope/memory.max": "max\n",
      "sys/fs/cgroup/user.slice/session.scope/memory.current": `${300 * mega}\n`,
      "sys/fs/cgroup/user.slice/memory.max": `${1000 * mega}\n`,
      "sys/fs/cgroup/user.slice/memory.current": `${900 * mega}\n`,
      "sys/fs/cgroup/user.slice/memory.stat": `anon 5\nactive_file 7\ninactive_file ${200 * mega}\n`
    })
    assert.strictEqual(linuxAvailable(root), 300 * mega)
  })

  it("finds the limit at the root of the mount inside a container", () => {
    put({
      "proc/self/cgroup": "0::/docker/0123\n",
      "sys/fs/cgroup/memory.max": `${512 * mega}\n`,
      "sys/fs/cgroup/memory.current": `${112 * mega}\n`
    })
    assert.strictEqual(linuxAvailable(root), 400 * mega)
  })

  it("knows v1 groups, where no limit is a very large number", () => {
    put({
      "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/build\n0::/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "sys/fs/cgroup/memory/memory.usage_in_bytes": "4096\n",
      "sys/fs/cgroup/memory/build/memory.limit_in_bytes": `${100 * mega}\n`,
      "sys/fs/cgroup/memory/build/memory.usage_in_bytes": `${90 * mega}\n`,
      "sys/fs/cgroup/memory/build/memory.stat": `inactive_file 1\ntotal_inactive_file ${40 * mega}\n`
    })
    assert.strictEqual(linuxAvailable(root), 50 * mega)
  })

  it("is zero, not negative, past the limit", () => {
    put({
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/memory.max": `${100 * mega}\n`,
      "sys/fs/cgroup/memory.current": `${130 * mega}\n`
    })
    assert.strictEqual(linuxAvailable(root), 0)
  })
})

it.effect("says something sensible of this machine", () =>
  Effect.gen(function* () {
    const host = yield* Host
    assert.isAbove(yield* host.availableMemory, mega)
    assert.isAtLeast(yield* host.cores, 1)
    assert.isNotEmpty(yield* host.user)
  }).pipe(Effect.provide(layer))
)
