/** The live screen and the web server: what a start costs, and how soon a commit is seen. */
import { spawn } from "node:child_process"
import { connect } from "../mcpClient.mjs"
import { another, binary, interleaved, makeHome, memoryOf, sleep, until } from "../measure.mjs"
import { columns, openTop, openWeb, rows } from "../screens.mjs"
import { percentile } from "../statistics.mjs"

/** User and system time of a command with all that it starts, in milliseconds: a busy machine changes it little. */
const cpuTimeOf = (home, words) =>
  new Promise((resolve, reject) => {
    const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1'
    const child = spawn("bash", ["-c", script, "bash", process.execPath, ...words], {
      cwd: home.directory,
      env: { ...home.env, LINES: String(rows), COLUMNS: String(columns) },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let said = ""
    child.stderr.on("data", (text) => {
      said += text
    })
    child.once("close", () => {
      const parts = said.trim().split(" ").map(Number)
      if (parts.length === 2) resolve((parts[0] + parts[1]) * 1000)
      else reject(new Error(`no times: ${said}`))
    })
  })

export const screen = async ({ ends, quick, report, say }) => {
  const end = ends()
  if (memoryOf(process.pid) === null) return say("  not measured: there is no /proc")
  const home = makeHome({ BACKBEAT_IDLE_MS: "0", BACKBEAT_MAX_CONCURRENCY: "8" })
  const server = connect(home, [binary, "mcp", "start"])
  let top = null
  let web = null
  try {
    await server.initialize()
    for (let task = 0; task < 3; task += 1) await home.beat("run", "-a", "shell", "exec sleep 900")
    await until("three running tasks", async () =>
      (await home.json("list", "--status", "running")).tasks.length === 3 ? true : null
    )
    const cases = {
      "node -e 0": () => cpuTimeOf(home, ["-e", "0"]),
      list: () => cpuTimeOf(home, [binary, "list"]),
      top: () => cpuTimeOf(home, [binary, "top", "--once"])
    }
    const starts = await interleaved(cases, quick ? 3 : 7, 2, end)
    const floors = { "node -e 0": starts["node -e 0"] }
    report({ name: "list, user + system time", unit: "ms", beat: starts.list, floors })
    report({ name: "top --once, user + system time", unit: "ms", beat: starts.top, floors })

    const started = { top: [], web: [] }
    for (let round = -2; another(round, quick ? 2 : 5, end); round += 1) {
      top = await openTop(home)
      web = await openWeb(home)
      // A server makes its code cache when it has lived for a moment.
      if (round < 0) await sleep(2500)
      else for (const [name, { startCpu }] of Object.entries({ top, web })) started[name].push(startCpu)
      top.close()
      web.close()
      await home.beat("web", "stop")
    }
    report({ name: "top until its first frame, CPU", unit: "ms", beat: started.top, floors })
    report({ name: "web until it listens, CPU", unit: "ms", beat: started.web, floors })
    top = await openTop(home)
    web = await openWeb(home)
    await sleep(quick ? 1000 : 5000)
    report({
      name: "top, resident",
      unit: "MB",
      beat: [memoryOf(top.pid).rss],
      note: `PSS ${memoryOf(top.pid).pss.toFixed(0)}`
    })
    report({
      name: "web, resident",
      unit: "MB",
      beat: [memoryOf(web.pid).rss],
      note: `PSS ${memoryOf(web.pid).pss.toFixed(0)}`
    })

    // Nothing starts: what is seen is one row that a commit of another process has added.
    await home.beat("pause", "--all")
    await sleep(1000)
    const count = quick ? 10 : 50
    const shown = new Map()
    const told = new Map()
    top.seen.listeners.add((text, at) => {
      for (const [, name] of text.matchAll(/bench-(\d+)\b/g)) if (!shown.has(name)) shown.set(name, at)
    })
    web.listeners.add((data, at) => {
      const name = /bench-(\d+)\b/.exec(data)?.[1]
      if (name !== undefined && !told.has(name)) told.set(name, at)
    })
    const from = top.seen.bytes
    for (let n = 0; n < count; n += 1) {
      const priority = "P0"
      const { structuredContent } = await server.request("tools/call", {
        name: "DelegateTask",
        arguments: { prompt: `: bench-${n}`, agent: "shell", priority }
      })
      await until(`task ${n} on the screen`, () => (shown.has(String(n)) && told.has(String(n)) ? true : null))
      // More than between two frames, and at another place of the second each time.
      await sleep(230 + (n % 7) * 10)
      const ids = structuredContent.tasks.map(({ id }) => id)
      await server.request("tools/call", { name: "CancelTask", arguments: { ids } })
      await sleep(200)
    }
    const { tasks } = await home.json("list", "--status", "cancelled", "--limit", String(count))
    const latencies = (seen) =>
      tasks.flatMap(({ createdAt, title }) => {
        const at = seen.get(/bench-(\d+)$/.exec(title)?.[1] ?? "")
        return at === undefined ? [] : [at - createdAt]
      })
    for (const [what, seen] of [
      ["from the submit to the screen", shown],
      ["from the submit to a client of /events", told]
    ]) {
      const all = latencies(seen)
      report({ name: what, unit: "ms", beat: all, note: `of ${all.length}, the commit included` })
      report({
        name: `${what}, p99`,
        unit: "ms",
        beat: [percentile(all, 0.99)],
        goal: { text: "<= 150 ms", limit: 150 }
      })
    }
    // Each task came, was cancelled and moved to those that have ended.
    report({ name: "bytes to the terminal per update", unit: "bytes", beat: [(top.seen.bytes - from) / (2 * count)] })
  } finally {
    top?.close()
    web?.close()
    const running = (await home.json("list", "--status", "running")).tasks.map(({ id }) => id)
    if (running.length > 0) await home.beat("cancel", ...running).catch(() => {})
    await server.leave()
    await home.close()
  }
}
