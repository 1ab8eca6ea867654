/** `beat top` as its users have it: in a real terminal (tmux), in a pipe, and ended by signals. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Beat, binary, until } from "./Beat.ts"

const claude = resolve(import.meta.dirname, "../support/steeredClaude.cjs")
const esc = "\u001b"
const hasTmux = spawnSync("tmux", ["-V"]).status === 0

describe("beat top without a screen", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("prints one screen that fits, without a control byte, with and without tasks", async () => {
    const none = await beat.run(["top", "--once"])
    assert.strictEqual(none.code, 0, none.stderr)
    assert.include(none.stdout, "No tasks yet.")
    const id = await beat.submit("exit 3", ["--not-before", "1h"])
    for (const [columns, rows] of [
      [80, 24],
      [40, 20],
      [20, 5]
    ] as const) {
      const once = await beat.run(["top", "--once"], { env: { COLUMNS: String(columns), LINES: String(rows) } })
      assert.strictEqual(once.code, 0, once.stderr)
      assert.notInclude(once.stdout, esc)
      const lines = once.stdout.trimEnd().split("\n")
      assert.isAtMost(lines.length, rows)
      for (const line of lines) assert.isAtMost(line.length, columns)
      assert.include(once.stdout, id.slice(0, 4))
    }
    const wrong = await beat.run(["top", "--once", "--since", "soon"])
    assert.strictEqual(wrong.code, 2)
  })

  it("prints a line for each change, and takes commands as lines", async () => {
    const id = await beat.submit("sleep 60")
    const top = beat.start(["top"], { input: `cancel ${id}\nhelp\nnonsense\n` })
    await until("the cancel", () => beat.status(id).status === "cancelled")
    await until("its line", () => top.stdout().includes(`${id} cancelled`))
    await until("the help", () => top.stdout().includes("no such command here: nonsense"))
    assert.include(top.stdout(), "cancel --tree ID")
    const second = await beat.submit("true")
    await until("the end of the second", () => new RegExp(`${second} completed: true`).test(top.stdout()))
    assert.notInclude(top.stdout(), esc)
    top.child.kill("SIGTERM")
    assert.strictEqual((await top.done).code, 143)
  })
})

describe.skipIf(!hasTmux)("the live screen in tmux", () => {
  const scratch = mkdtempSync(join(tmpdir(), "beat-tmux-"))
  const beat = new Beat({ STEERED_HOME: scratch })
  const socket = join(scratch, "socket")
  const tmux = (...args: ReadonlyArray<string>) =>
    spawnSync("tmux", ["-S", socket, ...args], {
      encoding: "utf8",
      env: { ...beat.environment, TERM: "xterm-256color" }
    })
  const screen = () => tmux("capture-pane", "-p").stdout
  const shows = (what: string | RegExp) =>
    until(`${what} on the screen:\n${screen()}`, () =>
      typeof what === "string" ? screen().includes(what) : what.test(screen())
    )
  const press = (...keys: ReadonlyArray<string>) => tmux("send-keys", ...keys)

  /** Moves the cursor to a task, by as many keys as a person would press. */
  const select = async (id: string) => {
    await shows(id)
    press("g")
    const rows = screen()
      .split("\n")
      .filter((line) => /^[ >+*][0-9a-z]{12} {2}/.test(line))
    const at = rows.findIndex((line) => line.includes(id))
    if (at > 0) press(...Array.from({ length: at }, () => "j"))
    await shows(new RegExp(`^>${id}`, "m"))
  }

  const type = (text: string) => {
    tmux("send-keys", "-l", text)
    press("Enter")
  }

  const journal = () => (existsSync(join(scratch, "journal")) ? readFileSync(join(scratch, "journal"), "utf8") : "")

  beforeAll(() => {
    mkdirSync(join(beat.home, "state"), { recursive: true, mode: 0o700 })
    const agents = { claude: { program: claude, apiKey: "sk-none" } }
    writeFileSync(join(beat.home, "state", "config.json"), JSON.stringify({ agents }))
    // The shell tells how the terminal is before and after, and what the exit code was.
    const script = join(scratch, "run.sh")
    writeFileSync(
      script,
      `before=$(stty -a)\n"${process.execPath}" "${binary}" top "$@"\ncode=$?\n` +
        `[ "$before" = "$(stty -a)" ] && same=yes || same=no\necho "left with $code, terminal as before: $same"\nsleep 1000\n`
    )
    writeFileSync(join(scratch, "tmux.conf"), "set -g remain-on-exit on\nset -sg escape-time 0\n")
    tmux("-f", join(scratch, "tmux.conf"), "new-session", "-d", "-x", "80", "-y", "24", `sh ${script}`)
  })
  afterAll(async () => {
    tmux("kill-server")
    rmSync(scratch, { recursive: true, force: true })
    await beat.close()
  })

  const restart = (...variables: ReadonlyArray<string>) =>
    tmux("respawn-pane", "-k", ...variables.flatMap((one) => ["-e", one]), `sh ${join(scratch, "run.sh")}`)

  it("shows tasks as they come, and what the selected one prints", async () => {
    await shows("No tasks yet.")
    const id = await beat.submit("for i in 1 2 3; do echo line $i; done; sleep 300")
    await shows(new RegExp(`^>${id} +(starting|running) +shell`, "m"))
    await shows("line 3")
    const other = await beat.submit("exit 3")
    await shows(new RegExp(`^ ${other} +failed .*exit 3`, "m"))
    // The cursor stays on its task.
    assert.match(screen(), new RegExp(`^>${id}`, "m"))
  })

  it("cancels only after a yes, and says what it did", async () => {
    const [row] = beat.rows<{ id: string }>("SELECT id FROM tasks WHERE status = 'running'")
    const id = row?.id ?? ""
    press("c")
    await shows(`beat cancel ${id}  y yes  n no`)
    press("n")
    await shows("Nothing was done.")
    assert.strictEqual(beat.status(id).status, "running")
    press("c", "y")
    await until("the cancel", () => beat.status(id).status === "cancelled")
    await shows(`${id} cancelled by`)
  })

  it("opens the output on the whole screen, finds a line, and comes back", async () => {
    press("Enter")
    await shows("at the end")
    press("/", "2", "Enter")
    await shows("line 1 of 3")
    press("Escape")
    await shows("? keys  q")
  })

  it("says something to a running agent with s, and ends its turn with i, after a yes", async () => {
    const id = (await beat.run(["run", "--steer", "-a", "claude", "until never"])).stdout.trim()
    await until("its turn runs", () => journal().includes("until never"))
    await select(id)
    press("s")
    await shows(`beat send ${id}`)
    // An escape, and two answers of the terminal around it.
    press("-H", "1b", "5b", "30", "6e", "1b", "1b", "5b", "30", "6e")
    await shows("Nothing was done.")
    press("s")
    await shows(`beat send ${id}`)
    type("not the q key")
    await shows(`Taken by ${id}`)
    assert.match(journal(), /"folded","not the q key"/)
    press("i")
    await shows(`beat interrupt ${id}  y yes  n no`)
    press("n")
    await shows("Nothing was done.")
    assert.strictEqual(beat.status(id).status, "running")
    press("i", "y")
    await until("its turn is ended", () => beat.status(id).status === "failed")
    await shows(new RegExp(`^[> ]${id} +failed`, "m"))
  })

  it("answers the question of an agent with a, under the question and its options", async () => {
    const id = (await beat.run(["run", "--ask", "-a", "claude", "asks Which colour?"])).stdout.trim()
    await shows(new RegExp(`^[> ]${id} +asks .*Which colour`, "m"))
    await select(id)
    press("a")
    await shows(/Which colour\? +1 one +2 two/)
    await shows(/beat answer q[0-9]+/)
    type("2")
    await shows(/Answered q[0-9]+/)
    await until("it ends", () => beat.status(id).status === "completed")
    assert.match(journal(), /"answered",.*two/)
    press("a")
    await shows("? keys  q")
    assert.strictEqual(beat.rows("SELECT 1 FROM questions WHERE state = 'open'").length, 0)
  })

  it("fits a window that changes its size", async () => {
    for (const [columns, rows] of [
      [20, 5],
      [40, 20],
      [120, 40],
      [80, 24]
    ] as const) {
      tmux("resize-window", "-x", String(columns), "-y", String(rows))
      await until(`${columns}x${rows}:\n${screen()}`, () => {
        const lines = screen().replace(/\n$/, "").split("\n")
        return lines.length <= rows && lines.every((line) => line.length <= columns) && /[0-9]+ run/.test(screen())
      })
    }
    await shows("? keys  q")
  })

  it("is drawn again after a stop, and leaves the terminal as it was", async () => {
    const panePid = () => tmux("list-panes", "-F", "#{pane_pid}").stdout.trim()
    const top = () => Number(spawnSync("pgrep", ["-P", panePid()], { encoding: "utf8" }).stdout.split("\n")[0])
    const first = top()
    assert.isAbove(first, 1)
    process.kill(first, "SIGSTOP")
    tmux("send-keys", "-R")
    process.kill(first, "SIGCONT")
    await shows("beat top")
    process.kill(first, "SIGTERM")
    await shows("left with 143, terminal as before: yes")
    restart()
    await shows("? keys  q")
    press("q")
    await shows("left with 0, terminal as before: yes")
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGHUP", 129]
    ] as const) {
      restart()
      await shows("? keys  q")
      process.kill(top(), signal)
      await shows(`left with ${code}, terminal as before: yes`)
    }
  })

  it("has no colours with NO_COLOR, and is lines in a terminal that can do no more", async () => {
    const coloured = /\u001b\[[0-9;]*(?:3[0-7]|9[0-7])m/
    const painted = () => tmux("capture-pane", "-pe").stdout
    restart()
    await until("a screen with colours", () => coloured.test(painted()) && screen().includes("? keys"))
    restart("NO_COLOR=1")
    await shows("? keys  q")
    assert.notMatch(painted(), coloured)
    restart("TERM=dumb")
    await shows("'help' lists the commands")
    assert.notInclude(screen(), "? keys")
    assert.strictEqual(tmux("display-message", "-p", "#{alternate_on}").stdout.trim(), "0")
  })
})
