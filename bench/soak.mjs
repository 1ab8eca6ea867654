/**
 * `npm run soak [-- --minutes 20]`: steady load with pruning on. What a worker and a server hold (memory, open files) and
 * what lies on the disk (log, database, spool) must be flat: it is compared between the second and the last third.
 */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { connect } from "./mcpClient.mjs"
import { binary, makeHome, now, residentOf, sleep, until } from "./measure.mjs"
import { median } from "./statistics.mjs"

const words = process.argv.slice(2)
const minutes = words.includes("--minutes") ? Number(words[words.indexOf("--minutes") + 1]) : 20
if (!(minutes > 0)) {
  process.stderr.write("--minutes takes a number above 0\n")
  process.exit(2)
}

const say = (line) => process.stdout.write(`${line}\n`)

/** Between two submissions, in milliseconds. */
const pace = 250

/** A task prints some 30 kB, and every tenth leaves a process behind that has to be ended. */
const script = (number) => `seq 1 6000 >&2; echo ${number}${number % 10 === 0 ? "; sleep 300 & true" : ""}`

const sizeOf = (path) => {
  try {
    return statSync(path).size / 1024 ** 2
  } catch {
    return 0
  }
}

const countOf = (path) => {
  try {
    return readdirSync(path).length
  } catch {
    return 0
  }
}

/** What may be added from the second third to the last: a share, and what a short run cannot tell from noise. */
const figures = {
  "worker, resident MB": { share: 0.1, slack: 6 },
  "server, resident MB": { share: 0.1, slack: 6 },
  "worker, open files": { share: 0, slack: 4 },
  "server, open files": { share: 0, slack: 4 },
  "write-ahead log, MB": { share: 0.1, slack: 8 },
  "database, MB": { share: 0.1, slack: 1 },
  "spool, directories": { share: 0, slack: 6 }
}

const home = makeHome({ BACKBEAT_MAX_CONCURRENCY: "4" })
const worker = home.start([binary, "worker", "--keep"])
const server = connect(home, [binary, "mcp", "start"])
const samples = Object.fromEntries(Object.keys(figures).map((name) => [name, []]))
let failed = false
try {
  await server.initialize()
  await until("a worker", async () => ((await home.json("workers")).workers.length > 0 ? true : null))
  const began = now()
  const end = began + minutes * 60_000
  let sampled = 0
  let pruned = 0
  let submitted = 0
  let deleted = 0
  while (now() < end) {
    const turn = now()
    const answer = await server.request("tools/call", {
      name: "DelegateTask",
      arguments: { prompt: script(submitted), agent: "shell" }
    })
    if (answer.isError) throw new Error(answer.content[0].text)
    submitted += 1
    if (now() - pruned > 5000) {
      deleted += (await home.json("prune", "--older-than", "15s")).count
      pruned = now()
    }
    if (now() - sampled > 1000) {
      sampled = now()
      const values = [
        residentOf(worker.pid),
        residentOf(server.pid),
        countOf(`/proc/${worker.pid}/fd`),
        countOf(`/proc/${server.pid}/fd`),
        sizeOf(`${home.database}-wal`),
        sizeOf(home.database),
        countOf(join(home.state, "spool"))
      ]
      for (const [index, name] of Object.keys(figures).entries()) samples[name].push(values[index] ?? 0)
    }
    // More work than the machine can do would be no steady load.
    while (countOf(join(home.state, "spool")) > 20) await sleep(20)
    await sleep(Math.max(0, pace - (now() - turn)))
  }
  const idle = async () => {
    await sleep(200)
    const { tasks } = await home.json("list", "--status", "queued", "--status", "running", "--limit", "1")
    return tasks.length === 0 ? true : null
  }
  await until("the last tasks end", idle, 60_000)
  const { tasks: bad } = await home.json("list", "--status", "failed", "--status", "cancelled", "--limit", "5")
  say(`${submitted} tasks in ${minutes} minutes, ${deleted} of them deleted again.\n`)
  say(`${"".padEnd(24)} second third   last third   highest`)
  for (const [name, { share, slack }] of Object.entries(figures)) {
    const third = Math.floor(samples[name].length / 3)
    const before = median(samples[name].slice(third, 2 * third))
    const after = median(samples[name].slice(2 * third))
    const flat = after <= before * (1 + share) + slack
    failed ||= !flat
    const shown = [before, after, Math.max(...samples[name])].map((value) => value.toFixed(1).padStart(12))
    say(`${name.padEnd(24)} ${shown.join(" ")}  ${flat ? "" : "GROWS"}`)
  }
  if (bad.length > 0) {
    failed = true
    say(`\nNot completed: ${bad.map(({ id, cause, error }) => `${id} (${cause}: ${error})`).join(", ")}`)
  }
  say(failed ? "\nNot flat." : "\nFlat.")
} finally {
  await server.leave()
  await home.close()
}
process.exitCode = failed ? 1 : 0
