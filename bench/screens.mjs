/** `beat top` in a terminal and `beat web` with a client, as the benchmark opens them. */
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { get } from "node:http"
import { binary, cpuOf, now, until } from "./measure.mjs"

/** Narrow enough for one column, so that titles are not cut. */
export const [columns, rows] = [80, 60]

const commandOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
  } catch {
    return []
  }
}

/** `beat top` in a separate terminal: every byte that it writes, with the time. */
export const openTop = async (home) => {
  const command = `stty rows ${rows} cols ${columns}; exec "${process.execPath}" "${binary}" top`
  const child = spawn("script", ["-qfc", command, "/dev/null"], {
    cwd: home.directory,
    env: { ...home.env, TERM: "xterm-256color" },
    stdio: ["pipe", "pipe", "ignore"]
  })
  const seen = { bytes: 0, listeners: new Set() }
  child.stdout.setEncoding("utf8").on("data", (text) => {
    seen.bytes += Buffer.byteLength(text)
    for (const listener of seen.listeners) listener(text, now())
  })
  await until("the first frame", () => (seen.bytes > 500 ? true : null))
  // `script` calls a shell, which becomes the program.
  const pid = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((one) => {
      const words = commandOf(one)
      return words.at(-1) === "" && words.at(-2) === "top" && words.includes(binary) && isBelow(one, child.pid)
    })
  return { ...seen, seen, pid, startCpu: cpuOf(pid), close: () => child.stdin.end("q") }
}

const isBelow = (pid, above) => {
  for (let at = pid; at > 1; ) {
    if (at === above) return true
    const status = (() => {
      try {
        return readFileSync(`/proc/${at}/status`, "utf8")
      } catch {
        return ""
      }
    })()
    at = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0)
  }
  return false
}

/** `beat web` with one client that follows the events. */
export const openWeb = async (home) => {
  const child = home.start([binary, "web", "--port", "0"])
  let said = ""
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text
  })
  const url = new URL(await until("the address", () => (said.includes("\n") ? said.trim() : null)))
  const startCpu = cpuOf(child.pid)
  const listeners = new Set()
  const headers = { authorization: `Bearer ${url.hash.slice("#t=".length)}` }
  const request = get(`${url.origin}/api/v1/events`, { headers }, (response) => {
    response.setEncoding("utf8").on("data", (text) => {
      const at = now()
      for (const [, data] of text.matchAll(/^data: (.*)$/gm)) for (const listener of listeners) listener(data, at)
    })
  })
  request.on("error", () => {})
  return { pid: child.pid, startCpu, listeners, close: () => request.destroy() }
}
