/** The built binary with real workers and agents: from one terminal to the next, through Ctrl-C, pipes and `kill -9`. */
import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Beat, binary, isAlive, kill, until } from "../system/Beat.ts"

const homes: Array<Beat> = []
const fresh = (): Beat => {
  const beat = new Beat()
  homes.push(beat)
  return beat
}
afterAll(() => Promise.all(homes.map((beat) => beat.close())))

/** A script of a user's, in which `beat` is the built one. */
const script = (beat: Beat, text: string) =>
  promisify(execFile)("sh", ["-c", `beat() { "${process.execPath}" "${binary}" "$@"; }\n${text}`], {
    env: beat.environment,
    cwd: beat.home,
    timeout: 240_000
  })

describe.skipIf(!existsSync(binary))("tasks through the built beat", () => {
  it("run in a script: the id is all that stdout has, other processes follow, wait and read", async () => {
    const beat = fresh()
    const { stdout, stderr } = await script(
      beat,
      `id=$(beat run -a shell 'echo one; sleep 0.3; echo two; echo err >&2; exit 3') || exit 9
       beat logs -f "$id" 2> errors
       beat wait "$id"; echo "wait $?"
       beat result "\${id%????}" > /dev/null; echo "result $?"
       cat errors`
    )
    const lines = stdout.trim().split("\n")
    assert.deepStrictEqual([lines[0], lines[1], ...lines.slice(3)], ["one", "two", "wait 1", "result 1", "err"])
    assert.match(lines[2] ?? "", /^[0-9a-z]{12} failed after /)
    assert.notInclude(stderr, "beat:")
  })

  it("run in the foreground: output as it comes, the end as exit code", async () => {
    const beat = fresh()
    const running = beat.start([
      "run",
      "-f",
      "-a",
      "shell",
      "echo first; while ! [ -e go ]; do sleep 0.05; done; exit 7"
    ])
    await until("the first line", () => running.stdout().includes("first"))
    await beat.run(["run", "-f", "-a", "shell", "touch go"])
    const seen = await running.done
    assert.deepStrictEqual([seen.code, seen.stdout], [1, "first\n"])
    assert.match(seen.stderr, /failed after .*7/)
  })

  it("are cancelled by Ctrl-C, which returns when the processes are gone", async () => {
    const beat = fresh()
    const running = beat.start(
      ["run", "-f", "-a", "shell", "trap '' TERM; echo $$; tail -f /dev/null & echo $!; wait"],
      {
        env: { BACKBEAT_GRACE_MS: "300" }
      }
    )
    await until("two pids", () => running.stdout().trim().split("\n").length === 2)
    const pids = running.stdout().trim().split("\n").map(Number)
    assert.isTrue(pids.every(isAlive))
    running.child.kill("SIGINT")
    const seen = await running.done
    assert.strictEqual(seen.code, 130)
    assert.match(seen.stderr, /Cancelling [0-9a-z]{12}\n.*\n[0-9a-z]{12} cancelled by .*: Ctrl-C\n$/)
    assert.deepStrictEqual(pids.filter(isAlive), [])
  })

  it("that another command made are left by Ctrl-C as they are, whatever command watches", async () => {
    const beat = fresh()
    const endless = "echo up; while :; do sleep 0.1; done"
    const id = await beat.submit(endless, ["--key", "k"])
    const step = ["-a", "shell", "--key", "p", "--step", endless]
    const pipeline = (await beat.run(["pipeline", "run", ...step])).stdout.trim()
    for (const words of [
      ["run", "-f", "-a", "shell", "--key", "k", endless],
      ["run", "-f", "--json", "-a", "shell", "--key", "k", endless],
      ["pipeline", "run", "-f", ...step]
    ]) {
      const running = beat.start(words)
      await until("that it watches", () => running.stderr().includes("(Ctrl-C stops watching it)"))
      running.child.kill("SIGINT")
      const seen = await running.done
      assert.strictEqual(seen.code, 130)
      assert.include(seen.stderr, "continues: this command did not create it. To cancel it: beat ")
    }
    assert.include((await beat.run(["status", id, "--json"])).stdout, '"status":"running"')
    assert.include((await beat.run(["pipeline", "status", pipeline, "--json"])).stdout, '"status":"running"')
    await beat.run(["cancel", id])
    await beat.run(["pipeline", "cancel", pipeline])
  })

  it("keeps ending after a second Ctrl-C", async () => {
    const beat = fresh()
    const running = beat.start(["run", "-f", "-a", "shell", "trap '' TERM; echo up; while :; do sleep 0.1; done"])
    await until("the agent", () => running.stdout().includes("up"))
    running.child.kill("SIGINT")
    await until("the first Ctrl-C", () => running.stderr().includes("Ctrl-C again"))
    running.child.kill("SIGINT")
    const seen = await running.done
    assert.strictEqual(seen.signal, "SIGINT")
    const [, id = ""] = /beat status ([0-9a-z]{12})/.exec(seen.stderr) ?? []
    const waited = await beat.run(["wait", id])
    assert.strictEqual(waited.code, 4)
  })

  it("are not cancelled when the terminal closes", async () => {
    const beat = fresh()
    const running = beat.start([
      "run",
      "-f",
      "-a",
      "shell",
      "echo up; while ! [ -e go ]; do sleep 0.05; done; echo done"
    ])
    await until("the agent", () => running.stdout().includes("up"))
    running.child.kill("SIGHUP")
    await running.done
    await beat.run(["run", "-a", "shell", "touch go"])
    assert.strictEqual(
      (
        await beat.run([
          "result",
          "-w",
          "--",
          beat.rows<{ id: string }>("SELECT id FROM tasks WHERE seq = 1")[0]?.id ?? ""
        ])
      ).stdout,
      "up\ndone\n"
    )
  })

  it("are served again when their worker is killed while someone waits", async () => {
    const beat = fresh()
    const first = await beat.submit("while ! [ -e go ]; do sleep 0.05; done")
    const second = await beat.submit("echo second", ["--not-before", "1s"])
    const waiting = beat.start(["wait", first, second])
    await until("the start", () => beat.status(first).status === "running")
    for (const pid of beat.workers()) kill(pid, "SIGKILL")
    await beat.run(["doctor"])
    await until("another worker", () => beat.workers().some(isAlive))
    await promisify(execFile)("touch", [join(beat.home, "go")])
    const seen = await waiting.done
    assert.strictEqual(seen.code, 0, seen.stdout + seen.stderr)
  })

  it("take any prompt: 5 MB from a pipe, quotes, newlines, leading dashes", async () => {
    const beat = fresh()
    const big = `cat > big <<'END'\n${"é".repeat(2_500_000)}\nEND\nwc -c < big`
    const seen = await beat.run(["run", "-f", "-a", "shell"], { input: big })
    assert.deepStrictEqual([seen.code, seen.stdout.trim()], [0, "5000001"])
    const odd = `-n () { printf '%s\\n' "it's" "\${1}"; }\n-n '$(no) "x" 👩‍👩‍👧'`
    const words = await beat.run(["run", "-f", "-a", "shell", "--", `echo - -- --help; cat <<'END'\n${odd}\nEND`])
    assert.strictEqual(words.stdout, `- -- --help\n${odd}\n`)
  })

  it("end quietly when the reader of a pipe has seen enough", async () => {
    const beat = fresh()
    const id = await beat.submit("seq 1 300000")
    await beat.run(["wait", id])
    const { stdout, stderr } = await script(beat, `beat logs ${id} | head -n 2; beat logs --raw ${id} | head -n 1`)
    assert.strictEqual(stdout, "1\n2\n1\n")
    assert.strictEqual(stderr, "")
    await script(beat, `beat logs --raw ${id} > whole`)
    const whole = readFileSync(join(beat.home, "whole"), "utf8")
    assert.strictEqual(whole.split("\n").length, 300_001)
    assert.strictEqual((await beat.run(["logs", id, "-n", "2"])).stdout, "299999\n300000\n")
  })

  it("show what was dropped, where it was dropped", async () => {
    const beat = fresh()
    const id = await beat.submit("seq 1 300000", ["--max-output", "4kB"])
    await beat.run(["wait", id])
    const seen = await beat.run(["logs", id])
    assert.match(seen.stdout, /^1\n2\n[\s\S]*\n… 2.0 MB of stdout dropped …\n[\s\S]*\n299999\n300000\n$/)
    assert.match((await beat.run(["logs", id, "--raw"])).stderr, /… 2.0 MB of stdout dropped …\n$/)
  })
})
