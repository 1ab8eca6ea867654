/** What holds a process back: its niceness and the limits of the system, as far as they are stricter than those of this process. */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "@effect/vitest"
import {
  nicenessOf,
  parseLimits,
  restraintsOf,
  setNiceness,
  withoutSoftLimits
} from "../../../../src/layers/node/process/Restraints.ts"

const header = "Limit                     Soft Limit           Hard Limit           Units     \n"

describe("the limits of a process", () => {
  it("are the soft and the hard ones, by name", () => {
    const found = parseLimits(
      `${header}Max open files            20000                20480                files     \nMax nice priority         0                    0                    \nMax file size             10                   unlimited            bytes     \n`
    )
    assert.deepStrictEqual(
      [...found],
      [
        ["Max open files", { soft: 20_000, hard: 20_480 }],
        ["Max nice priority", { soft: 0, hard: 0 }],
        ["Max file size", { soft: 10, hard: Number.POSITIVE_INFINITY }]
      ]
    )
  })

  it("are none where the text says nothing", () => {
    assert.strictEqual(parseLimits("").size, 0)
    assert.strictEqual(parseLimits(`${header}Max open files\n`).size, 0)
  })
})

/** A process that waits for the end of its input, behind what `prefix` does first. */
const withProcess = async (prefix: string, use: (pid: number) => void) => {
  const child = spawn("/bin/sh", ["-c", `${prefix} exec sh -c 'echo ready; read line'`], {
    stdio: ["pipe", "pipe", "ignore"]
  })
  try {
    await once(child.stdout, "data")
    if (child.pid === undefined) throw new Error("it has no pid")
    use(child.pid)
  } finally {
    child.stdin.end()
    await once(child, "close")
  }
}

describe("what holds a process back", () => {
  it("is nothing where it has what this process has", () =>
    withProcess("", (pid) => assert.deepStrictEqual(restraintsOf(pid), [])))

  it("is nothing for a process that is gone", () => assert.deepStrictEqual(restraintsOf(2 ** 22 + 1), []))

  it("is a niceness that was raised", () =>
    withProcess("", (pid) => {
      setNiceness(pid, 17)
      assert.strictEqual(nicenessOf(pid), 17)
      assert.deepStrictEqual(restraintsOf(pid), ["niceness 17"])
    }))

  it.skipIf(process.platform !== "linux")("is a soft limit that a program in Node does not raise", () =>
    withProcess("ulimit -S -n 64; ulimit -S -f 200;", (pid) =>
      assert.deepStrictEqual(restraintsOf(pid), ["files of at most 102400 bytes"])
    )
  )

  it.skipIf(process.platform !== "linux")("is a hard limit below that of this process", () =>
    withProcess("ulimit -n 64; ulimit -t 4000;", (pid) =>
      assert.deepStrictEqual(restraintsOf(pid), ["at most 4000 s of CPU time", "at most 64 open files"])
    )
  )
})

describe.skipIf(process.platform !== "linux")("a command without soft limits", () => {
  const limits = (words: ReadonlyArray<string>, text: string) =>
    execFileSync("/bin/sh", ["-c", `${text} exec "$@"`, "sh", ...words], { encoding: "utf8" })

  it("is the command itself where each limit is as high as it may be", () => {
    const most = Number.POSITIVE_INFINITY
    const found = new Map([
      ["Max file size", { soft: most, hard: most }],
      ["Max cpu time", { soft: 60, hard: 60 }],
      ["Max stack size", { soft: 8_388_608, hard: most }]
    ])
    assert.deepStrictEqual(withoutSoftLimits(["true", "a b"], found), ["true", "a b"])
    assert.deepStrictEqual(withoutSoftLimits(["true"], new Map()), ["true"])
  })

  it("has each of them raised to the hard one, keeps its words, and is the same process", () => {
    const found = new Map([
      ["Max file size", { soft: 1_536_000, hard: 4_096_000 }],
      ["Max cpu time", { soft: 3000, hard: Number.POSITIVE_INFINITY }],
      ["Max address space", { soft: 2 ** 32, hard: 2 ** 33 }]
    ])
    const command = withoutSoftLimits(["sh", "-c", 'cat /proc/self/limits; echo "$1"', "sh", "it's $HOME"], found)
    const said = limits(
      command,
      "ulimit -S -f 3000; ulimit -H -f 8000; ulimit -S -t 3000; ulimit -S -v 4194304; ulimit -H -v 8388608;"
    )
    const now = parseLimits(said)
    assert.deepStrictEqual(now.get("Max file size"), { soft: 4_096_000, hard: 4_096_000 })
    assert.strictEqual(now.get("Max cpu time")?.soft, Number.POSITIVE_INFINITY)
    assert.deepStrictEqual(now.get("Max address space"), { soft: 2 ** 33, hard: 2 ** 33 })
    assert.include(said, "it's $HOME")
  })

  it("runs also where a limit cannot be raised", () => {
    const found = new Map([["Max file size", { soft: 512, hard: Number.POSITIVE_INFINITY }]])
    const said = limits(withoutSoftLimits(["echo", "done"], found), "ulimit -f 8000;")
    assert.include(said, "done")
  })
})
