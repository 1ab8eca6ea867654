/** Completions, asked for by the real shells that are installed. */
import { execFile, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Beat, binary } from "../system/Beat.ts"

const run = promisify(execFile)
const shells = ["bash", "zsh", "fish"] as const
const installed = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0

describe.skipIf(!existsSync(binary))("completions", () => {
  const beat = new Beat()
  const bin = join(beat.home, "bin")
  const script = (shell: string) => join(beat.home, `completion.${shell}`)
  let id = ""

  beforeAll(async () => {
    mkdirSync(bin)
    symlinkSync(binary, join(bin, "beat"))
    for (const shell of shells) writeFileSync(script(shell), (await beat.run(["completion", shell])).stdout)
    id = (await beat.run(["run", "-a", "shell", "echo zebra"])).stdout.trim()
    assert.match(id, /^[0-9a-z]{12}$/)
  })
  afterAll(() => beat.close())

  const options = () => ({
    env: { ...beat.environment, PATH: `${bin}:${beat.environment.PATH}`, TERM: "dumb" },
    timeout: 240_000
  })

  const askBash = async (line: ReadonlyArray<string>, option = ":") => {
    const program = `${option}; source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _beat; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await run("bash", ["--norc", "-c", program, "bash", script("bash"), ...line], options())
    return stdout.split("\n").filter((word) => word !== "")
  }

  it.skipIf(!installed("bash"))("bash knows commands, options, ids and agents", async () => {
    assert.deepStrictEqual(await askBash(["beat", "lis"]), ["list"])
    assert.deepStrictEqual(await askBash(["beat", "status", ""]), [id, "@last"])
    assert.deepStrictEqual(await askBash(["beat", "status", id.slice(0, 4)]), [id])
    assert.deepStrictEqual(await askBash(["beat", "run", "-a", "she"]), ["shell"])
    assert.deepStrictEqual(await askBash(["beat", "list", "--li"]), ["--limit"])
    assert.deepStrictEqual(await askBash(["beat", "list", "--status", "f"]), ["failed"])
    assert.deepStrictEqual(await askBash(["beat", "config", "un"]), ["unset"])
    assert.deepStrictEqual(await askBash(["beat", "cancel", id, ""]), ["@last"])
    assert.deepStrictEqual(await askBash(["beat", "why", id, ""]), [])
    assert.deepStrictEqual(await askBash(["beat", "nonsense", ""]), [])
  })

  it.skipIf(!installed("bash"))(
    "bash knows them under every option that changes what a pattern means, and for a path to beat",
    async () => {
      const odd = (await beat.run(["run", "-a", "shell", "--not-before", "1h", "echo why? [ab]*"])).stdout.trim()
      await beat.run(["schedule", "create", "--every", "1h", "--name", "nightly", "-a", "shell", "true"])
      const pipeline = (
        await beat.run(["pipeline", "run", "--name", "rel", "-a", "shell", "--step", "true"])
      ).stdout.trim()
      for (const option of [
        "shopt -s nullglob",
        "shopt -s failglob",
        "set -f",
        "shopt -s dotglob nocaseglob",
        "IFS=x"
      ]) {
        assert.include(await askBash(["beat", "cancel", ""], option), odd, option)
      }
      assert.include(await askBash(["beat", "run", "--after", ""]), odd)
      assert.include(await askBash(["beat", "run", "--continue-from", odd.slice(0, 6)]), odd)
      assert.deepStrictEqual(await askBash(["beat", "schedule", "pause", "ni"]), ["nightly"])
      assert.deepStrictEqual(await askBash(["beat", "schedule", "create", "--after", "ni"]), ["nightly"])
      assert.deepStrictEqual(await askBash(["beat", "pipeline", "cancel", ""]), [pipeline, "@last"])
      assert.deepStrictEqual(await askBash([join(bin, "beat"), "lis"]), ["list"])
      symlinkSync(binary, join(beat.home, "own-beat"))
      assert.deepStrictEqual(await askBash(["~/own-beat", "lis"]), ["list"])
    }
  )

  it.skipIf(!installed("fish"))("fish shows them with what they are", async () => {
    const ask = async (line: string) =>
      (
        await run(
          "fish",
          ["--no-config", "-c", `source "$argv[1]"; complete -C "$argv[2]"`, script("fish"), line],
          options()
        )
      ).stdout
    assert.include(await ask("beat status "), `${id}\t`)
    assert.include(await ask("beat status "), "echo zebra")
    assert.include(await ask("beat li"), "list\tList tasks")
    assert.include(await ask("beat run -a she"), "shell\t")
    assert.include(await ask("beat config "), "unset\t")
  })

  it.skipIf(!installed("zsh"))("zsh offers them at its prompt", async () => {
    const program = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z "PS1='READY> '; autoload -Uz compinit; compinit -u -D; source '$1'; echo LOAD''ED"
      zpty -r -m z seen '*LOADED*READY> *'
      zpty -w -n z $'beat lis\\t'
      zpty -r -m z word '*beat list *'
      zpty -w -n z $'\\x15beat status \\t'
      zpty -r -m z ids '*@last*'
      print -r -- "$ids"
      zpty -d z
    `
    const { stdout } = await run("zsh", ["-f", "-c", program, "zsh", script("zsh")], options())
    assert.include(stdout, id)
    assert.include(stdout, "echo zebra")
  })
})
