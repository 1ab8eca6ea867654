#!/usr/bin/env node
/** Plays Claude Code for the pictures: says what it does, changes a file and takes its time. `PICTURES_MS` is one step. */
const { execSync } = require("node:child_process")
const fs = require("node:fs")

const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const session = optionOf("--resume") ?? optionOf("--session-id") ?? "00000000-0000-4000-8000-000000000000"
const prompt = fs.readFileSync(0, "utf8")
const model = "claude-sonnet-4-5"

const say = (event) => fs.writeSync(1, `${JSON.stringify({ session_id: session, ...event })}\n`)
const block = (content) =>
  say({ type: "assistant", message: { id: `msg_${Math.random()}`, model, role: "assistant", content: [content] } })
const text = (words) => block({ type: "text", text: words })
const call = (name, input) => block({ type: "tool_use", id: "toolu_1", name, input })
const replace = (file, from, to) => {
  if (fs.existsSync(file)) fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(from, to))
}

const works = [
  {
    about: /test/,
    steps: [
      () => call("Bash", { command: "npm test -- search" }),
      () => text("One test fails: `find` returns nothing when the query has a trailing space."),
      () => call("Read", { file_path: "src/search.js" }),
      () => {
        call("Edit", { file_path: "src/search.js" })
        replace("src/search.js", "query.toLowerCase()", "query.trim().toLowerCase()")
      },
      () => call("Bash", { command: "npm test -- search" })
    ],
    answer: "`find` trims the query now. All 14 tests pass."
  },
  {
    about: /./,
    steps: [
      () => call("Grep", { pattern: "price", path: "src" }),
      () => call("Read", { file_path: "src/cart.js" }),
      () => text("Prices are added as floating point numbers. I will count in cents, and format them at the end."),
      () => call("Edit", { file_path: "src/cart.js" }),
      () => call("Bash", { command: "npm test -- cart" }),
      () => call("Edit", { file_path: "test/cart.test.js" }),
      () => call("Bash", { command: "npm test" })
    ],
    answer: "The cart counts in cents."
  }
]

const { answer, steps } = works.find(({ about }) => about.test(prompt))
const cost = { inputTokens: 21_400, outputTokens: 1_900, cacheReadInputTokens: 88_000, cacheCreationInputTokens: 0 }

say({ type: "system", subtype: "init", model })
const next = (at) => {
  const step = steps[at]
  if (step !== undefined) {
    step()
    return setTimeout(next, Number(process.env.PICTURES_MS ?? 1000), at + 1)
  }
  try {
    execSync("git add -A && git -c user.name=Claude -c user.email=claude@example.com commit -qm 'Trim the query'", {
      stdio: "ignore"
    })
  } catch {
    // Nothing was changed.
  }
  say({
    type: "result",
    subtype: "success",
    is_error: false,
    result: answer,
    total_cost_usd: 0.31,
    modelUsage: { [model]: { ...cost, costUSD: 0.31 } }
  })
}
next(0)
