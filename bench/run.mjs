/** `npm run bench`: start-up, latency and memory of the built program. Prints a table, writes bench/results.json. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { cpus, totalmem } from "node:os"
import { join } from "node:path"
import { mcp } from "./mcp.mjs"
import { binary, cpuOf, makeHome, median, memoryOf, now, sleep, until } from "./measure.mjs"

const results = []
const say = (line) => process.stdout.write(`${line}\n`)
const report = (name, value, unit, note = "") => {
  results.push({ name, value: Math.round(value * 100) / 100, unit, note })
  say(`${name.padEnd(52)} ${value.toFixed(unit === "x" ? 2 : 1).padStart(8)} ${unit.padEnd(3)} ${note}`)
}

/** Cold starts, interleaved so that a busy moment hits all of them alike. */
const coldStart = async (rounds) => {
  const home = makeHome()
  try {
    for (const word of ["one", "two", "three"]) await home.beat("run", "-a", "shell", `echo ${word}`)
    await home.beat("wait", "@last")
    const cases = {
      "node -e 0": () => home.node(["-e", "0"]),
      "beat --version": () => home.beat("--version"),
      "beat status": () => home.beat("status"),
      "beat list": () => home.beat("list")
    }
    const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]))
    for (const run of Object.values(cases)) await run()
    for (let round = 0; round < rounds; round++) {
      for (const [name, run] of Object.entries(cases)) times[name].push((await run()).ms)
    }
    const base = median(times["node -e 0"])
    for (const [name, values] of Object.entries(times)) {
      report(
        `cold start: ${name}`,
        median(values),
        "ms",
        name === "node -e 0" ? "" : `${(median(values) / base).toFixed(2)} x node`
      )
    }
  } finally {
    await home.close()
  }
}

/** When the agent wrote its first word: `date` in nanoseconds, or the file's time where `date` cannot. */
const firstWord = (file) => () => {
  if (!existsSync(file)) return null
  const text = readFileSync(file, "utf8").trim()
  if (text === "") return null
  return /^\d{19}$/.test(text) ? Number(BigInt(text) / 1000n) / 1000 : statSync(file).mtimeMs
}

/** From the start of `beat run`, and from the commit, to an agent that runs. */
const latency = async (rounds, live) => {
  const home = makeHome({ BACKBEAT_IDLE_MS: live ? "60000" : "0" })
  const label = live ? "with a live runtime" : "with none"
  const prompt = []
  const submit = []
  const commit = []
  try {
    if (live) home.start([binary, "worker", "--keep"])
    const served = async () =>
      (await home.json("workers")).runtimes.some((runtime) => runtime.alive) === live ? true : null
    for (let round = 0; round <= rounds; round++) {
      await until(`runtime ${label}`, served)
      const file = join(home.directory, `first-${round}`)
      const run = await home.beat("run", "-a", "shell", `date +%s%N > '${file}'`)
      const at = await until("the agent's first word", firstWord(file))
      await home.beat("wait", run.stdout)
      const [task] = (await home.json("list", "--limit", "1")).tasks
      // The first round warms the code caches.
      if (round === 0) continue
      prompt.push(run.ms)
      submit.push(at - run.began)
      commit.push(at - task.createdAt)
    }
    report(`beat run until the prompt is back, ${label}`, median(prompt), "ms")
    report(`beat run to running agent, ${label}`, median(submit), "ms")
    report(`stored task to running agent, ${label}`, median(commit), "ms")
  } finally {
    await home.close()
  }
}

/** The idle runtime, then the same with many sleeping tasks. */
const memory = async (tasks) => {
  const home = makeHome({ BACKBEAT_MAX_WORKERS: String(tasks), BACKBEAT_IDLE_MS: "0" })
  try {
    const runtime = home.start([binary, "worker", "--keep"])
    await until("a runtime", async () => ((await home.json("workers")).runtimes.length > 0 ? true : null))
    await sleep(2000)
    const idle = memoryOf(runtime.pid)
    if (idle === null) return say("memory and CPU: not measured, there is no /proc")
    report("idle runtime, resident", idle.rss, "MB")
    const cpu = cpuOf(runtime.pid)
    const began = now()
    await sleep(5000)
    report("idle runtime, CPU", ((cpuOf(runtime.pid) - cpu) / (now() - began)) * 100, "%")

    for (let task = 0; task < tasks; task++) await home.beat("run", "-a", "shell", "exec sleep 300")
    const running = async () => {
      const { workers } = await home.json("workers")
      const shims = workers.flatMap((worker) => (worker.process === null ? [] : [worker.process.pid]))
      return shims.length === tasks ? shims : null
    }
    const shims = await until(`${tasks} running tasks`, running, 30_000)
    await sleep(2000)
    const busy = memoryOf(runtime.pid)
    const parts = shims.map(memoryOf)
    const mean = (kind) => parts.reduce((sum, part) => sum + part[kind], 0) / tasks
    const growth = (busy.rss - idle.rss) / tasks
    report("shim, resident", mean("rss"), "MB", `${mean("pss").toFixed(2)} MB with shared pages in part`)
    report("runtime's growth per running task", growth, "MB", `of ${tasks}`)
    report("per running task beside its agent", mean("rss") + growth, "MB")
    const busyCpu = cpuOf(runtime.pid)
    const since = now()
    await sleep(5000)
    report(`runtime with ${tasks} silent tasks, CPU`, ((cpuOf(runtime.pid) - busyCpu) / (now() - since)) * 100, "%")
    const { tasks: started } = await home.json("list", "--status", "running")
    await home.beat("cancel", ...started.map(({ id }) => id))
  } finally {
    await home.close()
  }
}

const quick = process.argv.includes("--quick")
const machine = { node: process.version, cores: cpus().length, memoryMb: Math.round(totalmem() / 1024 ** 2) }
say(`Node ${machine.node}, ${machine.cores} cores, ${machine.memoryMb} MB. Medians.\n`)
await coldStart(quick ? 5 : 15)
await latency(quick ? 3 : 9, true)
await latency(quick ? 3 : 7, false)
await memory(20)
await mcp(report, { rounds: quick ? 3 : 9, tasks: 100_000 })
writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify({ machine, results }, null, 2)}\n`)
