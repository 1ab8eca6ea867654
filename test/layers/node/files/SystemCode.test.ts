/** What the system's errors are called in messages. */
import { assert, describe, it } from "@effect/vitest"
import { inWords } from "../../../../src/layers/node/files/SystemCode.ts"

const systemError = (code: string) => Object.assign(new Error("write '/home/me/secret'"), { code })

describe("an error of the system in a message", () => {
  it("says what helps, and permissions only where they are the reason", () => {
    assert.strictEqual(inWords(systemError("EACCES")), "(EACCES). Check its permissions.")
    assert.strictEqual(inWords(systemError("ENOSPC")), "(ENOSPC). Free disk space.")
    assert.strictEqual(inWords(systemError("EROFS")), "(EROFS). The disk is read-only.")
  })

  it("is its name alone where nothing is known that helps, and never its own text", () => {
    assert.strictEqual(inWords(systemError("EIO")), "(EIO).")
    assert.strictEqual(inWords(systemError("toString")), "(toString).")
    assert.strictEqual(inWords(new Error("write '/home/me/secret'")), "(unknown error).")
  })
})
