/** The memory of a worker: idle, and for each running task in addition to the agent itself. */
import { binary, makeHome, memoryOf, sleep, until } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"

/** The processes that the original leaves behind for a task: each detached run is a separate Node process. */
const detached = async (home, count) => {
  const logs = []
  for (let task = 0; task < count; task++) logs.push((await home.beat("run", "-a", "claude", "exec sleep 60")).stderr)
  return logs.flatMap((text) => /PID: (\d+)/.exec(text)?.[1] ?? []).map(Number)
}

export const memory = async ({ original, quick, report, reason, say }) => {
  if (memoryOf(process.pid) === null) return say("  not measured: there is no /proc")
  const count = 20
  const home = makeHome({ BACKBEAT_MAX_CONCURRENCY: String(count), BACKBEAT_IDLE_MS: "0" })
  const theirs = original === null ? null : makeOriginal(original)
  let pids = []
  try {
    const worker = home.start([binary, "worker", "--keep"])
    await until("a worker", async () => ((await home.json("workers")).workers.length > 0 ? true : null))
    await sleep(quick ? 2000 : 6000)
    const idle = memoryOf(worker.pid)
    report({ name: "idle worker, resident", unit: "MB", beat: [idle.rss], goal: { text: "<= 55 MB", limit: 55 } })

    for (let task = 0; task < count; task++) await home.beat("run", "-a", "shell", "exec sleep 300")
    const running = async () => {
      const { claims } = await home.json("workers")
      const shims = claims.flatMap((claim) => (claim.process === null ? [] : [claim.process.pid]))
      return shims.length === count ? shims : null
    }
    const shims = await until(`${count} running tasks`, running, 30_000)
    if (theirs !== null) pids = await detached(theirs, 3)
    await sleep(quick ? 2000 : 5000)
    const growth = (memoryOf(worker.pid).rss - idle.rss) / count
    const parts = shims.map((pid) => memoryOf(pid).rss)
    report({ name: "shim of a task, resident", unit: "MB", beat: parts })
    report({ name: "growth of the worker per running task", unit: "MB", beat: [growth], note: `of ${count}` })
    report({
      name: "per running task, without its agent",
      unit: "MB",
      beat: parts.map((rss) => rss + growth),
      original: theirs === null ? reason : pids.flatMap((pid) => memoryOf(pid)?.rss ?? []),
      goal: { text: "<= 2 MB", limit: 2 }
    })
    const { tasks: started } = await home.json("list", "--status", "running")
    await home.beat("cancel", ...started.map(({ id }) => id))
  } finally {
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGTERM")
      } catch {
        // It exited already.
      }
    }
    await home.close()
    await theirs?.close()
  }
}
