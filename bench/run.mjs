/**
 * `npm run bench`: Backbeat next to the original, `node -e 0` and bare scripts, in one run. Prints a table and writes
 * bench/results.json. `-- --only start,mcp` runs some groups, `--quick` few rounds, `--no-original` leaves that out.
 */
import { writeFileSync } from "node:fs"
import { cpus, loadavg, totalmem } from "node:os"
import { claim } from "./groups/claim.mjs"
import { cycles } from "./groups/cycles.mjs"
import { drain } from "./groups/drain.mjs"
import { graph } from "./groups/graph.mjs"
import { mcp } from "./groups/mcp.mjs"
import { memory } from "./groups/memory.mjs"
import { model } from "./groups/model.mjs"
import { output } from "./groups/output.mjs"
import { screen } from "./groups/screen.mjs"
import { start } from "./groups/start.mjs"
import { submit } from "./groups/submit.mjs"
import { workspace } from "./groups/workspace.mjs"
import { now } from "./measure.mjs"
import { install } from "./original.mjs"
import { makeReport } from "./report.mjs"

const groups = {
  start: ["Cold starts", start],
  submit: ["From submitting to running", submit],
  drain: ["Working off a queue", drain],
  cycles: ["Claim and finish over processes", cycles],
  claim: ["Claims from a queue that waits for limits", claim],
  mcp: ["MCP server", mcp],
  model: ["MCP server: what a model is shown, and many servers", model],
  output: ["Output", output],
  memory: ["Memory", memory],
  graph: ["Dependencies", graph],
  workspace: ["Workspaces of isolated tasks", workspace],
  screen: ["Live screen and web server", screen]
}

const say = (line) => process.stdout.write(`${line}\n`)

const words = process.argv.slice(2)
const only = words.includes("--only") ? (words[words.indexOf("--only") + 1] ?? "").split(",") : Object.keys(groups)
const unknown = only.filter((name) => groups[name] === undefined)
if (unknown.length > 0) {
  process.stderr.write(`no such group: ${unknown.join(", ")}. There are: ${Object.keys(groups).join(", ")}\n`)
  process.exit(2)
}

const quick = words.includes("--quick")
const began = now()
const { file: original, problem: reason } = words.includes("--no-original")
  ? { file: null, problem: "left out" }
  : install()
if (reason !== null) say(`The original: ${reason}.`)
const machine = {
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memoryMb: Math.round(totalmem() / 1024 ** 2),
  load: loadavg()[0]
}
say(
  `Node ${machine.node}, ${machine.platform}, ${machine.cores} cores, ${machine.memoryMb} MB, load ${machine.load.toFixed(1)}.`
)
say("Figure, Backbeat's median (10th to 90th percentile), the original's, floors and goal.")
const { begin, report, rows } = makeReport(say)

const failed = []
for (const name of only) {
  const [title, run] = groups[name]
  const since = now()
  begin(title)
  try {
    await run({ original, reason, quick, report, say })
  } catch (error) {
    failed.push(name)
    say(`  stopped: ${error instanceof Error ? error.message : error}`)
  }
  say(`  (${((now() - since) / 1000).toFixed(0)} s)`)
}

const loadAfter = loadavg()[0]
// The benchmark itself keeps about one core busy.
if (machine.load > machine.cores * 0.3)
  say("\nThe machine was busy before this began: compare columns, not milliseconds.")
const missed = rows.filter(({ goal }) => goal?.met === false)
const judged = rows.filter(({ goal }) => typeof goal?.met === "boolean")
say(`\n${judged.length - missed.length} of ${judged.length} goals met, in ${((now() - began) / 1000).toFixed(0)} s.`)
const results = { date: new Date().toISOString(), machine: { ...machine, loadAfter }, quick, failed, rows }
writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
