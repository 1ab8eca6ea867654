/** One client of an MCP server: requests by number over its pipes. */
import { now } from "./measure.mjs"

export const connect = (home, args) => {
  const began = now()
  const child = home.start(args, "pipe")
  const waiting = new Map()
  let rest = ""
  // What a server logs is not read, but must not fill its pipe.
  child.stderr.resume()
  child.stdin.on("error", () => {})
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()
    for (const line of lines) {
      if (!line.startsWith("{")) continue
      const message = JSON.parse(line)
      waiting.get(message.id)?.resolve(message.result ?? message.error)
      waiting.delete(message.id)
    }
  })
  let last = 0
  const write = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  const request = (method, params = {}) =>
    new Promise((resolve, reject) => {
      last += 1
      waiting.set(last, { resolve, reject })
      write({ id: last, method, params })
    })
  const initialize = async () => {
    const clientInfo = { name: "bench", version: "1" }
    const answer = await request("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo })
    write({ method: "notifications/initialized" })
    return answer
  }
  const closed = new Promise((resolve) => child.once("close", resolve))
  // Without this a group would wait forever for a server that has died.
  child.once("close", () => {
    for (const { reject } of waiting.values())
      reject(new Error(`the server ended before its answer: ${args.join(" ")}`))
  })
  const leave = () => {
    child.stdin.end()
    return closed
  }
  /** For a server that does not notice that its client has left. */
  const kill = () => {
    child.stdin.end()
    child.kill("SIGTERM")
    return closed
  }
  return { began, pid: child.pid, request, initialize, leave, kill }
}
