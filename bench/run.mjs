/** `npm run bench`: Backbeat next to the original, `node -e 0` and bare scripts, in one run. `-- --help` shows the options. */
import { writeFileSync } from "node:fs"
import { cpus, loadavg, totalmem } from "node:os"
import { preparationMs } from "./databases.mjs"
import { claim } from "./groups/claim.mjs"
import { cycles } from "./groups/cycles.mjs"
import { drain } from "./groups/drain.mjs"
import { graph } from "./groups/graph.mjs"
import { idle } from "./groups/idle.mjs"
import { mcp } from "./groups/mcp.mjs"
import { memory } from "./groups/memory.mjs"
import { model } from "./groups/model.mjs"
import { others } from "./groups/others.mjs"
import { output } from "./groups/output.mjs"
import { screen } from "./groups/screen.mjs"
import { start } from "./groups/start.mjs"
import { submit } from "./groups/submit.mjs"
import { workspace } from "./groups/workspace.mjs"
import { now } from "./measure.mjs"
import { help, limitSeconds, readOptions, seconds, titles } from "./options.mjs"
import { install } from "./original.mjs"
import { runGroups } from "./runGroups.mjs"

const groups = {
  start,
  submit,
  drain,
  cycles,
  claim,
  mcp,
  model,
  output,
  memory,
  graph,
  workspace,
  screen,
  others,
  idle
}

const say = (line) => process.stdout.write(`${line}\n`)

const { help: asksForHelp, instructions, only, problem, quick, withOriginal } = readOptions(process.argv.slice(2))
if (problem !== null) {
  process.stderr.write(`${problem}\nSee npm run bench -- --help\n`)
  process.exit(2)
}
if (asksForHelp) {
  process.stdout.write(help)
  process.exit(0)
}

const { file: original, problem: reason } = withOriginal ? install() : { file: null, problem: "left out" }
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

// Databases are made in a first run only.
const began = now()
const clock = () => (now() - began - preparationMs()) / 1000
const context = { original, reason, quick, instructions }
const { failed, notTaken, rows } = await runGroups({
  clock,
  context,
  groups,
  // Who names groups wants those.
  limitSeconds: only.length < Object.keys(groups).length ? Number.POSITIVE_INFINITY : limitSeconds,
  only,
  say,
  seconds,
  titles
})

const loadAfter = loadavg()[0]
// The benchmark itself keeps about one core busy.
if (machine.load > machine.cores * 0.3)
  say("\nThe machine was busy before this began: compare columns, not milliseconds.")
const missed = rows.filter(({ goal }) => goal?.met === false)
const judged = rows.filter(({ goal }) => typeof goal?.met === "boolean")
say(`\n${judged.length - missed.length} of ${judged.length} goals met, in ${((now() - began) / 1000).toFixed(0)} s.`)
if (notTaken.length > 0) say(`${notTaken.length} figures not taken:`)
for (const group of new Set(notTaken.map((figure) => figure.group))) {
  const figures = notTaken.filter((figure) => figure.group === group)
  say(`  ${group} (${figures[0].why}): ${figures.map(({ name }) => name).join("; ")}`)
}
const results = { date: new Date().toISOString(), machine: { ...machine, loadAfter }, quick, failed, notTaken, rows }
writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
process.exitCode = failed.length > 0 ? 1 : 0
