/** Output: how fast it is stored, how soon another process shows it, and how much memory a flood takes. */
import { once } from "node:events"
import { bundled } from "../inside/bundle.mjs"
import { another, binary, launcher, makeHome, now, residentOf, scratch, sleep, until } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"
import { percentile } from "../statistics.mjs"

const line = "yes 'The quick brown fox jumps over the lazy dog, again and again and again.'"
const megabytes = (count) => `${line} | head -c ${count}000000`

/** The highest value of `read` until `work` is done. */
const peakDuring = async (read, work) => {
  let peak = read() ?? 0
  const timer = setInterval(() => {
    peak = Math.max(peak, read() ?? 0)
  }, 10)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return peak
}

/** Nothing dropped: from the start of the agent to the commit of the end. */
const stored = async (home, size) => {
  await home.beat("run", "-a", "shell", "--max-output", `${size * 2}MB`, megabytes(size))
  await home.beat("wait", "@last")
  const [task] = (await home.json("list", "--limit", "1")).tasks
  return (size * 1000) / (task.endedAt - task.startedAt)
}

/** What the original keeps of it, and how long it takes; its limit raised so that it keeps all. */
const storedByOriginal = async (file, size) => {
  const home = makeOriginal(file, { MAX_OUTPUT_BUFFER: "1073741824" })
  try {
    const began = now()
    const child = home.start([file, "run", "-f", "-a", "claude", megabytes(size)])
    child.stdout.resume()
    child.stderr.resume()
    const over = await Promise.race([once(child, "close"), sleep(40_000)])
    return over === undefined ? "not within 40 s" : [(size * 1000) / (now() - began)]
  } finally {
    await home.close()
  }
}

/** Latency of each line from being printed to being shown by `beat logs -f` in another process. */
const followed = async (home, lines) => {
  const { stdout: id } = await home.beat(
    "run",
    "-a",
    "shell",
    `for i in $(seq ${lines}); do date +%s%N; sleep 0.05; done`
  )
  const child = home.start([binary, "logs", "-f", id])
  child.stderr.resume()
  const latencies = []
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const at = now()
    const whole = (rest + text).split("\n")
    rest = whole.pop()
    for (const stamp of whole) latencies.push(at - Number(BigInt(stamp.trim()) / 1000n) / 1000)
  })
  await once(child, "close")
  // The first lines wait for the follower's own start.
  return latencies.slice(20)
}

const bareRate = async (size) => {
  const { directory, remove } = scratch()
  try {
    const { stdout } = await launcher(directory, { PATH: process.env.PATH }).node([
      await bundled("bareOutput"),
      String(size)
    ])
    return Number(stdout)
  } finally {
    remove()
  }
}

export const output = async ({ ends, original, quick, report, reason }) => {
  const end = ends()
  const size = quick ? 50 : 200
  const home = makeHome({ BACKBEAT_IDLE_MS: "60000" })
  try {
    const worker = home.start([binary, "worker", "--keep"])
    await until("a worker", async () => ((await home.json("workers")).workers.length > 0 ? true : null))
    const rates = { beat: [], bare: [] }
    for (let round = 0; another(round, quick ? 1 : 3, end); round++) {
      rates.bare.push(await bareRate(size))
      rates.beat.push(await stored(home, size))
    }
    const kept = original === null ? reason : await storedByOriginal(original, quick ? 10 : 50)
    report({
      name: `${size} MB into the database`,
      unit: "MB/s",
      beat: rates.beat,
      original: kept,
      floors: { "bare script": rates.bare },
      goal: { text: ">= 0.6x bare", limit: 0.6, of: "bare script", atLeast: true },
      note: `the original: ${quick ? 10 : 50} MB`
    })

    const latencies = []
    const p99s = []
    for (let round = 0; another(round, quick ? 1 : 2, end); round++) {
      const times = await followed(home, quick ? 60 : 120)
      latencies.push(...times)
      p99s.push(percentile(times, 0.99))
    }
    report({ name: "follow from another process, p50", unit: "ms", beat: latencies, original: "cannot follow" })
    report({
      name: "follow from another process, p99",
      unit: "ms",
      beat: p99s,
      original: "cannot follow",
      goal: { text: "<= 250 ms", limit: 250 }
    })

    const flood = quick ? 100 : 500
    const growth = []
    for (let round = 0; another(round, quick ? 1 : 2, end); round++) {
      await sleep(1500)
      const before = residentOf(worker.pid)
      if (before === null) break
      const peak = await peakDuring(
        () => residentOf(worker.pid),
        async () => {
          await home.beat("run", "-a", "shell", megabytes(flood))
          await home.beat("wait", "@last")
        }
      )
      growth.push(peak - before)
    }
    report({
      name: `growth of the worker during ${flood} MB`,
      unit: "MB",
      beat: growth,
      original: original === null ? reason : await floodOfOriginal(original, flood),
      goal: { text: "<= 50 MB", limit: 50 }
    })
  } finally {
    await home.close()
  }
}

/** The growth of the process that holds the agent, from just before it starts. */
const floodOfOriginal = async (file, size) => {
  const home = makeOriginal(file)
  try {
    const child = home.start([file, "run", "-f", "-a", "claude", `sleep 1.5; ${megabytes(size)}`])
    child.stdout.resume()
    child.stderr.resume()
    await sleep(1500)
    const before = residentOf(child.pid)
    if (before === null) return "no figure"
    const over = Promise.race([once(child, "close"), sleep(30_000)])
    return [
      (await peakDuring(
        () => residentOf(child.pid),
        () => over
      )) - before
    ]
  } finally {
    await home.close()
  }
}
