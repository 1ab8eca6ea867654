#!/usr/bin/env node
/**
 * A pretended Claude Code with an account: `LIMITED_REQUESTS` requests in `LIMITED_WINDOW_MS`, then it refuses as the real one
 * does until the window is over. Its work is `steps N`; a resumed session continues after its last step. What it does is in
 * `$LIMITED_HOME`: `journal` (one line for each start, request and step), `account.json`, and a file for each session. With
 * `LIMITED_SPENDS` each step is an answer of 10,000 tokens, which cost 5 cents. With `LIMITED_USED` (0 to 1) each step tells the use
 * of a window of five hours that ends in `LIMITED_ENDS_MS`.
 */
const fs = require("node:fs")
const path = require("node:path")

const home = process.env.LIMITED_HOME
const most = Number(process.env.LIMITED_REQUESTS)
const windowMs = Number(process.env.LIMITED_WINDOW_MS)
const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const resumed = optionOf("--resume")
const session = resumed ?? optionOf("--session-id") ?? "none"
const prompt = fs.readFileSync(0, "utf8")
const say = (event) => fs.writeSync(1, `${JSON.stringify({ session_id: session, ...event })}\n`)
const note = (...words) =>
  fs.appendFileSync(path.join(home, "journal"), `${[Date.now(), session, ...words].join(" ")}\n`)

/** One process at a time. */
const exclusively = (work) => {
  const lock = path.join(home, "lock")
  while (true) {
    try {
      fs.mkdirSync(lock)
      break
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
  try {
    return work()
  } finally {
    fs.rmdirSync(lock)
  }
}

const read = (file, otherwise) => {
  try {
    return JSON.parse(fs.readFileSync(path.join(home, file), "utf8"))
  } catch {
    return otherwise
  }
}
const write = (file, value) => fs.writeFileSync(path.join(home, file), JSON.stringify(value))

/** Null: served. Otherwise when the window ends, in seconds. */
const request = () =>
  exclusively(() => {
    const now = Date.now()
    const before = read("account.json", { since: now, used: 0 })
    const account = now >= before.since + windowMs ? { since: now, used: 0 } : before
    const refused = account.used >= most
    write("account.json", refused ? account : { ...account, used: account.used + 1 })
    note(refused ? "refused" : "served")
    return refused ? Math.ceil((account.since + windowMs) / 1000) : null
  })

const file = `session-${session}.json`
const known = read(file, resumed === undefined ? { prompt, done: 0, turns: 0 } : null)
note(resumed === undefined ? "new" : "resumed", JSON.stringify(prompt.slice(0, 40)))
if (known === null) {
  say({
    type: "result",
    subtype: "error_during_execution",
    is_error: true,
    result: `No conversation found: ${session}`
  })
  process.exit(1)
}
const state = { ...known, turns: known.turns + 1 }
write(file, state)
const steps = Number(/steps (\d+)/.exec(state.prompt)?.[1] ?? 1)
const spends = process.env.LIMITED_SPENDS !== undefined
const model = spends ? "claude-opus-4-5" : "claude-fake"
const before = state.done
/** What this process has used, in its last line. */
const spent = () => {
  if (!spends) return {}
  const steps = state.done - before
  const counts = { outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0, costUSD: 0.05 * steps }
  return { model_usage_since_last_result: { [model]: { inputTokens: 10_000 * steps, ...counts } } }
}
say({ type: "system", subtype: "init" })
while (state.done < steps) {
  const resetsAt = request()
  if (resetsAt !== null) {
    const info = { status: "rejected", resetsAt, rateLimitType: "five_hour", isUsingOverage: false }
    say({ type: "rate_limit_event", rate_limit_info: info })
    say({
      type: "result",
      subtype: "success",
      is_error: true,
      api_error_status: 429,
      api_error_type: "rate_limit_error",
      api_error: "usage_limit_reached",
      result: "You've hit your 5-hour limit",
      ...spent()
    })
    process.exit(1)
  }
  state.done += 1
  write(file, state)
  note(`step-${state.done}`)
  const usage = { input_tokens: 10_000, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
  say({
    type: "assistant",
    message: {
      model,
      content: [{ type: "text", text: `step ${state.done}` }],
      ...(spends ? { id: `${session}-${state.done}`, usage } : {})
    }
  })
  if (process.env.LIMITED_USED !== undefined) {
    const resetsAt = Math.ceil((Date.now() + Number(process.env.LIMITED_ENDS_MS)) / 1000)
    const five_hour = { utilization: Number(process.env.LIMITED_USED), resetsAt, status: "allowed" }
    say({ type: "rate_limit_event", rate_limit_info: { status: "allowed", unifiedWindows: { five_hour } } })
  }
  if (process.env.LIMITED_OVERAGE !== undefined) {
    const resetsAt = Math.ceil(Date.now() / 1000) + 3600
    const info = { status: "rejected", resetsAt, rateLimitType: "five_hour", isUsingOverage: true }
    say({ type: "rate_limit_event", rate_limit_info: info })
    // The next answer takes a while: the task is ended before it costs money.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
  }
}
say({ type: "result", subtype: "success", is_error: false, result: `did ${steps} steps`, ...spent() })
