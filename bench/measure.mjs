/** The tools of the benchmark: a home of its own, timed processes, medians, and what Linux tells of a process. */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const binary = fileURLToPath(new URL("../dist/beat.cjs", import.meta.url))

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

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** A directory with a database of its own. `close` waits for its runtimes and removes it. */
export const makeHome = (settings = {}) => {
  const directory = mkdtempSync(join(tmpdir(), "beat-bench-"))
  const env = {
    PATH: process.env.PATH,
    HOME: directory,
    BACKBEAT_HOME: join(directory, "state"),
    BACKBEAT_MEMORY_RESERVE_BYTES: "0",
    ...settings
  }
  const children = new Set()

  const start = (args) => {
    const child = spawn(process.execPath, args, { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] })
    children.add(child)
    child.once("close", () => children.delete(child))
    return child
  }
  /** Runs Node to its end: how long it took, and what it said. */
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
        if (code === 0) resolve({ began, ms: ended - began, stdout: stdout.trim() })
        else reject(new Error(`${args.join(" ")}: exit code ${code}\n${stderr}`))
      })
    })
  const beat = (...words) => node([binary, ...words])
  const json = async (...words) => JSON.parse((await beat(...words, "--json")).stdout)

  const close = async () => {
    for (const child of children) child.kill("SIGTERM")
    const gone = async () => ((await json("workers")).runtimes.every((runtime) => !runtime.alive) ? true : null)
    await until("runtimes leave", gone, 15_000).catch(() => {})
    rmSync(directory, { recursive: true, force: true })
  }
  return { directory, start, node, beat, json, close }
}

const proc = (pid, file) => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8")
  } catch {
    return null
  }
}

/** Resident and proportional memory in MB; null where there is no /proc. Shared pages count in part in the latter. */
export const memoryOf = (pid) => {
  const text = proc(pid, "smaps_rollup")
  if (text === null) return null
  const megabytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) / 1024
  return { rss: megabytes("Rss"), pss: megabytes("Pss") }
}

/** CPU time in milliseconds, in steps of 10; null where there is no /proc. */
export const cpuOf = (pid) => {
  const text = proc(pid, "stat")
  if (text === null) return null
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}
