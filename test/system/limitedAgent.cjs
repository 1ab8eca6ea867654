#!/usr/bin/env node
/**
 * A pretended agent with an account: `LIMITED_REQUESTS` requests in `LIMITED_WINDOW_MS`, then it refuses as the real one does
 * until the window is over. It speaks as Claude Code, Codex or Gemini CLI, by the name that it is called by. Its work is `steps N`;
 * a resumed session continues after its last step. What it does is in `$LIMITED_HOME`: `journal` (one line for each start, request
 * and step), `account.json`, and a file for each session. With `LIMITED_SPENDS` each step is an answer of 10,000 tokens, which cost
 * 5 cents. With `LIMITED_USED` (0 to 1) each step tells the use of a window of five hours that ends in `LIMITED_ENDS_MS`.
 */
const crypto = require("node:crypto")
const fs = require("node:fs")
const path = require("node:path")

const home = process.env.LIMITED_HOME
const most = Number(process.env.LIMITED_REQUESTS)
const windowMs = Number(process.env.LIMITED_WINDOW_MS)
const vendor = path.basename(process.argv[1])
const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const resumed = vendor === "codex" ? optionOf("resume") : optionOf("--resume")
const session = resumed ?? optionOf("--session-id") ?? crypto.randomUUID()
const prompt = fs.readFileSync(0, "utf8")
const print = (event) => fs.writeSync(1, `${JSON.stringify(event)}\n`)
const say = (event) => print({ session_id: session, ...event })
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
/** Tokens of this run and of the session. */
const used = () => (spends ? { run: 10_000 * (state.done - before), all: 10_000 * state.done } : { run: 0, all: 0 })

/** What this process has used, in its last line. */
const spent = () => {
  if (!spends) return {}
  const counts = { outputTokens: 0, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 }
  const { run } = used()
  return { model_usage_since_last_result: { [model]: { inputTokens: run, costUSD: (run * 5) / 1_000_000, ...counts } } }
}

const claude = {
  begin: () => say({ type: "system", subtype: "init" }),
  step: () => {
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
  },
  refuse: (resetsAt) => {
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
  },
  end: (text) => say({ type: "result", subtype: "success", is_error: false, result: text, ...spent() })
}

/** Seconds until then: the grace of the one who waits covers what is cut off. */
const secondsTo = (resetsAt) => Math.max(1, Math.ceil(resetsAt - Date.now() / 1000))

/** It counts over its session, and says nothing of a turn that was refused. */
const codex = {
  begin: () => {
    print({ type: "thread.started", thread_id: session })
    print({ type: "turn.started" })
  },
  step: () =>
    print({
      type: "item.completed",
      item: { id: `item_${state.done}`, type: "agent_message", text: `step ${state.done}` }
    }),
  refuse: (resetsAt) => {
    const message = `You've hit your usage limit. Upgrade to Pro or try again in ${secondsTo(resetsAt)} seconds.`
    print({ type: "error", message })
    print({ type: "turn.failed", error: { message } })
  },
  end: () =>
    print({
      type: "turn.completed",
      usage: { input_tokens: used().all, cached_input_tokens: 0, cache_write_input_tokens: 0, output_tokens: 0 }
    })
}

const stats = () => {
  const counts = { input_tokens: used().run, output_tokens: 0, cached: 0 }
  return { ...counts, models: { "gemini-fake": counts } }
}
const gemini = {
  begin: () => print({ type: "init", session_id: session, model: "gemini-fake" }),
  step: () => print({ type: "message", role: "assistant", content: `step ${state.done}`, delta: true }),
  refuse: (resetsAt) => {
    const message = `[API Error: You have exhausted your capacity on this model. Your quota will reset after ${secondsTo(resetsAt)}s.]`
    fs.writeSync(2, `TerminalQuotaError: ${message}\n`)
    print({ type: "result", status: "error", error: { type: "unknown", message }, stats: stats() })
  },
  end: () => print({ type: "result", status: "success", stats: stats() })
}

const voice = { codex, gemini }[vendor] ?? claude
voice.begin()
while (state.done < steps) {
  const resetsAt = request()
  if (resetsAt !== null) {
    voice.refuse(resetsAt)
    process.exit(1)
  }
  state.done += 1
  write(file, state)
  note(`step-${state.done}`)
  voice.step()
}
voice.end(`did ${steps} steps`)
