#!/usr/bin/env node
/**
 * A pretended Claude Code that follows a script and speaks MCP to our server. `$LEAD_HOME/turns.json` has the steps of each
 * turn of a session: `{"tool": "DelegateTask", "args": {...}}`, `{"sh": "..."}`, `{"say": "..."}`. In arguments "$ids" is
 * the list of all delegated ids, those of pipelines among them, "$0" the first of them. `$LEAD_HOME/journal` gets a line for each request to the model: one
 * at the start of a turn and one after each step. `$LEAD_HOME/waiting` is there once a WakeMe was accepted.
 */
const fs = require("node:fs")
const path = require("node:path")
const { execFileSync, spawn } = require("node:child_process")

const home = process.env.LEAD_HOME
const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const resumed = optionOf("--resume")
const session = resumed ?? optionOf("--session-id") ?? "none"
const prompt = fs.readFileSync(0, "utf8")
const say = (event) => fs.writeSync(1, `${JSON.stringify({ session_id: session, ...event })}\n`)
const note = (what, more = {}) =>
  fs.appendFileSync(path.join(home, "journal"), `${JSON.stringify({ at: Date.now(), session, what, ...more })}\n`)

const file = path.join(home, `session-${session}.json`)
const state = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : { turn: 0, ids: [] }
const end = (result, isError = false) => {
  say({ type: "result", subtype: "success", is_error: isError, result, total_cost_usd: 0.01 })
  process.exit(isError ? 1 : 0)
}
if (resumed !== undefined && !fs.existsSync(file)) end(`No conversation found: ${session}`, true)
const turns = JSON.parse(fs.readFileSync(path.join(home, "turns.json"), "utf8"))
const steps = turns[state.turn] ?? [{ say: "done" }]
note("turn", { turn: state.turn, prompt, wake: process.env.BACKBEAT_WAKE })
say({ type: "system", subtype: "init" })

const filled = (value) => {
  if (value === "$ids") return state.ids
  if (typeof value === "string") return value.replace(/^\$(\d)$/, (_, at) => state.ids[Number(at)])
  if (Array.isArray(value)) return value.map(filled)
  if (value === null || typeof value !== "object") return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one)]))
}

const start = () => {
  const child = spawn(process.execPath, [process.env.LEAD_BEAT, "mcp", "start"], { stdio: ["pipe", "pipe", "inherit"] })
  const waiting = new Map()
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()
    for (const message of lines.map((line) => JSON.parse(line))) waiting.get(message.id)?.(message)
  })
  let next = 1
  const send = (method, params) =>
    new Promise((resolve) => {
      const id = next++
      waiting.set(id, resolve)
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`)
    })
  return { child, send }
}

const main = async () => {
  const needed = steps.some(({ tool }) => tool !== undefined)
  const server = needed ? start() : null
  if (server !== null) {
    const clientInfo = { name: "lead", version: "1" }
    await server.send("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo })
    server.child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`)
  }
  let last = "done"
  for (const step of steps) {
    note("request")
    say({ type: "assistant", message: { model: "claude-fake", content: [{ type: "text", text: "working" }] } })
    if (step.say !== undefined) last = step.say
    if (step.sh !== undefined) {
      try {
        note("sh", { output: execFileSync("/bin/sh", ["-c", step.sh], { encoding: "utf8" }) })
      } catch (error) {
        note("sh", { failed: String(error) })
      }
    }
    if (step.tool === undefined) continue
    const { result } = await server.send("tools/call", { name: step.tool, arguments: filled(step.args ?? {}) })
    note("tool", { tool: step.tool, isError: result.isError === true, text: result.content[0]?.text ?? "" })
    if (step.tool === "WakeMe" && result.isError !== true) fs.writeFileSync(path.join(home, "waiting"), "")
    if (step.tool === "DelegateTask" && result.isError !== true) {
      state.ids.push(...result.structuredContent.tasks.map(({ id }) => id))
    }
    if (step.tool === "CreatePipeline" && result.isError !== true) state.ids.push(result.structuredContent.id)
  }
  state.turn += 1
  fs.writeFileSync(file, JSON.stringify(state))
  if (server !== null) {
    server.child.stdin.end()
    await new Promise((resolve) => server.child.once("close", resolve))
  }
  end(last)
}

main().catch((error) => end(String(error), true))
