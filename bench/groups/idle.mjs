/**
 * CPU time and memory of processes while nothing happens, all in the same minute. It begins late: in the first half minute after a
 * start V8 compiles and tidies up, which happens once.
 */
import { connect } from "../mcpClient.mjs"
import { binary, cpuOf, makeHome, memoryOf, now, shareOf, sleep, until } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"
import { openTop, openWeb } from "../screens.mjs"

const silent = 20

/** Ages of less than a minute change on the screen each second. Counted from the start of the tasks that are shown. */
const settleMs = 65_000

/** What V8 does after a start is done by then. */
const compiledMs = 45_000

/** A worker takes a whole look every two minutes at most, and what it does more often comes several times in a minute. */
const windowMs = 60_000

const schedule = ["schedule", "create", "-a", "shell", "--cron", "0 3 1 1 *", "true"]

const startWorker = async (home, words = []) => {
  const worker = home.start([binary, "worker", "--keep"])
  await until("a worker", async () =>
    (await home.json("workers")).workers.some(({ process }) => process.pid === worker.pid) ? true : null
  )
  if (words.length > 0) await home.beat(...words)
  return worker.pid
}

const runTasks = async (home, count) => {
  for (let task = 0; task < count; task++) await home.beat("run", "-a", "shell", "exec sleep 900")
  await until(
    `${count} running tasks`,
    async () => ((await home.json("list", "--status", "running")).tasks.length === count ? true : null),
    30_000
  )
}

export const idle = async ({ original, quick, reason, report, say }) => {
  if (cpuOf(process.pid) === null) return say("  not measured: there is no /proc")
  const homes = []
  const servers = []
  const screens = []
  let theirs = null
  const add = (settings = {}) => {
    const home = makeHome({ BACKBEAT_MAX_CONCURRENCY: String(silent), ...settings })
    homes.push(home)
    return home
  }
  const openServer = async (call = null, home = add(), program = binary) => {
    const server = connect(home, [program, "mcp", "start"])
    servers.push(server)
    await server.initialize()
    if (call !== null) await server.request("tools/call", call)
    return server.pid
  }
  try {
    const when = { agent: "shell", prompt: "true", when: "0 3 1 1 *", timezone: "UTC" }
    const later = { agent: "shell", prompt: "true", notBefore: "2999-01-01T00:00:00Z" }
    const shown = add()
    const shownWorker = await startWorker(shown)
    await runTasks(shown, 3)
    const settled = now() + settleMs
    const busy = add()
    const processes = [
      ["worker", await startWorker(add()), 0.2],
      ["worker with a schedule", await startWorker(add(), schedule), 0.2],
      ["MCP server", await openServer(), 0.2],
      [
        "MCP server with a schedule",
        await openServer({ name: "Schedules", arguments: { action: "create", ...when } }),
        0.2
      ],
      ["MCP server, a task waits for its time", await openServer({ name: "DelegateTask", arguments: later }), 0.2],
      [`worker with ${silent} silent tasks`, await startWorker(busy), 0.5],
      ["worker with 3 silent tasks", shownWorker, null]
    ]
    await runTasks(busy, quick ? 3 : silent)
    if (original !== null) theirs = makeOriginal(original)
    const theirPid = theirs === null ? null : await openServer(null, theirs, original)
    const top = await openTop(shown)
    screens.push(top)
    const web = await openWeb(shown)
    screens.push(web)
    processes.push(["top", top.pid, 0.3], ["web", web.pid, 0.3])
    say(`  (${processes.length} processes are idle for two minutes ...)`)
    await sleep(quick ? 3000 : Math.max(compiledMs, settled - now()))
    const bytesBefore = top.seen.bytes
    const began = now()
    const share = (pid) => shareOf(pid, quick ? 5000 : windowMs)
    const [theirShare, ...shares] = await Promise.all([
      theirPid === null ? null : share(theirPid),
      ...processes.map(([, pid]) => share(pid))
    ])
    const bytes = top.seen.bytes - bytesBefore
    for (const [at, [name, , limit]] of processes.entries()) {
      report({
        name: `${name}, share of a core`,
        unit: "%",
        beat: [shares[at]],
        ...(limit !== null && { goal: { text: `<= ${limit} %`, limit } })
      })
    }
    const at = processes.findIndex(([name]) => name === "MCP server")
    report({
      name: "MCP server, next to the original",
      unit: "%",
      beat: [shares[at]],
      original: theirPid === null ? reason : [theirShare],
      goal: { text: "<= 0.8x original", limit: 0.8, of: "original" }
    })
    report({
      name: "MCP server, resident",
      unit: "MB",
      beat: [memoryOf(processes[at][1]).rss],
      original: theirPid === null ? reason : [memoryOf(theirPid).rss],
      goal: { text: "<= 55 MB", limit: 55 }
    })
    report({ name: "top, bytes a minute", unit: "bytes", beat: [(bytes / (now() - began)) * 60_000] })
  } finally {
    for (const screen of screens) screen.close()
    for (const home of homes) {
      // A task that waits keeps a worker after its server has left.
      const { tasks } = await home.json("list", "--status", "queued", "--status", "running")
      if (tasks.length > 0) await home.beat("cancel", ...tasks.map(({ id }) => id)).catch(() => {})
      const { schedules } = await home.json("schedule", "list")
      for (const { id } of schedules) await home.beat("schedule", "cancel", id).catch(() => {})
    }
    // The original does not notice that its client has left.
    for (const server of servers) await server.kill()
    for (const home of homes) await home.close()
    await theirs?.close()
  }
}
