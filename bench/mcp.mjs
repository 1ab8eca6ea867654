/** The MCP server: how soon it answers, what a call costs with many tasks, and what it costs to have around. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import Database from "better-sqlite3"
import { binary, cpuOf, makeHome, median, memoryOf, now, sleep } from "./measure.mjs"

/** A server and the answers of one client, by id. */
const connect = (home) => {
  const env = { PATH: process.env.PATH, HOME: home.directory, BACKBEAT_HOME: join(home.directory, "state") }
  const began = now()
  const child = spawn(process.execPath, [binary, "mcp", "start"], { cwd: home.directory, env, stdio: "pipe" })
  const waiting = new Map()
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop()
    for (const line of lines) {
      const message = JSON.parse(line)
      waiting.get(message.id)?.(message.result)
      waiting.delete(message.id)
    }
  })
  let last = 0
  const request = (method, params = {}) =>
    new Promise((resolve) => {
      last += 1
      waiting.set(last, resolve)
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: last, method, params })}\n`)
    })
  const initialize = () =>
    request("initialize", {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "bench", version: "1" }
    })
  const leave = () =>
    new Promise((resolve) => {
      child.once("close", resolve)
      child.stdin.end()
    })
  return { began, pid: child.pid, request, initialize, leave }
}

const starts = async (home, report, rounds) => {
  const bare = []
  const served = []
  for (let round = 0; round <= rounds; round++) {
    const node = (await home.node(["-e", "0"])).ms
    const server = connect(home)
    await server.initialize()
    await server.request("tools/list")
    const ms = now() - server.began
    // The first round makes the code cache, which is taken a moment after the start.
    if (round === 0) await sleep(2500)
    else {
      bare.push(node)
      served.push(ms)
    }
    await server.leave()
  }
  const allowed = 2.5 * median(bare) + 60
  report(
    "mcp start to tools/list",
    median(served),
    "ms",
    `node -e 0: ${median(bare).toFixed(1)} ms, so ${allowed.toFixed(0)} allowed`
  )
}

const idle = async (home, report) => {
  const server = connect(home)
  await server.initialize()
  await server.request("tools/list")
  // Some seconds after a start V8 tidies up, once.
  await sleep(15_000)
  const memory = memoryOf(server.pid)
  if (memory !== null) {
    const cpu = cpuOf(server.pid)
    const since = now()
    await sleep(10_000)
    report("idle mcp server, resident", memory.rss, "MB")
    report("idle mcp server, CPU", ((cpuOf(server.pid) - cpu) / (now() - since)) * 100, "%")
  }
  await server.leave()
}

/** Copies the one task there is, with everything that hangs on it. */
const fill = (home, count) => {
  const database = new Database(join(home.directory, "state", "backbeat.db"))
  const columns = database.pragma("table_info(tasks)").map(({ name }) => name)
  const copied = columns.filter((name) => !["id", "seq", "idempotency_key"].includes(name)).join(", ")
  database.exec(`
    -- A task starts as queued; these are over from the beginning, in a file that nobody else has open.
    DROP TRIGGER tasks_start_queued;
    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ${count})
    INSERT INTO tasks (id, ${copied}) SELECT printf('%012d', n), ${copied} FROM number, (SELECT * FROM tasks LIMIT 1);
    INSERT INTO task_inputs SELECT id, environment_id, launch, system_prompt, prompt
      FROM (SELECT * FROM task_inputs LIMIT 1), tasks WHERE id <> task_id;
  `)
  database.close()
}

const calls = async (home, report, tasks) => {
  await home.beat("run", "-a", "shell", "true")
  await home.beat("wait", "@last")
  fill(home, tasks)
  const server = connect(home)
  await server.initialize()
  const time = async (args) => {
    const times = []
    // The first thousand warm up the compiler.
    for (let round = 0; round < 2000; round++) {
      const began = now()
      await server.request("tools/call", { name: "TaskStatus", arguments: args })
      if (round >= 1000) times.push(now() - began)
    }
    return median(times)
  }
  report(`TaskStatus with ${tasks} tasks, of one`, await time({ id: "000000050000" }), "ms")
  report(`TaskStatus with ${tasks} tasks, of all`, await time({}), "ms")
  await server.leave()
}

export const mcp = async (report, { rounds, tasks }) => {
  const home = makeHome()
  try {
    await starts(home, report, rounds)
    await idle(home, report)
    await calls(home, report, tasks)
  } finally {
    await home.close()
  }
}
