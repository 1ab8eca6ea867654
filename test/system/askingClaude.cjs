#!/usr/bin/env node
/**
 * A pretended Claude Code that asks a person and ends its turn as it is told to, or works until it is ended. `$ASKING_HOME`:
 * `journal`, one JSON line for each turn with its session and its prompt, and a file for each session. `$ASKING_BEAT`: the
 * command line of `beat`.
 */
const { spawnSync } = require("node:child_process")
const fs = require("node:fs")
const path = require("node:path")

const home = process.env.ASKING_HOME
const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const resumed = optionOf("--resume")
const session = resumed ?? optionOf("--session-id") ?? "none"
const prompt = fs.readFileSync(0, "utf8")
const say = (event) => fs.writeSync(1, `${JSON.stringify({ session_id: session, ...event })}\n`)
const end = (result) => say({ type: "result", subtype: "success", is_error: false, result })

fs.appendFileSync(
  path.join(home, "journal"),
  `${JSON.stringify({ resumed: resumed !== undefined, session, prompt })}\n`
)
const file = path.join(home, `session-${session}`)
if (resumed !== undefined && !fs.existsSync(file)) {
  say({
    type: "result",
    subtype: "error_during_execution",
    is_error: true,
    result: `No conversation found: ${session}`
  })
  process.exit(1)
}
fs.writeFileSync(file, "")
say({ type: "system", subtype: "init" })
say({ type: "assistant", message: { model: "claude-fake", content: [{ type: "text", text: "I begin" }] } })
const asks = /^asks (\S+)/.exec(prompt)
if (resumed === undefined && asks !== null) {
  const beat = JSON.parse(process.env.ASKING_BEAT)
  const asked = spawnSync(
    beat[0],
    [...beat.slice(1), "ask", "Which database?", "-o", "sqlite", "-o", "postgres", "--wait", asks[1]],
    { encoding: "utf8" }
  )
  end(asked.status === 75 ? "I asked, and end my turn." : `heard in the turn: ${asked.stdout}`)
} else if (resumed === undefined && prompt.startsWith("works")) {
  setInterval(() => undefined, 1000)
} else end(`heard: ${prompt}`)
