#!/usr/bin/env node
/**
 * A pretended Claude Code that takes messages while it runs, as the real one does with `--input-format stream-json`: it queues
 * what comes, puts it into the turn that runs, confirms each message by its id, obeys an interrupt, and leaves at the end of
 * its input once its turn is over. Words of a message decide what its turn does:
 *
 *   until NAME     the turn lasts until there is a file NAME in $STEERED_HOME; messages are taken meanwhile
 *   deaf NAME      the same, but nothing is taken before
 *   asks TEXT      a question of the tool AskUserQuestion with the options one and two
 *   uses COMMAND   a request to use Bash, up to the end of the message; with --dangerously-skip-permissions it is used unasked
 *   mute           the messages that follow are read and never confirmed
 *
 * `$STEERED_HOME/journal` has a line for each message that reached the model: id, how (turn or folded), and the text.
 */
const fs = require("node:fs")
const path = require("node:path")

const home = process.env.STEERED_HOME
const args = process.argv.slice(2)
const optionOf = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const session = optionOf("--resume") ?? optionOf("--session-id") ?? "none"
const open = args.includes("--input-format")
const say = (event) => fs.writeSync(1, `${JSON.stringify({ ...event, session_id: session })}\n`)
const note = (...words) => fs.appendFileSync(path.join(home, "journal"), `${JSON.stringify([session, ...words])}\n`)
const exists = (name) => fs.existsSync(path.join(home, name))
const rest = (ms) => new Promise((resume) => setTimeout(resume, ms))

const queue = []
let ended = false
let interrupted = false
let mute = false
const waiting = new Map()
let wake = () => {}

const lifecycle = (id, state) => {
  if (!mute) say({ type: "command_lifecycle", command_uuid: id, state })
}
const replay = ({ message, uuid }) => {
  if (!mute) say({ type: "user", message, parent_tool_use_id: null, uuid, isReplay: true })
}

/** Waits for the answer of a request, as long as its input is open. */
const request = (tool, input) =>
  new Promise((resume) => {
    const id = require("node:crypto").randomUUID()
    waiting.set(id, resume)
    const suggestions = [
      { type: "addRules", rules: [{ toolName: tool }], behavior: "allow", destination: "localSettings" },
      { type: "setMode", mode: "acceptEdits", destination: "session" }
    ]
    const body = { subtype: "can_use_tool", tool_name: tool, input, permission_suggestions: suggestions }
    say({ type: "control_request", request_id: id, request: body })
  })

const receive = (line) => {
  const event = JSON.parse(line)
  if (event.type === "control_response") {
    const { request_id: id, response } = event.response
    // The real one prints what it was told.
    say(event)
    note(id, "answered", JSON.stringify(response))
    waiting.get(id)?.(response)
    waiting.delete(id)
    return
  }
  if (event.type === "control_request") {
    interrupted = true
    say({
      type: "control_response",
      response: { subtype: "success", request_id: event.request_id, response: { still_queued: [] } }
    })
  } else {
    lifecycle(event.uuid, "queued")
    queue.push(event)
  }
  wake()
}

if (open) {
  let text = ""
  process.stdin.setEncoding("utf8")
  process.stdin.on("data", (chunk) => {
    const lines = `${text}${chunk}`.split("\n")
    text = lines.pop()
    lines.filter((line) => line !== "").forEach(receive)
  })
  process.stdin.on("end", () => {
    if (waiting.size > 0) process.exit(1)
    ended = true
    wake()
  })
} else {
  queue.push({ uuid: "prompt", message: { role: "user", content: fs.readFileSync(0, "utf8") } })
  ended = true
}

const turn = async (first) => {
  interrupted = false
  const said = [first.message.content]
  lifecycle(first.uuid, "started")
  replay(first)
  note(first.uuid, "turn", first.message.content)
  say({ type: "system", subtype: "init" })
  say({ type: "assistant", message: { model: "claude-fake", content: [{ type: "text", text: "working" }] } })
  const [, word, name] = /\b(until|deaf) (\S+)/.exec(first.message.content) ?? []
  const asks = /^asks (.*)$/m.exec(first.message.content)?.[1]
  if (asks !== undefined && args.includes("--permission-prompt-tool")) {
    const question = { question: asks, header: "Q", multiSelect: false, options: [{ label: "one" }, { label: "two" }] }
    const told = await request("AskUserQuestion", { questions: [question] })
    said.push(told.behavior === "allow" ? `told ${told.updatedInput.answers[asks]}` : `refused ${told.message}`)
  }
  for (const [, command] of first.message.content.matchAll(/^uses (.*)$/gm)) {
    const free = args.includes("--dangerously-skip-permissions")
    const told = free ? { behavior: "allow" } : await request("Bash", { command })
    const more = told.updatedPermissions === undefined ? "" : ` ${JSON.stringify(told.updatedPermissions)}`
    said.push(told.behavior === "allow" ? `used ${command}${more}` : `refused ${command}: ${told.message}`)
  }
  if (/\bmute\b/.test(first.message.content)) mute = true
  while (name !== undefined && !exists(name) && !interrupted) {
    while (word === "until" && queue.length > 0 && !mute) {
      const message = queue.shift()
      replay(message)
      lifecycle(message.uuid, "started")
      note(message.uuid, "folded", message.message.content)
      said.push(message.message.content)
      lifecycle(message.uuid, "completed")
    }
    await rest(10)
  }
  if (interrupted) {
    say({ type: "result", subtype: "error_during_execution", is_error: true, terminal_reason: "aborted_tools" })
  } else {
    say({ type: "result", subtype: "success", is_error: false, result: `heard: ${said.join(" | ")}` })
  }
  lifecycle(first.uuid, interrupted ? "cancelled" : "completed")
}

const main = async () => {
  while (true) {
    if (queue.length > 0 && !mute) {
      await turn(queue.shift())
      continue
    }
    if (ended) return
    await new Promise((resume) => {
      wake = resume
    })
  }
}

main()
