/** What is piped into the built binary with a prompt, by real shells and real programs. */
import { execFile, spawn } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Beat, binary } from "../system/Beat.ts"

const homes: Array<Beat> = []
afterAll(() => Promise.all(homes.map((beat) => beat.close())))

const later = ["run", "--not-before", "1h", "-a", "reader"] as const

/** An agent whose prompt is text, and tasks that do not start. */
const fresh = (): Beat => {
  const beat = new Beat()
  homes.push(beat)
  const state = join(beat.home, "state")
  mkdirSync(state, { mode: 0o700 })
  writeFileSync(join(state, "config.json"), JSON.stringify({ agents: { reader: { command: ["cat"] } } }))
  // As a package manager installs it: a file that becomes the program, and no shell between.
  const run = `#!/bin/sh\nexec "${process.execPath}" "${binary}" ${later.join(" ")} "$@"\n`
  writeFileSync(join(beat.home, "run"), run, { mode: 0o755 })
  return beat
}

/** The prompts of all tasks, oldest first. */
const prompts = (beat: Beat): ReadonlyArray<string> =>
  beat
    .rows<{ readonly prompt: string }>("SELECT prompt FROM task_inputs JOIN tasks ON tasks.id = task_id ORDER BY seq")
    .map(({ prompt }) => prompt)

const inShell = (beat: Beat, shell: string, text: string) =>
  promisify(execFile)(shell, ["-c", text], {
    env: { ...beat.environment, PATH: `${beat.home}:${beat.environment.PATH}` },
    cwd: beat.home,
    timeout: 240_000
  })

const added = (prompt: string, text: string): string =>
  `${prompt}\n\nThe input that was piped in with this prompt:\n\n\`\`\`text\n${text}\n\`\`\``

describe.skipIf(!existsSync(binary) || process.platform !== "linux")("what is piped in with a prompt", () => {
  for (const shell of ["sh", "bash"]) {
    it(`follows the prompt, from a pipe, a file and a here document (${shell})`, async () => {
      const beat = fresh()
      const { stderr } = await inShell(
        beat,
        shell,
        // dash redirects in the shell itself, where a loop would read the same: there it has to be asked for.
        `echo one | run review
         echo two > file; run review ${shell === "sh" ? "-" : ""} < file
         run review ${shell === "sh" ? "-" : ""} <<END
three
END
         : | run nothing
         run nothing < /dev/null`
      )
      assert.strictEqual(stderr, "")
      assert.deepStrictEqual(prompts(beat), [
        added("review", "one"),
        added("review", "two"),
        added("review", "three"),
        "nothing",
        "nothing"
      ])
    })

    it(`leaves a loop its lines, unless '-' asks for them (${shell})`, async () => {
      const beat = fresh()
      await inShell(
        beat,
        shell,
        `printf 'a\\nb\\n' | while read -r line; do run "pipe $line"; done
         printf 'a\\nb\\n' > lines
         while read -r line; do id=$(run "file $line"); done < lines
         while read -r line; do (run "rest of $line" -); done < lines`
      )
      assert.deepStrictEqual(prompts(beat), ["pipe a", "pipe b", "file a", "file b", added("rest of a", "b")])
    })
  }

  it("is waited for where it comes late, and never where a program leaves the pipe open", {
    timeout: 240_000
  }, async () => {
    const beat = fresh()
    const child = spawn(process.execPath, [binary, ...later, "open"], {
      cwd: beat.home,
      env: beat.environment,
      stdio: ["pipe", "ignore", "ignore"]
    })
    const code = await new Promise((resolve) => child.once("exit", resolve))
    child.stdin.destroy()
    assert.strictEqual(code, 0)
    await beat.run([...later, "written"], { input: "by a program\n" })
    await inShell(beat, "sh", "{ sleep 1.5; echo late; } | run slow")
    assert.deepStrictEqual(prompts(beat), ["open", added("written", "by a program"), added("slow", "late")])
  })
})
