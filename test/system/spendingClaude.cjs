#!/usr/bin/env node
/**
 * A pretended Claude Code that costs money: its work is `answers N`, of which each costs 20 cents and takes `SPENDING_MS`.
 * A resumed session continues after its last answer. `$SPENDING_HOME/journal` has one line for each answer.
 */
const fs = require("node:fs")
const path = require("node:path")

const home = process.env.SPENDING_HOME
const pauseMs = Number(process.env.SPENDING_MS)
const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const resumed = optionOf("--resume")
const session = resumed ?? optionOf("--session-id") ?? "none"
const prompt = fs.readFileSync(0, "utf8")
const say = (event) => fs.writeSync(1, `${JSON.stringify({ session_id: session, ...event })}\n`)
const file = path.join(home, session)
const before =
  resumed === undefined
    ? { done: 0, all: Number(/answers (\d+)/.exec(prompt)?.[1] ?? 1) }
    : JSON.parse(fs.readFileSync(file, "utf8"))
const model = "claude-opus-4-5"
const usage = { input_tokens: 40_000, output_tokens: 0, cache_read_input_tokens: 500, cache_creation_input_tokens: 0 }

say({ type: "system", subtype: "init" })
let { done } = before
let now = 0
const work = () => {
  if (done === before.all) {
    const counts = {
      inputTokens: 40_000 * now,
      outputTokens: 0,
      cacheReadInputTokens: 0,
      cacheCreationInputTokens: 0,
      costUSD: 0.2 * now
    }
    say({
      type: "result",
      subtype: "success",
      is_error: false,
      result: "done",
      model_usage_since_last_result: { [model]: counts }
    })
    return
  }
  done += 1
  now += 1
  fs.writeFileSync(file, JSON.stringify({ ...before, done }))
  fs.appendFileSync(path.join(home, "journal"), `${session} ${done}\n`)
  // Each block of an answer has a line with the same counts.
  for (const text of ["thinking", "text"]) {
    say({
      type: "assistant",
      message: { id: `${session}-${done}`, model, role: "assistant", usage, content: [{ type: "text", text }] }
    })
  }
  setTimeout(work, pauseMs)
}
work()
