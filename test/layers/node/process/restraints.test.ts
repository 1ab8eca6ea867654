/** What holds a process back: its niceness and the limits of the system, as far as they are stricter than those of this process. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { assert, describe, it } from "@effect/vitest"
import { nicenessOf, parseLimits, restraintsOf, setNiceness } from "../../../../src/layers/node/process/Restraints.ts"

const header = "Limit                     Soft Limit           Hard Limit           Units     \n"

describe("the limits of a process", () => {
  it("are the hard ones, by name", () => {
    const found = parseLimits(
      `${header}Max open files            20000                20480                files     \nMax nice priority         0                    0                    \nMax file size             10                   unlimited            bytes     \n`
    )
    assert.deepStrictEqual(
      [...found],
      [
        ["Max open files", 20480],
        ["Max nice priority", 0],
        ["Max file size", Number.POSITIVE_INFINITY]
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

  it.skipIf(process.platform !== "linux")("is a hard limit below that of this process", () =>
    withProcess("ulimit -n 64; ulimit -t 4000;", (pid) =>
      assert.deepStrictEqual(restraintsOf(pid), ["at most 4000 s of CPU time", "at most 64 open files"])
    )
  )
})
