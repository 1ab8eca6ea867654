/** The MCP server as a model and a machine see it: what the list costs, how long a state is, and many servers at a time. */
import { connect } from "../mcpClient.mjs"
import { binary, makeHome, now } from "../measure.mjs"

const start = [binary, "mcp", "start"]

/** Four characters count as one token. */
const tokens = (text) => text.length / 4

const list = async (home, more = []) => {
  const server = connect(home, [...start, ...more])
  await server.initialize()
  const answer = await server.request("tools/list")
  const shown = answer.tools.map(({ description, inputSchema, name }) => ({ name, description, inputSchema }))
  await server.leave()
  return {
    tools: answer.tools.length,
    tokens: tokens(JSON.stringify(shown)),
    bytes: Buffer.byteLength(JSON.stringify(answer))
  }
}

/** Characters of one task in the answer of DelegateTask. */
const stateOf = async (server) => {
  const given = { agent: "shell", prompt: "true", notBefore: "2999-01-01T00:00:00Z" }
  const { structuredContent } = await server.request("tools/call", { name: "DelegateTask", arguments: given })
  const [task] = structuredContent.tasks
  // A task that waits would keep a worker after the last server has left.
  await server.request("tools/call", { name: "CancelTask", arguments: { ids: [task.id] } })
  return JSON.stringify(task).length
}

/** Servers on one database: each hands over one task, all wait for it. */
const many = async (home, count) => {
  const began = now()
  const servers = Array.from({ length: count }, () => connect(home, start))
  await Promise.all(servers.map((server) => server.initialize()))
  const ready = now() - began
  let errors = 0
  const ids = await Promise.all(
    servers.map(async (server) => {
      const given = { agent: "shell", prompt: "true" }
      const answer = await server.request("tools/call", { name: "DelegateTask", arguments: given })
      if (answer.isError !== undefined || answer.structuredContent === undefined) errors += 1
      return answer.structuredContent?.tasks[0].id
    })
  )
  const pending = new Set(ids.filter((id) => id !== undefined))
  const end = now() + 300_000
  while (pending.size > 0 && now() < end) {
    const given = { ids: [...pending], mode: "all" }
    const answer = await servers[0].request("tools/call", { name: "WaitTasks", arguments: given })
    for (const { id, status } of answer.structuredContent?.tasks ?? []) {
      if (status !== "completed") errors += 1
      pending.delete(id)
    }
  }
  errors += pending.size
  const done = now() - began
  await Promise.all(servers.map((server) => server.leave()))
  return { ready, errors, done }
}

export const model = async ({ quick, report }) => {
  const home = makeHome()
  const servers = quick ? 10 : 50
  try {
    for (const [label, more] of [
      ["listed", []],
      ["with --tools all", ["--tools", "all"]]
    ]) {
      const { bytes, tokens: cost, tools } = await list(home, more)
      const core = label === "listed"
      report({
        name: `tools ${label}`,
        unit: "",
        beat: [tools],
        ...(core && { goal: { text: "<= 12", limit: 12 } })
      })
      report({
        name: `tokens of the tools ${label}`,
        unit: "tokens",
        beat: [cost],
        ...(core && { goal: { text: "<= 2500", limit: 2500 } })
      })
      report({
        name: `tools/list ${label}`,
        unit: "bytes",
        beat: [bytes],
        ...(core && { goal: { text: "<= 25000", limit: 25_000 } })
      })
    }
    const server = connect(home, start)
    await server.initialize()
    report({
      name: "a queued task in an answer",
      unit: "chars",
      beat: [await stateOf(server)],
      goal: { text: "<= 150", limit: 150 }
    })
    await server.leave()
    const { done, errors, ready } = await many(home, servers)
    report({ name: `${servers} servers on one database: all initialized`, unit: "s", beat: [ready / 1000] })
    report({ name: `${servers} servers: a task of each has ended`, unit: "s", beat: [done / 1000] })
    report({
      name: `${servers} servers: errors and lost tasks`,
      unit: "",
      beat: [errors],
      goal: { text: "none", limit: 0 }
    })
  } finally {
    await home.close()
  }
}
