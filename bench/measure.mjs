/** The tools of the benchmark: a temporary home, timed processes, and what Linux reports about a process. */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const binary = fileURLToPath(new URL("../dist/beat.cjs", import.meta.url))

/** Where the original and the large databases are kept between runs. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "backbeat-bench")

/** Milliseconds since 1970 with a fraction, on the clock that `date` and files use. */
export const now = () => performance.timeOrigin + performance.now()

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Calls until something comes that is neither null nor undefined, for at most `boundMs`. */
export const until = async (what, check, boundMs = 10_000) => {
  const end = now() + boundMs
  for (;;) {
    const value = await check()
    if (value !== null && value !== undefined) return value
    if (now() > end) throw new Error(`${what}: nothing within ${boundMs} ms`)
    await sleep(5)
  }
}

/** A directory, gone with `remove`. */
export const scratch = (parent = tmpdir()) => {
  const directory = mkdtempSync(join(parent, "beat-bench-"))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }) }
}

/** What `statfs` calls a file system in memory on Linux. */
const inMemory = 0x01021994

/**
 * A directory for `bytes` in a file system in memory where there is one with room: on a disk its write-back, which comes when it
 * likes, decides what many small files cost. `where` says which it is.
 */
export const roomyScratch = (bytes) => {
  const memory = "/dev/shm"
  try {
    const { bavail, bsize, type } = statfsSync(memory)
    if (type === inMemory && bavail * bsize >= bytes) return { ...scratch(memory), where: `in memory, ${memory}` }
  } catch {
    // Not Linux, or a container without one.
  }
  return { ...scratch(), where: `on disk, ${tmpdir()}: no file system in memory has room` }
}

/**
 * How processes are started: from `directory`, with `env` alone. What the caller's environment has for Node (certificates
 * to read, modules to load first) would cost every contestant the same time and hide the difference.
 */
export const launcher = (directory, env) => {
  const children = new Set()
  const start = (args, stdio = ["ignore", "pipe", "pipe"]) => {
    const child = spawn(process.execPath, args, { cwd: directory, env, stdio })
    children.add(child)
    child.once("close", () => children.delete(child))
    return child
  }
  /** Runs Node to its end: when it began, how long it took, and what it said. */
  const node = (args) =>
    new Promise((resolve, reject) => {
      const began = now()
      const child = start(args)
      let stdout = ""
      let stderr = ""
      let ended = 0
      child.stdout.on("data", (chunk) => {
        stdout += chunk
      })
      child.stderr.on("data", (chunk) => {
        stderr += chunk
      })
      child.once("exit", () => {
        ended = now()
      })
      child.once("close", (code) => {
        if (code === 0) resolve({ began, ms: ended - began, stdout: stdout.trim(), stderr: stderr.trim() })
        else reject(new Error(`${args.join(" ")}: exit code ${code}\n${stderr}`))
      })
    })
  const stop = () => {
    for (const child of children) child.kill("SIGTERM")
  }
  return { start, node, stop }
}

/** Backbeat with a separate database. `close` waits for its workers and removes what was made here. */
export const makeHome = (settings = {}, kept = null) => {
  const { directory, remove } = scratch()
  const state = kept ?? join(directory, "state")
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    BACKBEAT_HOME: state,
    BACKBEAT_MEMORY_RESERVE_BYTES: "0",
    ...settings
  }
  const { node, start, stop } = launcher(directory, env)
  const beat = (...words) => node([binary, ...words])
  const json = async (...words) => JSON.parse((await beat(...words, "--json")).stdout)
  /** Until no worker is left, and none comes: a shim whose worker left before it calls for another one. */
  const quiet = async () => {
    let since = now()
    const none = async () => {
      if ((await json("workers")).workers.length > 0) since = now()
      return now() - since > 700 ? true : null
    }
    await until("the workers leave", none, 15_000)
  }
  /** Ends the workers that commands have launched, whatever waits. */
  const endWorkers = async () => {
    for (const { alive, process: worker } of (await json("workers")).workers)
      if (alive) process.kill(worker.pid, "SIGTERM")
  }
  const close = async () => {
    stop()
    const gone = async () => ((await json("workers")).workers.every((worker) => !worker.alive) ? true : null)
    await until("workers leave", gone, 15_000).catch(() => {})
    remove()
  }
  return {
    directory,
    state,
    database: join(state, "backbeat.db"),
    binary,
    env,
    start,
    node,
    beat,
    json,
    quiet,
    endWorkers,
    close
  }
}

/** Millions of instructions of a whole run of Node in a home, all threads; null where there is no valgrind. */
export const instructionsOf = ({ directory, env }, args) => {
  const words = ["--tool=callgrind", "--callgrind-out-file=/dev/null", process.execPath, ...args]
  const { error, status, stderr } = spawnSync("valgrind", words, {
    cwd: directory,
    env,
    encoding: "utf8",
    timeout: 120_000
  })
  if (error?.code === "ENOENT") return null
  const counted = /Collected : (\d+)/.exec(stderr)?.[1]
  if (status !== 0 || counted === undefined) throw new Error(`valgrind ${args.join(" ")}: ${stderr}`)
  return Number(counted) / 1e6
}

/** Whether to take one more of `rounds` rounds, counted from 0: after `end` only until there are two. */
export const another = (round, rounds, end) => round < rounds && (round < 2 || now() < end)

/**
 * Runs `rounds` rounds of all cases in turn, so that a busy moment of the machine hits all of them alike. A slow machine, which reaches
 * `end` before, gets fewer rounds.
 */
export const interleaved = async (cases, rounds, warmUps, end) => {
  const samples = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
  for (let round = -warmUps; another(round, rounds, end); round++) {
    for (const [name, run] of Object.entries(cases)) {
      const value = await run()
      if (round >= 0 && value !== null) samples[name].push(value)
    }
  }
  return samples
}

const proc = (path) => {
  try {
    return readFileSync(`/proc/${path}`, "utf8")
  } catch {
    return null
  }
}

/** Resident and proportional memory in MB; null where there is no /proc. Shared pages count in part in the latter. */
export const memoryOf = (pid) => {
  const text = proc(`${pid}/smaps_rollup`)
  if (text === null) return null
  const megabytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) / 1024
  return { rss: megabytes("Rss"), pss: megabytes("Pss") }
}

/** Resident memory in MB, cheap enough to ask every few milliseconds. */
export const residentOf = (pid) => {
  const pages = proc(`${pid}/statm`)?.split(" ")[1]
  return pages === undefined ? null : (Number(pages) * 4096) / 1024 ** 2
}

/** CPU time of all threads in milliseconds; null where there is no /proc. */
export const cpuOf = (pid) => {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => Number((proc(`${pid}/task/${thread}/schedstat`) ?? "0").split(" ")[0]) / 1e6)
      .reduce((sum, ms) => sum + ms, 0)
  } catch {
    return null
  }
}

/** Share of one core in percent that a process uses within `ms`. */
export const shareOf = async (pid, ms) => {
  const before = cpuOf(pid)
  const since = now()
  await sleep(ms)
  const after = cpuOf(pid)
  return before === null || after === null ? null : ((after - before) / (now() - since)) * 100
}
