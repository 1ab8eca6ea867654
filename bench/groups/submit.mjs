/** From the wish to the running agent: until the prompt is back, and until the agent has written its first word. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { connect } from "../mcpClient.mjs"
import { another, binary, interleaved, makeHome, now, sleep, until } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"

/** When the agent wrote its first word: `date` in nanoseconds, or the file's time where `date` cannot. */
const firstWord = (file) => () => {
  if (!existsSync(file)) return null
  const text = readFileSync(file, "utf8").trim()
  if (text === "") return null
  return /^\d{19}$/.test(text) ? Number(BigInt(text) / 1000n) / 1000 : statSync(file).mtimeMs
}

/** The agents of the original start late or not at all on a busy machine; a round without a start gives no figure. */
const patienceMs = 12_000

/** Nothing starts meanwhile: only handing over is timed. */
const later = ["-a", "shell", "--not-before", "1d"]

/** Milliseconds that one shell takes to hand over so many tasks one by one. */
const loop = async (home, count) => {
  const words = [process.execPath, binary, "run", ...later, "true"].join(" ")
  const began = now()
  const shell = spawn("sh", ["-c", `for i in $(seq ${count}); do ${words} || exit; done`], {
    cwd: home.directory,
    env: home.env,
    stdio: "ignore"
  })
  const [code] = await once(shell, "close")
  if (code !== 0) throw new Error(`the loop ended with ${code}`)
  return now() - began
}

/** Milliseconds that a file of so many prompts takes. */
const batch = async (home, count) => {
  const file = join(home.directory, "batch.txt")
  writeFileSync(file, Array.from({ length: count }, (_, line) => `echo ${line}\n`).join(""))
  return (await home.beat("run", ...later, "--batch", file)).ms
}

export const submit = async ({ ends, original, quick, report, reason }) => {
  const rounds = quick ? 3 : 6
  const end = ends()
  const live = makeHome({ BACKBEAT_IDLE_MS: "60000" })
  const cold = makeHome({ BACKBEAT_IDLE_MS: "0" })
  const served = makeHome()
  const theirs = original === null ? null : makeOriginal(original)
  const samples = { live: [], cold: [], tool: [], original: [], originalTool: [] }
  let number = 0

  /** One agent that says when it began; the way there tells what there is to tell. */
  const begun = async (directory, submitted) => {
    const file = join(directory, `first-${number++}`)
    const began = now()
    await submitted(`date +%s%N > '${file}'`)
    const at = await until("the agent's first word", firstWord(file), patienceMs).catch(() => null)
    return at === null ? null : at - began
  }
  const note = (list, value) => {
    if (value !== null) list.push(value)
  }

  const server = connect(served, [binary, "mcp", "start"])
  try {
    live.start([binary, "worker", "--keep"])
    await until("a worker", async () => ((await live.json("workers")).workers.length > 0 ? true : null))
    await server.initialize()
    const cases = {
      live: async () => {
        let prompt = null
        note(
          samples.live,
          await begun(live.directory, async (script) => {
            prompt = (await live.beat("run", "-a", "shell", script)).ms
          })
        )
        await live.beat("wait", "@last")
        return prompt
      },
      cold: async () => {
        let prompt = null
        note(
          samples.cold,
          await begun(cold.directory, async (script) => {
            prompt = (await cold.beat("run", "-a", "shell", script)).ms
          })
        )
        const left = async () => ((await cold.json("workers")).workers.some(({ alive }) => alive) ? null : true)
        await until("the worker leaves", left)
        return prompt
      },
      tool: async () => {
        const call = (prompt) =>
          server.request("tools/call", { name: "DelegateTask", arguments: { prompt, agent: "shell" } })
        note(samples.tool, await begun(served.directory, call))
        // Until it has ended: two agents at the same time would share the cores.
        await sleep(150)
        return null
      },
      ...(theirs !== null && {
        original: async () => {
          let prompt = null
          note(
            samples.original,
            await begun(theirs.directory, async (script) => {
              prompt = (await theirs.beat("run", "-a", "claude", script)).ms
            })
          )
          await sleep(300)
          return prompt
        },
        // It waits ten seconds between two starts of one server, so every round has its own server.
        originalTool: async () => {
          const fresh = connect(theirs, [original, "mcp", "start"])
          await fresh.initialize()
          await sleep(300)
          const call = (prompt) =>
            fresh.request("tools/call", { name: "DelegateTask", arguments: { prompt, agent: "claude" } })
          note(samples.originalTool, await begun(theirs.directory, call))
          await fresh.kill()
          return null
        }
      })
    }
    const prompts = await interleaved(cases, rounds, 1, end)
    // The first round makes the code caches.
    const warm = (list) => list.slice(1)
    const against = theirs === null ? reason : prompts.original
    const prompt = { unit: "ms", original: against, goal: { text: "<= 0.15x original", limit: 0.15, of: "original" } }
    report({ ...prompt, name: "run until the prompt is back, live worker", beat: prompts.live })
    report({ ...prompt, name: "run until the prompt is back, cold start", beat: prompts.cold })
    const running = theirs === null ? reason : warm(samples.original)
    const tool = theirs === null ? reason : warm(samples.originalTool)
    report({
      name: "to the running agent: inside a live worker",
      unit: "ms",
      beat: warm(samples.tool),
      original: tool,
      goal: { text: "<= 100 ms", limit: 100 },
      note: "DelegateTask of an MCP server"
    })
    report({
      name: "to the running agent: cold start",
      unit: "ms",
      beat: warm(samples.cold),
      original: running,
      goal: { text: "<= 250 ms", limit: 250 },
      note: "beat run"
    })
    report({
      name: "to the running agent: worker elsewhere",
      unit: "ms",
      beat: warm(samples.live),
      original: running,
      goal: { text: "<= 100 ms", limit: 100 },
      note: "beat run"
    })
    const many = makeHome()
    try {
      const count = quick ? 10 : 100
      report({
        name: `${count} tasks from a loop of the shell`,
        unit: "s",
        beat: [(await loop(many, count)) / 1000],
        ...(!quick && { goal: { text: "<= 12 s", limit: 12 } })
      })
      const batches = []
      for (let round = 0; another(round, quick ? 1 : 3, end); round++) batches.push((await batch(many, 1000)) / 1000)
      report({ name: "1,000 tasks in a batch", unit: "s", beat: batches, goal: { text: "<= 1 s", limit: 1 } })
    } finally {
      await many.endWorkers()
      await many.close()
    }
  } finally {
    await server.leave()
    for (const home of [live, cold, served, theirs]) await home?.close()
  }
}
