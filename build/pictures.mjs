/**
 * Makes the pictures of the documentation: `npm run pictures`. A terminal (tmux) runs the built program in a separate home, with
 * `build/pictures/claude.cjs` in the place of Claude Code; Chromium shows the page. Needs tmux, git and chromium.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import { smallPng } from "./pictures/small-png.mjs"
import { movingSvg, stillSvg } from "./pictures/terminal-svg.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const pictures = join(root, "docs", "pictures")
const scratch = mkdtempSync(join(tmpdir(), "beat-pictures-"))
const home = join(scratch, "ann")
const shop = join(home, "shop")
const bin = join(scratch, "bin")

/** A step of the pretended agent. */
const stepMs = 4000

const env = {
  PATH: `${bin}:${process.env.PATH}`,
  HOME: home,
  LANG: "C.UTF-8",
  TERM: "xterm-256color",
  USER: "ann",
  PICTURES_MS: String(stepMs),
  GIT_CONFIG_NOSYSTEM: "1",
  NPM_CONFIG_UPDATE_NOTIFIER: "false",
  ANTHROPIC_API_KEY: "sk-none",
  BACKBEAT_MAX_CONCURRENCY: "4",
  BACKBEAT_IDLE_MS: "1000"
}

const run = (file, ...args) =>
  execFileSync(file, args, { cwd: shop, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
const beat = (...args) => run(join(bin, "beat"), ...args).trim()

const files = {
  "package.json":
    '{ "name": "shop", "scripts": { "test": "node --test", "lint": "node --check src/cart.js", "build": "node --check src/search.js" } }\n',
  "src/search.js":
    "export const find = (items, query) => {\n  const wanted = query.toLowerCase()\n  return items.filter(({ name }) => name.toLowerCase().includes(wanted))\n}\n",
  "src/cart.js": "export const total = (items) => items.reduce((sum, { price }) => sum + price, 0)\n"
}

const prepare = () => {
  for (const directory of [bin, join(shop, "src")]) mkdirSync(directory, { recursive: true })
  writeFileSync(join(bin, "beat"), `#!/bin/sh\nexec "${process.execPath}" "${join(root, "dist", "beat.cjs")}" "$@"\n`)
  chmodSync(join(bin, "beat"), 0o755)
  copyFileSync(join(root, "build", "pictures", "claude.cjs"), join(bin, "claude"))
  chmodSync(join(bin, "claude"), 0o755)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(shop, name), text)
  writeFileSync(
    join(home, ".gitconfig"),
    "[user]\n  name = Ann\n  email = ann@example.com\n[init]\n  defaultBranch = main\n"
  )
  run("git", "init", "-q")
  run("git", "add", "-A")
  run("git", "commit", "-qm", "A shop")
  beat("config", "set", "defaultAgent", "claude")
}

/** A terminal of this size with a shell in the shop. */
const openTerminal = async (name, columns, rows) => {
  const socket = join(scratch, `${name}.socket`)
  const tmux = (...args) => spawnSync("tmux", ["-S", socket, ...args], { cwd: shop, env, encoding: "utf8" }).stdout
  const conf = join(scratch, "tmux.conf")
  writeFileSync(conf, "set -g status off\nset -sg escape-time 0\nset -g default-terminal xterm-256color\n")
  const shell = "env PS1='\\[\\e[32m\\]~/shop $\\[\\e[0m\\] ' bash --norc --noprofile"
  tmux("-f", conf, "new-session", "-d", "-x", String(columns), "-y", String(rows), shell)
  const screen = (...more) => tmux("capture-pane", "-p", ...more)
  const until = async (what, holds) => {
    for (let look = 0; look < 2400; look += 1) {
      if (holds(screen())) return
      await sleep(50)
    }
    throw new Error(`${what} is not on the screen:\n${screen()}`)
  }
  const shows = (text) => until(text, (seen) => seen.includes(text))
  /** The prompt is in the last line that is not empty. */
  const prompts = () => until("a prompt", (seen) => seen.trimEnd().endsWith("~/shop $"))
  await prompts()
  return {
    shows,
    prompts,
    until,
    type: (text) => tmux("send-keys", "-l", text),
    press: (...keys) => tmux("send-keys", ...keys),
    capture: () => screen("-e").replace(/\n+$/, ""),
    close: () => tmux("kill-server")
  }
}

/** A person's first two minutes: two tasks at the same time, a look at them, and the result of the first one merged. */
const tour = async () => {
  const [columns, rows] = [92, 24]
  const terminal = await openTerminal("tour", columns, rows)
  const screens = []
  const shot = (seconds) => screens.push({ screen: terminal.capture(), seconds })
  const command = async (text, seconds, ended = terminal.prompts) => {
    const half = Math.ceil(text.length / 2)
    for (const part of [text.slice(0, half), text.slice(half)]) {
      terminal.type(part)
      await sleep(150)
      shot(0.6)
    }
    terminal.press("Enter")
    await sleep(100)
    await ended()
    shot(seconds)
  }
  shot(1)
  await command('beat run --isolate "fix the failing test"', 1.5)
  const first = beat("list", "--json")
  const id = JSON.parse(first).tasks[0].id
  await command('beat run --isolate "count prices in cents"', 1.5)
  await command('beat run -a shell "npm run lint"', 1.5)
  await command("beat", 3)
  await command("beat top", 0.1, () => terminal.shows("q"))
  const done = () => JSON.parse(beat("list", "--status", "completed", "--json")).tasks.length
  let before = ""
  while (done() < 3) {
    const seen = terminal.capture()
    // Ages alone make no picture.
    const told = seen.replace(/\d+s/g, "")
    if (told !== before) shot(1.2)
    before = told
    await sleep(500)
  }
  await sleep(500)
  shot(2.5)
  terminal.press("q")
  await terminal.prompts()
  terminal.press("C-l")
  await sleep(200)
  await command(`beat result ${id.slice(0, 4)}`, 2.5)
  await command(`beat diff ${id.slice(0, 4)}`, 3)
  await command(`beat merge ${id.slice(0, 4)}`, 2)
  await command("git log --oneline -2", 4)
  terminal.close()
  const label = "A terminal: two tasks are handed over, watched in beat top, and the result of one is merged"
  writeFileSync(join(pictures, "tour.svg"), movingSvg({ columns, rows, label, screens }))
}

/** Work in many states. */
const work = async () => {
  beat("run", "-a", "shell", "npm run build", "--label", "team=web")
  beat("run", "-a", "shell", "exit 3", "--label", "team=web")
  beat("wait", "@last", "--timeout", "1s") // its failure is what is wanted
}

const quietly = async (act) => {
  try {
    await act()
  } catch {
    // A command that tells of a failure exits with it.
  }
}

const screens = async () => {
  await quietly(work)
  const review = beat("run", "--isolate", "review the change to the cart")
  beat("run", "--isolate", "fix the failing test in search")
  beat("run", "-a", "shell", "--after", review, "npm publish --dry-run")
  beat("run", "--not-before", "2h", "check what is out of date")
  const [columns, rows] = [120, 28]
  const terminal = await openTerminal("top", columns, rows)
  terminal.type("beat top")
  terminal.press("Enter")
  await terminal.shows("Bash npm test")
  await sleep(2 * stepMs)
  const label = "beat top: the tasks on the left, the output of the selected one on the right"
  writeFileSync(join(pictures, "top.svg"), stillSvg({ columns, rows, label, screen: terminal.capture() }))
  terminal.press("q")
  terminal.close()
}

const page = async () => {
  const server = spawn(join(bin, "beat"), ["web", "--port", "0"], {
    cwd: shop,
    env,
    stdio: ["ignore", "pipe", "ignore"]
  })
  const url = await new Promise((resolve) =>
    server.stdout.setEncoding("utf8").once("data", (text) => resolve(text.trim()))
  )
  const executablePath = spawnSync("/bin/sh", ["-c", "command -v chromium"], { encoding: "utf8" }).stdout.trim()
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-lcd-text"] })
  const review = beat("run", "--isolate", "fix the failing test of the sign-up form")
  beat("run", "--isolate", "describe the settings in the README")
  for (const [name, colorScheme, hash] of [
    ["board", "light", "#/"],
    ["task", "dark", `#/task/${review}`]
  ]) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1100, height: 560 } })
    const tab = await context.newPage()
    await tab.goto(url)
    await tab.getByRole("heading", { level: 1 }).waitFor()
    await tab.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    await sleep(2 * stepMs)
    writeFileSync(join(pictures, `web-${name}.png`), smallPng(await tab.screenshot()))
    await context.close()
  }
  await browser.close()
  beat("web", "stop")
}

mkdirSync(pictures, { recursive: true })
try {
  prepare()
  await tour()
  await screens()
  await page()
} finally {
  const open = JSON.parse(beat("list", "--json")).tasks.filter(({ endedAt }) => endedAt === null)
  await quietly(() => beat("cancel", ...open.map(({ id }) => id)))
  await sleep(2500)
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
}
