/**
 * `npm run coverage [-- TEST...]`: runs the tests, prints how much of the source they execute, and names the files below 60 %.
 * Code of started programs (the built binary in the system tests) is not counted: it runs outside of vitest.
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"

const root = join(import.meta.dirname, "..")
const enough = 60

const given = process.argv.slice(2)
const vitest = join(root, "node_modules/vitest/vitest.mjs")
const child = spawn(process.execPath, [vitest, "run", "--coverage.enabled", ...given], { cwd: root, stdio: "inherit" })
const code = await new Promise((resolve) => child.on("exit", (code) => resolve(code ?? 1)))

const { total, ...files } = JSON.parse(readFileSync(join(root, "coverage/coverage-summary.json"), "utf8"))
const low = Object.entries(files)
  .map(([file, { lines }]) => ({ file: relative(root, file), percent: lines.pct }))
  .filter(({ percent }) => percent < enough)
  .sort((a, b) => a.percent - b.percent || (a.file < b.file ? -1 : 1))

const print = (line) => process.stdout.write(`${line}\n`)
print("")
for (const { file, percent } of low) print(`${percent.toFixed(1).padStart(5)} %  ${file}`)
print(`${low.length} of ${Object.keys(files).length} files are below ${enough} %`)
print(
  `coverage: ${total.lines.pct} % of lines, ${total.branches.pct} % of branches, ${total.functions.pct} % of functions`
)
process.exitCode = code
