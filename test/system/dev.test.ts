/** `npm run dev`: the present source, run without a build by hand. */
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { Beat } from "./Beat.ts"

const dev = resolve(import.meta.dirname, "../../build/dev.mjs")

describe("npm run dev", () => {
  let beat: Beat
  beforeEach(() => {
    beat = new Beat()
  })
  afterEach(() => beat.close())

  const run = (...args: ReadonlyArray<string>) =>
    new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((finish) => {
      const child = execFile(
        process.execPath,
        [dev, ...args],
        { cwd: beat.home, env: beat.environment },
        (_, stdout, stderr) => finish({ code: child.exitCode, stdout, stderr })
      )
    })

  it("runs a task in a worker of the same build, and ends with the command's exit code", async () => {
    const done = await run("run", "-f", "-a", "shell", "echo from source")
    assert.deepStrictEqual([done.code, done.stdout], [0, "from source\n"], done.stderr)
    const failed = await run("run", "-f", "-a", "shell", "exit 3")
    assert.strictEqual(failed.code, 1, failed.stderr)
    const wrong = await run("list", "--no-such-option")
    assert.strictEqual(wrong.code, 2, wrong.stderr)
  })
})
